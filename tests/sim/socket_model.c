/* SPDX-License-Identifier: MIT */

#include "tests/sim/socket_private.h"

#include <stdlib.h>

#include "proto/wire/error.h"
#include "proto/wire/limits.h"
#include "tests/sim/loop_model.h"
#include "tests/sim/slots_model.h"

/* What the system holds of one connection. */
#define SYSTEM_BYTES 6000
#define LOST 1006
#define FD 7

gw_socket_t *sim_sockets;

static void
s_take(void *arg);

/* --- the gateway's end --- */

static bool
s_has_room(const gw_socket_t *self)
{
    return self->down.bytes <= SYSTEM_BYTES;
}

static void
s_set_busy(gw_socket_t *self, bool busy)
{
    self->busy = busy;
    if (self->slot) {
        self->slot->fd = busy ? -1 : FD;
    }
}

static void
s_put(gw_socket_t *self, pr_buf_t *frame)
{
    int64_t at_us = sim_now_us() + sim_chance_between(&sim_scene.nature, 50, 3000);
    self->last_us[0] = at_us > self->last_us[0] ? at_us : self->last_us[0];
    sim_pipe_push(&self->down, frame, self->last_us[0]);
    s_set_busy(self, !s_has_room(self));
    sim_socket_schedule_down(self);
}

static void
s_flush_must(gw_socket_t *self)
{
    while (self->must.first && (s_has_room(self) || self->closing)) {
        pr_buf_t *frame = sim_pipe_pop(&self->must);
        s_put(self, frame);
        pr_buf_destroy(&frame);
    }
    if (!self->must.first) {
        s_set_busy(self, !s_has_room(self));
    }
}

/* The end of the gateway's half: tells its protocol. */
static void
s_finish(gw_socket_t *self, int code, bool by_us)
{
    const gw_socket_ops_t *ops = self->ops;
    sim_loop_remove_source(self->loop, s_take, self);
    self->loop = NULL;
    sim_agenda_cancel(&self->close_due);
    sim_pipe_clear(&self->must);
    sim_pipe_clear(&self->inbox);
    if (ops) {
        ops->closed(self->user, code, by_us);
    }
    self->ops = NULL;
}

static bool
s_admit(gw_socket_t *self)
{
    self->admitted = true;
    if (sim_process_admit(self->gateway, self)) {
        return true;
    }
    s_finish(self, LOST, true);
    sim_socket_tell_client(self, LOST);
    sim_socket_reap(self);
    return false;
}

/* In each turn of the gateway. */
static void
s_take(void *arg)
{
    gw_socket_t *self = arg;
    if (!self->admitted && !s_admit(self)) {
        return;
    }
    s_flush_must(self);
    if (!self->busy && !self->must.first && self->owes_writable && !self->closing) {
        self->owes_writable = false;
        self->ops->writable(self->user);
    }
    while (self->inbox.first) {
        pr_buf_t *text = sim_pipe_pop(&self->inbox);
        if (pr_str_equal(pr_buf_str(text), SIM_PONG)) {
            self->ops->pong(self->user);
        } else {
            self->ops->message(self->user, pr_buf_str(text), false);
        }
        pr_buf_destroy(&text);
    }
    if (self->client_left || self->close_sent) {
        s_finish(self, self->client_left && !self->closing ? self->client_code : self->close_code,
                 self->closing);
        sim_socket_reap(self);
    }
}

/* The client did not answer our close. */
static void
s_close_due(sim_alarm_t *alarm)
{
    gw_socket_t *self = (gw_socket_t *) ((char *) alarm - offsetof(gw_socket_t, close_due));
    self->close_sent = true;
    sim_pipe_clear(&self->down);
    sim_socket_tell_client(self, LOST);
    sim_socket_wake(self);
}

void
sim_socket_wake(gw_socket_t *self)
{
    if (self->loop) {
        sim_loop_wake(self->loop);
    }
}

gw_socket_t *
sim_socket_connect(sim_process_t *gateway,
                   bool is_native,
                   const sim_client_ops_t *ops,
                   void *client)
{
    gw_socket_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self && sim_process_is_running(gateway));
    self->down_due.ring = sim_socket_deliver;
    self->up_due.ring = sim_socket_deliver_up;
    self->close_due.ring = s_close_due;
    self->loop = sim_process_loop(gateway);
    self->gateway = gateway;
    self->is_native = is_native;
    self->client_ops = ops;
    self->client = client;
    self->reading = true;
    self->message = pr_buf_new(256);
    self->next = sim_sockets;
    sim_sockets = self;
    sim_loop_add_source(self->loop, s_take, self);
    sim_socket_wake(self);
    return self;
}

bool
sim_socket_is_native(const gw_socket_t *self)
{
    return self->is_native;
}

void
sim_sockets_kill_all(pr_loop_t *loop)
{
    gw_socket_t *next = NULL;
    for (gw_socket_t *each = sim_sockets; each; each = next) {
        next = each->next;
        if (each->loop == loop) {
            s_finish(each, LOST, false);
            sim_socket_tell_client(each, LOST);
            sim_socket_reap(each);
        }
    }
}

/* --- the contract of gateway/socket.h --- */

void
gw_socket_attach(gw_socket_t *self, const gw_socket_ops_t *ops, void *user)
{
    self->ops = ops;
    self->user = user;
}

int
gw_socket_send(gw_socket_t *self, pr_buf_t *frame)
{
    if (self->closing || !self->loop) {
        return PR_E_CLOSED;
    }
    if (self->busy || self->must.first) {
        self->owes_writable = true;
        return PR_E_BUSY;
    }
    s_put(self, frame);
    return 0;
}

int
gw_socket_send_must(gw_socket_t *self, pr_buf_t *frame)
{
    if (self->closing || !self->loop) {
        return PR_E_CLOSED;
    }
    if (self->must.first && self->must.bytes + pr_buf_len(frame) > PR_CONN_MUST_SEND_BYTES_MAX) {
        return PR_E_FULL;
    }
    sim_pipe_push(&self->must, frame, 0);
    s_flush_must(self);
    if (self->must.first) {
        s_set_busy(self, true);
    }
    return 0;
}

void
gw_socket_close(gw_socket_t *self, int code, const char *reason)
{
    (void) reason;
    if (self->closing || !self->loop) {
        return;
    }
    self->closing = true;
    self->close_code = code ? code : 1005;
    s_flush_must(self);
    if (self->slot) {
        self->slot->fd = -1;
    }
    sim_after(&self->close_due, PR_CLOSING_MS * SIM_MS);
    sim_socket_schedule_down(self);
}

void
gw_socket_kill(gw_socket_t *self)
{
    self->closing = true;
    self->close_code = LOST;
    sim_after(&self->close_due, 0);
}

const char *
gw_socket_address(const gw_socket_t *self)
{
    (void) self;
    return "192.0.2.1";
}

void
gw_socket_set_message_max(gw_socket_t *self, size_t bytes)
{
    (void) self;
    (void) bytes;
}

void
gw_socket_bind_slot(gw_socket_t *self, gw_slot_t *slot)
{
    self->slot = slot;
    if (slot) {
        slot->fd = self->busy || self->closing ? -1 : FD;
    }
}

/* The system takes nothing, a part (the socket finishes it) or all of it. */
void
gw_socket_missed(gw_socket_t *self)
{
    self->owes_writable = true;
}

/* --- sessions that poll, which there are none of here --- */

gw_socket_t *
gw_socket_new_stand_in(const gw_stand_in_ops_t *ops, void *arg)
{
    (void) ops;
    (void) arg;
    return NULL;
}

void
gw_socket_destroy_stand_in(gw_socket_t **self_p)
{
    PR_ASSERT(!*self_p);
}
