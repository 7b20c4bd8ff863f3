/* SPDX-License-Identifier: MIT */

/*
 * Engine.IO protocol 4: a session of packets with a client, its heartbeat and its end. Knows
 * nothing of what the messages say.
 *
 * A session stands on a transport, which for now is always a WebSocket; only the s_wire_ functions
 * of engineio.c know that.
 */

#ifndef GW_ENGINEIO_H
#define GW_ENGINEIO_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/socket.h"
#include "gateway/stats.h"
#include "gateway/why.h"
#include "proto/base/loop.h"

typedef struct gw_engineio gw_engineio_t;         /* one session */
typedef struct gw_engineio_hub gw_engineio_hub_t; /* all of a gateway */

/* The layer above. */
typedef struct {
    /* A session began; returns what the other calls get, or NULL when out of memory. `token`: the
     * request's header of that name, absent if there was none; borrowed for the call. */
    void *(*opened)(void *arg, gw_engineio_t *engine, pr_str_t token);
    /* One message. The callee may close the session. */
    void (*message)(void *user, pr_str_t text);
    /* The socket takes documents again (gw_socket_ops_t). */
    void (*writable)(void *user);
    /* The last call, from the loop, never from within one of ours. */
    void (*closed)(void *user, gw_why_t why);
} gw_engineio_ops_t;

typedef struct {
    int64_t ping_interval_ms;
    int64_t ping_timeout_ms;
    const char
        *owner; /* our name: the end of every sid, by which others find the session's owner */
} gw_engineio_settings_t;

/* NULL when out of memory. */
gw_engineio_hub_t *
gw_engineio_hub_new(pr_loop_t *loop,
                    const gw_engineio_settings_t *settings,
                    gw_stats_t *stats,
                    const gw_engineio_ops_t *ops,
                    void *arg);
/* All sessions must have ended. */
void
gw_engineio_hub_destroy(gw_engineio_hub_t **self_p);
/* Sessions whose socket is not gone yet. */
size_t
gw_engineio_hub_count(const gw_engineio_hub_t *self);
/* Closes every session: the gateway ends. */
void
gw_engineio_hub_close_all(gw_engineio_hub_t *self, const char *reason);

/* Begins a session on an admitted WebSocket: sends the open packet. PR_E_NOMEM: cut the socket. */
PR_MUST_CHECK int
gw_engineio_open(gw_engineio_hub_t *hub, gw_socket_t *socket, pr_str_t token);

/* Sends one message that must not be dropped. A session that can not take it is closed. */
void
gw_engineio_send(gw_engineio_t *self, pr_str_t text);
/* The same with finished frames of `4…` packets; borrowed. */
void
gw_engineio_send_frame(gw_engineio_t *self, pr_buf_t *frame);

/* Ends the session: what was sent goes out first. `code` is of WebSocket's. */
void
gw_engineio_close(gw_engineio_t *self, gw_why_t why, int code, const char *reason);

/* The client is known now: its messages may have the full size. */
void
gw_engineio_trust(gw_engineio_t *self);

/* Where documents go (feed.h). */
gw_socket_t *
gw_engineio_socket(const gw_engineio_t *self);

#endif
