/* SPDX-License-Identifier: MIT */

#include "gateway/session_gather.h"

#include <stdlib.h>

#include "proto/wire/error.h"
#include "proto/wire/limits.h"

struct gw_gather {
    pr_timer_t timer; /* first: the pointers are equal */
    gw_sio_packet_t packet;
    int have;
    size_t bytes_left;
    void (*late)(void *arg);
    void *arg;
};

static void
s_on_late(pr_timer_t *timer)
{
    gw_gather_t *self = (gw_gather_t *) timer;
    self->late(self->arg);
}

gw_gather_t *
gw_gather_new(
    pr_loop_t *loop, gw_sio_packet_t *packet, size_t bytes_max, void (*late)(void *arg), void *arg)
{
    gw_gather_t *self = calloc(1, sizeof *self);
    if (!self) {
        gw_sio_clear(packet);
        return NULL;
    }
    self->timer.fire = s_on_late;
    self->packet = *packet;
    self->bytes_left = bytes_max;
    self->late = late;
    self->arg = arg;
    pr_loop_arm(loop, &self->timer, PR_CLIENT_MESSAGE_MS);
    return self;
}

void
gw_gather_destroy(gw_gather_t **self_p)
{
    PR_ASSERT(self_p);
    gw_gather_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_wheel_cancel(&self->timer);
    gw_sio_clear(&self->packet);
    free(self);
    *self_p = NULL;
}

int
gw_gather_add(gw_gather_t *self, pr_str_t bytes)
{
    PR_ASSERT(self->have < self->packet.attachments);
    if (bytes.len > self->bytes_left) {
        return PR_E_TOO_LARGE;
    }
    pr_buf_t *copy = pr_buf_copy(bytes);
    if (!copy) {
        return PR_E_NOMEM;
    }
    self->bytes_left -= bytes.len;
    self->packet.attached[self->have++] = copy;
    return self->have < self->packet.attachments ? PR_E_AGAIN : 0;
}

const gw_sio_packet_t *
gw_gather_packet(const gw_gather_t *self)
{
    return &self->packet;
}
