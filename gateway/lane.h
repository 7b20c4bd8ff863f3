/* SPDX-License-Identifier: MIT */

/*
 * The members of a feed that get the same frames: a dense array of slots, all that the fan-out
 * touches, and beside it a hash of each member's user.
 *
 * A slot's flags are the member's state in the fan-out, exactly one of:
 *
 *     GW_SLOT_IDLE    not joined yet, or on its way out: gets nothing
 *     GW_SLOT_READY   has what the last broadcast brought: gets the next one
 *     GW_SLOT_AHEAD   has the newest document, which is still to be broadcast to others
 *     GW_SLOT_DUE     has to be caught up at the end of this turn
 *     GW_SLOT_SLOW    its socket takes nothing; caught up when it does
 *     GW_SLOT_HIDDEN  the document does not list its user: gets nothing until it does
 */

#ifndef GW_LANE_H
#define GW_LANE_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/socket.h"
#include "proto/base/bytes.h"
#include "proto/wire/limits.h"

enum {
    GW_SLOT_IDLE = 0,
    GW_SLOT_READY = 1,
    GW_SLOT_AHEAD = 2,
    GW_SLOT_DUE = 4,
    GW_SLOT_SLOW = 8,
    GW_SLOT_HIDDEN = 16
};

/* What the members of a lane are sent: whole documents, or one and then changes. The first two are
 * Socket.IO's, the others the native protocol's in its two encodings. */
typedef enum {
    GW_LANE_FULL,
    GW_LANE_PATCH,
    GW_LANE_JSON,
    GW_LANE_MSGPACK,
    GW_LANE_COUNT
} gw_lane_kind_t;

typedef struct gw_feed gw_feed_t;
typedef struct gw_member gw_member_t;

/* A conn's place in a feed; lives inside the conn. All members belong to the feed. */
struct gw_member {
    gw_feed_t *feed;
    gw_socket_t *socket;
    uint64_t cursor; /* the document it has, while not READY; 0: none that can be patched */
    uint32_t place;  /* index of its slot */
    uint8_t lane;
    bool last; /* removed from the poll: may be shown the document that does not list it */
    char user[PR_USER_ID_LEN + 1];
};

typedef struct {
    gw_slot_t *slots; /* owner: a gw_member_t */
    uint32_t *hashes;
    uint32_t count;
    uint32_t room;
} gw_lane_t;

void
gw_lane_fini(gw_lane_t *self);

/* Adds the member as GW_SLOT_IDLE and binds its socket. 0 or PR_E_NOMEM. */
PR_MUST_CHECK int
gw_lane_add(gw_lane_t *self, gw_member_t *member);
/* The last member takes its place: walk downwards to remove while walking. */
void
gw_lane_remove(gw_lane_t *self, gw_member_t *member);

gw_member_t *
gw_lane_at(const gw_lane_t *self, uint32_t index);

/* The next member of that user from `*index` on, which then stands behind it; NULL: no more. */
gw_member_t *
gw_lane_find(const gw_lane_t *self, pr_str_t user, uint32_t *index);

#endif
