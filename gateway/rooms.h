/* SPDX-License-Identifier: MIT */

/*
 * The polls that have conns at this gateway: a room each, which is its feed, its conns, and the
 * actors slot it is placed on. Hands what actors send to feeds and conns, and keeps the actors'
 * picture of who is here right: what could not be told, and everything after a link has begun anew,
 * is told by a SYNC.
 */

#ifndef GW_ROOMS_H
#define GW_ROOMS_H

#include "gateway/feed.h"
#include "gateway/hosts.h"
#include "gateway/ids.h"
#include "gateway/stats.h"

typedef struct gw_rooms gw_rooms_t;
typedef struct gw_room gw_room_t;
typedef struct gw_conn gw_conn_t;

typedef struct {
    pr_loop_t *loop;
    gw_stats_t *stats;
    const char *incarnation; /* of this gateway; copied */
    int64_t pace_bytes_per_s;
    int64_t commands_per_s; /* of one conn */
} gw_rooms_settings_t;

/* NULL when out of memory. */
gw_rooms_t *
gw_rooms_new(const gw_rooms_settings_t *settings);
/* All conns must be gone. */
void
gw_rooms_destroy(gw_rooms_t **self_p);

/* For gw_hosts_new, with the gw_rooms_t as `arg`; the hosts are then given here, before anything
   else. */
extern const gw_hosts_ops_t gw_rooms_hosts_ops;
void
gw_rooms_use(gw_rooms_t *self, gw_hosts_t *hosts);

gw_hosts_t *
gw_rooms_hosts(const gw_rooms_t *self);
pr_loop_t *
gw_rooms_loop(const gw_rooms_t *self);
gw_stats_t *
gw_rooms_stats(const gw_rooms_t *self);
int64_t
gw_rooms_commands_per_s(const gw_rooms_t *self);
const char *
gw_rooms_incarnation(const gw_rooms_t *self);

/* --- for conns --- */

/* Enters the poll's room: gives a number, adds the member to the feed, announces the user. 0,
 * PR_E_FULL or PR_E_NOMEM: nothing has changed. */
PR_MUST_CHECK int
gw_rooms_enter(gw_rooms_t *self,
               pr_str_t poll,
               gw_conn_t *conn,
               gw_lane_kind_t lane,
               uint64_t *number,
               gw_room_t **room);
/* Leaves it. `why` (of DISCONNECT) NULL: the actor knows already. */
void
gw_room_leave(gw_room_t *self, gw_conn_t *conn, uint64_t number, const char *why);
pr_str_t
gw_room_poll(const gw_room_t *self);

#endif
