/* SPDX-License-Identifier: MIT */

/*
 * HTTP on libwebsockets, and the libwebsockets context itself: one vhost without a listener on
 * our loop, to which accept.c gives connections. Whoever is upgraded goes to ws.c.
 *
 * A request is handed over whole, its body bounded, and may be answered at any later time: 413
 * and 411 for bodies, CORS headers and preflights, and the deadlines of headers and bodies are
 * dealt with here. After its answer a connection is kept for the next request.
 */

#ifndef GW_HTTP_H
#define GW_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/limit.h"
#include "gateway/origin.h"
#include "gateway/strangers.h"
#include "gateway/trust.h"
#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"
#include "proto/base/loop.h"

typedef struct gw_http gw_http_t;
typedef struct gw_request gw_request_t;
struct gw_ws;

typedef struct {
    pr_loop_t *loop;
    const gw_origin_t *origin;
    const char *tls_cert; /* files; "" or NULL: no TLS */
    const char *tls_key;
    const gw_trust_t *trust; /* NULL: no proxies */
    /* Whether a WebSocket of this client, who has no connection of its own, may come in. */
    bool (*admit)(void *arg, const gw_address_t *client);
    struct gw_ws *ws; /* takes the connections that upgrade; may be NULL: then none may */
    /* A request whose body is still to come: the bound of that, if it is to be handed over even
     * when it was larger (gw_request_is_too_large); 0: PR_BODY_BYTES_MAX, and larger ones are
     * answered here. May be NULL. */
    size_t (*head)(void *arg, gw_request_t *request);
    /* A whole request, never OPTIONS. It must be answered with gw_http_respond, now or later. */
    void (*request)(void *arg, gw_request_t *request);
    void *arg;
} gw_http_options_t;

typedef struct {
    uint64_t adopted;
    uint64_t connections; /* now */
    uint64_t requests;
    uint64_t bad_heads;   /* with a NUL */
    uint64_t large_heads; /* libwebsockets closed the connection for these two */
    uint64_t late_heads;
    uint64_t refused_bodies;
    uint64_t body_timeouts;
    uint64_t cancelled;  /* the client went while its request waited */
    uint64_t hangups;    /* … and said so, or while it took its answer */
    uint64_t lost;       /* … while it was answered */
    uint64_t unwatched;  /* of those that wait: we would not hear of it */
    uint64_t answers[6]; /* by the first digit of their status */
} gw_http_counters_t;

/* NULL when libwebsockets can not start. */
gw_http_t *
gw_http_new(const gw_http_options_t *options);
/* Closes all connections. Runs the loop until libwebsockets has let go of it. */
void
gw_http_destroy(gw_http_t **self_p);

/* As gw_http_adopt; `head` was read from it already. */
PR_MUST_CHECK int
gw_http_adopt_read(gw_http_t *self, int fd, const gw_address_t *address, pr_str_t head);
/* Gives a connected socket over, in any case. 0, or PR_E_SYSTEM if it had to be closed. */
PR_MUST_CHECK static inline int
gw_http_adopt(gw_http_t *self, int fd, const gw_address_t *address)
{
    return gw_http_adopt_read(self, fd, address, PR_STR_NONE);
}

/* From now on each connection ends with its next answer: the gateway drains. */
void
gw_http_end_connections(gw_http_t *self);

/* Calls `closed(arg)` whenever a connection has gone. */
void
gw_http_on_closed(gw_http_t *self, void (*closed)(void *arg), void *arg);

/* Those of its connections that have joined nothing. */
gw_strangers_t *
gw_http_strangers(gw_http_t *self);

const gw_http_counters_t *
gw_http_counters(const gw_http_t *self);

/* --- requests; all texts live as long as the request --- */

typedef enum {
    GW_HEADER_AUTHORIZATION,
    GW_HEADER_TOKEN,
    GW_HEADER_CONTENT_TYPE,
    GW_HEADER_ORIGIN,
    GW_HEADER_HOST,
    GW_HEADER_ASKED_HEADERS, /* Access-Control-Request-Headers */
    GW_HEADER_COUNT
} gw_header_t;

/* "GET" and so on. A HEAD request is shown as GET; its answer goes without the body. */
const char *
gw_request_method(const gw_request_t *self);
bool
gw_request_is_head(const gw_request_t *self);
/* Decoded, without the query. */
pr_str_t
gw_request_path(const gw_request_t *self);
/* A parameter of the query, decoded; absent if it is not there. */
pr_str_t
gw_request_query(const gw_request_t *self, pr_str_t name);
/* Absent if it is not there, or longer than we keep. */
pr_str_t
gw_request_header(const gw_request_t *self, gw_header_t header);
pr_str_t
gw_request_body(const gw_request_t *self);
/* Its body was over the bound that options.head gave, and thrown away. */
bool
gw_request_is_too_large(const gw_request_t *self);
const gw_address_t *
gw_request_address(const gw_request_t *self);
/* Whether the page that asks may talk to us. */
bool
gw_request_origin_allowed(const gw_request_t *self);

/* Calls `cancelled(arg)` if the client goes away before the answer: the request is then gone. */
void
gw_request_on_cancelled(gw_request_t *self, void (*cancelled)(void *arg), void *arg);
/* Calls `lost(arg, self)` if the client goes away before it can have read all of the answer: the
 * request is then gone. */
void
gw_request_on_lost(gw_request_t *self, void (*lost)(void *arg, gw_request_t *self), void *arg);
/* It comes from a client that has joined: its connection is no stranger's. */
void
gw_request_know(gw_request_t *self);
/* It does not, after all. */
void
gw_request_doubt(gw_request_t *self);
/* The `arg` of gw_request_on_cancelled; NULL at first. */
void *
gw_request_arg(const gw_request_t *self);
/* Closes the connection without an answer. `cancelled` comes from the loop. */
void
gw_request_cut(gw_request_t *self);

/*
 * Answers a request, once; it is gone then. `headers` are more header lines, each with its CR LF,
 * or NULL. `content_type` may be NULL if the body is empty. The body is copied.
 */
void
gw_http_respond(gw_request_t *request,
                int status,
                const char *content_type,
                pr_str_t body,
                const char *headers);

/* The same with a JSON body. */
void
gw_http_respond_json(gw_request_t *request, int status, pr_str_t body, const char *headers);

/* Answers {"statusCode":…,"message":…,"error":…}; `error` may be NULL: the member is left out. */
void
gw_http_respond_error(
    gw_request_t *request, int status, const char *message, const char *error, const char *headers);

#endif
