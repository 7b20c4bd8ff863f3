/* SPDX-License-Identifier: MIT */

/*
 * Two gateways in one process, joined by a real socket: g1 is asked for sessions that are g2's. The
 * layer above echoes what it gets.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/engineio.h"
#include "gateway/engineio_sid.h"
#include "gateway/neighbours.h"
#include "gateway/neighbours_server.h"
#include "proto/wire/dealer.h"
#include "proto/wire/limits.h"

#define G1 "1111111111111111"
#define G2 "2222222222222222"
#define TAG2 "g2-22222222"

enum { DEADLINE_MS = 5000, GET_MS = 50000, ANSWERS = 64 };

typedef struct {
    pr_loop_t *loop;
    char dir[64];
    char endpoint[128];
    gw_stats_t stats;
    gw_engineio_hub_t *hub;
    gw_engineio_t *engine; /* the last that was opened */
    gw_why_t why;
    int closes;
    gw_neighbours_server_t *server;
    gw_neighbours_t *neighbours;
    char sid[GW_SID_MAX + 1];
} world_t;

/* A request and what came of it. */
typedef struct {
    gw_polling_get_t get; /* first: the pointers are equal */
    int answers;
    int status;
    char *body;
    size_t len;
} asked_t;

/* --- the sessions of g2 --- */

static void *
s_opened(void *arg, gw_engineio_t *engine, pr_str_t token)
{
    world_t *world = arg;
    (void) token;
    world->engine = engine;
    return world;
}

static void
s_message(void *user, pr_str_t text, bool binary)
{
    world_t *world = user;
    (void) binary;
    gw_engineio_send(world->engine, text);
}

static void
s_writable(void *user)
{
    (void) user;
}

static void
s_closed(void *user, gw_why_t why)
{
    world_t *world = user;
    world->closes++;
    world->why = why;
}

static const gw_engineio_ops_t s_ops = {
    .opened = s_opened,
    .message = s_message,
    .writable = s_writable,
    .closed = s_closed,
};

static void
s_open_session(world_t *world)
{
    pr_buf_t *body = gw_engineio_open_polling(world->hub, PR_STR_NONE);
    assert_non_null(body);
    assert_int_equal(sscanf(pr_buf_data(body), "0{\"sid\":\"%64[^\"]", world->sid), 1);
    pr_buf_destroy(&body);
}

/* --- the two of them --- */

static void
s_start_server(world_t *world)
{
    const gw_neighbours_server_options_t options = {
        .loop = world->loop,
        .endpoint = world->endpoint,
        .name = "g2",
        .incarnation = G2,
        .hub = world->hub,
    };
    world->server = gw_neighbours_server_new(&options);
    assert_non_null(world->server);
}

static void
s_tell(world_t *world, bool with_g2)
{
    pr_roster_t *roster = pr_roster_new(1);
    assert_int_equal(pr_roster_add_gateway(roster, 1, G1, "ipc:///nowhere/g1.sock"), 0);
    if (with_g2) {
        assert_int_equal(pr_roster_add_gateway(roster, 2, G2, world->endpoint), 0);
    }
    gw_neighbours_set_roster(world->neighbours, roster);
    pr_roster_destroy(&roster);
}

static int
s_setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    *state = world;
    world->loop = pr_loop_new();
    (void) snprintf(world->dir, sizeof world->dir, "/tmp/rollcall-near-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    (void) snprintf(world->endpoint, sizeof world->endpoint, "ipc://%s/g2.sock", world->dir);
    const gw_engineio_settings_t settings = {
        .ping_interval_ms = 25000,
        .ping_timeout_ms = 20000,
        .queue_bytes_max = PR_MESSAGE_BYTES_MAX,
        .owner = TAG2,
    };
    world->hub = gw_engineio_hub_new(world->loop, &settings, &world->stats, &s_ops, world);
    const gw_neighbours_options_t options = {
        .loop = world->loop,
        .name = "g1",
        .incarnation = G1,
        .get_ms = GET_MS,
    };
    world->neighbours = gw_neighbours_new(&options);
    assert_true(world->hub && world->neighbours);
    s_start_server(world);
    s_tell(world, true);
    s_open_session(world);
    return 0;
}

static int
s_teardown(void **state)
{
    world_t *world = *state;
    gw_neighbours_destroy(&world->neighbours);
    gw_neighbours_server_destroy(&world->server);
    gw_engineio_hub_destroy(&world->hub);
    pr_loop_destroy(&world->loop);
    (void) unlink(world->endpoint + strlen("ipc://"));
    (void) rmdir(world->dir);
    free(world);
    return 0;
}

/* --- requests --- */

static void
s_answer(gw_polling_get_t *get, int status, pr_str_t body)
{
    asked_t *asked = (asked_t *) get;
    asked->answers++;
    asked->status = status;
    free(asked->body);
    asked->body = strndup(body.len ? body.ptr : "", body.len);
    asked->len = body.len;
}

static int64_t
s_ask(world_t *world, asked_t *asked, pr_str_t body)
{
    *asked = (asked_t) {.get = {.answer = s_answer}};
    return gw_neighbours_ask(world->neighbours, PR_STR(TAG2), pr_str(world->sid), body,
                             &asked->get);
}

static bool
s_is_answered(void *arg)
{
    return ((asked_t *) arg)->answers > 0;
}

static void
s_expect(world_t *world, asked_t *asked, int status, const char *body)
{
    assert_true(pr_loop_run_until(world->loop, s_is_answered, asked, DEADLINE_MS));
    assert_int_equal(asked->answers, 1);
    assert_int_equal(asked->status, status);
    assert_string_equal(asked->body, body);
    free(asked->body);
    asked->body = NULL;
}

static bool
s_is_parked(void *arg)
{
    return gw_neighbours_server_counters(((world_t *) arg)->server)->parked == 1;
}

static bool
s_is_closed(void *arg)
{
    return ((world_t *) arg)->closes > 0;
}

static void
s_park(world_t *world, asked_t *asked, int64_t *number)
{
    *number = s_ask(world, asked, PR_STR_NONE);
    assert_true(*number > 0);
    assert_true(pr_loop_run_until(world->loop, s_is_parked, world, DEADLINE_MS));
}

static const char s_unknown[] = "{\"code\":1,\"message\":\"Session ID unknown\"}";

/* --- tests --- */

static void
get_waits_at_its_owner_until_there_is_something(void **state)
{
    world_t *world = *state;
    asked_t get;
    asked_t post;
    int64_t number = 0;
    s_park(world, &get, &number);
    assert_true(s_ask(world, &post,
                      PR_STR("4hello\x1e"
                             "4world")) > 0);
    s_expect(world, &post, 200, "ok");
    s_expect(world, &get, 200,
             "4hello\x1e"
             "4world");
    s_park(world, &get, &number);
    gw_engineio_send(world->engine, PR_STR("more"));
    s_expect(world, &get, 200, "4more");
    assert_int_equal(gw_neighbours_counters(world->neighbours)->asked, 3);
    assert_int_equal(gw_neighbours_counters(world->neighbours)->answered, 3);
    assert_int_equal(gw_neighbours_counters(world->neighbours)->waiting, 0);
}

static void
overlap_is_the_owners_to_find(void **state)
{
    world_t *world = *state;
    asked_t first;
    asked_t second;
    int64_t number = 0;
    s_park(world, &first, &number);
    (void) s_ask(world, &second, PR_STR_NONE);
    s_expect(world, &first, 200, "1");
    s_expect(world, &second, 400, "");
    assert_true(pr_loop_run_until(world->loop, s_is_closed, world, DEADLINE_MS));
    (void) s_ask(world, &second, PR_STR_NONE);
    s_expect(world, &second, 400, s_unknown);
}

static void
client_that_goes_ends_its_session(void **state)
{
    world_t *world = *state;
    asked_t get;
    int64_t number = 0;
    s_park(world, &get, &number);
    gw_neighbours_abort(world->neighbours, number);
    assert_true(pr_loop_run_until(world->loop, s_is_closed, world, DEADLINE_MS));
    assert_int_equal(world->why, GW_WHY_LOST);
    assert_int_equal(get.answers, 0);
    gw_neighbours_abort(world->neighbours, number);
    gw_neighbours_abort(world->neighbours, 4711);
    assert_int_equal(gw_neighbours_counters(world->neighbours)->aborted, 1);
}

/* Before the link was there: the owner never hears of it. */
static void
abort_of_what_was_not_sent(void **state)
{
    world_t *world = *state;
    asked_t get;
    int64_t number = s_ask(world, &get, PR_STR_NONE);
    gw_neighbours_abort(world->neighbours, number);
    assert_int_equal(gw_neighbours_counters(world->neighbours)->waiting, 0);
    s_park(world, &get, &number);
    assert_int_equal(world->closes, 0);
    gw_engineio_send(world->engine, PR_STR("x"));
    s_expect(world, &get, 200, "4x");
}

static void
nobody_has_such_a_session(void **state)
{
    world_t *world = *state;
    asked_t asked;
    (void) snprintf(world->sid, sizeof world->sid, TAG2 "-AAAAAAAAAAAAAAAAAAAAAA");
    (void) s_ask(world, &asked, PR_STR_NONE);
    s_expect(world, &asked, 400, s_unknown);
    (void) s_ask(world, &asked, PR_STR("4x"));
    s_expect(world, &asked, 400, s_unknown);
    assert_null(gw_neighbours_incarnation(world->neighbours, PR_STR("g2-22222223")));
    assert_null(gw_neighbours_incarnation(world->neighbours, PR_STR("g1-11111111")));
    assert_string_equal(gw_neighbours_incarnation(world->neighbours, PR_STR(TAG2)), G2);
    assert_string_equal(gw_neighbours_name(world->neighbours, PR_STR(TAG2)), "g2");
    asked = (asked_t) {.get = {.answer = s_answer}};
    assert_int_equal(gw_neighbours_ask(world->neighbours, PR_STR("g9-99999999"), pr_str(world->sid),
                                       PR_STR_NONE, &asked.get),
                     0);
    s_expect(world, &asked, 400, s_unknown);
}

static void
owner_out_of_the_roster_is_answered_for_at_once(void **state)
{
    world_t *world = *state;
    asked_t get;
    int64_t number = 0;
    s_park(world, &get, &number);
    s_tell(world, false);
    assert_int_equal(get.answers, 1);
    s_expect(world, &get, 400, s_unknown);
    assert_int_equal(s_ask(world, &get, PR_STR_NONE), 0);
    s_expect(world, &get, 400, s_unknown);
    assert_int_equal(gw_neighbours_counters(world->neighbours)->lost, 1);
    /* Its side finds out too. */
    assert_true(pr_loop_run_until(world->loop, s_is_closed, world, DEADLINE_MS));
}

static void
owner_that_is_gone_is_missed(void **state)
{
    world_t *world = *state;
    asked_t get;
    int64_t number = 0;
    s_park(world, &get, &number);
    gw_neighbours_server_destroy(&world->server);
    s_expect(world, &get, 400, s_unknown);
    /* Nobody answers the greeting of the next one. */
    (void) s_ask(world, &get, PR_STR_NONE);
    s_expect(world, &get, 400, s_unknown);
    assert_int_equal(gw_neighbours_counters(world->neighbours)->late, 1);
    s_start_server(world);
    s_open_session(world);
    (void) s_ask(world, &get, PR_STR("4x"));
    s_expect(world, &get, 200, "ok");
}

static void
body_that_its_session_does_not_allow(void **state)
{
    world_t *world = *state;
    asked_t asked;
    size_t len = PR_BEFORE_JOIN_BYTES_MAX + 1;
    char *body = malloc(len);
    memset(body, '4', len);
    (void) s_ask(world, &asked, (pr_str_t) {body, len});
    s_expect(world, &asked, 413, "");
    gw_engineio_trust(world->engine);
    (void) s_ask(world, &asked, (pr_str_t) {body, len});
    s_expect(world, &asked, 200, "ok");
    free(body);
    (void) s_ask(world, &asked, PR_STR(""));
    s_expect(world, &asked, 400, "");
    assert_true(pr_loop_run_until(world->loop, s_is_closed, world, DEADLINE_MS));
}

/* Many large answers at once: more than the window of a link takes, none is lost. */
static void
answers_over_the_window_are_held(void **state)
{
    static asked_t s_asked[ANSWERS];
    world_t *world = *state;
    enum { LEN = 200000 };
    pr_str_t text = {memset(malloc(LEN), 'x', LEN), LEN};
    for (size_t i = 0; i < ANSWERS; i++) {
        s_open_session(world);
        (void) s_ask(world, &s_asked[i], PR_STR_NONE);
        gw_engineio_send(world->engine, text);
    }
    for (size_t i = 0; i < ANSWERS; i++) {
        assert_true(pr_loop_run_until(world->loop, s_is_answered, &s_asked[i], DEADLINE_MS));
        assert_int_equal(s_asked[i].status, 200);
        assert_int_equal(s_asked[i].len, LEN + 1);
        free(s_asked[i].body);
    }
    free((char *) (uintptr_t) text.ptr);
    assert_int_equal(gw_neighbours_server_counters(world->server)->overflowed, 0);
}

/* --- what no gateway sends --- */

typedef struct {
    pr_dealer_t *dealer;
    bool open;
    int refused_type;
    int64_t status;
} stranger_t;

static int
s_stranger_open(void *arg, const pr_msg_hello_t *hello)
{
    (void) hello;
    ((stranger_t *) arg)->open = true;
    return 0;
}

static void
s_stranger_event(void *arg, const pr_event_t *event)
{
    stranger_t *self = arg;
    if (event->type == PR_MSG_EVENT_REFUSED) {
        self->refused_type = (int) event->event_refused.type;
    }
    if (event->type == PR_MSG_POLLING_ANSWER) {
        self->status = event->polling_answer.status;
    }
}

static void
s_stranger_lost(void *arg, int error)
{
    (void) error;
    ((stranger_t *) arg)->open = false;
}

static bool
s_stranger_is_open(void *arg)
{
    return ((stranger_t *) arg)->open;
}

static bool
s_stranger_is_told(void *arg)
{
    const stranger_t *self = arg;
    return self->refused_type != 0 || self->status != 0;
}

static const pr_link_ops_t s_stranger_ops = {
    .open = s_stranger_open, .event = s_stranger_event, .lost = s_stranger_lost};

static void
s_say(world_t *world, stranger_t *self, const pr_event_t *event)
{
    self->refused_type = 0;
    self->status = 0;
    assert_int_equal(pr_link_send(pr_dealer_link(self->dealer), event), 0);
    assert_true(pr_loop_run_until(world->loop, s_stranger_is_told, self, DEADLINE_MS));
}

static void
odd_events_are_answered(void **state)
{
    world_t *world = *state;
    stranger_t stranger = {0};
    const pr_link_self_t me = {"gateway", "g3", "3333333333333333"};
    stranger.dealer = pr_dealer_new(world->loop, world->endpoint, "g3-3333333333333333", &me,
                                    &s_stranger_ops, &stranger);
    assert_true(pr_loop_run_until(world->loop, s_stranger_is_open, &stranger, DEADLINE_MS));
    pr_event_t drain = pr_event(PR_MSG_DRAIN, PR_STR(""));
    drain.drain.within_ms = 1;
    s_say(world, &stranger, &drain);
    assert_int_equal(stranger.refused_type, PR_MSG_DRAIN);

    pr_event_t post = pr_event(PR_MSG_POLLING_POST, PR_STR(""));
    post.polling_post.req = 1;
    post.polling_post.sid = pr_str(world->sid);
    post.polling_post.body.raw = PR_STR("\x07"); /* an integer */
    s_say(world, &stranger, &post);
    assert_int_equal(stranger.status, 400);

    char longer[300];
    memset(longer, 'A', sizeof longer);
    pr_event_t get = pr_event(PR_MSG_POLLING_GET, PR_STR(""));
    get.polling_get.req = -1;
    get.polling_get.sid = (pr_str_t) {longer, sizeof longer};
    s_say(world, &stranger, &get);
    assert_int_equal(stranger.status, 400);
    assert_int_equal(world->closes, 0);
    pr_dealer_destroy(&stranger.dealer);
}

static bool
s_stranger_is_refused(void *arg)
{
    return pr_link_refusal(pr_dealer_link(((stranger_t *) arg)->dealer)) != 0;
}

static void
only_gateways_are_let_in(void **state)
{
    world_t *world = *state;
    stranger_t stranger = {0};
    const pr_link_self_t me = {"actors", "a1", "3333333333333333"};
    stranger.dealer = pr_dealer_new(world->loop, world->endpoint, "a1-3333333333333333", &me,
                                    &s_stranger_ops, &stranger);
    assert_true(pr_loop_run_until(world->loop, s_stranger_is_refused, &stranger, DEADLINE_MS));
    assert_false(stranger.open);
    pr_dealer_destroy(&stranger.dealer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(get_waits_at_its_owner_until_there_is_something),
        TEST(overlap_is_the_owners_to_find),
        TEST(client_that_goes_ends_its_session),
        TEST(abort_of_what_was_not_sent),
        TEST(nobody_has_such_a_session),
        TEST(owner_out_of_the_roster_is_answered_for_at_once),
        TEST(owner_that_is_gone_is_missed),
        TEST(body_that_its_session_does_not_allow),
        TEST(answers_over_the_window_are_held),
        TEST(odd_events_are_answered),
        TEST(only_gateways_are_let_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
