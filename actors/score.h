/* SPDX-License-Identifier: MIT */

/*
 * The result of a poll out of its ballots: a pure function, so that it can be computed again at any
 * time and on any machine, bit for bit.
 *
 * A choice at place n (from 0) of a poll with V votes a voter adds ((V - n/2) / V)^(n + 1), as an
 * IEEE double, in the order in which ballots are given. The powers come from a table: they are
 * those of the original application's engine, from which glibc's pow() differs in one.
 */

#ifndef AC_SCORE_H
#define AC_SCORE_H

#include <stddef.h>

#include "proto/base/assert.h"
#include "proto/base/bytes.h"

typedef struct ac_score ac_score_t;

/* `votes` is the poll's votesPerVoter, 1 to PR_VOTES_MAX. NULL when out of memory. */
ac_score_t *
ac_score_new(int votes);
void
ac_score_destroy(ac_score_t **self_p);

/* Counts one ballot: up to `votes` nomination ids, best first, none twice. 0 or PR_E_NOMEM. */
PR_MUST_CHECK int
ac_score_add(ac_score_t *self, const pr_str_t *ids, size_t count);

/* Orders by score, highest first; equal ones stay in order of their first appearance. Once, after
 * the last ballot. 0 or PR_E_NOMEM. */
PR_MUST_CHECK int
ac_score_sort(ac_score_t *self);

/* Nominations that anybody chose; index below the count, in the order of the sort. */
size_t
ac_score_count(const ac_score_t *self);
pr_str_t
ac_score_id_at(const ac_score_t *self, size_t index);
double
ac_score_at(const ac_score_t *self, size_t index);

#endif
