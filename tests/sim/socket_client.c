/* SPDX-License-Identifier: MIT */

/* The client's half of a simulated WebSocket, and the system between both. */

#include <stdlib.h>

#include "tests/sim/loop_model.h"
#include "tests/sim/socket_private.h"

#define FINAL 0x80
#define OPCODE 0x0f
#define OPCODE_CLOSE 8
#define OPCODE_PING 9

/* --- pipes --- */

void
sim_pipe_push(sim_pipe_t *self, pr_buf_t *bytes, int64_t at_us)
{
    sim_piece_t *piece = calloc(1, sizeof *piece);
    PR_ASSERT(piece);
    *piece = (sim_piece_t) {.at_us = at_us, .bytes = pr_buf_ref(bytes)};
    if (self->last) {
        self->last->next = piece;
    } else {
        self->first = piece;
    }
    self->last = piece;
    self->bytes += pr_buf_len(bytes);
}

pr_buf_t *
sim_pipe_pop(sim_pipe_t *self)
{
    sim_piece_t *piece = self->first;
    pr_buf_t *bytes = piece->bytes;
    self->first = piece->next;
    self->last = self->first ? self->last : NULL;
    self->bytes -= pr_buf_len(bytes);
    free(piece);
    return bytes;
}

void
sim_pipe_clear(sim_pipe_t *self)
{
    while (self->first) {
        pr_buf_t *bytes = sim_pipe_pop(self);
        pr_buf_destroy(&bytes);
    }
}

/* --- life --- */

void
sim_socket_reap(gw_socket_t *self)
{
    if (self->loop || self->client) {
        return;
    }
    gw_socket_t **link = &sim_sockets;
    while (*link != self) {
        link = &(*link)->next;
    }
    *link = self->next;
    sim_agenda_cancel(&self->down_due);
    sim_agenda_cancel(&self->up_due);
    sim_agenda_cancel(&self->close_due);
    sim_pipe_clear(&self->down);
    sim_pipe_clear(&self->must);
    sim_pipe_clear(&self->up);
    sim_pipe_clear(&self->inbox);
    pr_buf_destroy(&self->message);
    free(self);
}

void
sim_socket_tell_client(gw_socket_t *self, int code)
{
    void *client = self->client;
    self->client = NULL;
    if (client) {
        self->client_ops->closed(client, code);
    }
}

void
sim_sockets_close(void)
{
    while (sim_sockets) {
        sim_sockets->client = NULL;
        sim_sockets->loop = NULL;
        sim_socket_reap(sim_sockets);
    }
}

/* --- down --- */

void
sim_socket_schedule_down(gw_socket_t *self)
{
    if (!self->reading || self->down_due.place) {
        return;
    }
    if (self->down.first) {
        sim_agenda_set(sim_scene.agenda, &self->down_due, self->down.first->at_us);
    } else if (self->closing && !self->close_sent) {
        sim_after(&self->down_due, 1000);
    }
}

/* One frame of RFC 6455 out of the bytes; returns how many it took. */
static size_t
s_read_frame(gw_socket_t *self, pr_str_t bytes)
{
    const unsigned char *at = (const unsigned char *) bytes.ptr;
    size_t len = at[1];
    size_t head = 2;
    size_t extra = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (extra) {
        len = 0;
        for (size_t i = 0; i < extra; i++) {
            len = len << 8 | at[head++];
        }
    }
    PR_ASSERT(head + len <= bytes.len);
    if ((at[0] & OPCODE) == OPCODE_PING) {
        sim_socket_say(self, SIM_PONG);
    }
    if ((at[0] & OPCODE) >= OPCODE_CLOSE) {
        return head + len;
    }
    pr_buf_append(self->message, at + head, len);
    if ((at[0] & FINAL) && self->client) {
        pr_buf_t *text = self->message;
        self->message = pr_buf_new(256);
        self->client_ops->message(self->client, pr_buf_str(text));
        pr_buf_destroy(&text);
    }
    return head + len;
}

static void
s_read_piece(gw_socket_t *self)
{
    pr_buf_t *bytes = sim_pipe_pop(&self->down);
    pr_str_t left = pr_buf_str(bytes);
    while (left.len) {
        size_t used = s_read_frame(self, left);
        left = (pr_str_t) {left.ptr + used, left.len - used};
    }
    pr_buf_destroy(&bytes);
}

/* Nobody is there any more to take anything. */
static bool
s_is_deaf(const gw_socket_t *self)
{
    return !self->client && !self->client_code;
}

void
sim_socket_deliver(sim_alarm_t *alarm)
{
    gw_socket_t *self = (gw_socket_t *) alarm;
    if (s_is_deaf(self)) {
        return;
    }
    bool was_busy = self->busy;
    while (self->reading && self->down.first && self->down.first->at_us <= sim_now_us()) {
        s_read_piece(self);
    }
    if (!self->down.first && self->closing && !self->close_sent && self->reading) {
        self->close_sent = true;
        sim_socket_tell_client(self, self->close_code);
        sim_socket_wake(self);
        return;
    }
    sim_socket_schedule_down(self);
    if (was_busy) {
        sim_socket_wake(self);
    }
}

void
sim_socket_read(gw_socket_t *self, bool reading)
{
    self->reading = reading;
    sim_socket_schedule_down(self);
}

/* --- up --- */

static void
s_push_up(gw_socket_t *self, pr_buf_t *bytes)
{
    int64_t at_us = sim_now_us() + sim_chance_between(&sim_scene.nature, 50, 3000);
    self->last_us[1] = at_us > self->last_us[1] ? at_us : self->last_us[1];
    sim_pipe_push(&self->up, bytes, self->last_us[1]);
    if (!self->up_due.place) {
        sim_agenda_set(sim_scene.agenda, &self->up_due, self->last_us[1]);
    }
}

/* An empty piece is the close. */
void
sim_socket_deliver_up(sim_alarm_t *alarm)
{
    gw_socket_t *self = (gw_socket_t *) ((char *) alarm - offsetof(gw_socket_t, up_due));
    while (self->up.first && self->up.first->at_us <= sim_now_us()) {
        pr_buf_t *bytes = sim_pipe_pop(&self->up);
        if (pr_buf_len(bytes) == 0) {
            self->client_left = true;
        } else if (self->loop) {
            sim_pipe_push(&self->inbox, bytes, 0);
        }
        pr_buf_destroy(&bytes);
    }
    if (self->up.first) {
        sim_agenda_set(sim_scene.agenda, &self->up_due, self->up.first->at_us);
    }
    sim_socket_wake(self);
}

void
sim_socket_say(gw_socket_t *self, pr_str_t text)
{
    pr_buf_t *bytes = pr_buf_copy(text);
    PR_ASSERT(bytes);
    s_push_up(self, bytes);
    pr_buf_destroy(&bytes);
}

void
sim_socket_close(gw_socket_t *self, int code)
{
    pr_buf_t *nothing = pr_buf_new(0);
    self->client = NULL;
    self->client_code = code;
    s_push_up(self, nothing);
    pr_buf_destroy(&nothing);
    sim_socket_reap(self);
}

void
sim_socket_vanish(gw_socket_t *self)
{
    self->client = NULL;
    self->reading = false;
    sim_agenda_cancel(&self->up_due);
    sim_pipe_clear(&self->up);
    sim_socket_reap(self);
}
