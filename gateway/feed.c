/* SPDX-License-Identifier: MIT */

#include <stdlib.h>

#include "gateway/feed_private.h"
#include "gateway/render.h"
#include "proto/base/fault.h"
#include "proto/wire/error.h"

/* --- members --- */

gw_slot_t *
gw_feed_slot(const gw_member_t *member)
{
    return &member->feed->lanes[member->lane].slots[member->place];
}

void
gw_feed_mark_dirty(gw_feed_t *self)
{
    if (!self->is_dirty) {
        self->is_dirty = true;
        self->next_dirty = self->feeds->dirty;
        self->feeds->dirty = self;
    }
}

void
gw_feed_set(gw_member_t *member, uint32_t flags)
{
    gw_feed_t *self = member->feed;
    gw_slot_t *slot = gw_feed_slot(member);
    if (slot->flags == GW_SLOT_READY) {
        member->cursor = self->shown[member->lane];
    }
    slot->flags = flags;
    if (flags == GW_SLOT_DUE) {
        self->has_due = true;
        gw_feed_mark_dirty(self);
    } else if (flags == GW_SLOT_AHEAD) {
        self->has_ahead = true;
    }
}

/* The one place that decides whether a member may be shown the document. */
bool
gw_feed_may_show(const gw_member_t *member)
{
    const pr_document_t *document = member->feed->document;
    bool is_last = member->last || PR_FAULT("feed.show_unlisted");
    return document && (is_last || pr_document_lists(document, pr_str(member->user)));
}

/* The document does not list its user now. A patch later would show it that moment: cursor 0. */
void
gw_feed_hide(gw_member_t *member)
{
    uint32_t flags = gw_feed_slot(member)->flags;
    if (flags == GW_SLOT_READY || flags == GW_SLOT_AHEAD || flags == GW_SLOT_DUE) {
        gw_feed_set(member, GW_SLOT_HIDDEN);
        member->feed->hidden++;
        member->feed->feeds->stats->hidden++;
    }
    member->cursor = 0;
}

int
gw_feed_add(gw_feed_t *self, gw_member_t *member, gw_lane_kind_t lane)
{
    if (lane != GW_LANE_FULL && !self->rings[lane]) {
        self->rings[lane] = gw_ring_new(PR_FEED_RING_BYTES);
        if (!self->rings[lane]) {
            return PR_E_NOMEM;
        }
    }
    member->feed = self;
    member->lane = (uint8_t) lane;
    int error = gw_lane_add(&self->lanes[lane], member);
    if (error != 0) {
        member->feed = NULL;
    }
    return error;
}

void
gw_feed_remove(gw_member_t *member)
{
    gw_lane_remove(&member->feed->lanes[member->lane], member);
    member->feed = NULL;
}

size_t
gw_feed_count(const gw_feed_t *self)
{
    size_t count = 0;
    for (size_t kind = 0; kind < GW_LANE_COUNT; kind++) {
        count += self->lanes[kind].count;
    }
    return count;
}

gw_member_t *
gw_feed_at(const gw_feed_t *self, size_t index)
{
    const gw_lane_t *lane = self->lanes;
    while (index >= lane->count) {
        index -= lane++->count;
    }
    return gw_lane_at(lane, (uint32_t) index);
}

/* --- the document --- */

/* The document is another one now. */
static void
s_changed(gw_feed_t *self, pr_rev_t rev)
{
    self->rev = rev;
    self->seq++;
    for (size_t kind = 0; kind < GW_LANE_COUNT; kind++) {
        pr_buf_destroy(&self->frames[kind]);
    }
    gw_feed_mark_dirty(self);
}

/* Members whose user is listed again. */
static void
s_unhide(gw_feed_t *self)
{
    if (self->hidden == 0) {
        return;
    }
    self->hidden = 0;
    for (size_t i = 0; i < gw_feed_count(self); i++) {
        gw_member_t *member = gw_feed_at(self, i);
        if (gw_feed_slot(member)->flags != GW_SLOT_HIDDEN) {
            continue;
        }
        if (gw_feed_may_show(member)) {
            gw_feed_set(member, GW_SLOT_DUE);
        } else {
            self->hidden++;
        }
    }
}

/* Members whose user the patch has taken out of the list. */
static void
s_hide_removed(gw_feed_t *self, const msgpack_object *patch)
{
    const msgpack_object *users = pr_object_member(patch, PR_STR("participants"));
    if (!users || users->type != MSGPACK_OBJECT_MAP) {
        return;
    }
    for (uint32_t i = 0; i < users->via.map.size; i++) {
        const msgpack_object_kv *entry = &users->via.map.ptr[i];
        if (entry->val.type != MSGPACK_OBJECT_NIL) {
            continue;
        }
        for (size_t kind = 0; kind < GW_LANE_COUNT; kind++) {
            uint32_t at = 0;
            gw_member_t *member;
            while ((member = gw_lane_find(&self->lanes[kind], pr_object_str(&entry->key), &at))) {
                gw_feed_hide(member);
            }
        }
    }
}

pr_rev_t
gw_feed_rev(const gw_feed_t *self)
{
    return self->rev;
}

int
gw_feed_replace(gw_feed_t *self, pr_rev_t rev, const msgpack_object *map)
{
    if (self->document && pr_rev_equal(rev, self->rev)) {
        return 0;
    }
    pr_document_t *document = NULL;
    int error = pr_document_from_msgpack(map, &document);
    if (error == 0 && !pr_rev_equal(pr_document_rev(document), rev)) {
        pr_document_destroy(&document);
        error = PR_E_MALFORMED;
    }
    if (error != 0) {
        return error;
    }
    pr_document_destroy(&self->document);
    self->document = document;
    for (size_t kind = 0; kind < GW_LANE_COUNT; kind++) {
        if (self->rings[kind]) {
            gw_ring_clear(self->rings[kind]);
        }
    }
    s_changed(self, rev);
    for (size_t i = 0; i < gw_feed_count(self); i++) {
        gw_member_t *member = gw_feed_at(self, i);
        if (!gw_feed_may_show(member)) {
            gw_feed_hide(member);
        }
    }
    s_unhide(self);
    return 0;
}

/* For each lane that has had a member: who was cut off comes back and asks for what it missed. */
static void
s_keep_patch(gw_feed_t *self, pr_rev_t from, const msgpack_object *patch)
{
    for (size_t kind = 0; kind < GW_LANE_COUNT; kind++) {
        if (self->rings[kind]) {
            pr_buf_t *frame = gw_render_patch((gw_lane_kind_t) kind, from, self->rev, patch);
            gw_ring_add(self->rings[kind], self->seq, from, &frame);
        }
    }
}

int
gw_feed_update(gw_feed_t *self, pr_rev_t from, pr_rev_t to, const msgpack_object *patch)
{
    if (!self->document || pr_rev_equal(to, self->rev)) {
        return 0;
    }
    if (!pr_rev_equal(from, self->rev) && !PR_FAULT("update.any_rev")) {
        return PR_E_AGAIN;
    }
    if (pr_document_patch(self->document, patch) != 0 ||
        !pr_rev_equal(pr_document_rev(self->document), to)) {
        /* Half changed, or not what it should be: nobody is shown that. */
        pr_document_destroy(&self->document);
        self->rev = (pr_rev_t) {0};
        return PR_E_AGAIN;
    }
    s_changed(self, to);
    s_keep_patch(self, from, patch);
    s_hide_removed(self, patch);
    s_unhide(self);
    return 0;
}

/* --- life --- */

gw_feed_t *
gw_feed_new(gw_feeds_t *feeds)
{
    gw_feed_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->feeds = feeds;
    return self;
}

static void
s_unmark_dirty(gw_feed_t *self)
{
    gw_feed_t **link = &self->feeds->dirty;
    while (*link && *link != self) {
        link = &(*link)->next_dirty;
    }
    if (*link) {
        *link = self->next_dirty;
    }
}

void
gw_feed_destroy(gw_feed_t **self_p)
{
    PR_ASSERT(self_p);
    gw_feed_t *self = *self_p;
    if (!self) {
        return;
    }
    s_unmark_dirty(self);
    gw_pace_forget(self->feeds->pace, &self->pacer);
    for (size_t kind = 0; kind < GW_LANE_COUNT; kind++) {
        gw_lane_fini(&self->lanes[kind]);
        gw_ring_destroy(&self->rings[kind]);
        pr_buf_destroy(&self->frames[kind]);
    }
    pr_document_destroy(&self->document);
    free(self);
    *self_p = NULL;
}
