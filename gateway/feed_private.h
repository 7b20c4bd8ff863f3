/* SPDX-License-Identifier: MIT */

/* What feed.c (the document, who may see it) and fanout.c (writing it) share. */

#ifndef GW_FEED_PRIVATE_H
#define GW_FEED_PRIVATE_H

#include "gateway/feed.h"
#include "gateway/ring.h"
#include "proto/poll/document.h"

/*
 * Documents are numbered within the feed, from 1. `shown` is what the last broadcast of a lane
 * brought: the cursor that its READY members share, so that a broadcast touches nothing but their
 * slots.
 */
struct gw_feed {
    gw_feeds_t *feeds;
    gw_feed_t *next_dirty;
    pr_document_t *document;
    pr_rev_t rev;
    uint64_t seq; /* of the document */
    uint64_t shown[GW_LANE_COUNT];
    pr_buf_t *frames[GW_LANE_COUNT]; /* the document, rendered; NULL: not yet */
    gw_ring_t *rings[GW_LANE_COUNT]; /* NULL: nobody was in this lane yet, or it has no changes */
    gw_pacer_t pacer;
    gw_lane_t lanes[GW_LANE_COUNT];
    uint32_t hidden; /* members that are HIDDEN, or more */
    bool has_due;
    bool has_ahead;
    bool is_dirty;
};

/* FULL and PATCH get the same documents. */
static inline size_t
gw_feed_frame_of(gw_lane_kind_t kind)
{
    return kind == GW_LANE_PATCH ? GW_LANE_FULL : kind;
}

gw_slot_t *
gw_feed_slot(const gw_member_t *member);
/* Changes a member's flags; a READY one gets a cursor of its own before. */
void
gw_feed_set(gw_member_t *member, uint32_t flags);
/* The document does not list its user now. */
void
gw_feed_hide(gw_member_t *member);
/* There is something to write at the end of the turn. */
void
gw_feed_mark_dirty(gw_feed_t *self);

#endif
