/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/clock.h"
#include "proto/base/loop.h"

enum { WAIT_MS = 10000 };

typedef struct world world_t;

typedef struct {
    world_t *world;
    char letter;
    bool more;    /* asks for another turn at once */
    bool goes;    /* takes itself out */
    bool goes_by; /* takes the hook before and the one after it out */
    int runs;
} hook_t;

struct world {
    pr_loop_t *loop;
    hook_t hooks[4];
    char order[64];
    size_t order_len;
    pr_timer_t timer;
    int fired;
    int64_t fired_ms;
    int signalled;
};

static bool
s_hook(void *arg)
{
    hook_t *hook = arg;
    world_t *world = hook->world;
    hook->runs++;
    if (world->order_len < sizeof world->order - 1) {
        world->order[world->order_len++] = hook->letter;
    }
    if (hook->goes) {
        pr_loop_off_turn(world->loop, s_hook, hook);
    }
    if (hook->goes_by) {
        pr_loop_off_turn(world->loop, s_hook, &world->hooks[0]);
        pr_loop_off_turn(world->loop, s_hook, &world->hooks[2]);
    }
    return hook->more;
}

static int
s_setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->loop = pr_loop_new();
    assert_non_null(world->loop);
    for (int i = 0; i < 4; i++) {
        world->hooks[i].world = world;
        world->hooks[i].letter = (char) ('a' + i);
    }
    *state = world;
    return 0;
}

static int
s_teardown(void **state)
{
    world_t *world = *state;
    pr_loop_destroy(&world->loop);
    free(world);
    return 0;
}

static bool
s_second_turn(void *arg)
{
    return ((world_t *) arg)->hooks[3].runs == 2;
}

static void
s_add_all(world_t *world)
{
    const int ranks[] = {PR_TURN_RECEIVE, PR_TURN_THINK, PR_TURN_WRITE, PR_TURN_SEND};
    /* Not in the order of their ranks. */
    for (int i = 0; i < 4; i++) {
        int at = (i + 2) % 4;
        pr_loop_on_turn(world->loop, ranks[at], s_hook, &world->hooks[at]);
    }
}

static void
hooks_run_by_rank_once_a_turn(void **state)
{
    world_t *world = *state;
    s_add_all(world);
    assert_true(pr_loop_run_until(world->loop, s_second_turn, world, WAIT_MS));
    assert_string_equal(world->order, "abcdabcd");
}

static void
equal_ranks_run_in_order_of_registration(void **state)
{
    world_t *world = *state;
    for (int i = 0; i < 4; i++) {
        pr_loop_on_turn(world->loop, PR_TURN_THINK, s_hook, &world->hooks[i]);
    }
    assert_true(pr_loop_run_until(world->loop, s_second_turn, world, WAIT_MS));
    assert_string_equal(world->order, "abcdabcd");
}

static void
a_hook_may_go_while_it_runs(void **state)
{
    world_t *world = *state;
    s_add_all(world);
    world->hooks[1].goes = true;
    assert_true(pr_loop_run_until(world->loop, s_second_turn, world, WAIT_MS));
    assert_string_equal(world->order, "abcdacd");
}

static void
a_hook_may_take_out_its_neighbours(void **state)
{
    world_t *world = *state;
    s_add_all(world);
    world->hooks[1].goes_by = true;
    assert_true(pr_loop_run_until(world->loop, s_second_turn, world, WAIT_MS));
    assert_string_equal(world->order, "abdbd");
}

static bool
s_thousand_turns(void *arg)
{
    return ((world_t *) arg)->hooks[0].runs == 1000;
}

/* Asleep between turns this would take a tick each. */
static void
the_loop_does_not_sleep_while_there_is_more_to_do(void **state)
{
    world_t *world = *state;
    world->hooks[0].more = true;
    pr_loop_on_turn(world->loop, PR_TURN_RECEIVE, s_hook, &world->hooks[0]);
    int64_t before_ms = pr_clock_mono_ms();
    assert_true(pr_loop_run_until(world->loop, s_thousand_turns, world, WAIT_MS));
    assert_in_range(pr_clock_mono_ms() - before_ms, 0, 1000 * PR_WHEEL_TICK_MS / 4);
}

static void
s_fire(pr_timer_t *timer)
{
    world_t *world = (world_t *) ((char *) timer - offsetof(world_t, timer));
    world->fired++;
    world->fired_ms = pr_loop_now_ms(world->loop);
    pr_loop_stop(world->loop);
}

static void
timers_fire_late_by_at_most_a_tick(void **state)
{
    world_t *world = *state;
    world->timer.fire = s_fire;
    int64_t before_ms = pr_loop_now_ms(world->loop);
    pr_loop_arm(world->loop, &world->timer, 250);
    pr_loop_run(world->loop); /* until the timer stops it */
    assert_int_equal(world->fired, 1);
    assert_true(world->fired_ms >= before_ms + 250);
}

static void
s_signal(void *arg, int signum)
{
    ((world_t *) arg)->signalled = signum;
}

static bool
s_is_signalled(void *arg)
{
    return ((world_t *) arg)->signalled != 0;
}

static void
signals_come_from_the_loop(void **state)
{
    world_t *world = *state;
    assert_int_equal(pr_loop_on_signal(world->loop, SIGUSR1, s_signal, world), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(world->signalled, 0);
    assert_true(pr_loop_run_until(world->loop, s_is_signalled, world, WAIT_MS));
    assert_int_equal(world->signalled, SIGUSR1);
}

static bool
s_never(void *arg)
{
    ((world_t *) arg)->fired++;
    return false;
}

static void
waiting_ends_at_its_deadline(void **state)
{
    world_t *world = *state;
    int64_t before_ms = pr_clock_mono_ms();
    assert_false(pr_loop_run_until(world->loop, s_never, world, 300));
    assert_in_range(pr_clock_mono_ms() - before_ms, 300, WAIT_MS);
    assert_true(world->fired > 1);
}

/* A hook brings it about; asked once more after a yes, a `done` that acts would act twice. */
static bool
s_yes_once(void *arg)
{
    world_t *world = arg;
    if (world->hooks[0].runs == 0) {
        return false;
    }
    world->fired++;
    return true;
}

static void
done_is_not_asked_after_it_said_yes(void **state)
{
    world_t *world = *state;
    pr_loop_on_turn(world->loop, PR_TURN_THINK, s_hook, &world->hooks[0]);
    assert_true(pr_loop_run_until(world->loop, s_yes_once, world, WAIT_MS));
    assert_int_equal(world->fired, 1);
    assert_int_equal(world->hooks[0].runs, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, s_setup, s_teardown)
        WITH_WORLD(hooks_run_by_rank_once_a_turn),
        WITH_WORLD(equal_ranks_run_in_order_of_registration),
        WITH_WORLD(a_hook_may_go_while_it_runs),
        WITH_WORLD(a_hook_may_take_out_its_neighbours),
        WITH_WORLD(the_loop_does_not_sleep_while_there_is_more_to_do),
        WITH_WORLD(timers_fire_late_by_at_most_a_tick),
        WITH_WORLD(signals_come_from_the_loop),
        WITH_WORLD(waiting_ends_at_its_deadline),
        WITH_WORLD(done_is_not_asked_after_it_said_yes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
