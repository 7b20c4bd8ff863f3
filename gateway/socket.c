/* SPDX-License-Identifier: MIT */

/* What takes frames: a WebSocket (write.c), or what stands in for one. */

#include "gateway/socket.h"

#include <stdlib.h>

#include "gateway/write.h"
#include "proto/wire/limits.h"

int
gw_socket_send(gw_socket_t *self, pr_buf_t *frame)
{
    return self->stand_in ? self->stand_in->send(self->user, frame) : gw_write_frame(self, frame);
}

int
gw_socket_send_must(gw_socket_t *self, pr_buf_t *frame)
{
    return self->stand_in ? self->stand_in->send_must(self->user, frame)
                          : gw_write_must(self, frame);
}

void
gw_socket_bind_slot(gw_socket_t *self, gw_slot_t *slot)
{
    if (self->stand_in) {
        self->stand_in->bind_slot(self->user, slot);
    } else {
        gw_write_bind_slot(self, slot);
    }
}

void
gw_socket_missed(gw_socket_t *self)
{
    if (self->stand_in) {
        self->stand_in->missed(self->user);
    } else {
        gw_write_missed(self);
    }
}

gw_socket_t *
gw_socket_new_stand_in(const gw_stand_in_ops_t *ops, void *arg)
{
    gw_socket_t *self = calloc(1, sizeof *self);
    if (self) {
        self->stand_in = ops;
        self->user = arg;
        self->fd = -1;
    }
    return self;
}

void
gw_socket_destroy_stand_in(gw_socket_t **self_p)
{
    PR_ASSERT(self_p && (!*self_p || (*self_p)->stand_in));
    free(*self_p);
    *self_p = NULL;
}

/* --- what needs no frames --- */

void
gw_socket_attach(gw_socket_t *self, const gw_socket_ops_t *ops, void *user)
{
    self->ops = ops;
    self->user = user;
}

const char *
gw_socket_address(const gw_socket_t *self)
{
    static char text[GW_ADDRESS_TEXT_MAX];
    return gw_address_text(&self->peer->address, text);
}

void
gw_socket_set_message_max(gw_socket_t *self, size_t bytes)
{
    self->message_max = (uint32_t) bytes;
    if (bytes > PR_BEFORE_JOIN_BYTES_MAX) {
        gw_strangers_know(&self->peer->stranger);
    }
}
