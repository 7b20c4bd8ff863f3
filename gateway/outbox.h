/* SPDX-License-Identifier: MIT */

/* The frames that wait, in order, for a slow socket: acks, errors, endings, a first document.
 * Bounded. */

#ifndef GW_OUTBOX_H
#define GW_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/assert.h"
#include "proto/base/buffer.h"

typedef struct gw_waiting gw_waiting_t;

/* Zeroed: empty. */
typedef struct {
    gw_waiting_t *head;
    gw_waiting_t *tail;
    size_t bytes;     /* of those that count against the bound */
    size_t bytes_max; /* the bound, which may change; 0: PR_CONN_MUST_SEND_BYTES_MAX */
    bool large; /* one frame over the bound waits besides: it is shared, and there is only one */
} gw_outbox_t;

/* Whether the bound leaves room for `frame`. */
bool
gw_outbox_has_room(const gw_outbox_t *self, const pr_buf_t *frame);

/* Appends a reference, whatever the bound says. 0 or PR_E_NOMEM. */
PR_MUST_CHECK int
gw_outbox_push(gw_outbox_t *self, pr_buf_t *frame);

/* Takes the oldest out: the caller has its reference. NULL if there is none. */
pr_buf_t *
gw_outbox_pop(gw_outbox_t *self);

/* The oldest, borrowed; absent if there is none. */
pr_str_t
gw_outbox_next(const gw_outbox_t *self);

#endif
