/* SPDX-License-Identifier: MIT */

/*
 * Sockets that only remember what they were sent: stands in for gateway/write.c and ws.c. Included
 * by one file of a test program, whose functions the linker then prefers to the library's.
 */

#ifndef FAKE_SOCKET_H
#define FAKE_SOCKET_H

#include <stdio.h>
#include <stdlib.h>

#include "gateway/socket.h"
#include "proto/wire/error.h"

struct gw_socket {
    const gw_socket_ops_t *ops;
    void *user;
    gw_slot_t *slot;
    pr_buf_t *got; /* payloads, a line each */
    bool blocked;  /* takes nothing but what must be sent */
    bool full;     /* not even that */
    bool closed;
    int code;
    size_t message_max;
    size_t frames; /* writes, however many frames they had */
    const gw_stand_in_ops_t *stand_in;
};

#include "tests/sim/slots_model.h"

static inline gw_socket_t *
fake_socket_new(void)
{
    gw_socket_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self);
    self->got = pr_buf_new(256);
    PR_ASSERT(self->got);
    return self;
}

static inline void
fake_socket_destroy(gw_socket_t **self_p)
{
    pr_buf_destroy(&(*self_p)->got);
    free(*self_p);
    *self_p = NULL;
}

/* What was received since the last call. */
static inline const char *
fake_socket_take(gw_socket_t *self)
{
    static pr_buf_t *last;
    pr_buf_destroy(&last);
    last = self->got;
    self->got = pr_buf_new(256);
    pr_buf_append_byte(last, '\0');
    return pr_buf_data(last);
}

/* Payloads out of WebSocket frames; fragments joined. */
static inline void
fake_socket_receive(gw_socket_t *self, pr_buf_t *frame)
{
    const unsigned char *at = (const unsigned char *) pr_buf_data(frame);
    const unsigned char *end = at + pr_buf_len(frame);
    self->frames++;
    while (at < end) {
        size_t len = at[1];
        size_t head = 2;
        if (len == 126) {
            len = (size_t) at[2] << 8 | at[3];
            head = 4;
        } else if (len == 127) {
            len = 0;
            for (size_t i = 2; i < 10; i++) {
                len = len << 8 | at[i];
            }
            head = 10;
        }
        pr_buf_append(self->got, at + head, len);
        if (at[0] & 0x80) {
            pr_buf_append_byte(self->got, '\n');
        }
        at += head + len;
    }
    PR_ASSERT(at == end);
}

static inline void
fake_socket_set_blocked(gw_socket_t *self, bool blocked)
{
    self->blocked = blocked;
    if (self->slot) {
        self->slot->fd = blocked ? -1 : 1;
    }
    if (!blocked && self->ops) {
        self->ops->writable(self->user);
    }
}

static inline void
fake_socket_say(gw_socket_t *self, const char *text)
{
    self->ops->message(self->user, pr_str(text), false);
}

static inline void
fake_socket_gone(gw_socket_t *self, int code, bool by_us)
{
    self->ops->closed(self->user, code, by_us);
}

void
gw_socket_attach(gw_socket_t *self, const gw_socket_ops_t *ops, void *user)
{
    self->ops = ops;
    self->user = user;
}

int
gw_socket_send(gw_socket_t *self, pr_buf_t *frame)
{
    if (self->stand_in) {
        return self->stand_in->send(self->user, frame);
    }
    if (self->closed || self->blocked) {
        return self->closed ? PR_E_CLOSED : PR_E_BUSY;
    }
    fake_socket_receive(self, frame);
    return 0;
}

int
gw_socket_send_must(gw_socket_t *self, pr_buf_t *frame)
{
    if (self->stand_in) {
        return self->stand_in->send_must(self->user, frame);
    }
    if (self->closed || self->full) {
        return self->closed ? PR_E_CLOSED : PR_E_FULL;
    }
    fake_socket_receive(self, frame);
    return 0;
}

void
gw_socket_close(gw_socket_t *self, int code, const char *reason)
{
    (void) reason;
    self->closed = true;
    self->code = code;
}

void
gw_socket_kill(gw_socket_t *self)
{
    self->closed = true;
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
    self->message_max = bytes;
}

gw_socket_t *
gw_socket_new_stand_in(const gw_stand_in_ops_t *ops, void *arg)
{
    gw_socket_t *self = fake_socket_new();
    self->stand_in = ops;
    self->user = arg;
    return self;
}

void
gw_socket_destroy_stand_in(gw_socket_t **self_p)
{
    if (*self_p) {
        fake_socket_destroy(self_p);
    }
}

void
gw_socket_missed(gw_socket_t *self)
{
    if (self->stand_in) {
        self->stand_in->missed(self->user);
    }
}

void
gw_socket_bind_slot(gw_socket_t *self, gw_slot_t *slot)
{
    if (self->stand_in) {
        self->stand_in->bind_slot(self->user, slot);
        return;
    }
    self->slot = slot;
    if (slot) {
        slot->fd = self->blocked ? -1 : 1;
    }
}

#endif
