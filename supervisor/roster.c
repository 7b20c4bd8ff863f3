/* SPDX-License-Identifier: MIT */

#include "supervisor/roster.h"

#include <stdlib.h>

#include "proto/wire/limits.h"
#include "proto/wire/roster.h"

struct sv_roster {
    sv_roster_slot_t actors[PR_CHILDREN_MAX]; /* the picture being made */
    size_t actors_count;
    sv_roster_slot_t gateways[PR_CHILDREN_MAX];
    size_t gateways_count;
    const sv_quarantine_t *quarantine; /* may be NULL */
    pr_buf_t *picture;                 /* the last one, packed with generation 0, to compare */
    pr_buf_t *event;                   /* the same with its generation */
    int64_t generation;
    bool settled;
};

sv_roster_t *
sv_roster_new(int64_t last_generation)
{
    sv_roster_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->generation = last_generation;
    self->picture = pr_buf_new(0);
    self->event = pr_buf_new(0);
    if (!self->picture || !self->event) {
        sv_roster_destroy(&self);
    }
    return self;
}

void
sv_roster_destroy(sv_roster_t **self_p)
{
    PR_ASSERT(self_p);
    sv_roster_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_buf_destroy(&self->picture);
    pr_buf_destroy(&self->event);
    free(self);
    *self_p = NULL;
}

void
sv_roster_begin(sv_roster_t *self)
{
    self->actors_count = 0;
    self->gateways_count = 0;
    self->quarantine = NULL;
}

void
sv_roster_add_actors(sv_roster_t *self, const sv_roster_slot_t *slot)
{
    PR_ASSERT(self->actors_count < PR_CHILDREN_MAX);
    self->actors[self->actors_count++] = *slot;
}

void
sv_roster_add_gateway(sv_roster_t *self, const sv_roster_slot_t *slot)
{
    PR_ASSERT(self->gateways_count < PR_CHILDREN_MAX);
    if (slot->up) {
        self->gateways[self->gateways_count++] = *slot;
    }
}

void
sv_roster_quarantine(sv_roster_t *self, const sv_quarantine_t *quarantine)
{
    self->quarantine = quarantine;
}

/* Takes the slots out whose polls the others shall have. With nobody up there are no others. */
static void
s_leave_out(sv_roster_t *self, int64_t now_ms)
{
    bool any_up = false;
    for (size_t i = 0; i < self->actors_count; i++) {
        any_up |= self->actors[i].up;
    }
    size_t kept = 0;
    self->settled = true;
    for (size_t i = 0; i < self->actors_count; i++) {
        const sv_roster_slot_t *slot = &self->actors[i];
        bool gone = slot->failed || now_ms - slot->down_since_ms >= PR_SLOT_DOWN_MS;
        if (slot->up || !any_up || !gone) {
            self->settled &= slot->up;
            self->actors[kept++] = *slot;
        }
    }
    self->actors_count = kept;
}

static int
s_add_all(const sv_roster_t *self, pr_roster_t *out)
{
    int result = 0;
    for (size_t i = 0; i < self->actors_count && result == 0; i++) {
        const sv_roster_slot_t *slot = &self->actors[i];
        result = pr_roster_add_actors(out, slot->slot, slot->up ? slot->incarnation : "",
                                      slot->up ? slot->endpoint : "", slot->up);
    }
    for (size_t i = 0; i < self->gateways_count && result == 0; i++) {
        const sv_roster_slot_t *slot = &self->gateways[i];
        result = pr_roster_add_gateway(out, slot->slot, slot->incarnation, slot->endpoint);
    }
    size_t polls = self->quarantine ? sv_quarantine_count(self->quarantine) : 0;
    for (size_t i = 0; i < polls && result == 0; i++) {
        result = pr_roster_add_quarantined(out, sv_quarantine_at(self->quarantine, i));
    }
    return result;
}

/* The picture as a ROSTER event of `generation`; NULL when out of memory. */
static pr_buf_t *
s_pack(const sv_roster_t *self, int64_t generation)
{
    pr_roster_t *roster = pr_roster_new(generation);
    pr_buf_t *out = pr_buf_new(0);
    if (!roster || !out || s_add_all(self, roster) != 0 || pr_roster_pack(roster, out) != 0) {
        pr_buf_destroy(&out);
    }
    pr_roster_destroy(&roster);
    return out;
}

static void
s_replace(pr_buf_t **kept, pr_buf_t **fresh)
{
    pr_buf_destroy(kept);
    *kept = *fresh;
    *fresh = NULL;
}

bool
sv_roster_commit(sv_roster_t *self, int64_t now_ms, int64_t wall_ms)
{
    s_leave_out(self, now_ms);
    pr_buf_t *picture = s_pack(self, 0);
    if (!picture || pr_str_equal(pr_buf_str(picture), pr_buf_str(self->picture))) {
        pr_buf_destroy(&picture);
        return false;
    }
    int64_t generation = self->generation + 1 > wall_ms ? self->generation + 1 : wall_ms;
    pr_buf_t *event = s_pack(self, generation);
    if (!event) {
        pr_buf_destroy(&picture);
        return false;
    }
    self->generation = generation;
    s_replace(&self->picture, &picture);
    s_replace(&self->event, &event);
    return true;
}

bool
sv_roster_is_settled(const sv_roster_t *self)
{
    return self->settled;
}

void
sv_roster_saw(sv_roster_t *self, int64_t generation)
{
    if (generation > self->generation && generation < PR_INTEGER_MAX) {
        self->generation = generation;
        /* Who was told an older one must be told anew. */
        pr_buf_clear(self->picture);
        self->settled = false;
    }
}

int64_t
sv_roster_generation(const sv_roster_t *self)
{
    return self->generation;
}

pr_str_t
sv_roster_packed(const sv_roster_t *self)
{
    return pr_buf_str(self->event);
}
