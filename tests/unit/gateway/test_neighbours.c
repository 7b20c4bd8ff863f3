/* SPDX-License-Identifier: MIT */

/* Requests that go to the gateway which owns their session. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "neighbours_world.h"

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
    gw_engineio_send(world->above.engine, PR_STR("more"));
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
    assert_int_equal(world->above.why, GW_WHY_LOST);
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
    assert_int_equal(world->above.closes, 0);
    gw_engineio_send(world->above.engine, PR_STR("x"));
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
    gw_engineio_trust(world->above.engine);
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
        gw_engineio_send(world->above.engine, text);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
