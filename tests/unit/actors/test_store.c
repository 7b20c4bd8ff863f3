/* SPDX-License-Identifier: MIT */

/* The store on a server that does what it should. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/clock.h"
#include "proto/wire/limits.h"
#include "tests/support/writers.h"

static void
s_nothing(void *arg)
{
    (void) arg;
}

static void
submitted_while_down_is_done_when_up(void **state)
{
    t_writers_t *rig = *state;
    for (int i = 0; i < 20; i++) {
        t_writer_create(t_writers_add(rig, 3));
    }
    t_writers_run_for(rig, 200);
    assert_int_equal(rig->idle, 0);
    t_redis_server_start(rig->server);
    t_writers_run(rig, t_writers_are_idle);
    assert_int_equal(rig->ups, 1);
    assert_int_equal(rig->downs, 0);
    for (size_t i = 0; i < rig->count; i++) {
        assert_int_equal(rig->polls[i].last, AC_ANSWER_DONE);
        t_writer_assert_whole(&rig->polls[i]);
    }
}

static void
no_more_is_in_flight_than_allowed(void **state)
{
    t_writers_t *rig = *state;
    for (int i = 0; i < T_WRITERS_MAX; i++) {
        t_writer_create(t_writers_add(rig, 2));
    }
    ac_store_stats_t stats;
    ac_store_stats(rig->store, &stats);
    assert_int_equal(stats.in_flight, PR_STORE_IN_FLIGHT_MAX);
    assert_int_equal(stats.queued, T_WRITERS_MAX - PR_STORE_IN_FLIGHT_MAX);
    t_writers_run(rig, t_writers_are_idle);
    assert_in_range(rig->most_in_flight, 1, PR_STORE_IN_FLIGHT_MAX);
    ac_store_stats(rig->store, &stats);
    assert_int_equal(stats.submitted, 2 * T_WRITERS_MAX);
    assert_int_equal(stats.answered, 2 * T_WRITERS_MAX);
    assert_int_equal(stats.sent, 2 * T_WRITERS_MAX);
    assert_int_equal(stats.retried, 0);
    assert_int_equal(stats.in_flight + stats.queued, 0);
}

static void
forgotten_scripts_are_loaded_again(void **state)
{
    t_writers_t *rig = *state;
    for (int i = 0; i < 32; i++) {
        t_writer_create(t_writers_add(rig, 1));
    }
    t_writers_run(rig, t_writers_are_idle);
    for (int round = 0; round < 3; round++) {
        assert_string_equal(t_redis_server_ask(rig->server, "SCRIPT", "FLUSH", NULL), "OK");
        for (size_t i = 0; i < rig->count; i++) {
            rig->polls[i].goal += 2;
            t_writer_write(&rig->polls[i]);
        }
        t_writers_run(rig, t_writers_are_idle);
    }
    for (size_t i = 0; i < rig->count; i++) {
        assert_int_equal(rig->polls[i].version, 7);
        assert_int_equal(rig->polls[i].alreadies, 0);
        t_writer_assert_whole(&rig->polls[i]);
    }
    assert_int_equal(rig->downs, 0);
    ac_store_stats_t stats;
    ac_store_stats(rig->store, &stats);
    assert_int_equal(stats.retried, 3 * 32);
}

static void
cancelled_requests_are_not_answered(void **state)
{
    t_writers_t *rig = *state;
    for (int i = 0; i < 400; i++) {
        t_writer_create(t_writers_add(rig, 1));
    }
    ac_store_stats_t stats;
    ac_store_stats(rig->store, &stats);
    assert_int_equal(stats.in_flight, PR_STORE_IN_FLIGHT_MAX);
    /* Every second one, in flight or queued; one of them goes in again at once. */
    for (size_t i = 0; i < rig->count; i += 2) {
        ac_store_cancel(rig->store, &rig->polls[i].request);
        ac_store_cancel(rig->store, &rig->polls[i].request);
        assert_false(rig->polls[i].request.submitted);
        rig->idle++;
    }
    t_writer_submit(&rig->polls[0]);
    t_writers_run(rig, t_writers_are_idle);
    for (size_t i = 1; i < rig->count; i++) {
        assert_int_equal(rig->polls[i].answers, i % 2);
    }
    /* The first copy was on its way: this is the same poll. */
    assert_int_equal(rig->polls[0].answers, 1);
    assert_int_equal(rig->polls[0].last, AC_ANSWER_ALREADY);
    ac_store_stats(rig->store, &stats);
    assert_int_equal(stats.cancelled, 200);
    assert_int_equal(stats.answered, 201);
}

/* Destroying with requests in every place frees nothing twice and calls nobody. */
static void
destroying_forgets_what_it_holds(void **state)
{
    t_writers_t *rig = *state;
    for (int i = 0; i < 400; i++) {
        t_writer_create(t_writers_add(rig, 1));
    }
    ac_store_destroy(&rig->store);
    for (size_t i = 0; i < rig->count; i++) {
        assert_int_equal(rig->polls[i].answers, 0);
        assert_false(rig->polls[i].request.submitted);
    }
    assert_null(rig->store);
}

static void
wrong_password_never_comes_up(void **state)
{
    t_writers_t *rig = *state;
    ac_store_destroy(&rig->store);
    static const ac_store_ops_t ops = {s_nothing, s_nothing, NULL};
    char url[200];
    (void) snprintf(url, sizeof url, "%s?user=poll&pass=no", t_redis_server_url(rig->server));
    rig->store = ac_store_new(rig->loop, url, "0123456789abcdef", &ops, rig);
    t_writer_create(t_writers_add(rig, 1));
    t_writers_run_for(rig, 300);
    assert_int_equal(rig->ups, 1);
    assert_int_equal(rig->idle, 0);
    assert_null(ac_store_new(rig->loop, "redis:", "0123456789abcdef", &ops, rig));
}

#define WITH(test, setup) cmocka_unit_test_setup_teardown(test, setup, t_writers_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(submitted_while_down_is_done_when_up, t_writers_setup_away),
        WITH(no_more_is_in_flight_than_allowed, t_writers_setup),
        WITH(forgotten_scripts_are_loaded_again, t_writers_setup),
        WITH(cancelled_requests_are_not_answered, t_writers_setup),
        WITH(destroying_forgets_what_it_holds, t_writers_setup),
        WITH(wrong_password_never_comes_up, t_writers_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
