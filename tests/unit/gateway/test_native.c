/* SPDX-License-Identifier: MIT */

/* Native clients on fake sockets, with fake actors: what they say, what they are told, and how they
 * end. */

#include <unistd.h>

#include "conn_world.h"
#include "gateway/native.h"
#include "gateway/native_asks.h"
#include "proto/base/clock.h"

static gw_natives_t *s_natives;
static gw_token_keys_t *s_keys;
static gw_socket_t *s_socket; /* of the client of this test */
static char s_joining[1024];  /* its join frame, id 1 */

#define JOINED                                                                                     \
    "{\"event\":\"joined\",\"id\":1,\"data\":{\"user\":\"" ANN "\",\"poll\":\"" POLL               \
    "\",\"rev\":" REV(1) "}}\n"

static void
s_sign(const char *user, const char *more)
{
    gw_token_t token = {.poll = POLL, .name = "Ann", .name_len = 3};
    pr_buf_t *text = pr_buf_new(256);
    int64_t now_s = pr_clock_wall_ms() / 1000;
    token.expires_s = now_s + 600;
    (void) snprintf(token.user, sizeof token.user, "%s", user);
    assert_int_equal(gw_token_sign(s_keys, &token, now_s, text), 0);
    (void) snprintf(s_joining, sizeof s_joining,
                    "{\"event\":\"join\",\"id\":1,\"data\":{\"token\":\"%.*s\"%s}}",
                    PR_STR_ARG(pr_buf_str(text)), more);
    pr_buf_destroy(&text);
}

static int
s_begin(void **state)
{
    char path[] = "/tmp/native-key-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "key", 3), 3);
    (void) close(fd);
    s_keys = gw_token_keys_load(path);
    (void) unlink(path);
    (void) s_setup(state);
    world_t *world = *state;
    const gw_natives_settings_t settings = {
        .loop = world->loop,
        .stats = &world->stats,
        .rooms = world->rooms,
        .keys = s_keys,
        .ping_interval_ms = 25000,
        .ping_timeout_ms = 20000,
    };
    s_natives = gw_natives_new(&settings);
    s_socket = fake_socket_new();
    assert_int_equal(gw_natives_open(s_natives, s_socket, GW_NATIVE_JSON), 0);
    s_sign(ANN, "");
    return 0;
}

static int
s_end(void **state)
{
    if (s_socket) {
        fake_socket_gone(s_socket, 1006, false);
        fake_socket_destroy(&s_socket);
    }
    assert_int_equal(gw_natives_count(s_natives), 0);
    gw_natives_destroy(&s_natives);
    gw_token_keys_destroy(&s_keys);
    return s_teardown(state);
}

static const char *
s_told(void)
{
    return fake_socket_take(s_socket);
}

/* The name that the gateway gave to its conn. */
static void
s_say_of_conn(world_t *world, const char *type, const char *more)
{
    static char conn[PR_CONN_ID_LEN_MAX + 1];
    const char *at = strstr(fake_hosts_take(world->hosts), "\"conn\":\"");
    if (at) {
        (void) snprintf(conn, sizeof conn, "%s", at + strlen("\"conn\":\""));
        *strchr(conn, '"') = '\0';
    }
    char json[512];
    (void) snprintf(json, sizeof json, "{\"type\":\"%s\",\"poll\":\"" POLL "\",\"conn\":\"%s\"%s}",
                    type, conn, more);
    s_say(world, json);
}

/* Ann is joined and has document 1. */
static void
s_join_in(world_t *world)
{
    fake_socket_say(s_socket, s_joining);
    s_say(world, SNAPSHOT(1, IS_ANN));
    s_say_of_conn(world, "CONNECTED", ",\"rev\":" REV(1));
    t_loop_turn(world->loop);
    STARTS(s_told(), JOINED "{\"event\":\"snapshot\",\"data\":{\"document\":");
    (void) fake_hosts_take(world->hosts);
}

static void
s_closed_with(int code)
{
    assert_true(s_socket->closed);
    assert_int_equal(s_socket->code, code);
}

/* --- joining --- */

static void
joined_then_the_document(void **state)
{
    world_t *world = *state;
    assert_int_equal(world->stats.natives, 1);
    fake_socket_say(s_socket, s_joining);
    assert_int_equal(s_socket->message_max, PR_CLIENT_MESSAGE_BYTES_MAX);
    assert_string_equal(s_told(), "");
    s_say(world, SNAPSHOT(1, IS_ANN));
    t_loop_turn(world->loop);
    assert_string_equal(s_told(), "");
    s_say_of_conn(world, "CONNECTED", ",\"rev\":" REV(1));
    assert_string_equal(s_told(), JOINED);
    t_loop_turn(world->loop);
    STARTS(s_told(), "{\"event\":\"snapshot\"");
}

static void
current_client_is_sent_nothing_else(void **state)
{
    world_t *world = *state;
    s_sign(ANN, ",\"rev\":" REV(1));
    fake_socket_say(s_socket, s_joining);
    s_say(world, SNAPSHOT(1, IS_ANN));
    s_say_of_conn(world, "CONNECTED", ",\"rev\":" REV(1) ",\"ballot\":[\"n1\"]");
    t_loop_turn(world->loop);
    assert_string_equal(s_told(), JOINED);
    assert_int_equal(world->stats.resumed, 1);
    s_say(world, UPDATED(1, 2, "\"topic\":\"U\""));
    t_loop_turn(world->loop);
    STARTS(s_told(), "{\"event\":\"patch\",\"data\":{\"from\":" REV(1));
}

static void
each_refusal_has_its_close_code(void **state)
{
    static const struct {
        const char *code;
        const char *frame;
        int close;
    } cases[] = {
        {"removed",
         "{\"event\":\"error\",\"id\":1,\"data\":{\"type\":\"Unauthorized\",\"message\":\"x\","
         "\"outcome\":\"none\"}}\n",
         4004},
        {"not_found",
         "{\"event\":\"error\",\"id\":1,\"data\":{\"type\":\"Unknown\",\"message\":\"x\","
         "\"outcome\":\"none\"}}\n",
         4003},
        {"full",
         "{\"event\":\"error\",\"id\":1,\"data\":{\"type\":\"BadRequest\",\"message\":\"x\","
         "\"outcome\":\"none\"}}\n",
         4100},
        {"forbidden",
         "{\"event\":\"error\",\"id\":1,\"data\":{\"type\":\"Unauthorized\",\"message\":\"x\","
         "\"outcome\":\"none\"}}\n",
         4001},
        {"busy", "", 4100},
        {"unavailable", "", 4101},
    };
    world_t *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char more[64];
        fake_socket_say(s_socket, s_joining);
        (void) snprintf(more, sizeof more, ",\"code\":\"%s\",\"text\":\"x\"", cases[i].code);
        s_say_of_conn(world, "REFUSED", more);
        assert_string_equal(s_told(), cases[i].frame);
        s_closed_with(cases[i].close);
        fake_socket_gone(s_socket, cases[i].close, true);
        fake_socket_destroy(&s_socket);
        s_socket = fake_socket_new();
        assert_int_equal(gw_natives_open(s_natives, s_socket, GW_NATIVE_JSON), 0);
    }
}

static void
unanswered_join_backs_off(void **state)
{
    world_t *world = *state;
    fake_socket_say(s_socket, s_joining);
    t_loop_pass(world->loop, PR_JOINING_MS + 100);
    assert_string_equal(s_told(), "");
    s_closed_with(GW_NATIVE_NOT_JOINED);
    assert_int_equal(world->stats.join_timeouts, 1);
}

static void
silent_client_is_cut_off(void **state)
{
    world_t *world = *state;
    t_loop_pass(world->loop, PR_BEFORE_JOIN_MS + 100);
    s_closed_with(GW_NATIVE_NOT_JOINED);
    assert_int_equal(world->stats.connect_timeouts, 1);
}

/* --- commands --- */

static void
answers_carry_the_ids(void **state)
{
    world_t *world = *state;
    s_join_in(world);
    fake_socket_say(s_socket, "{\"event\":\"nominate\",\"id\":\"a\",\"data\":{\"text\":\"T\"}}");
    fake_socket_say(s_socket, "{\"event\":\"start_vote\",\"id\":-3}");
    fake_socket_say(s_socket, "{\"event\":\"close_poll\"}");
    fake_socket_say(s_socket, "{\"event\":\"cancel_poll\"}");
    assert_int_equal(fake_hosts_waiting(world->hosts), 4);
    HOLDS(fake_hosts_take(world->hosts), "\"verb\":\"nominate\",\"args\":{\"text\":\"T\"}");
    const pr_msg_reply_t saved = {
        .code = PR_STR("ok"), .outcome = PR_STR("saved"), .rev = PR_STR("2-b")};
    const pr_msg_reply_t refused = {.code = PR_STR("unauthorized"), .outcome = PR_STR("none")};
    fake_hosts_reply(world->hosts, 1, &refused, 0);
    fake_hosts_reply(world->hosts, 0, &saved, 0);
    fake_hosts_reply(world->hosts, 2, &saved, 0);
    fake_hosts_reply(world->hosts, 3, &refused, 0);
    assert_string_equal(
        s_told(),
        "{\"event\":\"error\",\"id\":-3,\"data\":{\"type\":\"Unauthorized\","
        "\"message\":\"Admin privileges required\",\"outcome\":\"none\"}}\n"
        "{\"event\":\"ack\",\"id\":\"a\",\"data\":{\"outcome\":\"saved\",\"rev\":\"2-b\"}}\n"
        "{\"event\":\"error\",\"data\":{\"type\":\"Unauthorized\","
        "\"message\":\"Admin privileges required\",\"outcome\":\"none\"}}\n");
}

static void
own_ballot_is_told_apart(void **state)
{
    world_t *world = *state;
    s_join_in(world);
    s_say_of_conn(world, "CONNECTED", ",\"rev\":" REV(1) ",\"ballot\":[\"n1\",\"n2\"]");
    t_loop_turn(world->loop);
    assert_string_equal(s_told(), "{\"event\":\"ballot\",\"data\":{\"ballot\":[\"n1\",\"n2\"]}}\n");
}

static void
requests_without_an_answer_are_bounded(void **state)
{
    (void) state;
    gw_native_asks_t asks = {0};
    gw_native_id_t id = {.kind = GW_NATIVE_ID_NUMBER};
    for (int64_t i = 0; i < PR_NATIVE_ASKS_MAX; i++) {
        id.number = 100 + i;
        assert_int_equal(gw_native_asks_add(&asks, &id), i);
    }
    assert_int_equal(gw_native_asks_add(&asks, &id), PR_E_FULL);
    assert_true(gw_native_asks_take(&asks, 7, &id));
    assert_int_equal(id.number, 107);
    assert_false(gw_native_asks_take(&asks, 7, &id));
    assert_false(gw_native_asks_take(&asks, -1, &id));
    assert_int_equal(gw_native_asks_add(&asks, &id), PR_NATIVE_ASKS_MAX);
    gw_native_asks_clear(&asks);
    assert_int_equal(gw_native_asks_add(&asks, &id), 0);
    gw_native_asks_clear(&asks);
}

static void
reader_that_takes_no_answers_is_closed(void **state)
{
    world_t *world = *state;
    s_join_in(world);
    s_socket->full = true;
    fake_socket_say(s_socket, "{\"event\":\"ping\"}");
    s_closed_with(GW_NATIVE_TOO_SLOW);
    assert_int_equal(world->stats.must_send_overflows, 1);
    /* Nothing that still comes in is looked at. */
    fake_socket_say(s_socket, "{\"event\":\"nominate\",\"data\":{\"text\":\"T\"}}");
    assert_int_equal(fake_hosts_waiting(world->hosts), 0);
}

static void
too_many_frames_close_it(void **state)
{
    world_t *world = *state;
    s_join_in(world);
    int taken = 0;
    while (!s_socket->closed && taken < 10 * PR_NATIVE_FRAMES_PER_S) {
        fake_socket_say(s_socket, "{\"event\":\"ping\"}");
        taken++;
    }
    s_closed_with(GW_NATIVE_RATE);
    assert_in_range(taken, PR_NATIVE_FRAMES_PER_S, 3 * PR_NATIVE_FRAMES_PER_S);
    HOLDS(fake_hosts_take(world->hosts), "\"why\":\"lost\"");
}

/* --- the end --- */

/* What DISCONNECT says after the socket ended so. */
static void
s_ends(world_t *world, int code, bool by_us, const char *why)
{
    char wanted[64];
    s_join_in(world);
    fake_socket_gone(s_socket, code, by_us);
    (void) snprintf(wanted, sizeof wanted, "\"why\":\"%s\"}\n", why);
    HOLDS(fake_hosts_take(world->hosts), wanted);
    fake_socket_destroy(&s_socket);
    s_socket = fake_socket_new();
    assert_int_equal(gw_natives_open(s_natives, s_socket, GW_NATIVE_JSON), 0);
}

static void
sockets_end_for_a_reason(void **state)
{
    world_t *world = *state;
    s_ends(world, 1000, false, "leave");
    s_ends(world, 1005, false, "leave");
    s_ends(world, 1001, false, "reload");
    s_ends(world, 1006, false, "lost");
    s_ends(world, 1006, true, "lost");
    s_ends(world, 1008, true, "lost");
    s_ends(world, 4900, false, "lost");
    s_ends(world, 1002, true, "leave");
    s_ends(world, 1007, true, "leave");
    s_ends(world, 1009, true, "leave");
}

static void
bad_frame_is_a_leave_at_once(void **state)
{
    world_t *world = *state;
    s_join_in(world);
    fake_socket_say(s_socket, "x");
    s_closed_with(GW_NATIVE_BAD_FRAME);
    HOLDS(fake_hosts_take(world->hosts), "\"why\":\"leave\"");
    assert_int_equal(world->stats.native_bad_frames, 1);
}

static void
leave_is_one(void **state)
{
    world_t *world = *state;
    s_join_in(world);
    fake_socket_say(s_socket, "{\"event\":\"leave\"}");
    s_closed_with(GW_NATIVE_LEFT);
    HOLDS(fake_hosts_take(world->hosts), "\"why\":\"leave\"");
}

static void
kick_and_endings_are_told(void **state)
{
    static const struct {
        const char *json;
        const char *why;
        int code;
    } cases[] = {
        {"{\"type\":\"POLL_ENDED\",\"poll\":\"" POLL "\",\"why\":\"cancelled\"}", "cancelled",
         4003},
        {"{\"type\":\"POLL_ENDED\",\"poll\":\"" POLL "\",\"why\":\"expired\"}", "expired", 4003},
        {NULL, "not_found", 4003},
    };
    world_t *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char wanted[64];
        s_join_in(world);
        if (cases[i].json) {
            s_say(world, cases[i].json);
        } else {
            s_say_of_conn(world, "REFUSED", ",\"code\":\"not_found\",\"text\":\"x\"");
        }
        (void) snprintf(wanted, sizeof wanted, "{\"event\":\"ended\",\"data\":{\"why\":\"%s\"}}\n",
                        cases[i].why);
        assert_string_equal(s_told(), wanted);
        s_closed_with(cases[i].code);
        fake_socket_gone(s_socket, cases[i].code, true);
        fake_socket_destroy(&s_socket);
        s_socket = fake_socket_new();
        assert_int_equal(gw_natives_open(s_natives, s_socket, GW_NATIVE_JSON), 0);
    }
}

static void
silent_socket_is_pinged(void **state)
{
    world_t *world = *state;
    /* The loop's own time stands still, so what is armed anew is overdue: it waits for another
     * tick, of which there must be none in the first step. */
    int64_t at_ms = 25000 + PR_WHEEL_TICK_MS - 1;
    s_join_in(world);
    s_socket->ops->pong(s_socket->user); /* counts from this turn */
    t_loop_pass(world->loop, at_ms);
    assert_string_equal(s_told(), "?\n");
    s_socket->ops->pong(s_socket->user);
    t_loop_pass(world->loop, at_ms += 100);
    assert_string_equal(s_told(), "?\n");
    fake_socket_say(s_socket, "{\"event\":\"ping\"}");
    assert_string_equal(s_told(), "{\"event\":\"pong\"}\n");
    t_loop_pass(world->loop, at_ms += 100);
    assert_string_equal(s_told(), "?\n");
    assert_false(s_socket->closed);
    t_loop_pass(world->loop, at_ms + 20000);
    s_closed_with(GW_NATIVE_TOO_SLOW);
    assert_int_equal(world->stats.ping_timeouts, 1);
    HOLDS(fake_hosts_take(world->hosts), "\"why\":\"lost\"");
}

/* Bytes that wait for it are watched by the socket itself. */
static void
blocked_socket_is_not_pinged(void **state)
{
    world_t *world = *state;
    s_join_in(world);
    fake_socket_set_blocked(s_socket, true);
    for (int64_t i = 1; i <= 5; i++) {
        t_loop_pass(world->loop, i * (25000 + 100));
    }
    assert_false(s_socket->closed);
    assert_string_equal(s_told(), "");
}

static void
all_are_sent_away(void **state)
{
    world_t *world = *state;
    gw_socket_t *open = fake_socket_new();
    assert_int_equal(gw_natives_open(s_natives, open, GW_NATIVE_MSGPACK), 0);
    s_join_in(world);
    assert_int_equal(gw_natives_count(s_natives), 2);
    gw_natives_close_some(s_natives, 1);
    assert_int_equal(s_socket->closed + open->closed, 1);
    gw_natives_close_all(s_natives, 5000);
    s_closed_with(GW_NATIVE_GOING_AWAY);
    assert_int_equal(open->code, GW_NATIVE_GOING_AWAY);
    HOLDS(fake_hosts_take(world->hosts), "\"why\":\"lost\"");
    fake_socket_gone(open, 4200, true);
    fake_socket_destroy(&open);
    assert_int_equal(gw_natives_count(s_natives), 1);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, s_begin, s_end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(joined_then_the_document),
        TEST(current_client_is_sent_nothing_else),
        TEST(each_refusal_has_its_close_code),
        TEST(unanswered_join_backs_off),
        TEST(silent_client_is_cut_off),
        TEST(answers_carry_the_ids),
        TEST(own_ballot_is_told_apart),
        cmocka_unit_test(requests_without_an_answer_are_bounded),
        TEST(reader_that_takes_no_answers_is_closed),
        TEST(too_many_frames_close_it),
        TEST(sockets_end_for_a_reason),
        TEST(bad_frame_is_a_leave_at_once),
        TEST(leave_is_one),
        TEST(kick_and_endings_are_told),
        TEST(silent_socket_is_pinged),
        TEST(blocked_socket_is_not_pinged),
        TEST(all_are_sent_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
