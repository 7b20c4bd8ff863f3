/* SPDX-License-Identifier: MIT */

/*
 * One client connection from its adoption to its end, as http.c and ws.c share it: libwebsockets
 * carries a pointer to it. It is an HTTP connection until `socket` is set.
 */

#ifndef GW_PEER_H
#define GW_PEER_H

#include <stdbool.h>

#include "gateway/http.h"
#include "gateway/limit.h"
#include "gateway/socket.h"
#include "gateway/strangers.h"
#include "gateway/tap.h"

struct lws;

typedef struct gw_peer gw_peer_t;

struct gw_peer {
    gw_http_t *http;
    gw_stranger_t stranger;
    gw_request_t *request; /* the present one, until its answer has been written */
    gw_socket_t *socket;
    char *header_token; /* kept over the upgrade */
    char *sid;          /* the same; NULL: no session yet */
    const struct gw_ws_mount *mount;
    gw_address_t from;    /* the other end of the connection */
    gw_address_t address; /* the client: the same, or whom a trusted proxy names */
    gw_tap_t tap;
    /* libwebsockets is at a request that our filter has seen. Anything else that it would do on
     * its own ends the connection. */
    bool in_request;
    bool is_native; /* it upgrades at /ws */
    bool passed;    /* another gateway has it now */
};

/* Its descriptor is about to mean something else: nobody watches it any more. */
void
gw_http_let_go(gw_peer_t *peer, int fd);

#endif
