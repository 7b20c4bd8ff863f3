/* SPDX-License-Identifier: MIT */

/*
 * Engine.IO protocol 4: a session of packets with a client, over a WebSocket or by long-polling
 * and perhaps from that to a WebSocket; its heartbeat and its end. Knows nothing of what the
 * messages say.
 *
 * A session that began with polling shows itself to those who send documents as a gw_socket_t that
 * stands in for the WebSocket which it may become (gw_engineio_socket).
 *
 * The GETs and POSTs of polling come in by session id, and what they answer is a status and a body:
 * nothing here knows which connection, or which gateway, they came through.
 */

#ifndef GW_ENGINEIO_H
#define GW_ENGINEIO_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/engineio_refusal.h"
#include "gateway/polling.h"
#include "gateway/socket.h"
#include "gateway/stats.h"
#include "gateway/why.h"
#include "proto/base/loop.h"

typedef struct gw_engineio gw_engineio_t;         /* one session */
typedef struct gw_engineio_hub gw_engineio_hub_t; /* all of one path */

/* The layer above. */
typedef struct {
    /* A session began; returns what the other calls get, or NULL when out of memory. `token`: the
     * request's header of that name, absent if there was none; borrowed for the call. */
    void *(*opened)(void *arg, gw_engineio_t *engine, pr_str_t token);
    /* One message. The callee may close the session. */
    void (*message)(void *user, pr_str_t data, bool binary);
    /* The socket takes documents again (gw_socket_ops_t). */
    void (*writable)(void *user);
    /* The last call, from the loop, never from within one of ours. */
    void (*closed)(void *user, gw_why_t why);
} gw_engineio_ops_t;

typedef struct {
    int64_t ping_interval_ms;
    int64_t ping_timeout_ms;
    const char *owner;      /* our tag: the start of every sid (engineio_sid.h) */
    size_t message_max;     /* 0: PR_CLIENT_MESSAGE_BYTES_MAX; as maxPayload in open packets */
    size_t queue_bytes_max; /* 0: PR_CONN_MUST_SEND_BYTES_MAX; what waits for one that polls */
    size_t polling_max;     /* 0: PR_POLLING_SESSIONS_MAX */
} gw_engineio_settings_t;

/* NULL when out of memory. */
gw_engineio_hub_t *
gw_engineio_hub_new(pr_loop_t *loop,
                    const gw_engineio_settings_t *settings,
                    gw_stats_t *stats,
                    const gw_engineio_ops_t *ops,
                    void *arg);
/* All sockets must be gone; sessions that poll end now. */
void
gw_engineio_hub_destroy(gw_engineio_hub_t **self_p);
/* Sessions that are not gone yet. */
size_t
gw_engineio_hub_count(const gw_engineio_hub_t *self);
/* Closes every session, and begins no more: the gateway ends. */
void
gw_engineio_hub_close_all(gw_engineio_hub_t *self, const char *reason);
/* Closes at most so many that are not being closed yet; returns how many. */
size_t
gw_engineio_hub_close_some(gw_engineio_hub_t *self, size_t most, const char *reason);
/* The tag that is in our sids. */
const char *
gw_engineio_hub_owner(const gw_engineio_hub_t *self);

/* Begins a session on an admitted WebSocket: sends the open packet. PR_E_NOMEM: cut the socket. */
PR_MUST_CHECK int
gw_engineio_open(gw_engineio_hub_t *hub, gw_socket_t *socket, pr_str_t token);
/* An admitted WebSocket for a session that there is: it waits for the probe, or is closed. */
PR_MUST_CHECK int
gw_engineio_upgrade(gw_engineio_hub_t *hub, gw_socket_t *socket, pr_str_t sid);

/* --- long-polling --- */

/* Begins a session that polls: the body of the answer. NULL: there is no room for it. */
pr_buf_t *
gw_engineio_open_polling(gw_engineio_hub_t *hub, pr_str_t token);
/* Whether a request of that session may come; `is_upgrade`: for a WebSocket. */
gw_refusal_t
gw_engineio_check(gw_engineio_hub_t *hub, pr_str_t sid, bool is_upgrade);
/* Whether its client has joined. */
bool
gw_engineio_knows(gw_engineio_hub_t *hub, pr_str_t sid);
/* A GET: is answered, now or later. */
void
gw_engineio_get(gw_engineio_hub_t *hub, pr_str_t sid, gw_polling_get_t *get);
/* The client of a GET that waits is gone, and with it the session. */
void
gw_engineio_abort(gw_engineio_hub_t *hub, pr_str_t sid, const gw_polling_get_t *get);
/* The answer to a GET can not be delivered: so it is lost. */
void
gw_engineio_lose(gw_engineio_hub_t *hub, pr_str_t sid);
/* A whole POST: the status, and the body of its answer, a literal. */
int
gw_engineio_post(gw_engineio_hub_t *hub, pr_str_t sid, pr_str_t body, pr_str_t *answer);

/* A POST whose body is still on its way; zeroed but for `cut`. */
typedef struct gw_engineio_post gw_engineio_post_t;
struct gw_engineio_post {
    /* A second POST came: the session is closed, this one is not wanted any more. */
    void (*cut)(gw_engineio_post_t *self);
    gw_engineio_t *engine; /* of ours; NULL: none */
};

/* Its head is there: returns the bound of its body. */
size_t
gw_engineio_post_begin(gw_engineio_hub_t *hub, pr_str_t sid, gw_engineio_post_t *post);
/* It is whole, before gw_engineio_post; or it is given up. */
void
gw_engineio_post_end(gw_engineio_post_t *post);
/* Its client is gone, or sends what is no payload: the session ends. */
void
gw_engineio_post_fail(gw_engineio_post_t *post);

/* --- one session --- */

/* Sends one message that must not be dropped. A session that can not take it is closed. */
void
gw_engineio_send(gw_engineio_t *self, pr_str_t text);
void
gw_engineio_send_binary(gw_engineio_t *self, pr_str_t bytes);
/* The same with finished frames of `4…` packets; borrowed. */
void
gw_engineio_send_frame(gw_engineio_t *self, pr_buf_t *frame);

/* Ends the session: what was sent goes out first. `code` is of WebSocket's; a client that polls
 * and broke a rule (1008) is not waited for. */
void
gw_engineio_close(gw_engineio_t *self, gw_why_t why, int code, const char *reason);

/* The client is known now: its messages may have the full size. */
void
gw_engineio_trust(gw_engineio_t *self);

/* Where documents go (feed.h); the same for the whole session. */
gw_socket_t *
gw_engineio_socket(const gw_engineio_t *self);
size_t
gw_engineio_message_max(const gw_engineio_t *self);

#endif
