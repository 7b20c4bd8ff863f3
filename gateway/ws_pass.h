/* SPDX-License-Identifier: MIT */

/*
 * Upgrades for sessions of other gateways: takes the connection away from libwebsockets, so that
 * its owner may serve it. Writes its request again, and leaves a dead socket in the place of its
 * descriptor.
 */

#ifndef GW_WS_PASS_H
#define GW_WS_PASS_H

#include <stdbool.h>

#include "gateway/engineio_refusal.h"
#include "gateway/peer.h"

struct uv_loop_s;

/* Whether it was passed on, and is to be closed here; the client sees nothing of that. False: its
 * session has no other owner, or it can not be passed on (TLS). */
bool
gw_ws_pass(struct lws *wsi, struct uv_loop_s *loop, gw_peer_t *peer, const gw_handshake_t *asked);

#endif
