/* SPDX-License-Identifier: MIT */

/*
 * The way of a session from polling to a WebSocket.
 *
 * The client opens one with the session's id and asks `2probe`; from the answer on GETs are
 * answered at once with noop, again and again, so that none is left behind, until `5` moves the
 * session. A WebSocket on which anything else happens is closed, and polling goes on.
 */

#include <stdlib.h>

#include "gateway/engineio_private.h"
#include "proto/base/clock.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

struct gw_probe {
    pr_timer_t timer; /* first: the pointers are equal. The next noop, or the end of all patience */
    gw_engineio_t *engine; /* NULL: it is not wanted any more */
    gw_socket_t *socket;
    int64_t due_ms; /* the end of all patience */
    bool probed;
};

static void
s_detach(gw_probe_t *self)
{
    pr_wheel_cancel(&self->timer);
    if (self->engine) {
        self->engine->probe = NULL;
        self->engine = NULL;
    }
}

static void
s_give_up(gw_probe_t *self, const char *reason)
{
    self->engine->hub->stats->upgrades_failed++;
    s_detach(self);
    gw_socket_close(self->socket, GW_CODE_POLICY, reason);
}

static void
s_arm(gw_probe_t *self)
{
    pr_loop_t *loop = self->engine->hub->loop;
    if (self->probed) {
        pr_loop_arm(loop, &self->timer, 1); /* the wheel's next tick */
    } else {
        pr_wheel_arm(pr_loop_wheel(loop), &self->timer, self->due_ms);
    }
}

static void
s_tick(pr_timer_t *timer)
{
    gw_probe_t *self = (gw_probe_t *) timer;
    if (!self->probed || pr_clock_mono_ms() >= self->due_ms) {
        s_give_up(self, "not upgraded");
        return;
    }
    gw_polling_release(self->engine->polling);
    s_arm(self);
}

static void
s_on_probe(gw_probe_t *self)
{
    pr_buf_t *frame = gw_frame_text(PR_STR("3probe"));
    int error = frame ? gw_socket_send_must(self->socket, frame) : PR_E_NOMEM;
    pr_buf_destroy(&frame);
    if (error) {
        s_give_up(self, "probe");
        return;
    }
    self->probed = true;
    gw_polling_release(self->engine->polling);
    s_arm(self);
}

static void
s_on_upgrade(gw_probe_t *self)
{
    gw_engineio_t *engine = self->engine;
    gw_socket_t *socket = self->socket;
    s_detach(self);
    free(self);
    gw_engineio_move(engine, socket);
}

static void
s_message(void *user, pr_str_t data, bool binary)
{
    gw_probe_t *self = user;
    if (!self->engine) {
        return;
    }
    if (!binary && !self->probed && pr_str_equal(data, PR_STR("2probe"))) {
        s_on_probe(self);
    } else if (!binary && pr_str_equal(data, PR_STR("5"))) {
        s_on_upgrade(self);
    } else {
        s_give_up(self, "bad probe");
    }
}

static void
s_writable(void *user)
{
    (void) user;
}

static void
s_closed(void *user, int code, bool by_us)
{
    gw_probe_t *self = user;
    (void) code;
    (void) by_us;
    s_detach(self);
    free(self);
}

static const gw_socket_ops_t s_ops = {
    .message = s_message,
    .writable = s_writable,
    .closed = s_closed,
};

void
gw_probe_end(gw_engineio_t *engine)
{
    if (engine->probe) {
        s_give_up(engine->probe, "session ended");
    }
}

int
gw_engineio_upgrade(gw_engineio_hub_t *hub, gw_socket_t *socket, pr_str_t sid)
{
    gw_engineio_t *engine = gw_engineio_find(hub, sid);
    if (!engine || engine->closing || !engine->polling || engine->probe) {
        gw_socket_close(socket, GW_CODE_POLICY, "not to be upgraded");
        return 0;
    }
    gw_probe_t *self = calloc(1, sizeof *self);
    if (!self) {
        return PR_E_NOMEM;
    }
    self->timer.fire = s_tick;
    self->engine = engine;
    self->socket = socket;
    self->due_ms = pr_clock_mono_ms() + PR_UPGRADE_MS;
    engine->probe = self;
    gw_socket_attach(socket, &s_ops, self);
    s_arm(self);
    return 0;
}
