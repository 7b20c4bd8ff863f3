/* SPDX-License-Identifier: MIT */

/* Real links to actors processes that this test plays. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/hosts.h"
#include "proto/wire/limits.h"
#include "proto/wire/placement.h"
#include "proto/wire/router.h"
#include "tests/support/scratch.h"
#include "tests/support/turns.h"

enum { WAIT_MS = 5000, SLOTS = 2 };

static const char *const s_incarnations[] = {"a000000000000001", "a000000000000002",
                                             "a000000000000003"};

/* An actors process. */
typedef struct {
    pr_router_t *router;
    pr_peer_t *peer;
    char incarnation[PR_INCARNATION_LEN + 1];
    char endpoint[128];
    int events;
    pr_message_type_t last;
    int64_t req; /* of the last request */
    char poll[PR_POLL_ID_LEN + 1];
    const char *answer; /* code of the REPLY to each request; NULL: none */
} actors_t;

typedef struct {
    pr_loop_t *loop;
    gw_hosts_t *hosts;
    actors_t actors[3];
    int opened[SLOTS + 1];
    int lost[SLOTS + 1];
    int moved;
    int events;
    bool is_untold;
    int64_t generation;
    /* the last answer */
    int answers;
    int error;
    char code[32];
    char outcome[16];
} world_t;

/* --- the gateway's side --- */

static void
s_opened(void *arg, int slot)
{
    ((world_t *) arg)->opened[slot]++;
}

static void
s_lost(void *arg, int slot)
{
    ((world_t *) arg)->lost[slot]++;
}

static void
s_event(void *arg, int slot, const pr_event_t *event)
{
    (void) slot;
    (void) event;
    ((world_t *) arg)->events++;
}

static void
s_writable(void *arg, int slot)
{
    (void) arg;
    (void) slot;
}

static void
s_moved(void *arg)
{
    ((world_t *) arg)->moved++;
}

static bool
s_is_told(void *arg, pr_str_t poll)
{
    (void) poll;
    return !((world_t *) arg)->is_untold;
}

static const gw_hosts_ops_t s_ops = {
    .opened = s_opened,
    .lost = s_lost,
    .event = s_event,
    .writable = s_writable,
    .moved = s_moved,
    .is_told = s_is_told,
};

static void
s_done(void *arg, const pr_msg_reply_t *reply, int error)
{
    world_t *world = arg;
    world->answers++;
    world->error = error;
    (void) snprintf(world->code, sizeof world->code, "%.*s",
                    PR_STR_ARG(reply ? reply->code : PR_STR("")));
    (void) snprintf(world->outcome, sizeof world->outcome, "%.*s",
                    PR_STR_ARG(reply ? reply->outcome : PR_STR("")));
}

/* --- the actors' side --- */

static int
s_peer_open(void *arg, pr_peer_t *peer, const pr_msg_hello_t *hello)
{
    (void) hello;
    ((actors_t *) arg)->peer = peer;
    return 0;
}

static void
s_peer_event(void *arg, pr_peer_t *peer, const pr_event_t *event)
{
    actors_t *actors = arg;
    if (event->type == PR_MSG_BEAT) {
        return;
    }
    actors->events++;
    actors->last = event->type;
    (void) snprintf(actors->poll, sizeof actors->poll, "%.*s", PR_STR_ARG(event->poll));
    actors->req = event->type == PR_MSG_READ      ? event->read.req
                  : event->type == PR_MSG_COMMAND ? event->command.req
                                                  : 0;
    if (actors->req && actors->answer) {
        pr_event_t reply = pr_event(PR_MSG_REPLY, event->poll);
        reply.reply.req = actors->req;
        reply.reply.code = pr_str(actors->answer);
        reply.reply.outcome = PR_STR("none");
        assert_int_equal(pr_link_send(pr_peer_link(peer), &reply), 0);
    }
}

static void
s_peer_lost(void *arg, pr_peer_t *peer, int error)
{
    (void) peer;
    (void) error;
    ((actors_t *) arg)->peer = NULL;
}

static const pr_router_ops_t s_router_ops = {
    .open = s_peer_open,
    .event = s_peer_event,
    .lost = s_peer_lost,
};

static void
s_start(world_t *world, size_t index)
{
    actors_t *actors = &world->actors[index];
    (void) snprintf(actors->incarnation, sizeof actors->incarnation, "%s", s_incarnations[index]);
    t_scratch_endpoint(actors->incarnation, actors->endpoint, sizeof actors->endpoint);
    pr_link_self_t me = {.role = "actors", .name = "a1", .incarnation = actors->incarnation};
    actors->router = pr_router_new(world->loop, actors->endpoint, &me, &s_router_ops, actors);
    assert_non_null(actors->router);
}

/* --- the world --- */

static int
s_setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    world->loop = pr_loop_new();
    world->hosts = gw_hosts_new(world->loop, "g1", "0123456789abcdef", &s_ops, world);
    *state = world;
    return 0;
}

static int
s_teardown(void **state)
{
    world_t *world = *state;
    gw_hosts_destroy(&world->hosts);
    for (size_t i = 0; i < 3; i++) {
        pr_router_destroy(&world->actors[i].router);
    }
    pr_loop_destroy(&world->loop);
    free(world);
    return 0;
}

/* A roster with these actors in slots 1 and 2; NULL: the slot is down. */
static void
s_roster(world_t *world, const actors_t *first, const actors_t *second)
{
    const actors_t *slots[] = {first, second};
    pr_roster_t *roster = pr_roster_new(++world->generation);
    for (int slot = 1; slot <= SLOTS; slot++) {
        const actors_t *actors = slots[slot - 1];
        assert_int_equal(pr_roster_add_actors(roster, slot, actors ? actors->incarnation : "",
                                              actors ? actors->endpoint : "", actors != NULL),
                         0);
    }
    gw_hosts_set_roster(world->hosts, &roster);
    assert_null(roster);
}

static bool
s_is_ready(void *arg)
{
    return gw_hosts_are_ready(((world_t *) arg)->hosts);
}

static bool
s_is_answered(void *arg)
{
    return ((world_t *) arg)->answers > 0;
}

#define RUN_UNTIL(condition) assert_true(pr_loop_run_until(world->loop, condition, world, WAIT_MS))

/* A poll that is placed on that slot. */
static pr_str_t
s_poll_of(const world_t *world, int slot)
{
    static char text[PR_POLL_ID_LEN + 1];
    for (int i = 0; i < 1000; i++) {
        (void) snprintf(text, sizeof text, "AAA%03d", i);
        if (gw_hosts_slot_of(world->hosts, pr_str(text)) == slot) {
            return pr_str(text);
        }
    }
    fail();
    return PR_STR_NONE;
}

static int64_t
s_read(world_t *world, int slot)
{
    int64_t handle = -1;
    pr_event_t event = pr_event(PR_MSG_READ, s_poll_of(world, slot));
    world->answers = 0;
    assert_int_equal(gw_hosts_request(world->hosts, &event, s_done, world, &handle), 0);
    assert_int_equal(world->answers, 0);
    return handle;
}

/* --- tests --- */

static void
roster_opens_a_session_with_everyone(void **state)
{
    world_t *world = *state;
    assert_int_equal(gw_hosts_slot_of(world->hosts, PR_STR("ABC234")), -1);
    assert_false(gw_hosts_are_ready(world->hosts));
    pr_event_t event = pr_event(PR_MSG_RESYNC, PR_STR("ABC234"));
    assert_int_equal(gw_hosts_send(world->hosts, &event), PR_E_UNREACHABLE);

    s_start(world, 0);
    s_start(world, 1);
    s_roster(world, &world->actors[0], &world->actors[1]);
    assert_int_equal(world->moved, 1);
    RUN_UNTIL(s_is_ready);
    assert_int_equal(world->opened[1], 1);
    assert_int_equal(world->opened[2], 1);
    assert_true(gw_hosts_is_open(world->hosts, 1));
    assert_true(
        pr_str_equal(pr_peer_identity(world->actors[0].peer), PR_STR("g1-0123456789abcdef")));
}

static void
requests_find_their_process_and_are_answered(void **state)
{
    world_t *world = *state;
    s_start(world, 0);
    s_start(world, 1);
    s_roster(world, &world->actors[0], &world->actors[1]);
    world->actors[0].answer = "ok";
    world->actors[1].answer = "not_found";
    /* Before any session is open: they wait for it. */
    (void) s_read(world, 1);
    RUN_UNTIL(s_is_answered);
    assert_string_equal(world->code, "ok");
    assert_int_equal(world->error, 0);
    (void) s_read(world, 2);
    RUN_UNTIL(s_is_answered);
    assert_string_equal(world->code, "not_found");
    assert_int_equal(world->actors[0].events, 1);
    assert_int_equal(world->actors[1].events, 1);
}

static bool
s_first_has_it(void *arg)
{
    return ((world_t *) arg)->actors[0].events > 0;
}

static bool
s_third_has_it(void *arg)
{
    return ((world_t *) arg)->actors[2].events > 0;
}

static void
request_in_flight_is_sent_again_once(void **state)
{
    world_t *world = *state;
    s_start(world, 0);
    s_start(world, 1);
    s_start(world, 2);
    s_roster(world, &world->actors[0], NULL);
    (void) s_read(world, 1);
    RUN_UNTIL(s_first_has_it);
    int64_t req = world->actors[0].req;
    /* The process dies; its slot is down, then up in another incarnation. */
    s_roster(world, NULL, NULL);
    assert_int_equal(world->lost[1], 1);
    assert_int_equal(world->answers, 0);
    world->actors[2].answer = NULL;
    s_roster(world, &world->actors[2], NULL);
    RUN_UNTIL(s_third_has_it);
    assert_int_equal(world->actors[2].req, req);
    assert_int_equal(world->answers, 0);
    /* And dies again: nobody knows what came of it. */
    s_roster(world, NULL, NULL);
    assert_int_equal(world->answers, 1);
    assert_int_equal(world->error, PR_E_TIMEOUT);
}

static void
request_waits_until_the_conns_are_told(void **state)
{
    world_t *world = *state;
    s_start(world, 0);
    s_roster(world, &world->actors[0], NULL);
    RUN_UNTIL(s_is_ready);
    world->actors[0].answer = "ok";
    world->is_untold = true;
    (void) s_read(world, 1);
    assert_false(pr_loop_run_until(world->loop, s_is_answered, world, 50));
    world->is_untold = false;
    gw_hosts_told(world->hosts);
    RUN_UNTIL(s_is_answered);
    assert_string_equal(world->code, "ok");
}

/* What the first process did with it may be why the second one refuses. */
static void
refusal_of_a_repeated_request_is_no_proof(void **state)
{
    world_t *world = *state;
    s_start(world, 0);
    s_start(world, 2);
    s_roster(world, &world->actors[0], NULL);
    (void) s_read(world, 1);
    RUN_UNTIL(s_first_has_it);
    s_roster(world, NULL, NULL);
    world->actors[2].answer = "not_found";
    s_roster(world, &world->actors[2], NULL);
    RUN_UNTIL(s_is_answered);
    assert_string_equal(world->code, "not_found");
    assert_string_equal(world->outcome, "unknown");
    world->actors[2].answer = "bad_request";
    (void) s_read(world, 1);
    RUN_UNTIL(s_is_answered);
    assert_string_equal(world->outcome, "none");
}

static void
answer_moved_tries_once_more(void **state)
{
    world_t *world = *state;
    s_start(world, 0);
    s_roster(world, &world->actors[0], NULL);
    world->actors[0].answer = "moved";
    (void) s_read(world, 1);
    RUN_UNTIL(s_is_answered);
    assert_string_equal(world->code, "moved");
    assert_int_equal(world->actors[0].events, 2);
}

static void
request_without_a_way_ends_at_its_deadline(void **state)
{
    world_t *world = *state;
    s_roster(world, NULL, NULL);
    (void) s_read(world, 1);
    t_loop_pass(world->loop, PR_REQUEST_DEADLINE_MS + 100);
    assert_int_equal(world->answers, 1);
    assert_int_equal(world->error, PR_E_UNREACHABLE);
}

static void
cancelled_request_is_never_answered(void **state)
{
    world_t *world = *state;
    s_start(world, 0);
    s_roster(world, &world->actors[0], NULL);
    int64_t handle = s_read(world, 1);
    gw_hosts_cancel(world->hosts, handle);
    gw_hosts_cancel(world->hosts, handle);
    gw_hosts_cancel(world->hosts, -1);
    world->actors[0].answer = "ok";
    handle = s_read(world, 1);
    RUN_UNTIL(s_is_answered);
    assert_int_equal(world->answers, 1);
    assert_int_equal(world->actors[0].events, 1);
    gw_hosts_cancel(world->hosts, handle);
}

static void
requests_are_bounded(void **state)
{
    world_t *world = *state;
    pr_event_t event = pr_event(PR_MSG_READ, PR_STR("ABC234"));
    int64_t first = -1;
    assert_int_equal(gw_hosts_request(world->hosts, &event, s_done, world, &first), 0);
    for (int i = 1; i < PR_REQUESTS_MAX; i++) {
        assert_int_equal(gw_hosts_request(world->hosts, &event, s_done, world, NULL), 0);
    }
    assert_int_equal(gw_hosts_request(world->hosts, &event, s_done, world, NULL), PR_E_BUSY);
    gw_hosts_cancel(world->hosts, first);
    int64_t again = -1;
    assert_int_equal(gw_hosts_request(world->hosts, &event, s_done, world, &again), 0);
    assert_int_not_equal(first, again);
}

static bool
s_is_lost(void *arg)
{
    return ((world_t *) arg)->lost[1] > 0;
}

static void
process_that_is_silent_is_lost_and_found_again(void **state)
{
    world_t *world = *state;
    s_start(world, 0);
    s_roster(world, &world->actors[0], NULL);
    RUN_UNTIL(s_is_ready);
    pr_router_destroy(&world->actors[0].router);
    RUN_UNTIL(s_is_lost);
    assert_false(gw_hosts_is_open(world->hosts, 1));
    s_start(world, 0);
    RUN_UNTIL(s_is_ready);
    assert_int_equal(world->opened[1], 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(roster_opens_a_session_with_everyone),
        TEST(requests_find_their_process_and_are_answered),
        TEST(request_in_flight_is_sent_again_once),
        TEST(request_waits_until_the_conns_are_told),
        TEST(refusal_of_a_repeated_request_is_no_proof),
        TEST(answer_moved_tries_once_more),
        TEST(request_without_a_way_ends_at_its_deadline),
        TEST(cancelled_request_is_never_answered),
        TEST(requests_are_bounded),
        TEST(process_that_is_silent_is_lost_and_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
