/* SPDX-License-Identifier: MIT */

/* What no gateway sends to another one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "neighbours_world.h"
#include "proto/wire/dealer.h"
#include "proto/wire/error.h"
#include "tests/support/stranger.h"

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
    assert_int_equal(world->above.closes, 0);
    pr_dealer_destroy(&stranger.dealer);
}

static void
only_gateways_are_let_in(void **state)
{
    world_t *world = *state;
    const pr_link_self_t me = {"actors", "a1", "3333333333333333"};
    assert_int_equal(t_stranger_refusal(world->loop, world->endpoint, &me), PR_E_FORBIDDEN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(odd_events_are_answered),
        TEST(only_gateways_are_let_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
