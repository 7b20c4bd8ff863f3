/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <uv.h>

#include "fake_socket.h"
#include "gateway/session.h"
#include "proto/wire/limits.h"

/* The namespace /polls, whose handler remembers. */
typedef struct {
    pr_loop_t *loop;
    gw_stats_t stats;
    gw_sessions_t *sessions;
    gw_engineio_hub_t *hub;
    gw_socket_t *socket;
    gw_session_t *session;
    const char *refusal; /* of the next connect, NULL: it joins */
    char log[512];
    int member; /* its address is the member */
} world_t;

static void
s_note(world_t *world, const char *format, ...)
{
    size_t len = strlen(world->log);
    va_list args;
    va_start(args, format);
    (void) vsnprintf(world->log + len, sizeof world->log - len, format, args);
    va_end(args);
}

static world_t *
s_world(void *member)
{
    return (world_t *) (void *) ((char *) member - offsetof(world_t, member));
}

static gw_joining_t
s_connect(void *arg, gw_session_t *session, const json_t *auth, pr_str_t token)
{
    world_t *world = arg;
    world->session = session;
    s_note(world, "connect(%s,%.*s) ", json_string_value(json_object_get(auth, "a")),
           PR_STR_ARG(token));
    if (world->refusal) {
        return (gw_joining_t) {.reason = world->refusal};
    }
    return (gw_joining_t) {.member = &world->member};
}

static void
s_event(void *member, const gw_sio_packet_t *packet)
{
    s_note(s_world(member), "event(%.*s,%d", PR_STR_ARG(gw_sio_event_name(packet)),
           (int) packet->ack);
    for (int i = 0; i < packet->attachments; i++) {
        s_note(s_world(member), ",%.*s", PR_STR_ARG(pr_buf_str(packet->attached[i])));
    }
    s_note(s_world(member), ") ");
}

static void
s_writable(void *member)
{
    s_note(s_world(member), "writable ");
}

static void
s_left(void *member, gw_why_t why)
{
    s_note(s_world(member), "left(%s) ", gw_why_name(why));
}

static int
s_setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    const gw_namespace_t polls = {
        .name = PR_STR("/polls"),
        .connect = s_connect,
        .event = s_event,
        .writable = s_writable,
        .left = s_left,
        .arg = world,
    };
    const gw_engineio_settings_t settings = {
        .ping_interval_ms = 25000,
        .ping_timeout_ms = 20000,
        .owner = "g1-00",
    };
    world->loop = pr_loop_new();
    world->sessions = gw_sessions_new(world->loop, &world->stats, PR_BEFORE_JOIN_MS);
    gw_sessions_add(world->sessions, &gw_namespace_idle_root);
    gw_sessions_add(world->sessions, &polls);
    world->hub = gw_engineio_hub_new(world->loop, &settings, &world->stats, &gw_session_engine_ops,
                                     world->sessions);
    world->socket = fake_socket_new();
    *state = world;
    int error = gw_engineio_open(world->hub, world->socket, PR_STR("hdr"));
    (void) fake_socket_take(world->socket);
    return error;
}

static int
s_teardown(void **state)
{
    world_t *world = *state;
    fake_socket_gone(world->socket, 1006, false);
    fake_socket_destroy(&world->socket);
    gw_engineio_hub_destroy(&world->hub);
    gw_sessions_destroy(&world->sessions);
    pr_loop_destroy(&world->loop);
    free(world);
    return 0;
}

static void
s_turn(world_t *world)
{
    (void) uv_run(pr_loop_uv(world->loop), UV_RUN_NOWAIT);
}

static void
s_pass(world_t *world, int64_t ms)
{
    (void) pr_wheel_advance(pr_loop_wheel(world->loop), pr_loop_now_ms(world->loop) + ms);
}

/* What the handler was told since the last call. */
static const char *
s_log(world_t *world)
{
    static char last[sizeof world->log];
    memcpy(last, world->log, sizeof last);
    world->log[0] = '\0';
    return last;
}

static void
s_join(world_t *world)
{
    fake_socket_say(world->socket, "40/polls,{\"a\":\"b\"}");
    gw_session_accept(world->session, &world->member);
    (void) fake_socket_take(world->socket);
    (void) s_log(world);
}

static void
s_expect_cut(world_t *world, const char *text)
{
    fake_socket_say(world->socket, text);
    if (!world->socket->closed) {
        fail_msg("%s is tolerated", text);
    }
    assert_int_equal(world->stats.bad_packets, 1);
}

static void
client_joins_talks_and_leaves(void **state)
{
    world_t *world = *state;
    fake_socket_say(world->socket, "40/polls,{\"a\":\"b\"}");
    assert_string_equal(s_log(world), "connect(b,hdr) ");
    assert_string_equal(fake_socket_take(world->socket), "");
    gw_session_accept(world->session, &world->member);
    char sid[32] = "";
    assert_int_equal(
        sscanf(fake_socket_take(world->socket), "40/polls,{\"sid\":\"%31[A-Za-z0-9]\"}\n", sid), 1);
    assert_int_equal(strlen(sid), 20);

    fake_socket_say(world->socket, "42/polls,[\"vote\",1]");
    fake_socket_say(world->socket, "42/polls,3[\"vote\"]");
    fake_socket_say(world->socket, "43/polls,3[]");
    assert_string_equal(s_log(world), "event(vote,-1) event(vote,3) ");
    gw_session_send(world->session, &world->member, 3, PR_STR("[true]"));
    gw_session_send(world->session, &world->member, GW_SIO_ACK_NONE, PR_STR("[\"e\"]"));
    assert_string_equal(fake_socket_take(world->socket), "43/polls,3[true]\n42/polls,[\"e\"]\n");
    world->socket->ops->writable(world->socket->user);
    assert_string_equal(s_log(world), "writable ");

    fake_socket_say(world->socket, "41/polls,");
    assert_string_equal(s_log(world), "left(leave) ");
    fake_socket_say(world->socket, "40/polls,");
    assert_string_equal(s_log(world), "connect((null),hdr) ");
}

static void
refusals_leave_the_session_open(void **state)
{
    world_t *world = *state;
    world->refusal = "FORBIDDEN";
    fake_socket_say(world->socket, "40/polls,");
    assert_string_equal(fake_socket_take(world->socket), "44/polls,{\"message\":\"FORBIDDEN\"}\n");
    fake_socket_say(world->socket, "40/nope,{}");
    assert_string_equal(fake_socket_take(world->socket),
                        "44/nope,{\"message\":\"Invalid namespace\"}\n");
    fake_socket_say(world->socket, "40/polls?a=b,{}");
    assert_string_equal(fake_socket_take(world->socket),
                        "44/polls?a=b,{\"message\":\"Invalid namespace\"}\n");
    world->refusal = NULL;
    fake_socket_say(world->socket, "40/polls,");
    gw_session_refuse(world->session, &world->member, PR_STR("Poll \"not\" found"));
    assert_string_equal(fake_socket_take(world->socket),
                        "44/polls,{\"message\":\"Poll \\\"not\\\" found\"}\n");
    assert_false(world->socket->closed);
    s_join(world);
    gw_session_end(world->session, &world->member);
    assert_string_equal(fake_socket_take(world->socket), "41/polls,\n");
}

static void
root_accepts_everybody_and_does_nothing(void **state)
{
    world_t *world = *state;
    fake_socket_say(world->socket, "40");
    const char *got = fake_socket_take(world->socket);
    assert_int_equal(strncmp(got, "40{\"sid\":\"", 10), 0);
    fake_socket_say(world->socket, "42[\"anything\"]");
    assert_string_equal(fake_socket_take(world->socket), "");
    assert_false(world->socket->closed);
    /* It is no reason to stay. */
    s_pass(world, PR_BEFORE_JOIN_MS + 100);
    assert_true(world->socket->closed);
    assert_int_equal(world->stats.connect_timeouts, 1);
}

static void
event_before_the_join_cuts_off(void **state)
{
    s_expect_cut(*state, "42/polls,[\"vote\"]");
}

static void
ack_before_the_join_cuts_off(void **state)
{
    s_expect_cut(*state, "43/polls,1[]");
}

static void
event_while_joining_cuts_off(void **state)
{
    fake_socket_say(((world_t *) *state)->socket, "40/polls,");
    s_expect_cut(*state, "42/polls,[\"vote\"]");
}

static void
second_connect_cuts_off(void **state)
{
    world_t *world = *state;
    s_join(world);
    s_expect_cut(world, "40/polls,");
    s_turn(world);
    assert_string_equal(s_log(world), "left(leave) ");
}

static void
connect_while_joining_cuts_off(void **state)
{
    fake_socket_say(((world_t *) *state)->socket, "40/polls,");
    s_expect_cut(*state, "40/polls,");
}

static void
event_for_no_namespace_cuts_off(void **state)
{
    s_expect_cut(*state, "42/nope,[\"a\"]");
}

static void
connect_error_cuts_off(void **state)
{
    s_join(*state);
    s_expect_cut(*state, "44/polls,{\"message\":\"m\"}");
}

static void
s_say_binary(world_t *world, const char *bytes)
{
    world->socket->ops->message(world->socket->user, pr_str(bytes), true);
}

static void
binary_events_come_with_their_attachments(void **state)
{
    world_t *world = *state;
    s_join(world);
    fake_socket_say(world->socket, "452-/polls,7[\"f\",{\"_placeholder\":true,\"num\":1},"
                                   "{\"_placeholder\":true,\"num\":0}]");
    assert_string_equal(s_log(world), "");
    s_say_binary(world, "one");
    fake_socket_say(world->socket, "3"); /* a pong may go between */
    s_say_binary(world, "two");
    assert_string_equal(s_log(world), "event(f,7,one,two) ");
    pr_buf_t *bytes[] = {pr_buf_copy(PR_STR("a")), pr_buf_copy(PR_STR("b"))};
    gw_session_send_binary(world->session, &world->member, 7, PR_STR("[1]"), bytes, 2);
    gw_session_send_binary(world->session, &world->member, GW_SIO_ACK_NONE, PR_STR("[\"e\"]"),
                           bytes, 1);
    assert_string_equal(fake_socket_take(world->socket),
                        "462-/polls,7[1]\na\nb\n451-/polls,[\"e\"]\na\n");
    pr_buf_destroy(&bytes[0]);
    pr_buf_destroy(&bytes[1]);
    assert_false(world->socket->closed);
}

static void
attachment_out_of_place_cuts_off(void **state)
{
    world_t *world = *state;
    s_join(world);
    s_say_binary(world, "stray");
    assert_true(world->socket->closed);
}

static void
text_before_the_attachments_cuts_off(void **state)
{
    world_t *world = *state;
    s_join(world);
    fake_socket_say(world->socket, "451-/polls,[\"f\",{\"_placeholder\":true,\"num\":0}]");
    s_expect_cut(world, "42/polls,[\"vote\"]");
    assert_string_equal(s_log(world), "");
}

static void
attachments_are_bounded_in_bytes_and_time(void **state)
{
    world_t *world = *state;
    char *large = calloc(1, PR_CLIENT_MESSAGE_BYTES_MAX);
    memset(large, 'x', PR_CLIENT_MESSAGE_BYTES_MAX - 1);
    s_join(world);
    fake_socket_say(world->socket, "452-/polls,[\"f\"]");
    s_say_binary(world, large);
    assert_false(world->socket->closed);
    s_say_binary(world, "xx");
    assert_true(world->socket->closed);
    free(large);
}

static void
attachments_that_do_not_come_cut_off(void **state)
{
    world_t *world = *state;
    s_join(world);
    fake_socket_say(world->socket, "451-/polls,[\"f\"]");
    s_pass(world, PR_CLIENT_MESSAGE_MS + 200);
    assert_true(world->socket->closed);
    assert_int_equal(world->stats.bad_packets, 1);
}

static void
binary_event_before_the_join_cuts_off(void **state)
{
    s_expect_cut(*state, "451-/polls,[\"a\",{\"_placeholder\":true,\"num\":0}]");
}

static void
s_answered(void *arg, const gw_sio_packet_t *packet)
{
    world_t *world = arg;
    s_note(world, "answer(%d) ", packet ? (int) json_array_size(packet->data) : -1);
}

static void
questions_are_answered_once(void **state)
{
    world_t *world = *state;
    s_join(world);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            gw_session_ask(world->session, &world->member, PR_STR("[\"q\"]"), s_answered, world),
            0);
    }
    assert_string_equal(fake_socket_take(world->socket),
                        "42/polls,0[\"q\"]\n42/polls,1[\"q\"]\n42/polls,2[\"q\"]\n");
    fake_socket_say(world->socket, "43/polls,1[1,2]");
    fake_socket_say(world->socket, "43/polls,1[1,2]");
    fake_socket_say(world->socket, "43/polls,99[]");
    assert_string_equal(s_log(world), "answer(2) ");
    fake_socket_say(world->socket, "461-/polls,0[1]");
    s_say_binary(world, "b");
    assert_string_equal(s_log(world), "answer(1) ");
    fake_socket_say(world->socket, "41/polls,");
    assert_string_equal(s_log(world), "answer(-1) left(leave) ");
}

static void
questions_are_bounded(void **state)
{
    world_t *world = *state;
    s_join(world);
    for (int i = 0; i < PR_SESSION_ASKS_MAX; i++) {
        assert_int_equal(
            gw_session_ask(world->session, &world->member, PR_STR("[]"), s_answered, world), 0);
    }
    assert_int_equal(
        gw_session_ask(world->session, &world->member, PR_STR("[]"), s_answered, world), PR_E_BUSY);
}

static void
malformed_packet_cuts_off(void **state)
{
    s_join(*state);
    s_expect_cut(*state, "42/polls,[\"a\"");
}

static void
leaving_what_was_never_joined_cuts_off(void **state)
{
    s_expect_cut(*state, "41/polls,");
}

/* Both sides may end it at the same time. */
static void
leaving_twice_is_harmless(void **state)
{
    world_t *world = *state;
    s_join(world);
    gw_session_end(world->session, &world->member);
    fake_socket_say(world->socket, "41/polls,");
    fake_socket_say(world->socket, "41/polls,");
    assert_false(world->socket->closed);
    assert_string_equal(s_log(world), "");
}

/* A client that is refused again and again does not stay for ever. */
static void
refusals_do_not_set_the_clock_back(void **state)
{
    world_t *world = *state;
    world->refusal = "FORBIDDEN";
    s_pass(world, PR_BEFORE_JOIN_MS - 1000);
    fake_socket_say(world->socket, "40/polls,");
    s_pass(world, PR_BEFORE_JOIN_MS + 200);
    assert_true(world->socket->closed);
    assert_int_equal(world->stats.connect_timeouts, 1);
}

static void
silent_client_is_cut_off(void **state)
{
    world_t *world = *state;
    s_pass(world, PR_BEFORE_JOIN_MS - 200);
    assert_false(world->socket->closed);
    s_pass(world, PR_BEFORE_JOIN_MS + 100);
    assert_true(world->socket->closed);
    assert_int_equal(world->stats.connect_timeouts, 1);
}

static void
joined_client_stays_until_it_has_left(void **state)
{
    world_t *world = *state;
    s_join(world);
    s_pass(world, PR_BEFORE_JOIN_MS + 100);
    assert_false(world->socket->closed);
    fake_socket_say(world->socket, "41/polls,");
    s_pass(world, 3 * PR_BEFORE_JOIN_MS);
    assert_true(world->socket->closed);
}

static void
lost_socket_leaves_with_its_reason(void **state)
{
    world_t *world = *state;
    s_join(world);
    fake_socket_gone(world->socket, 1001, false);
    assert_string_equal(s_log(world), "left(reload) ");
    assert_int_equal(gw_engineio_open(world->hub, world->socket, PR_STR_NONE), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(client_joins_talks_and_leaves),
        TEST(refusals_leave_the_session_open),
        TEST(root_accepts_everybody_and_does_nothing),
        TEST(event_before_the_join_cuts_off),
        TEST(ack_before_the_join_cuts_off),
        TEST(event_while_joining_cuts_off),
        TEST(second_connect_cuts_off),
        TEST(connect_while_joining_cuts_off),
        TEST(event_for_no_namespace_cuts_off),
        TEST(connect_error_cuts_off),
        TEST(binary_events_come_with_their_attachments),
        TEST(attachment_out_of_place_cuts_off),
        TEST(text_before_the_attachments_cuts_off),
        TEST(attachments_are_bounded_in_bytes_and_time),
        TEST(attachments_that_do_not_come_cut_off),
        TEST(binary_event_before_the_join_cuts_off),
        TEST(questions_are_answered_once),
        TEST(questions_are_bounded),
        TEST(malformed_packet_cuts_off),
        TEST(leaving_what_was_never_joined_cuts_off),
        TEST(leaving_twice_is_harmless),
        TEST(refusals_do_not_set_the_clock_back),
        TEST(silent_client_is_cut_off),
        TEST(joined_client_stays_until_it_has_left),
        TEST(lost_socket_leaves_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
