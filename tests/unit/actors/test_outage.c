/* SPDX-License-Identifier: MIT */

/* The store on servers that die, stand still, are full or are no primary any more. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "proto/base/clock.h"
#include "proto/wire/limits.h"
#include "tests/support/writers.h"

enum { KILL_WRITES = 170 };

/* Whether to kill it in the midst of work, and how long after it got what was sent. */
static bool s_kill;
static int64_t s_kill_after_us;

static bool
s_is_in_the_midst(const t_writers_t *rig)
{
    ac_store_stats_t stats;
    ac_store_stats(rig->store, &stats);
    /* Hundreds answered since the last kill, the pipeline full. */
    return stats.in_flight >= 32 && stats.answered % 1000 > 700 && ac_store_is_up(rig->store);
}

static int64_t
s_now_us(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/*
 * Runs in each turn, after all has been sent and before anything is read. A server that dies in the
 * next millisecond or two has got nothing of it, or has applied it, or has it on disk, but has not
 * answered.
 */
static bool
s_kill_in_turn(void *arg)
{
    t_writers_t *rig = arg;
    if (s_kill && s_is_in_the_midst(rig)) {
        int64_t until_us = s_now_us() + s_kill_after_us;
        while (s_now_us() < until_us) {
        }
        t_redis_server_kill(rig->server);
        s_kill = false;
    }
    return false;
}

static bool
s_is_killed_or_idle(void *arg)
{
    return t_writers_are_idle(arg) || (!s_kill && t_writers_are_down(arg));
}

/* 64 polls, one write out for each: all that was submitted is answered once and applied once. */
static void
killed_server_loses_and_repeats_nothing(void **state)
{
    t_writers_t *rig = *state;
    pr_loop_on_turn(rig->loop, PR_TURN_SEND + 1, s_kill_in_turn, rig);
    for (int i = 0; i < 64; i++) {
        t_writer_create(t_writers_add(rig, KILL_WRITES));
    }
    int kills = 0;
    for (; kills < 8; kills++) {
        s_kill = true;
        s_kill_after_us = 250 * kills;
        t_writers_run(rig, s_is_killed_or_idle);
        if (t_writers_are_idle(rig)) {
            break;
        }
        t_redis_server_spawn(rig->server);
        t_writers_run(rig, t_writers_are_up);
    }
    s_kill = false;
    t_writers_run(rig, t_writers_are_idle);
    assert_true(kills >= 4);
    ac_store_stats_t stats;
    ac_store_stats(rig->store, &stats);
    uint64_t alreadies = 0;
    for (size_t i = 0; i < rig->count; i++) {
        assert_int_equal(rig->polls[i].version, KILL_WRITES);
        alreadies += (uint64_t) rig->polls[i].alreadies;
        t_writer_assert_whole(&rig->polls[i]);
    }
    assert_int_equal(stats.answered, 64 * KILL_WRITES);
    assert_int_equal(stats.already, alreadies);
    assert_int_equal(stats.sent, stats.answered + stats.retried);
    assert_int_equal(rig->ups, kills + 1);
    assert_int_equal(rig->downs, kills);
    print_message("%d kills: %d sent again, %d of them applied before\n", kills,
                  (int) stats.retried, (int) alreadies);
}

static void
stopped_server_counts_as_down_and_comes_back(void **state)
{
    t_writers_t *rig = *state;
    for (int i = 0; i < 8; i++) {
        t_writer_create(t_writers_add(rig, 1));
    }
    t_writers_run(rig, t_writers_are_idle);
    t_redis_server_pause(rig->server);
    int64_t since_ms = pr_clock_mono_ms();
    for (size_t i = 0; i < rig->count; i++) {
        rig->polls[i].goal = 5;
        t_writer_write(&rig->polls[i]);
    }
    t_writers_run(rig, t_writers_are_down);
    assert_in_range(rig->down_ms - since_ms, PR_STORE_ANSWER_MS - 50, PR_STORE_ANSWER_MS + 700);
    assert_int_equal(rig->idle, 0);
    t_writers_run_for(rig, 3000 - (pr_clock_mono_ms() - since_ms));
    t_redis_server_resume(rig->server);
    t_writers_run(rig, t_writers_are_idle);
    assert_int_equal(rig->downs, 1);
    int alreadies = 0;
    for (size_t i = 0; i < rig->count; i++) {
        assert_int_equal(rig->polls[i].version, 5);
        t_writer_assert_whole(&rig->polls[i]);
        alreadies += rig->polls[i].alreadies;
    }
    /* It reads what the closed connection had brought, then the same again. */
    assert_in_range(alreadies, 1, rig->count);
}

static bool
s_is_nothing_in_flight(void *arg)
{
    ac_store_stats_t stats;
    ac_store_stats(((t_writers_t *) arg)->store, &stats);
    return stats.in_flight == 0;
}

static void
full_server_holds_writes_but_not_endings(void **state)
{
    t_writers_t *rig = *state;
    for (int i = 0; i < 4; i++) {
        t_writer_create(t_writers_add(rig, 1));
    }
    t_writers_run(rig, t_writers_are_idle);
    (void) t_redis_server_ask(rig->server, "CONFIG", "SET", "maxmemory", "1", NULL);
    for (size_t i = 0; i < 3; i++) {
        rig->polls[i].goal = 3;
        t_writer_write(&rig->polls[i]);
    }
    t_writer_t *ending = &rig->polls[3];
    ending->request.script = AC_SCRIPT_FINISH;
    (void) snprintf(ending->request.token, sizeof ending->request.token, "%s", ending->token);
    t_writer_submit(ending);
    t_writers_run_for(rig, 500);
    assert_int_equal(rig->idle, 1);
    assert_int_equal(ending->last, AC_ANSWER_DONE);
    assert_true(ac_store_is_up(rig->store));
    /* One of those that wait is taken back; in flight it might be applied all the same. */
    t_writers_run(rig, s_is_nothing_in_flight);
    ac_store_cancel(rig->store, &rig->polls[2].request);
    rig->idle++;
    (void) t_redis_server_ask(rig->server, "CONFIG", "SET", "maxmemory", "0", NULL);
    t_writers_run(rig, t_writers_are_idle);
    assert_int_equal(rig->polls[0].version, 3);
    assert_int_equal(rig->polls[1].version, 3);
    assert_int_equal(rig->polls[2].version, 1);
    for (size_t i = 0; i < 3; i++) {
        t_writer_assert_whole(&rig->polls[i]);
    }
    assert_int_equal(rig->downs, 0);
}

/* A fail-over as the old primary shows it: requests wait until there is one again. */
static void
server_that_becomes_a_replica_is_down(void **state)
{
    t_writers_t *rig = *state;
    t_writer_create(t_writers_add(rig, 1));
    t_writers_run(rig, t_writers_are_idle);
    (void) t_redis_server_ask(rig->server, "REPLICAOF", "127.0.0.1", "1", NULL);
    rig->polls[0].goal = 2;
    t_writer_write(&rig->polls[0]);
    t_writers_run(rig, t_writers_are_down);
    assert_int_equal(rig->idle, 0);
    (void) t_redis_server_ask(rig->server, "REPLICAOF", "NO", "ONE", NULL);
    t_writers_run(rig, t_writers_are_idle);
    assert_int_equal(rig->polls[0].version, 2);
    t_writer_assert_whole(&rig->polls[0]);
}

#define WITH(test, setup) cmocka_unit_test_setup_teardown(test, setup, t_writers_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(killed_server_loses_and_repeats_nothing, t_writers_setup),
        WITH(stopped_server_counts_as_down_and_comes_back, t_writers_setup),
        WITH(full_server_holds_writes_but_not_endings, t_writers_setup),
        WITH(server_that_becomes_a_replica_is_down, t_writers_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
