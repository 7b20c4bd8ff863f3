/* SPDX-License-Identifier: MIT */

/* What rooms.c (who is where, links) and dispatch.c (what actors say) share. */

#ifndef GW_ROOMS_PRIVATE_H
#define GW_ROOMS_PRIVATE_H

#include <uv.h>

#include "gateway/rooms.h"
#include "proto/base/map.h"

struct gw_room {
    gw_rooms_t *rooms;
    gw_feed_t *feed;
    int slot;       /* where it was last placed; -1: nowhere */
    bool unsynced;  /* the actor has to be told everything anew */
    bool resyncing; /* a snapshot was asked for: changes until it comes are of no use */
    bool has_stale; /* some conns are STALE */
    int held;       /* it is in use: it stays, even without a conn */
    char poll[PR_POLL_ID_LEN];
};

struct gw_rooms {
    pr_loop_t *loop;
    gw_stats_t *stats;
    gw_hosts_t *hosts;
    int64_t commands_per_s;
    gw_feeds_t feeds;
    pr_map_t *map; /* poll -> room */
    gw_ids_t *ids; /* conns */
    pr_buf_t *scratch;
    uv_timer_t *wake; /* for a broadcast that had to wait */
    pr_timer_t retry; /* tells again what could not be told */
    char incarnation[PR_INCARNATION_LEN + 1];
};

/* Sends to the room's actor; what can not be told now is told by a SYNC later. */
void
gw_room_send(gw_room_t *self, const pr_event_t *event);
/* The actor knows nothing of us any more: the conns are STALE. */
void
gw_room_reset(gw_room_t *self);
/* Calls `visit` for each conn; any of them may go meanwhile. */
void
gw_room_each_conn(gw_room_t *self,
                  void (*visit)(gw_conn_t *conn, const void *arg),
                  const void *arg);
/* Unsynced rooms are synced in a while. */
void
gw_rooms_retry_later(gw_rooms_t *self);

/* An event from the actor of the room's poll. */
void
gw_room_dispatch(gw_room_t *self, const pr_event_t *event);

#endif
