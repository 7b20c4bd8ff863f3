/* SPDX-License-Identifier: MIT */

#include "gateway/outbox.h"

#include <stdlib.h>

#include "proto/wire/error.h"
#include "proto/wire/limits.h"

struct gw_waiting {
    gw_waiting_t *next;
    pr_buf_t *frame;
    bool large;
};

static size_t
s_max(const gw_outbox_t *self)
{
    return self->bytes_max ? self->bytes_max : PR_CONN_MUST_SEND_BYTES_MAX;
}

static bool
s_is_large(const gw_outbox_t *self, const pr_buf_t *frame)
{
    return pr_buf_len(frame) > s_max(self);
}

bool
gw_outbox_has_room(const gw_outbox_t *self, const pr_buf_t *frame)
{
    if (s_is_large(self, frame)) {
        return !self->large;
    }
    return self->bytes + pr_buf_len(frame) <= s_max(self);
}

int
gw_outbox_push(gw_outbox_t *self, pr_buf_t *frame)
{
    gw_waiting_t *waiting = calloc(1, sizeof *waiting);
    if (!waiting) {
        return PR_E_NOMEM;
    }
    waiting->frame = pr_buf_ref(frame);
    waiting->large = s_is_large(self, frame);
    if (self->tail) {
        self->tail->next = waiting;
    } else {
        self->head = waiting;
    }
    self->tail = waiting;
    if (waiting->large) {
        self->large = true;
    } else {
        self->bytes += pr_buf_len(frame);
    }
    return 0;
}

pr_buf_t *
gw_outbox_pop(gw_outbox_t *self)
{
    gw_waiting_t *first = self->head;
    if (!first) {
        return NULL;
    }
    self->head = first->next;
    if (!self->head) {
        self->tail = NULL;
    }
    pr_buf_t *frame = first->frame;
    if (first->large) {
        self->large = false;
    } else {
        self->bytes -= pr_buf_len(frame);
    }
    free(first);
    return frame;
}

pr_str_t
gw_outbox_next(const gw_outbox_t *self)
{
    return self->head ? pr_buf_str(self->head->frame) : PR_STR_NONE;
}
