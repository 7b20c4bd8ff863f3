/* SPDX-License-Identifier: MIT */

/* The writing half of a feed: see feed.h. */

#include "gateway/feed_private.h"
#include "gateway/render.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

/* --- one member --- */

static pr_buf_t *
s_frame(gw_feed_t *self, gw_lane_kind_t kind)
{
    pr_buf_t **frame = &self->frames[gw_feed_frame_of(kind)];
    if (!*frame) {
        *frame = gw_render_document(kind, self->document, PR_STR_NONE, PR_STR_NONE);
        self->feeds->stats->documents_rendered++;
    }
    return *frame;
}

static gw_ring_t *
s_ring(const gw_member_t *member)
{
    return member->feed->rings[member->lane];
}

/* Sends patches from the ring as far as the socket takes them. 0: the member has everything. */
static int
s_send_patches(gw_member_t *member)
{
    gw_feed_t *self = member->feed;
    while (member->cursor != self->seq) {
        uint64_t cursor = member->cursor;
        pr_buf_t *frame = gw_ring_read(s_ring(member), &cursor, self->seq, PR_FRAGMENT_BYTES);
        int error = frame ? gw_socket_send(member->socket, frame) : PR_E_NOMEM;
        pr_buf_destroy(&frame);
        if (error != 0) {
            return error;
        }
        member->cursor = cursor;
    }
    return 0;
}

static int
s_send_document(gw_member_t *member, pr_buf_t *frame)
{
    int error = frame ? gw_socket_send(member->socket, frame) : PR_E_NOMEM;
    if (error == 0) {
        member->cursor = member->feed->seq;
    }
    return error;
}

/* The document with the member's own ballot in it; behind what is waiting, if something is: it is
 * sent but once. */
static int
s_send_own(gw_member_t *member, pr_str_t ballot)
{
    gw_feed_t *self = member->feed;
    pr_buf_t *frame =
        gw_render_document(member->lane, self->document, pr_str(member->user), ballot);
    int error = s_send_document(member, frame);
    if (error == PR_E_BUSY && gw_socket_send_must(member->socket, frame) == 0) {
        member->cursor = self->seq;
        error = 0;
    }
    pr_buf_destroy(&frame);
    return error;
}

static bool
s_can_patch(const gw_member_t *member)
{
    const gw_feed_t *self = member->feed;
    return s_ring(member) && member->cursor != 0 &&
           gw_ring_covers(s_ring(member), member->cursor, self->seq);
}

static uint32_t
s_flags_after(const gw_member_t *member, int error)
{
    const gw_feed_t *self = member->feed;
    switch (error) {
    case 0:
        return self->shown[member->lane] == self->seq ? GW_SLOT_READY : GW_SLOT_AHEAD;
    case PR_E_CLOSED:
        return GW_SLOT_IDLE;
    case PR_E_NOMEM:
        return GW_SLOT_DUE; /* once more in the next turn */
    default:
        return GW_SLOT_SLOW;
    }
}

/* Gives a DUE member what it lacks; returns what that cost the full lane's budget. One that has had
 * a document already stays DUE while the budget is spent. */
static size_t
s_catch_up(gw_member_t *member, bool may_spend)
{
    gw_feed_t *self = member->feed;
    bool is_paced = member->lane == GW_LANE_FULL && member->cursor != 0;
    int error = 0;
    size_t cost = 0;
    if (!gw_feed_may_show(member)) {
        gw_feed_hide(member);
        return 0;
    }
    if (member->cursor == self->seq) {
        error = 0;
    } else if (s_can_patch(member)) {
        error = s_send_patches(member);
        self->feeds->stats->catch_ups++;
    } else if (is_paced && !may_spend) {
        self->has_due = true;
        return 0;
    } else {
        pr_buf_t *frame = s_frame(self, member->lane);
        error = s_send_document(member, frame);
        cost = is_paced && error == 0 ? pr_buf_len(frame) : 0;
        self->feeds->stats->catch_ups++;
    }
    gw_feed_set(member, s_flags_after(member, error));
    return cost;
}

/* Patches from the cursor on would show the member a document that does not list it. */
static bool
s_was_unlisted(const gw_member_t *member, uint64_t cursor)
{
    pr_buf_t *removal = pr_buf_new(32);
    if (!removal) {
        return true;
    }
    gw_render_removal(member->lane, pr_str(member->user), removal);
    bool was = pr_buf_failed(removal) ||
               gw_ring_mentions(s_ring(member), cursor, member->feed->seq, pr_buf_str(removal));
    pr_buf_destroy(&removal);
    return was;
}

bool
gw_feed_resume(gw_member_t *member, pr_rev_t rev)
{
    const gw_feed_t *self = member->feed;
    uint64_t cursor = self->seq;
    if (!self->document || !s_ring(member)) {
        return false;
    }
    if (!pr_rev_equal(rev, self->rev) &&
        (!gw_ring_find(s_ring(member), rev, &cursor) ||
         !gw_ring_covers(s_ring(member), cursor, self->seq) || s_was_unlisted(member, cursor))) {
        return false;
    }
    member->cursor = cursor;
    return true;
}

bool
gw_feed_show(gw_member_t *member, pr_str_t ballot)
{
    gw_feed_t *self = member->feed;
    if (gw_feed_slot(member)->flags != GW_SLOT_IDLE) {
        return false;
    }
    bool knows = member->cursor != 0 && member->cursor == self->seq;
    if (ballot.ptr && member->cursor == 0 && gw_feed_may_show(member)) {
        int error = s_send_own(member, ballot);
        if (error == PR_E_CLOSED) {
            return false;
        }
        knows = error == 0;
    }
    gw_feed_set(member, GW_SLOT_DUE);
    return knows;
}

void
gw_feed_show_own(gw_member_t *member, pr_str_t ballot)
{
    uint32_t flags = gw_feed_slot(member)->flags;
    if (flags == GW_SLOT_IDLE || flags == GW_SLOT_HIDDEN || !gw_feed_may_show(member)) {
        return;
    }
    gw_feed_set(member, GW_SLOT_DUE);
    /* What can not be sent now is made up for without the ballot: who is that slow has it in its
     * acknowledgement. */
    (void) s_send_own(member, ballot);
}

void
gw_feed_show_last(gw_member_t *member)
{
    gw_feed_t *self = member->feed;
    uint32_t flags = gw_feed_slot(member)->flags;
    gw_feed_set(member, GW_SLOT_IDLE);
    if (flags == GW_SLOT_IDLE || !self->document || member->cursor == self->seq) {
        return;
    }
    member->last = true;
    pr_buf_t *frame = gw_feed_may_show(member) ? s_frame(self, member->lane) : NULL;
    if (frame && s_send_document(member, frame) == PR_E_BUSY &&
        gw_socket_send_must(member->socket, frame) != 0) {
        /* Too slow for a farewell; what ends it still goes out. */
        self->feeds->stats->must_send_overflows++;
    }
}

void
gw_feed_writable(gw_member_t *member)
{
    if (gw_feed_slot(member)->flags == GW_SLOT_SLOW) {
        gw_feed_set(member, GW_SLOT_DUE);
    }
}

/* --- all of a lane --- */

static gw_socket_t *
s_socket_of(void *owner)
{
    const gw_member_t *member = owner;
    return member->socket;
}

static void
s_not_sent(void *owner)
{
    gw_feed_set(owner, GW_SLOT_SLOW);
}

static bool
s_has_ready(const gw_lane_t *lane)
{
    for (uint32_t i = 0; i < lane->count; i++) {
        if (lane->slots[i].flags == GW_SLOT_READY) {
            return true;
        }
    }
    return false;
}

/* The hot loop: gw_slots_write and nothing else per frame. Returns the bytes it came to. */
static size_t
s_write_lane(gw_feed_t *self, gw_lane_kind_t kind, pr_buf_t *frame)
{
    gw_lane_t *lane = &self->lanes[kind];
    size_t reached =
        gw_slots_write(lane->slots, lane->count, GW_SLOT_READY, frame, s_socket_of, s_not_sent);
    gw_stats_t *stats = self->feeds->stats;
    stats->broadcasts++;
    stats->broadcast_frames += (int64_t) reached;
    stats->broadcast_bytes += (int64_t) (reached * pr_buf_len(frame));
    return reached * pr_buf_len(frame);
}

static void
s_change_flags(gw_lane_t *lane, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < lane->count; i++) {
        if (lane->slots[i].flags == from) {
            gw_feed_set(lane->slots[i].owner, to);
        }
    }
}

/* All patches of the turn in one write a socket. */
static void
s_flush_patches(gw_feed_t *self, gw_lane_kind_t kind)
{
    gw_lane_t *lane = &self->lanes[kind];
    const gw_ring_t *ring = self->rings[kind];
    uint64_t cursor = self->shown[kind];
    if (cursor == self->seq) {
        return;
    }
    if (s_has_ready(lane)) {
        pr_buf_t *frame = gw_ring_covers(ring, cursor, self->seq)
                              ? gw_ring_read(ring, &cursor, self->seq, PR_FEED_RING_BYTES)
                              : NULL;
        if (frame && cursor == self->seq) {
            (void) s_write_lane(self, kind, frame);
        } else {
            s_change_flags(lane, GW_SLOT_READY, GW_SLOT_DUE);
        }
        pr_buf_destroy(&frame);
    }
    self->shown[kind] = self->seq;
}

/* Those ahead who miss the newest document again are to get it as well. */
static void
s_recall_ahead(gw_feed_t *self)
{
    gw_lane_t *lane = &self->lanes[GW_LANE_FULL];
    for (uint32_t i = 0; self->has_ahead && i < lane->count; i++) {
        gw_member_t *member = lane->slots[i].owner;
        if (lane->slots[i].flags == GW_SLOT_AHEAD && member->cursor != self->seq) {
            lane->slots[i].flags = GW_SLOT_READY;
        }
    }
}

/* The newest document to everyone in the full lane; returns its cost. */
static size_t
s_flush_documents(gw_feed_t *self, bool may_spend)
{
    gw_lane_t *lane = &self->lanes[GW_LANE_FULL];
    size_t cost = 0;
    if (self->shown[GW_LANE_FULL] == self->seq) {
        return 0;
    }
    if (!may_spend) {
        self->feeds->stats->paced++;
        return 0;
    }
    s_recall_ahead(self);
    if (s_has_ready(lane)) {
        pr_buf_t *frame = s_frame(self, GW_LANE_FULL);
        if (!frame) {
            return 0; /* once more in the next turn */
        }
        cost = s_write_lane(self, GW_LANE_FULL, frame);
    }
    self->shown[GW_LANE_FULL] = self->seq;
    if (self->has_ahead) {
        self->has_ahead = false;
        s_change_flags(lane, GW_SLOT_AHEAD, GW_SLOT_READY);
    }
    return cost;
}

static size_t
s_flush_due(gw_feed_t *self, bool may_spend)
{
    size_t cost = 0;
    if (!self->has_due) {
        return 0;
    }
    self->has_due = false;
    for (size_t kind = 0; kind < GW_LANE_COUNT; kind++) {
        gw_lane_t *lane = &self->lanes[kind];
        for (uint32_t i = 0; i < lane->count; i++) {
            if (lane->slots[i].flags == GW_SLOT_DUE) {
                cost += s_catch_up(lane->slots[i].owner, may_spend);
            }
        }
    }
    return cost;
}

/* How long what is left has to wait, -1: nothing is left. */
static int64_t
s_flush(gw_feed_t *self, int64_t now_ms)
{
    gw_pace_t *pace = self->feeds->pace;
    if (!self->document) {
        return -1;
    }
    bool may_spend = gw_pace_wait_ms(pace, &self->pacer, now_ms) == 0;
    for (gw_lane_kind_t kind = GW_LANE_FULL + 1; kind < GW_LANE_COUNT; kind++) {
        s_flush_patches(self, kind);
    }
    size_t cost = s_flush_documents(self, may_spend);
    cost += s_flush_due(self, may_spend);
    gw_pace_spend(pace, &self->pacer, cost, now_ms);
    if (self->shown[GW_LANE_FULL] == self->seq && !self->has_due) {
        return -1;
    }
    gw_feed_mark_dirty(self);
    return gw_pace_wait_ms(pace, &self->pacer, now_ms);
}

int64_t
gw_feeds_flush(gw_feeds_t *feeds, int64_t now_ms)
{
    gw_feed_t *feed = feeds->dirty;
    feeds->dirty = NULL;
    int64_t soonest_ms = -1;
    while (feed) {
        gw_feed_t *next = feed->next_dirty;
        feed->is_dirty = false;
        int64_t wait_ms = s_flush(feed, now_ms);
        if (wait_ms >= 0 && (soonest_ms < 0 || wait_ms < soonest_ms)) {
            soonest_ms = wait_ms;
        }
        feed = next;
    }
    return soonest_ms;
}
