/* SPDX-License-Identifier: MIT */

/* Takes the head of a request out of libwebsockets. */

#ifndef GW_HEAD_H
#define GW_HEAD_H

#include "gateway/peer.h"
#include "gateway/trust.h"

/* A new request with its method, path, query and headers; the rest is zero. NULL for a method
 * that we do not know, or when out of memory. */
gw_request_t *
gw_head_read(gw_peer_t *peer, struct lws *wsi, pr_str_t path);

/* Whether libwebsockets holds bytes behind the request that has just ended: only then does it
 * keep a table for the headers of the next one, into which this would write. */
bool
gw_head_is_more(struct lws *wsi);

/* The connection is gone: counts the head that was on its way, if libwebsockets gave it up for
 * its size or its time. It does not say so: this goes by what has come until then. */
void
gw_head_gone(const gw_peer_t *peer, gw_http_counters_t *counters);

/* Learns from a head who the client is, if the connection is from a trusted proxy. Says whether it
 * is. */
bool
gw_head_name_client(gw_peer_t *peer, struct lws *wsi, const gw_trust_t *trust);

#endif
