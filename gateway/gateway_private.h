/* SPDX-License-Identifier: MIT */

/* What the files of the gateway share: gateway.c is its life, gateway_clients.c what clients ask
 * of it. */

#ifndef GW_GATEWAY_PRIVATE_H
#define GW_GATEWAY_PRIVATE_H

#include "gateway/accept.h"
#include "gateway/drain.h"
#include "gateway/engineio.h"
#include "gateway/gateway.h"
#include "gateway/native.h"
#include "gateway/neighbourhood.h"
#include "gateway/polling_http.h"
#include "gateway/polls.h"
#include "gateway/rest.h"
#include "gateway/rooms.h"
#include "gateway/session.h"
#include "gateway/ws.h"

struct gw_gateway {
    pr_loop_t *loop;
    const pr_child_env_t *env;
    const pr_config_t *config;
    gw_stats_t stats;
    gw_token_keys_t *keys;
    /* polls and actors */
    gw_rooms_t *rooms;
    gw_hosts_t *hosts;
    /* protocols */
    gw_polls_t polls;
    gw_sessions_t *sessions;
    gw_engineio_hub_t *engines;
    gw_polling_door_t polling;
    gw_neighbourhood_t *neighbourhood;
    gw_natives_t *natives;
    /* clients */
    gw_writer_t writer;
    gw_origin_t *origin;
    gw_limit_t *limit;
    gw_trust_t trust;
    gw_ws_t *ws;
    gw_http_t *http;
    gw_rest_t *rest;
    gw_share_t *share;
    gw_accept_t *accept;
    /* supervisor */
    pr_lifeline_t *lifeline;
    pr_timer_t deadline; /* of stopping */
    pr_timer_t listed;   /* of waiting to be in the roster */
    gw_drain_t drain;
    bool is_ready;
    bool is_draining;
    bool is_stopping;
};

/* Where clients come in; `arg` is the gateway in all of them. */
extern const gw_ws_ops_t gw_gateway_ws_ops;
void
gw_gateway_request(void *arg, gw_request_t *request);
size_t
gw_gateway_head(void *arg, gw_request_t *request);
bool
gw_gateway_admit(void *arg, const gw_address_t *address);
bool
gw_gateway_forward(void *arg, gw_request_t *request, pr_str_t sid, pr_str_t owner);
void
gw_gateway_adopt(void *arg, int fd, const gw_address_t *address, pr_str_t head);

#endif
