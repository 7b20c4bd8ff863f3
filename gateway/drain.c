/* SPDX-License-Identifier: MIT */

#include "gateway/drain.h"

#include "proto/base/assert.h"
#include "proto/wire/limits.h"

static void
s_on_timer(pr_timer_t *timer)
{
    gw_drain_t *self = (gw_drain_t *) timer;
    int64_t passed_ms = pr_loop_now_ms(self->loop) - self->start_ms;
    if (passed_ms >= self->within_ms || self->ops->count(self->arg) == 0) {
        self->ops->done(self->arg);
        return;
    }
    size_t due = (size_t) ((double) self->total * (double) passed_ms / (double) self->within_ms);
    if (due > self->closed) {
        self->ops->close_some(self->arg, due - self->closed);
        self->closed = due;
    }
    pr_loop_arm(self->loop, timer, PR_DRAIN_TICK_MS);
}

void
gw_drain_begin(
    gw_drain_t *self, pr_loop_t *loop, int64_t within_ms, const gw_drain_ops_t *ops, void *arg)
{
    PR_ASSERT(!self->ops);
    *self = (gw_drain_t) {
        .timer = {.fire = s_on_timer},
        .loop = loop,
        .ops = ops,
        .arg = arg,
        .start_ms = pr_loop_now_ms(loop),
        .within_ms = within_ms,
        .total = ops->count(arg),
    };
    pr_loop_arm(loop, &self->timer, self->total ? PR_DRAIN_TICK_MS : 0);
}

void
gw_drain_end(gw_drain_t *self)
{
    if (self->ops) {
        pr_wheel_cancel(&self->timer);
    }
}
