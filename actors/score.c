/* SPDX-License-Identifier: MIT */

#include "actors/score.h"

#include <stdint.h>
#include <stdlib.h>

#include "proto/base/map.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

/* [votes - 1][place] */
static const double s_weights[PR_VOTES_MAX][PR_VOTES_MAX] = {
    {1},
    {1, 0.5625},
    {1, 0.6944444444444445, 0.2962962962962962},
    {1, 0.765625, 0.421875, 0.152587890625},
    {1, 0.81, 0.5120000000000001, 0.24009999999999992, 0.07775999999999998},
};

typedef struct {
    double score;
    size_t place; /* of its first appearance */
    pr_str_t id;  /* the key of the map's entry */
} entry_t;

struct ac_score {
    int votes;
    pr_map_t *by_id; /* id -> entry_t */
    entry_t **order; /* after the sort */
};

ac_score_t *
ac_score_new(int votes)
{
    PR_ASSERT(votes >= 1 && votes <= PR_VOTES_MAX);
    ac_score_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->votes = votes;
    self->by_id = pr_map_new(free);
    if (!self->by_id) {
        ac_score_destroy(&self);
    }
    return self;
}

void
ac_score_destroy(ac_score_t **self_p)
{
    PR_ASSERT(self_p);
    ac_score_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_map_destroy(&self->by_id);
    free((void *) self->order);
    free(self);
    *self_p = NULL;
}

static entry_t *
s_entry(ac_score_t *self, pr_str_t id)
{
    entry_t *entry = pr_map_get(self->by_id, id);
    if (entry) {
        return entry;
    }
    entry = calloc(1, sizeof *entry);
    if (!entry || pr_map_set(self->by_id, id, entry) != 0) {
        free(entry);
        return NULL;
    }
    entry->place = pr_map_count(self->by_id) - 1;
    entry->id = pr_map_key_at(self->by_id, entry->place);
    return entry;
}

int
ac_score_add(ac_score_t *self, const pr_str_t *ids, size_t count)
{
    PR_ASSERT(count <= (size_t) self->votes);
    PR_ASSERT(!self->order);
    for (size_t i = 0; i < count; i++) {
        entry_t *entry = s_entry(self, ids[i]);
        if (!entry) {
            return PR_E_NOMEM;
        }
        entry->score += s_weights[self->votes - 1][i];
    }
    return 0;
}

static int
s_compare(const void *a, const void *b)
{
    const entry_t *left = *(entry_t *const *) a;
    const entry_t *right = *(entry_t *const *) b;
    if (left->score != right->score) {
        return left->score < right->score ? 1 : -1;
    }
    return left->place < right->place ? -1 : left->place > right->place;
}

int
ac_score_sort(ac_score_t *self)
{
    size_t count = pr_map_count(self->by_id);
    free((void *) self->order);
    self->order = (entry_t **) calloc(count + 1, sizeof(entry_t *));
    if (!self->order) {
        return PR_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        self->order[i] = pr_map_value_at(self->by_id, i);
    }
    qsort((void *) self->order, count, sizeof(entry_t *), s_compare);
    return 0;
}

size_t
ac_score_count(const ac_score_t *self)
{
    return pr_map_count(self->by_id);
}

pr_str_t
ac_score_id_at(const ac_score_t *self, size_t index)
{
    PR_ASSERT(self->order && index < pr_map_count(self->by_id));
    return self->order[index]->id;
}

double
ac_score_at(const ac_score_t *self, size_t index)
{
    PR_ASSERT(self->order && index < pr_map_count(self->by_id));
    return self->order[index]->score;
}
