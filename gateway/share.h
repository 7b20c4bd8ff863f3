/* SPDX-License-Identifier: MIT */

/*
 * Who of the gateways has how many clients, so that each takes a fair share of the new ones. All of
 * them accept from one listening socket: a connection wakes them all and goes to the fastest, which
 * on a quiet machine is nearly always the same, and a WebSocket then stays with it for hours. A
 * listening socket for each would share by itself, but what waits in that of a dead or stopped
 * gateway would hang. So whoever has clearly more than another lets the others go first, for a
 * moment (accept.c).
 *
 * The numbers stand in the file "shares" of the run folder, which all of them map: a slot for each
 * gateway, which it alone writes, in every turn of its loop. One who does not write for
 * PR_SHARE_SILENT_MS, as it is dead, stopped or busy, does not count. Nobody relies on the numbers:
 * wrong ones cost new connections that moment.
 */

#ifndef GW_SHARE_H
#define GW_SHARE_H

#include <stdint.h>

typedef struct gw_share gw_share_t;

/* For the gateway `name` ("g1"). NULL, with a line in the log, if there is no such file to be had:
 * the functions below take NULL for a gateway that shares with nobody. */
gw_share_t *
gw_share_new(const char *run_dir, const char *name);
/* Leaves. */
void
gw_share_destroy(gw_share_t **self_p);

/* Says that we take connections, and how many we have. Time is that of the loop. */
void
gw_share_show(gw_share_t *self, uint32_t count, int64_t now_ms);
/* We take none at present. */
void
gw_share_leave(gw_share_t *self);

/* Those who take connections and have clearly fewer than `count`: 0 if there are none, else a mark
 * that changes when one of them takes one. With no other gateway it looks for one only every
 * PR_SHARE_LOOK_MS. */
uint64_t
gw_share_below(gw_share_t *self, uint32_t count, int64_t now_ms);

#endif
