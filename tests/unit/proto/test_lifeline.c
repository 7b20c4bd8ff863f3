/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/wire/lifeline.h"
#include "proto/wire/router.h"
#include "tests/support/scratch.h"

#define INCARNATION "bbbbbbbbbbbbbbbb"

enum { WAIT_MS = 20000, UNREADABLE = 1000 };

/* A child, and a supervisor made of a bare router. */
typedef struct {
    pr_loop_t *loop;
    pr_router_t *router;
    pr_lifeline_t *lifeline;
    char endpoint[100];
    int pipe[2];
    pr_peer_t *peer;

    int ready;
    char ready_endpoint[40];
    int64_t beat_generation;
    int64_t beat_count; /* in its statistics */

    int rosters;
    int64_t generation;
    int64_t drain_ms;
    int stops;
    int reloads;
    int orphaned;
    int64_t stats_asked;
} world_t;

static int
s_open(void *arg, pr_peer_t *peer, const pr_msg_hello_t *hello)
{
    world_t *world = arg;
    assert_true(pr_str_equal(hello->name, PR_STR("a1")));
    assert_true(pr_str_equal(hello->role, PR_STR("actors")));
    world->peer = peer;
    return 0;
}

static void
s_event(void *arg, pr_peer_t *peer, const pr_event_t *event)
{
    (void) peer;
    world_t *world = arg;
    if (event->type == PR_MSG_READY) {
        world->ready++;
        (void) snprintf(world->ready_endpoint, sizeof world->ready_endpoint, "%.*s",
                        PR_STR_ARG(event->ready.endpoint));
    } else if (event->type == PR_MSG_BEAT && event->beat.generation != PR_INT_NONE) {
        world->beat_generation = event->beat.generation;
        if (event->beat.stats.object) {
            const msgpack_object *asked =
                pr_object_member(event->beat.stats.object, PR_STR("asked"));
            assert_true(asked && pr_object_int(asked, &world->beat_count));
        }
    }
}

static void
s_lost(void *arg, pr_peer_t *peer, int error)
{
    (void) peer;
    (void) error;
    ((world_t *) arg)->peer = NULL;
}

static const pr_router_ops_t s_router_ops = {.open = s_open, .event = s_event, .lost = s_lost};

static bool
s_roster(void *arg, const pr_msg_roster_t *roster)
{
    world_t *world = arg;
    if (roster->generation == UNREADABLE) {
        return false;
    }
    world->rosters++;
    world->generation = roster->generation;
    return true;
}

static void
s_drain(void *arg, int64_t within_ms)
{
    ((world_t *) arg)->drain_ms = within_ms;
}

static void
s_stop(void *arg)
{
    ((world_t *) arg)->stops++;
}

static void
s_reload(void *arg)
{
    ((world_t *) arg)->reloads++;
}

static void
s_orphaned(void *arg)
{
    ((world_t *) arg)->orphaned++;
}

static void
s_stats(void *arg, pr_buf_t *out)
{
    world_t *world = arg;
    msgpack_packer packer = pr_packer(out);
    (void) msgpack_pack_map(&packer, 1);
    pr_pack_str(&packer, PR_STR("asked"));
    (void) msgpack_pack_int64(&packer, ++world->stats_asked);
}

static const pr_lifeline_ops_t s_ops = {
    s_roster, s_drain, s_stop, s_reload, s_orphaned, s_stats,
};

static void
s_start_router(world_t *world, const char *incarnation)
{
    pr_link_self_t me = {"supervisor", "supervisor", incarnation};
    world->router = pr_router_new(world->loop, world->endpoint, &me, &s_router_ops, world);
    assert_non_null(world->router);
}

static int
s_setup(void **state)
{
    static int number;
    world_t *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->loop = pr_loop_new();
    char name[16];
    (void) snprintf(name, sizeof name, "l%d.sock", number++);
    t_scratch_endpoint(name, world->endpoint, sizeof world->endpoint);
    assert_int_equal(pipe(world->pipe), 0);
    s_start_router(world, "aaaaaaaaaaaaaaaa");
    pr_child_env_t env = {
        .name = "a1",
        .incarnation = INCARNATION,
        .supervisor = world->endpoint,
        .run_dir = "",
        .lifeline_fd = world->pipe[0],
        .listen_fd = -1,
    };
    world->lifeline = pr_lifeline_new(world->loop, "actors", &env, &s_ops, world);
    assert_non_null(world->lifeline);
    *state = world;
    return 0;
}

static int
s_teardown(void **state)
{
    world_t *world = *state;
    pr_lifeline_destroy(&world->lifeline);
    pr_router_destroy(&world->router);
    pr_loop_destroy(&world->loop);
    (void) close(world->pipe[0]);
    if (world->pipe[1] >= 0) {
        (void) close(world->pipe[1]);
    }
    free(world);
    return 0;
}

static void
s_wait(world_t *world, bool (*done)(void *arg))
{
    assert_true(pr_loop_run_until(world->loop, done, world, WAIT_MS));
}

static bool
s_is_open(void *arg)
{
    const world_t *world = arg;
    return world->peer && pr_lifeline_is_open(world->lifeline);
}

static bool
s_is_ready(void *arg)
{
    return ((world_t *) arg)->ready == 1;
}

static bool
s_is_ready_again(void *arg)
{
    return ((world_t *) arg)->ready == 2;
}

static void
ready_is_said_in_each_session(void **state)
{
    world_t *world = *state;
    pr_lifeline_ready(world->lifeline, "ipc:///run/a1.sock", NULL); /* before there is one */
    s_wait(world, s_is_ready);
    assert_string_equal(world->ready_endpoint, "ipc:///run/a1.sock");
    pr_router_destroy(&world->router);
    world->peer = NULL;
    s_start_router(world, "cccccccccccccccc");
    s_wait(world, s_is_ready_again);
    assert_int_equal(world->orphaned, 0);
}

static void
s_send_roster(world_t *world, int64_t generation)
{
    pr_event_t event = pr_event(PR_MSG_ROSTER, PR_STR(""));
    event.roster.generation = generation;
    event.roster.actors.raw = event.roster.gateways.raw = PR_STR("\x90");
    assert_int_equal(pr_link_send(pr_peer_link(world->peer), &event), 0);
}

static bool
s_acknowledged_seven(void *arg)
{
    return ((world_t *) arg)->beat_generation == 7;
}

static bool
s_acknowledged_nine(void *arg)
{
    return ((world_t *) arg)->beat_generation == 9;
}

static void
a_roster_is_taken_once_and_acknowledged(void **state)
{
    world_t *world = *state;
    s_wait(world, s_is_open);
    s_send_roster(world, 7);
    s_wait(world, s_acknowledged_seven);
    s_send_roster(world, 7);
    s_send_roster(world, 9);
    s_wait(world, s_acknowledged_nine);
    assert_int_equal(world->rosters, 2);
    assert_int_equal(world->generation, 9);
}

static bool
s_has_ignored_two(void *arg)
{
    return pr_lifeline_old_rosters(((world_t *) arg)->lifeline) == 2;
}

static void
an_older_roster_is_ignored(void **state)
{
    world_t *world = *state;
    s_wait(world, s_is_open);
    s_send_roster(world, UNREADABLE); /* and one that can not be read is as if it were not */
    s_send_roster(world, 7);
    s_send_roster(world, 1);
    s_send_roster(world, 6);
    s_wait(world, s_has_ignored_two);
    s_wait(world, s_acknowledged_seven);
    assert_int_equal(world->rosters, 1);
    assert_int_equal(world->generation, 7);
    s_send_roster(world, 9);
    s_wait(world, s_acknowledged_nine);
    assert_int_equal(world->rosters, 2);
}

static bool
s_has_statistics(void *arg)
{
    return ((world_t *) arg)->beat_count >= 1;
}

static void
beats_carry_statistics(void **state)
{
    world_t *world = *state;
    s_wait(world, s_is_open);
    s_send_roster(world, 1);
    s_wait(world, s_has_statistics);
}

static bool
s_has_stopped(void *arg)
{
    return ((world_t *) arg)->stops == 1;
}

static void
orders_are_passed_on(void **state)
{
    world_t *world = *state;
    s_wait(world, s_is_open);
    pr_link_t *link = pr_peer_link(world->peer);
    pr_event_t event = pr_event(PR_MSG_DRAIN, PR_STR(""));
    event.drain.within_ms = 1234;
    assert_int_equal(pr_link_send(link, &event), 0);
    event = pr_event(PR_MSG_RELOAD, PR_STR(""));
    assert_int_equal(pr_link_send(link, &event), 0);
    event = pr_event(PR_MSG_READ, PR_STR("")); /* not for a child: nothing happens */
    event.read.req = 1;
    assert_int_equal(pr_link_send(link, &event), 0);
    event = pr_event(PR_MSG_STOP, PR_STR(""));
    assert_int_equal(pr_link_send(link, &event), 0);
    s_wait(world, s_has_stopped);
    assert_int_equal(world->drain_ms, 1234);
    assert_int_equal(world->reloads, 1);
}

static bool
s_is_orphaned(void *arg)
{
    return ((world_t *) arg)->orphaned > 0;
}

static void
a_closed_pipe_makes_an_orphan_once(void **state)
{
    world_t *world = *state;
    s_wait(world, s_is_open);
    assert_int_equal(write(world->pipe[1], "x", 1), 1); /* bytes mean nothing */
    pr_lifeline_ready(world->lifeline, "ipc:///run/a1.sock", "ipc:///run/a1-tap.sock");
    s_wait(world, s_is_ready);
    assert_int_equal(world->orphaned, 0);
    (void) close(world->pipe[1]);
    world->pipe[1] = -1;
    s_wait(world, s_is_orphaned);
    assert_int_equal(world->orphaned, 1);
}

static void
the_environment_is_read_strictly(void **state)
{
    (void) state;
    pr_child_env_t env;
    (void) setenv("ROLLCALL_CHILD", "g1", 1);
    (void) setenv("ROLLCALL_INCARNATION", INCARNATION, 1);
    (void) setenv("ROLLCALL_RUN_DIR", "/run", 1);
    assert_false(pr_child_env_read(&env));
    (void) setenv("ROLLCALL_SUPERVISOR", "ipc:///run/s.sock", 1);
    (void) setenv("ROLLCALL_LIFELINE_FD", "3", 1);
    (void) setenv("ROLLCALL_LISTEN_FD", "4x", 1);
    assert_true(pr_child_env_read(&env));
    assert_string_equal(env.name, "g1");
    assert_string_equal(env.store, "");
    assert_int_equal(env.lifeline_fd, 3);
    assert_int_equal(env.listen_fd, -1);
    (void) setenv("ROLLCALL_INCARNATION", "short", 1);
    assert_false(pr_child_env_read(&env));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, s_setup, s_teardown)
        WITH_WORLD(ready_is_said_in_each_session),
        WITH_WORLD(a_roster_is_taken_once_and_acknowledged),
        WITH_WORLD(an_older_roster_is_ignored),
        WITH_WORLD(beats_carry_statistics),
        WITH_WORLD(orders_are_passed_on),
        WITH_WORLD(a_closed_pipe_makes_an_orphan_once),
        cmocka_unit_test(the_environment_is_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
