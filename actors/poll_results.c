/* SPDX-License-Identifier: MIT */

/* The count: a pure function of the ballots, in the order in which they were first cast. */

#include <stdlib.h>
#include <string.h>

#include "actors/poll_body.h"
#include "actors/score.h"
#include "proto/wire/error.h"

typedef struct {
    int64_t seq;
    const ac_ballot_t *ballot;
} cast_t;

static int
s_compare(const void *a, const void *b)
{
    int64_t left = ((const cast_t *) a)->seq;
    int64_t right = ((const cast_t *) b)->seq;
    return left < right ? -1 : left > right;
}

/* All ballots in their order; NULL when out of memory. */
static cast_t *
s_order(const ac_poll_t *self, size_t count)
{
    cast_t *casts = calloc(count + 1, sizeof *casts);
    for (size_t i = 0; casts && i < count; i++) {
        const ac_place_t *place = pr_map_get(self->ballot_seq, pr_map_key_at(self->rankings, i));
        casts[i] = (cast_t) {place ? place->seq : 0, pr_map_value_at(self->rankings, i)};
    }
    if (casts) {
        qsort(casts, count, sizeof *casts, s_compare);
    }
    return casts;
}

static int
s_count(const ac_poll_t *self, ac_score_t *score)
{
    size_t count = pr_map_count(self->rankings);
    cast_t *casts = s_order(self, count);
    int rc = casts ? 0 : PR_E_NOMEM;
    for (size_t i = 0; i < count && rc == 0; i++) {
        pr_str_t ids[PR_VOTES_MAX];
        size_t choices = 0;
        for (size_t n = 0; n < casts[i].ballot->count && n < (size_t) self->votes; n++) {
            ids[choices++] = pr_str(casts[i].ballot->choices[n]);
        }
        rc = ac_score_add(score, ids, choices);
    }
    free(casts);
    return rc == 0 ? ac_score_sort(score) : rc;
}

static void
s_drop(ac_poll_t *self)
{
    for (size_t i = 0; i < self->result_count; i++) {
        free(self->results[i].text);
    }
    free(self->results);
    self->results = NULL;
    self->result_count = 0;
}

static int
s_keep(ac_poll_t *self, const ac_score_t *score)
{
    size_t count = ac_score_count(score);
    self->results = calloc(count + 1, sizeof *self->results);
    for (size_t i = 0; self->results && i < count; i++) {
        pr_str_t id = ac_score_id_at(score, i);
        const ac_nomination_t *nomination = pr_map_get(self->nominations, id);
        ac_result_t *result = &self->results[i];
        memcpy(result->nomination, id.ptr, id.len);
        result->score = ac_score_at(score, i);
        result->text = pr_text_new(nomination ? pr_text_str(nomination->text) : PR_STR(""));
        if (!result->text) {
            s_drop(self);
            return PR_E_NOMEM;
        }
        self->result_count++;
    }
    return self->results ? 0 : PR_E_NOMEM;
}

int
ac_poll_tally(ac_poll_t *self)
{
    s_drop(self);
    ac_score_t *score = ac_score_new((int) self->votes);
    int rc = score ? s_count(self, score) : PR_E_NOMEM;
    if (rc == 0) {
        rc = s_keep(self, score);
    }
    ac_score_destroy(&score);
    return rc;
}
