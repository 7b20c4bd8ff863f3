/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/drain.h"
#include "proto/wire/limits.h"

enum { DEADLINE_MS = 5000 };

typedef struct {
    size_t clients;
    size_t most; /* at once */
    int calls;
    int dones;
} world_t;

static size_t
s_count(void *arg)
{
    return ((world_t *) arg)->clients;
}

static void
s_close_some(void *arg, size_t most)
{
    world_t *world = arg;
    assert_true(most > 0 && most <= world->clients);
    world->calls++;
    world->most = most > world->most ? most : world->most;
    world->clients -= most;
}

/* They are asked to go, and stay. */
static void
s_close_none(void *arg, size_t most)
{
    world_t *world = arg;
    world->most += most;
}

static void
s_done(void *arg)
{
    ((world_t *) arg)->dones++;
}

static bool
s_is_done(void *arg)
{
    return ((world_t *) arg)->dones > 0;
}

static const gw_drain_ops_t s_ops = {s_count, s_close_some, s_done};

static int64_t
s_run(world_t *world, const gw_drain_ops_t *ops, int64_t within_ms)
{
    pr_loop_t *loop = pr_loop_new();
    gw_drain_t drain = {0};
    int64_t start_ms = pr_loop_now_ms(loop);
    gw_drain_begin(&drain, loop, within_ms, ops, world);
    assert_int_equal(world->dones, 0);
    assert_true(pr_loop_run_until(loop, s_is_done, world, DEADLINE_MS));
    assert_int_equal(world->dones, 1);
    int64_t took_ms = pr_loop_now_ms(loop) - start_ms;
    gw_drain_end(&drain);
    pr_loop_destroy(&loop);
    return took_ms;
}

static void
clients_go_at_an_even_pace(void **state)
{
    (void) state;
    world_t world = {.clients = 1000};
    int64_t took_ms = s_run(&world, &s_ops, 1000);
    assert_true(took_ms >= 900);
    assert_true(world.calls >= 4);
    assert_true(world.most <= 500);
}

static void
nobody_is_waited_for_when_nobody_is_there(void **state)
{
    (void) state;
    world_t world = {0};
    assert_true(s_run(&world, &s_ops, 60000) < 1000);
    assert_int_equal(world.calls, 0);
}

static void
no_time_is_at_once(void **state)
{
    (void) state;
    world_t world = {.clients = 10};
    assert_true(s_run(&world, &s_ops, 0) < 1000);
    /* Whoever stops closes those that are left. */
    assert_int_equal(world.clients, 10);
}

static void
who_does_not_go_is_not_asked_twice(void **state)
{
    (void) state;
    static const gw_drain_ops_t s_deaf = {s_count, s_close_none, s_done};
    world_t world = {.clients = 7};
    assert_true(s_run(&world, &s_deaf, 500) >= 500);
    assert_true(world.most < 7);
}

static void
what_never_began_ends(void **state)
{
    (void) state;
    gw_drain_t drain = {0};
    gw_drain_end(&drain);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_go_at_an_even_pace),
        cmocka_unit_test(nobody_is_waited_for_when_nobody_is_there),
        cmocka_unit_test(no_time_is_at_once),
        cmocka_unit_test(who_does_not_go_is_not_asked_twice),
        cmocka_unit_test(what_never_began_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
