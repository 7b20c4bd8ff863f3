/* SPDX-License-Identifier: MIT */

/*
 * What one side of a link has yet to send, and its window: how much of what was sent the peer has
 * still to consume. Events lie one behind the other in one buffer until a flush takes them out in
 * batches. It numbers the messages of a session.
 */

#ifndef PR_OUTBOX_H
#define PR_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/bytes.h"
#include "proto/wire/message.h"

typedef struct pr_outbox pr_outbox_t;

/* NULL when out of memory. */
pr_outbox_t *
pr_outbox_new(void);
void
pr_outbox_destroy(pr_outbox_t **self_p);

/* A new session: forgets what is queued and all that was counted. */
void
pr_outbox_reset(pr_outbox_t *self);

/* Queues an event, which must not be one of the link's own. 0, PR_E_BUSY past the window,
 * PR_E_TOO_LARGE, PR_E_BAD_FIELD for a HELLO, WELCOME or BEAT, PR_E_NOMEM (what was queued before
 * is then gone as well, and pr_outbox_is_broken). */
PR_MUST_CHECK int
pr_outbox_put(pr_outbox_t *self, const pr_event_t *event);
PR_MUST_CHECK int
pr_outbox_put_packed(pr_outbox_t *self, pr_str_t packed);

/*
 * The events of the next message, at most PR_LINK_BATCH_EVENTS into `parts`, and its number into
 * `seq`; returns how many, 0 when all is out. It counts as sent. The texts live until the next
 * call.
 */
size_t
pr_outbox_take(pr_outbox_t *self, pr_str_t *parts, int64_t *seq);

/* Counts a message of the link itself, past the window; returns its number. */
int64_t
pr_outbox_own(pr_outbox_t *self, size_t bytes);

/* The peer says what it has consumed of this session, in all. False if that is more than was
 * sent. */
bool
pr_outbox_consumed(pr_outbox_t *self, int64_t bytes, int64_t messages);

/* After a PR_E_BUSY: whether at least half of the window is free again. True once for each time. */
bool
pr_outbox_has_reopened(pr_outbox_t *self);

bool
pr_outbox_is_writable(const pr_outbox_t *self);
/* Whether memory ran out: the session can not go on. */
bool
pr_outbox_is_broken(const pr_outbox_t *self);
bool
pr_outbox_is_empty(const pr_outbox_t *self);
/* Unconsumed at the peer, the queued ones included. */
int64_t
pr_outbox_open_bytes(const pr_outbox_t *self);
int64_t
pr_outbox_open_messages(const pr_outbox_t *self);

#endif
