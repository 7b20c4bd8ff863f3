/* SPDX-License-Identifier: MIT */

/*
 * A packet of Socket.IO whose attachments are still to come, one binary message each. Bounded in
 * bytes and in time.
 */

#ifndef GW_SESSION_GATHER_H
#define GW_SESSION_GATHER_H

#include "gateway/socketio.h"
#include "proto/base/loop.h"

typedef struct gw_gather gw_gather_t;

/* Takes the packet over. `late(arg)` is called, once, when it takes too long. NULL when out of
 * memory: the packet is cleared. */
gw_gather_t *
gw_gather_new(
    pr_loop_t *loop, gw_sio_packet_t *packet, size_t bytes_max, void (*late)(void *arg), void *arg);
void
gw_gather_destroy(gw_gather_t **self_p);

/* One more. 0, PR_E_AGAIN: more are to come; PR_E_TOO_LARGE, PR_E_NOMEM. */
PR_MUST_CHECK int
gw_gather_add(gw_gather_t *self, pr_str_t bytes);

/* The packet, whole after the last one. */
const gw_sio_packet_t *
gw_gather_packet(const gw_gather_t *self);

#endif
