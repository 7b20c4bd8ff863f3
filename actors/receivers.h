/* SPDX-License-Identifier: MIT */

/*
 * The gateways that one actor talks to, and how far each of them is. What a full window keeps from
 * going out is held here; documents are not held but marked `dirty`: one snapshot later takes their
 * place.
 */

#ifndef AC_RECEIVERS_H
#define AC_RECEIVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/bytes.h"
#include "proto/poll/rev.h"

typedef struct ac_receivers ac_receivers_t;
struct ac_held;

typedef struct {
    uint32_t gateway;
    bool known;   /* its feed has the saved rev: it gets updates */
    bool dirty;   /* its window was full: a snapshot comes first */
    bool syncing; /* between the first and the last message of a SYNC */
    bool wants;   /* asked for a snapshot before there was a document */
    pr_rev_t rev; /* what it said its feed has, while there was no document */
    struct ac_held *first;
    struct ac_held *last;
    size_t held_bytes;
} ac_receiver_t;

/* None, or NULL when out of memory. */
ac_receivers_t *
ac_receivers_new(void);
void
ac_receivers_destroy(ac_receivers_t **self_p);

/* The receiver of that gateway, or NULL. Pointers hold until one is added or dropped. */
ac_receiver_t *
ac_receivers_get(const ac_receivers_t *self, uint32_t gateway);
/* The same, made if there was none; NULL when out of memory. */
ac_receiver_t *
ac_receivers_need(ac_receivers_t *self, uint32_t gateway);
void
ac_receivers_drop(ac_receivers_t *self, uint32_t gateway);

/* For walks: index below the count. To drop while walking, walk down. */
size_t
ac_receivers_count(const ac_receivers_t *self);
ac_receiver_t *
ac_receivers_at(const ac_receivers_t *self, size_t index);

/* Keeps a copy of a packed event for later. 0, PR_E_FULL (PR_HELD_BYTES_MAX) or PR_E_NOMEM. */
PR_MUST_CHECK int
ac_receiver_hold(ac_receiver_t *self, pr_str_t packed);
/* The oldest held event, absent if there is none. */
pr_str_t
ac_receiver_held(const ac_receiver_t *self);
/* Forgets it. */
void
ac_receiver_unhold(ac_receiver_t *self);

#endif
