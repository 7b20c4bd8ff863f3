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
#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"
#include "proto/poll/rev.h"

typedef struct ac_batch ac_batch_t;

/* Nomination ids, best first; of a ballot that is taken away the count is 0. */
typedef struct {
    const pr_str_t *ids;
    size_t count;
    pr_str_t place; /* JSON: in the order in which ballots are counted */
    bool is_shown;  /* in the public document; else an empty list stands there */
} ac_choice_t;

/* An empty batch, or NULL when out of memory. */
ac_batch_t *
ac_batch_new(void);
void
ac_batch_destroy(ac_batch_t **self_p);
void
ac_batch_clear(ac_batch_t *self);

/* Effects. Texts are copied. Each answers 0, or PR_E_NOMEM: then nothing changed. */

/* `user` is a participant of that name from now on; an absent name: is none any more. */
PR_MUST_CHECK int
ac_batch_participant(ac_batch_t *self, pr_str_t user, pr_str_t name);
/* `id` is an option from now on; an absent text: is none any more. */
PR_MUST_CHECK int
ac_batch_nomination(ac_batch_t *self, pr_str_t id, pr_str_t user, pr_str_t text);
PR_MUST_CHECK int
ac_batch_ballot(ac_batch_t *self, pr_str_t user, const ac_choice_t *choice);
/* An admin has removed this user, or this nomination: the `count`th removal. */
PR_MUST_CHECK int
ac_batch_removed(ac_batch_t *self, pr_str_t id, int64_t count);
/* The vote has started, by the command whose mark is `mark`. */
PR_MUST_CHECK int
ac_batch_started(ac_batch_t *self, pr_str_t mark);
/* The phase is another one ("voting"). */
PR_MUST_CHECK int
ac_batch_phase(ac_batch_t *self, pr_str_t phase);
/* The results, as stored JSON and as public msgpack. */
PR_MUST_CHECK int
ac_batch_results(ac_batch_t *self, pr_str_t json, pr_str_t msgpack);

/* Number of effects. A batch without any is still a write: it raises the version alone. */
size_t
ac_batch_count(const ac_batch_t *self);
/* Past PR_BATCH_CHANGES_MAX or PR_BATCH_BYTES_MAX: the rest has to wait for the next turn. */
bool
ac_batch_is_full(const ac_batch_t *self);
/* Whether `user` is no participant any more after this batch. */
bool
ac_batch_removes(const ac_batch_t *self, pr_str_t user);

/* Whom this batch removes by an admin's word, and whose ballots it has; index below the count. */
size_t
ac_batch_removed_count(const ac_batch_t *self);
pr_str_t
ac_batch_removed_at(const ac_batch_t *self, size_t index);
bool
ac_batch_votes(const ac_batch_t *self, pr_str_t user);
size_t
ac_batch_voter_count(const ac_batch_t *self);
pr_str_t
ac_batch_voter_at(const ac_batch_t *self, size_t index);

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
