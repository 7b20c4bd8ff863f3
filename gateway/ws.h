/* SPDX-License-Identifier: MIT */

/*
 * WebSockets as libwebsockets gives them: who may upgrade, gathering of messages, and their ends.
 * Makes the gw_socket_t that the protocols work with; write.c does the sending.
 */

#ifndef GW_WS_H
#define GW_WS_H

#include "gateway/engineio_refusal.h"
#include "gateway/http.h"
#include "gateway/native_parse.h"
#include "gateway/socket.h"
#include "gateway/write.h"

typedef struct gw_ws gw_ws_t;
typedef struct gw_ws_mount gw_ws_mount_t; /* a path, and who is behind it */

#define GW_WS_MOUNTS_MAX 2

typedef struct {
    /* A Socket.IO client's WebSocket is open. `token` is the HTTP header of that name, absent if
     * there was none; borrowed for the call. The callee attaches itself. An error code cuts the
     * socket. */
    int (*accept)(void *arg, gw_socket_t *socket, pr_str_t token);
    /* Whether a WebSocket for the session of that id may open. NULL: there are none. */
    gw_refusal_t (*check)(void *arg, pr_str_t sid);
    /* It is open; as `accept`. */
    int (*upgrade)(void *arg, gw_socket_t *socket, pr_str_t sid);
    /* Gives the connection of an upgrade, with the head of its request, to the gateway that owns
     * the session: 0, or an error, and it is still ours. NULL: there are no others. */
    int (*pass)(void *arg, pr_str_t sid, int fd, const gw_address_t *address, pr_str_t head);
    /* The same of a native client, at /ws. NULL: there is no such place. */
    int (*accept_native)(void *arg, gw_socket_t *socket, gw_native_encoding_t encoding);
} gw_ws_ops_t;

struct gw_ws_mount {
    pr_str_t path;
    gw_ws_ops_t ops;
    void *arg;
};

typedef struct {
    uint64_t upgraded;
    uint64_t refused; /* before the 101 */
    uint64_t messages;
    gw_fault_counters_t faults;
    uint64_t bad_utf8;
    uint64_t unattached; /* messages nobody wanted */
    uint64_t sockets;    /* now */
} gw_ws_counters_t;

/* `ops` are behind /socket.io/. `writer` and `origin` must outlive it, as it must outlive the
 * gw_http_t. NULL when out of memory. */
gw_ws_t *
gw_ws_new(const gw_writer_t *writer, const gw_origin_t *origin, const gw_ws_ops_t *ops, void *arg);
void
gw_ws_destroy(gw_ws_t **self_p);

/* One more path, with its last slash; a literal. */
void
gw_ws_mount(gw_ws_t *self, const char *path, const gw_ws_ops_t *ops, void *arg);

const gw_ws_counters_t *
gw_ws_counters(const gw_ws_t *self);

/* --- what http.c calls --- */

/* May this connection become a WebSocket? 0: yes; 1: refused and answered; -1: hang up. */
int
gw_ws_confirm(gw_ws_t *self, struct lws *wsi, gw_peer_t *peer, const char *upgrade);

/* Any callback of an upgraded connection; `reason` is an enum lws_callback_reasons. */
int
gw_ws_event(gw_ws_t *self, struct lws *wsi, gw_peer_t *peer, int reason, pr_str_t data);

/* The connection is gone. */
void
gw_ws_gone(gw_ws_t *self, gw_peer_t *peer);

#endif
