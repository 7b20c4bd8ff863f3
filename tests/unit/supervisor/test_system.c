/* SPDX-License-Identifier: MIT */

/* The real supervisor with its real children: what it does when they, or it, are ill-treated. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/clock.h"
#include "proto/wire/limits.h"
#include "tests/support/sv_system.h"

enum { RECOVER_MS = 20000 };

static const char *const s_names[] = {"redis", "a1", "a2", "g1", "g2"};
#define NAMES (sizeof s_names / sizeof s_names[0])

static t_sv_system_t s_system;

static int
s_setup(void **state)
{
    (void) state;
    if (t_sv_system_can_run()) {
        t_sv_system_init(&s_system, 2, 2);
    }
    return 0;
}

static int
s_teardown(void **state)
{
    (void) state;
    if (t_sv_system_can_run()) {
        t_sv_system_fini(&s_system);
    }
    return 0;
}

static void
s_need_programs(void)
{
    if (!t_sv_system_can_run()) {
        print_message("programs or module are not there\n");
        skip();
    }
}

static int64_t
s_generation(void)
{
    json_t *status = t_sv_system_status(&s_system);
    int64_t generation = json_integer_value(json_object_get(status, "generation"));
    json_decref(status);
    return generation;
}

static void
s_stop_and_check(const pid_t pids[NAMES])
{
    t_sv_system_signal(&s_system, SIGTERM);
    assert_int_equal(t_sv_system_wait_end(&s_system), 0);
    for (size_t i = 0; i < NAMES; i++) {
        assert_true(t_sv_system_wait_gone(pids[i], 0));
    }
}

static void
s_pids(pid_t pids[NAMES])
{
    for (size_t i = 0; i < NAMES; i++) {
        pids[i] = t_sv_system_pid_of(&s_system, s_names[i]);
        assert_true(pids[i] > 1);
    }
}

static void
starts_stops_and_starts_again_soon(void **state)
{
    (void) state;
    s_need_programs();
    char expected[64];
    pid_t pids[NAMES];
    t_sv_system_start(&s_system);
    (void) snprintf(expected, sizeof expected, "Rollcall is ready: http://127.0.0.1:%d\n",
                    s_system.port);
    assert_string_equal(s_system.ready_line, expected);
    int64_t generation = s_generation();
    s_pids(pids);
    s_stop_and_check(pids);

    int64_t before_ms = pr_clock_mono_ms();
    t_sv_system_start(&s_system);
    int64_t took_ms = pr_clock_mono_ms() - before_ms;
    print_message("ready after %lld ms\n", (long long) took_ms);
    assert_true(s_generation() > generation);
    s_pids(pids);
    s_stop_and_check(pids);
}

static void
second_supervisor_is_refused_and_harms_nobody(void **state)
{
    (void) state;
    s_need_programs();
    pid_t before[NAMES];
    pid_t after[NAMES];
    t_sv_system_start(&s_system);
    s_pids(before);
    assert_int_equal(t_sv_system_start_second(&s_system, s_system.port + 1), 100);
    s_pids(after);
    assert_memory_equal(before, after, sizeof before);

    /* Another place, the same port. */
    t_sv_system_t other;
    t_sv_system_init(&other, 1, 1);
    assert_int_equal(t_sv_system_start_second(&other, s_system.port), 111);
    t_sv_system_fini(&other);
    s_stop_and_check(after);
}

static void
every_child_that_is_killed_comes_back(void **state)
{
    (void) state;
    s_need_programs();
    t_sv_system_start(&s_system);
    pid_t pids[NAMES];
    s_pids(pids);
    int64_t generation = s_generation();
    for (size_t i = 0; i < NAMES; i++) {
        const char *words[] = {"kill", s_names[i], NULL};
        char out[4096];
        assert_int_equal(t_sv_system_ctl(&s_system, words, out, sizeof out), 0);
        pids[i] = t_sv_system_wait_child(&s_system, s_names[i], "ready", pids[i], RECOVER_MS);
    }
    /* Down and up again, for each of the four that the roster lists. */
    assert_true(s_generation() >= generation + 8);
    s_stop_and_check(pids);
}

static void
hung_child_is_replaced(void **state)
{
    (void) state;
    s_need_programs();
    t_sv_system_start(&s_system);
    static const char *const s_hung[] = {"a1", "g2"};
    pid_t pids[NAMES];
    pid_t former[2];
    for (size_t i = 0; i < 2; i++) {
        const char *words[] = {"kill", s_hung[i], "19", NULL}; /* SIGSTOP */
        char out[4096];
        former[i] = t_sv_system_pid_of(&s_system, s_hung[i]);
        assert_int_equal(t_sv_system_ctl(&s_system, words, out, sizeof out), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        (void) t_sv_system_wait_child(&s_system, s_hung[i], "ready", former[i],
                                      PR_CHILD_HUNG_MS + RECOVER_MS);
    }
    s_pids(pids);
    s_stop_and_check(pids);
}

static void
supervisor_that_stood_still_blames_nobody(void **state)
{
    (void) state;
    s_need_programs();
    t_sv_system_start(&s_system);
    pid_t before[NAMES];
    pid_t after[NAMES];
    s_pids(before);
    t_sv_system_signal(&s_system, SIGSTOP);
    /* Nothing happens meanwhile that could be waited for: that time passes is the event. */
    assert_false(t_sv_system_wait_gone(s_system.pid, PR_CHILD_HUNG_MS + 1000));
    t_sv_system_signal(&s_system, SIGCONT);
    for (size_t i = 0; i < NAMES; i++) {
        (void) t_sv_system_wait_child(&s_system, s_names[i], "ready", 0, RECOVER_MS);
    }
    s_pids(after);
    assert_memory_equal(before, after, sizeof before);
    s_stop_and_check(after);
}

static void
start_after_a_killed_supervisor_cleans_up(void **state)
{
    (void) state;
    s_need_programs();
    t_sv_system_start(&s_system);
    pid_t before[NAMES];
    pid_t after[NAMES];
    int64_t generation = s_generation();
    s_pids(before);
    t_sv_system_signal(&s_system, SIGKILL);
    assert_int_equal(t_sv_system_wait_end(&s_system), -SIGKILL);

    t_sv_system_start(&s_system);
    for (size_t i = 0; i < NAMES; i++) {
        assert_true(t_sv_system_wait_gone(before[i], 0));
    }
    assert_true(s_generation() > generation);
    s_pids(after);
    s_stop_and_check(after);
}

static void
stop_and_start_of_one_child(void **state)
{
    (void) state;
    s_need_programs();
    static const char *const s_stop[] = {"stop", "g2", NULL};
    static const char *const s_start[] = {"start", "g2", NULL};
    static const char *const s_restart[] = {"restart", "a2", NULL};
    static const char *const s_stop_all[] = {"stop", NULL};
    static const char *const s_status[] = {"status", NULL};
    char out[4096];
    t_sv_system_start(&s_system);
    pid_t a2 = t_sv_system_pid_of(&s_system, "a2");
    assert_int_equal(t_sv_system_ctl(&s_system, s_stop, out, sizeof out), 0);
    assert_string_equal(out, "g2 is down\n");
    assert_int_equal(t_sv_system_pid_of(&s_system, "g2"), 0);
    assert_int_equal(t_sv_system_ctl(&s_system, s_start, out, sizeof out), 0);
    assert_true(t_sv_system_pid_of(&s_system, "g2") > 1);
    assert_int_equal(t_sv_system_ctl(&s_system, s_restart, out, sizeof out), 0);
    assert_int_not_equal(t_sv_system_pid_of(&s_system, "a2"), a2);
    assert_int_equal(t_sv_system_ctl(&s_system, s_status, out, sizeof out), 0);
    assert_non_null(strstr(out, "Rollcall is ready: http://127.0.0.1:"));
    assert_int_equal(t_sv_system_ctl(&s_system, s_stop_all, out, sizeof out), 0);
    assert_int_equal(t_sv_system_wait_end(&s_system), 0);
    assert_int_equal(t_sv_system_ctl(&s_system, s_stop_all, out, sizeof out), 111);
}

static void
s_scale(const char *role, const char *count, const char *expected)
{
    const char *words[] = {"scale", role, count, NULL};
    char out[4096];
    assert_int_equal(t_sv_system_ctl(&s_system, words, out, sizeof out), 0);
    assert_string_equal(out, expected);
}

static size_t
s_children(void)
{
    json_t *status = t_sv_system_status(&s_system);
    size_t count = json_array_size(json_object_get(status, "children"));
    json_decref(status);
    return count;
}

/* Those that stay are the same processes as before; those that go exit by themselves. */
static void
more_and_fewer_while_it_runs(void **state)
{
    (void) state;
    s_need_programs();
    pid_t before[NAMES];
    pid_t after[NAMES];
    t_sv_system_start(&s_system);
    s_pids(before);
    s_scale("gateway", "4", "gateway: 4 ready\n");
    s_scale("actors", "3", "actors: 3 ready\n");
    assert_int_equal(s_children(), NAMES + 3);
    s_pids(after);
    assert_memory_equal(before, after, sizeof before);
    pid_t g4 = t_sv_system_pid_of(&s_system, "g4");
    pid_t a3 = t_sv_system_pid_of(&s_system, "a3");
    int64_t generation = s_generation();

    s_scale("gateway", "2", "gateway: 2 ready\n");
    s_scale("actors", "2", "actors: 2 ready\n");
    assert_true(t_sv_system_wait_gone(g4, 0));
    assert_true(t_sv_system_wait_gone(a3, 0));
    assert_int_equal(s_children(), NAMES);
    assert_true(s_generation() > generation);
    s_pids(after);
    assert_memory_equal(before, after, sizeof before);
    s_scale("gateway", "3", "gateway: 3 ready\n");
    pid_t g3 = t_sv_system_pid_of(&s_system, "g3");
    s_stop_and_check(after);
    assert_true(t_sv_system_wait_gone(g3, 0));
}

static void
drained_gateway_is_started_anew(void **state)
{
    (void) state;
    s_need_programs();
    static const char *const s_drain[] = {"drain", "g1", "--within-ms", "200", NULL};
    static const char *const s_wrong[] = {"drain", "a1", NULL};
    static const char *const s_many[] = {"scale", "gateway", "99", NULL};
    char out[4096];
    pid_t pids[NAMES];
    t_sv_system_start(&s_system);
    pid_t g1 = t_sv_system_pid_of(&s_system, "g1");
    assert_int_equal(t_sv_system_ctl(&s_system, s_drain, out, sizeof out), 0);
    assert_non_null(strstr(out, "g1 is ready, process "));
    assert_true(t_sv_system_wait_gone(g1, 0));
    assert_int_equal(t_sv_system_ctl(&s_system, s_wrong, out, sizeof out), 100);
    assert_int_equal(t_sv_system_ctl(&s_system, s_many, out, sizeof out), 100);
    s_pids(pids);
    s_stop_and_check(pids);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(starts_stops_and_starts_again_soon),
        TEST(second_supervisor_is_refused_and_harms_nobody),
        TEST(every_child_that_is_killed_comes_back),
        TEST(hung_child_is_replaced),
        TEST(supervisor_that_stood_still_blames_nobody),
        TEST(start_after_a_killed_supervisor_cleans_up),
        TEST(stop_and_start_of_one_child),
        TEST(more_and_fewer_while_it_runs),
        TEST(drained_gateway_is_started_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
