/* SPDX-License-Identifier: MIT */

#include "proto/wire/dealer.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/base/zsock.h"

/* After so many greetings without an answer the socket is made anew. */
#define GREETINGS_MAX 3
/* ZeroMQ takes 255 bytes. */
#define IDENTITY_SIZE 128

struct pr_dealer {
    pr_loop_t *loop;
    pr_zsock_t *zsock;
    pr_link_t *link;
    const pr_link_ops_t *user; /* but for `transmit` */
    void *arg;
    pr_timer_t tick;
    int refusal; /* last told in the log */
    char *endpoint;
    char *identity;
    int sockets;   /* made so far */
    int greetings; /* of the link, when the present socket was made */
};

static int
s_transmit(void *arg, const pr_str_t *parts, size_t count)
{
    pr_dealer_t *self = arg;
    return !self->zsock ? PR_E_UNREACHABLE : pr_zsock_send(self->zsock, parts, count);
}

static int
s_open(void *arg, const pr_msg_hello_t *hello)
{
    pr_dealer_t *self = arg;
    return self->user->open(self->arg, hello);
}

static void
s_event(void *arg, const pr_event_t *event)
{
    pr_dealer_t *self = arg;
    self->user->event(self->arg, event);
}

static void
s_lost(void *arg, int error)
{
    pr_dealer_t *self = arg;
    self->user->lost(self->arg, error);
}

static void
s_writable(void *arg)
{
    pr_dealer_t *self = arg;
    if (self->user->writable) {
        self->user->writable(self->arg);
    }
}

static const pr_link_ops_t s_ops = {
    .transmit = s_transmit,
    .open = s_open,
    .event = s_event,
    .lost = s_lost,
    .writable = s_writable,
};

static void
s_receive(void *arg, const pr_str_t *parts, size_t count)
{
    pr_dealer_t *self = arg;
    pr_link_receive(self->link, parts, count, pr_loop_now_ms(self->loop));
}

static int
s_connect(pr_dealer_t *self)
{
    char identity[IDENTITY_SIZE];
    bool first = self->sockets++ == 0;
    int length = first
                     ? snprintf(identity, sizeof identity, "%s", self->identity)
                     : snprintf(identity, sizeof identity, "%s.%d", self->identity, self->sockets);
    PR_ASSERT(length > 0 && (size_t) length < sizeof identity);
    pr_zsock_destroy(&self->zsock);
    self->zsock = pr_zsock_new(self->loop, PR_ZSOCK_DEALER, identity, s_receive, self);
    return self->zsock ? pr_zsock_connect(self->zsock, self->endpoint) : PR_E_SYSTEM;
}

/*
 * A ROUTER is deaf for good to a connection that came before it had seen the end of an older one of
 * the same identity. So whoever is not answered although connected tries under another one.
 */
static void
s_reconnect_if_deaf(pr_dealer_t *self)
{
    int greetings = pr_link_greetings(self->link);
    if (pr_link_is_open(self->link) || pr_link_refusal(self->link)) {
        self->greetings = greetings;
    } else if (greetings - self->greetings >= GREETINGS_MAX) {
        pr_log_warn("link.reconnect", "endpoint=%s greetings=%d", self->endpoint, greetings);
        if (s_connect(self) == 0) {
            pr_link_dial(self->link, pr_loop_now_ms(self->loop));
        }
        self->greetings = pr_link_greetings(self->link);
    }
}

static void
s_tick(pr_timer_t *timer)
{
    pr_dealer_t *self = (pr_dealer_t *) ((char *) timer - offsetof(pr_dealer_t, tick));
    pr_link_tick(self->link, pr_loop_now_ms(self->loop));
    int refusal = pr_link_refusal(self->link);
    if (refusal && refusal != self->refusal) {
        pr_log_warn("link.refused", "endpoint=%s code=%s", self->endpoint, pr_error_name(refusal));
    }
    self->refusal = refusal;
    s_reconnect_if_deaf(self);
    pr_loop_arm(self->loop, timer, PR_WHEEL_TICK_MS);
}

static bool
s_flush(void *arg)
{
    pr_dealer_t *self = arg;
    pr_link_flush(self->link, pr_loop_now_ms(self->loop));
    return false;
}

pr_dealer_t *
pr_dealer_new(pr_loop_t *loop,
              const char *endpoint,
              const char *identity,
              const pr_link_self_t *me,
              const pr_link_ops_t *ops,
              void *arg)
{
    PR_ASSERT(loop && endpoint && identity && ops);
    pr_dealer_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->user = ops;
    self->arg = arg;
    self->tick.fire = s_tick;
    self->endpoint = strdup(endpoint);
    self->identity = strdup(identity);
    self->link = pr_link_new(PR_LINK_DIALLER, me, &s_ops, self);
    pr_loop_on_turn(loop, PR_TURN_SEND, s_flush, self);
    if (!self->endpoint || !self->identity || !self->link || s_connect(self) != 0) {
        pr_dealer_destroy(&self);
        return NULL;
    }
    pr_loop_arm(loop, &self->tick, PR_WHEEL_TICK_MS);
    pr_link_dial(self->link, pr_loop_now_ms(loop));
    return self;
}

void
pr_dealer_destroy(pr_dealer_t **self_p)
{
    PR_ASSERT(self_p);
    pr_dealer_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_loop_off_turn(self->loop, s_flush, self);
    pr_wheel_cancel(&self->tick);
    pr_zsock_destroy(&self->zsock);
    pr_link_destroy(&self->link);
    free(self->endpoint);
    free(self->identity);
    free(self);
    *self_p = NULL;
}

pr_link_t *
pr_dealer_link(pr_dealer_t *self)
{
    return self->link;
}
