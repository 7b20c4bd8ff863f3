/* SPDX-License-Identifier: MIT */

#include "tests/support/stranger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/wire/dealer.h"

enum { DEADLINE_MS = 10000 };

static int
s_open(void *arg, const pr_msg_hello_t *hello)
{
    bool *open = arg;
    (void) hello;
    *open = true;
    return 0;
}

static void
s_event(void *arg, const pr_event_t *event)
{
    (void) arg;
    (void) event;
}

static void
s_lost(void *arg, int error)
{
    (void) arg;
    (void) error;
}

static const pr_link_ops_t s_ops = {.open = s_open, .event = s_event, .lost = s_lost};

static bool
s_is_refused(void *arg)
{
    return pr_link_refusal(pr_dealer_link(arg)) != 0;
}

int
t_stranger_refusal(pr_loop_t *loop, const char *endpoint, const pr_link_self_t *me)
{
    static int strangers;
    bool open = false;
    char identity[32];
    (void) snprintf(identity, sizeof identity, "stranger-%d", ++strangers);
    pr_dealer_t *dealer = pr_dealer_new(loop, endpoint, identity, me, &s_ops, &open);
    assert_non_null(dealer);
    assert_true(pr_loop_run_until(loop, s_is_refused, dealer, DEADLINE_MS));
    int refusal = pr_link_refusal(pr_dealer_link(dealer));
    assert_false(open);
    pr_dealer_destroy(&dealer);
    return refusal;
}
