/* SPDX-License-Identifier: MIT */

/*
 * The public document of a poll: what clients see. Actors hold the saved one, gateways a replica of
 * it; both apply the same patches with this class.
 *
 *     id topic votesPerVoter participants nominations rankings results adminID hasStarted
 *     version rev state endsAt
 *
 * Ballots of a secret poll are empty lists here. Members that this build does not know are ignored.
 * The order of map members is not state.
 */

#ifndef PR_DOCUMENT_H
#define PR_DOCUMENT_H

#include <stdbool.h>
#include <stdint.h>

#include <msgpack.h>

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"
#include "proto/poll/rev.h"

typedef struct pr_document pr_document_t;

/* A document from a msgpack map that holds every member. 0, PR_E_MALFORMED or PR_E_NOMEM; `*out` is
 * the caller's. */
PR_MUST_CHECK int
pr_document_from_msgpack(const msgpack_object *map, pr_document_t **out);
void
pr_document_destroy(pr_document_t **self_p);

/* Applies an RFC 7396 patch. On PR_E_MALFORMED or PR_E_NOMEM the document is half changed and must
 * be thrown away. */
PR_MUST_CHECK int
pr_document_patch(pr_document_t *self, const msgpack_object *patch);

void
pr_document_write_msgpack(const pr_document_t *self, pr_buf_t *out);

/*
 * Appends the document as JSON. If `user` is present and has voted, `ballot` (a JSON array) stands
 * in place of its public ballot.
 */
void
pr_document_write_json(const pr_document_t *self, pr_buf_t *out, pr_str_t user, pr_str_t ballot);

pr_rev_t
pr_document_rev(const pr_document_t *self);
/* Unix ms at which the poll ends. */
int64_t
pr_document_ends_at(const pr_document_t *self);
/* Whether `user` is a participant. */
bool
pr_document_lists(const pr_document_t *self, pr_str_t user);
/* Whether `user` has a ballot in it, shown or not. */
bool
pr_document_has_voted(const pr_document_t *self, pr_str_t user);
size_t
pr_document_participant_count(const pr_document_t *self);

#endif
