/* SPDX-License-Identifier: MIT */

/*
 * What one turn changes in a poll: a list of effects with two encoders, one for the stored document
 * and one for the public document. Both are RFC 7396 patches; both come from this one list, so what
 * is shown is what is saved.
 *
 * A later effect on the same thing takes the place of the earlier one. Pure: no I/O, no clock.
 */

#ifndef AC_BATCH_H
#define AC_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"
#include "proto/poll/rev.h"

typedef struct ac_batch ac_batch_t;

/* An empty batch, or NULL when out of memory. */
ac_batch_t *
ac_batch_new(void);
void
ac_batch_destroy(ac_batch_t **self_p);
void
ac_batch_clear(ac_batch_t *self);

/* `user` is a participant of that name from now on; an absent name: is none any more. Texts are
 * copied. 0 or PR_E_NOMEM: then nothing changed. */
PR_MUST_CHECK int
ac_batch_participant(ac_batch_t *self, pr_str_t user, pr_str_t name);

/* Number of effects. A batch without any is still a write: it raises the version alone. */
size_t
ac_batch_count(const ac_batch_t *self);
/* Past PR_BATCH_CHANGES_MAX or PR_BATCH_BYTES_MAX: the rest has to wait for the next turn. */
bool
ac_batch_is_full(const ac_batch_t *self);
/* Whether `user` is no participant any more after this batch. */
bool
ac_batch_removes(const ac_batch_t *self, pr_str_t user);

/* Appends the patch of the stored document, JSON without blanks. `to` may be NULL: then without
 * version and rev, which is what the rev is computed from. */
void
ac_batch_write_stored(const ac_batch_t *self, const pr_rev_t *to, pr_buf_t *out);
/* Appends the patch of the public document, msgpack. */
void
ac_batch_write_published(const ac_batch_t *self, pr_rev_t to, pr_buf_t *out);

/* The rev that this batch leads to. 0 or PR_E_NOMEM. */
PR_MUST_CHECK int
ac_batch_rev(const ac_batch_t *self, pr_rev_t from, pr_str_t token, pr_rev_t *to);

#endif
