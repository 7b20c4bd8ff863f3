/* SPDX-License-Identifier: MIT */

/* How accept.c shares with other gateways; what else it does is in test_http and clients. */

#include "tests/unit/gateway/front.h"

#include <fcntl.h>

#include "gateway/share.h"
#include "tests/support/scratch.h"

enum { SLOT_BYTES = 64, CLIENTS = 32 };

typedef struct {
    front_t *front;
    gw_share_t *share;
    int file;
    int other; /* what another gateway has; below 0: it takes none */
    int clients[CLIENTS];
    size_t count;
} world_t;

/* The other one writes in every turn of our loop. */
static bool
s_other_shows(void *arg)
{
    const world_t *world = arg;
    int64_t now_ms = pr_loop_now_ms(world->front->loop);
    uint64_t word = world->other < 0 ? 0 : (uint64_t) now_ms << 32 | (uint64_t) world->other;
    assert_int_equal(pwrite(world->file, &word, sizeof word, SLOT_BYTES), sizeof word);
    return false;
}

static int
s_shown(const world_t *world)
{
    uint64_t word = 0;
    assert_int_equal(pread(world->file, &word, sizeof word, 0), sizeof word);
    return word == 0 ? -1 : (int) (word & UINT32_MAX);
}

static void
s_begin(world_t *world, int other)
{
    *world = (world_t) {.front = front_new(), .other = other};
    world->share = gw_share_new(t_scratch(), "g1");
    assert_non_null(world->share);
    char path[128];
    (void) snprintf(path, sizeof path, "%s/shares", t_scratch());
    world->file = open(path, O_RDWR | O_CLOEXEC);
    assert_true(world->file >= 0);
    (void) s_other_shows(world);
    pr_loop_on_turn(world->front->loop, PR_TURN_SEND, s_other_shows, world);
    front_t *front = world->front;
    gw_accept_destroy(&front->accept);
    const gw_accept_options_t options = {
        .loop = front->loop,
        .http = front->http,
        .limit = front->limit,
        .share = world->share,
        .listen_fd = front->listen_fd,
    };
    front->accept = gw_accept_new(&options);
    assert_non_null(front->accept);
}

static void
s_end(world_t *world)
{
    for (size_t i = 0; i < world->count; i++) {
        (void) close(world->clients[i]);
    }
    pr_loop_off_turn(world->front->loop, s_other_shows, world);
    front_destroy(&world->front);
    gw_share_destroy(&world->share);
    assert_int_equal(s_shown(world), -1);
    (void) close(world->file);
}

static void
s_connect(world_t *world, int more)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t) world->front->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < more; i++) {
        assert_true(world->count < CLIENTS);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (struct sockaddr *) &to, sizeof to), 0);
        world->clients[world->count++] = fd;
    }
}

static bool
s_all_are_in(void *arg)
{
    const world_t *world = arg;
    return gw_http_counters(world->front->http)->connections == world->count;
}

static bool
s_has_shown(void *arg)
{
    const world_t *world = arg;
    return s_shown(world) == (int) world->count;
}

static void
s_waits(world_t *world, bool (*until)(void *arg))
{
    assert_true(pr_loop_run_until(world->front->loop, until, world, FRONT_WAIT_MS));
}

static uint64_t
s_yielded(const world_t *world)
{
    return gw_accept_counters(world->front->accept)->yielded;
}

static void
what_the_others_leave_is_taken(void **state)
{
    (void) state;
    world_t world;
    s_begin(&world, 0);
    s_connect(&world, PR_SHARE_SLACK_MIN);
    s_waits(&world, s_all_are_in);
    assert_int_equal(s_yielded(&world), 0);
    /* In one go, after one pause. */
    s_connect(&world, CLIENTS / 2);
    s_waits(&world, s_all_are_in);
    assert_int_equal(s_yielded(&world), 1);
    s_waits(&world, s_has_shown);
    s_connect(&world, 1);
    s_waits(&world, s_all_are_in);
    assert_int_equal(s_yielded(&world), 2);
    s_end(&world);
}

static void
one_with_as_many_is_not_waited_for(void **state)
{
    (void) state;
    world_t world;
    s_begin(&world, CLIENTS - PR_SHARE_SLACK_MIN);
    s_connect(&world, CLIENTS);
    s_waits(&world, s_all_are_in);
    assert_int_equal(s_yielded(&world), 0);
    s_end(&world);
}

static bool
s_takes_another(void *arg)
{
    world_t *world = arg;
    world->other = !world->other;
    return s_all_are_in(arg);
}

/* However busy it looks. */
static void
nobody_is_waited_for_for_ever(void **state)
{
    (void) state;
    world_t world;
    s_begin(&world, 0);
    s_connect(&world, CLIENTS);
    s_waits(&world, s_takes_another);
    assert_in_range(s_yielded(&world), 1, CLIENTS);
    s_end(&world);
}

static void
a_close_is_shown(void **state)
{
    (void) state;
    world_t world;
    s_begin(&world, 0);
    s_connect(&world, PR_SHARE_SLACK_MIN);
    s_waits(&world, s_all_are_in);
    (void) close(world.clients[--world.count]);
    s_waits(&world, s_has_shown);
    assert_int_equal(s_yielded(&world), 0);
    s_end(&world);
}

static void
one_who_stops_leaves(void **state)
{
    (void) state;
    world_t world;
    s_begin(&world, 0);
    s_connect(&world, PR_SHARE_SLACK_MIN);
    s_waits(&world, s_all_are_in);
    gw_accept_stop(world.front->accept);
    assert_int_equal(s_shown(&world), -1);
    int turns = 0;
    pr_loop_on_turn(world.front->loop, PR_TURN_SEND, front_on_turn, &turns);
    assert_true(front_waits(world.front, &turns, 3));
    pr_loop_off_turn(world.front->loop, front_on_turn, &turns);
    assert_int_equal(s_shown(&world), -1);
    s_end(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_others_leave_is_taken),
        cmocka_unit_test(one_with_as_many_is_not_waited_for),
        cmocka_unit_test(nobody_is_waited_for_for_ever),
        cmocka_unit_test(a_close_is_shown),
        cmocka_unit_test(one_who_stops_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
