/* SPDX-License-Identifier: MIT */

/*
 * What the sockets of one poll see: a replica of its public document, the newest rendered frame, a
 * ring of recent patch frames, and its members. A member is a cursor: a slow socket costs a few
 * bytes, never a queue. What it missed it gets out of the ring, or as a whole document, when it
 * takes bytes again.
 *
 * Nothing else writes documents to sockets, and one function decides to whom (s_may_show).
 *
 * Changes are applied at once and broadcast at the end of the turn (gw_feeds_flush): all patches of
 * a turn in one write a socket; one rendered document for those who get documents, at a pace
 * (pace.h).
 */

#ifndef GW_FEED_H
#define GW_FEED_H

#include <stdbool.h>

#include "gateway/lane.h"
#include "gateway/pace.h"
#include "gateway/stats.h"
#include "proto/poll/rev.h"
#include "proto/wire/value.h"

/* All feeds of a gateway; zero it and set the first two. */
typedef struct {
    gw_pace_t *pace;
    gw_stats_t *stats;
    gw_feed_t *dirty; /* those with something to write */
} gw_feeds_t;

/* Writes what the turn has brought. How many ms until a broadcast that has to wait is due, -1:
   none. */
int64_t
gw_feeds_flush(gw_feeds_t *feeds, int64_t now_ms);

/* A feed without a document. NULL when out of memory. */
gw_feed_t *
gw_feed_new(gw_feeds_t *feeds);
/* Its members must have been removed. */
void
gw_feed_destroy(gw_feed_t **self_p);

/* Version 0: no document yet. */
pr_rev_t
gw_feed_rev(const gw_feed_t *self);

/* Takes a whole document. 0, also if it is the one that is there; PR_E_MALFORMED or PR_E_NOMEM:
 * nothing has changed. */
PR_MUST_CHECK int
gw_feed_replace(gw_feed_t *self, pr_rev_t rev, const msgpack_object *document);
/* Applies a change. PR_E_AGAIN if it is not from our document, or can not be applied: a snapshot is
 * needed. Without a document it is ignored: a snapshot is on its way. */
PR_MUST_CHECK int
gw_feed_update(gw_feed_t *self, pr_rev_t from, pr_rev_t to, const msgpack_object *patch);

/* --- members --- */

/* Adds a member that is not shown anything yet; `member` is zeroed but for user and socket. 0 or
 * PR_E_NOMEM. */
PR_MUST_CHECK int
gw_feed_add(gw_feed_t *self, gw_member_t *member, gw_lane_kind_t lane);
void
gw_feed_remove(gw_member_t *member);
size_t
gw_feed_count(const gw_feed_t *self);
/* For walks; walk down to remove while walking. */
gw_member_t *
gw_feed_at(const gw_feed_t *self, size_t index);

/* Whether the feed has a document that the member may see: one that lists its user. */
bool
gw_feed_may_show(const gw_member_t *member);
/* Before gw_feed_show: the member has the document of that rev. It is sent only what came after
 * it, if that is known. Says whether it is. */
bool
gw_feed_resume(gw_member_t *member, pr_rev_t rev);
/* From now on the member is shown documents, the first one at the end of this turn. One that is
 * current is sent nothing. `ballot`: its own, JSON, or absent; says whether the member knows it
 * now, from this document or the one that it had. */
bool
gw_feed_show(gw_member_t *member, pr_str_t ballot);
/* The member's user has voted: one document with that ballot in it, at once. */
void
gw_feed_show_own(gw_member_t *member, pr_str_t ballot);
/* Sends what the member lacks, at once, though the document does not list it any more. */
void
gw_feed_show_last(gw_member_t *member);
/* Its socket takes bytes again. */
void
gw_feed_writable(gw_member_t *member);

#endif
