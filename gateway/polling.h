/* SPDX-License-Identifier: MIT */

/*
 * The polling transport of one Engine.IO session: what waits for its client, and the GET that waits
 * for it. Knows nothing of HTTP's connections, so that a GET may as well have come through another
 * gateway.
 *
 * What must be sent is queued, within a bound. Of everything else one is taken for each GET that
 * waits: for whoever sends documents this is a slow socket that takes one now and then.
 * A GET is answered at the end of the turn, with all that came until then, but not much more than
 * PR_POLLING_BODY_BYTES_MAX.
 */

#ifndef GW_POLLING_H
#define GW_POLLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"
#include "proto/base/loop.h"

typedef struct gw_polling gw_polling_t;   /* one session's */
typedef struct gw_pollings gw_pollings_t; /* all of a hub: those that have something to do */

/* A GET; its sender keeps it until it is answered, or until it tells that the client is gone. */
typedef struct gw_polling_get gw_polling_get_t;
struct gw_polling_get {
    /* The last that is heard of it. A body of an error is JSON, or empty. */
    void (*answer)(gw_polling_get_t *self, int status, pr_str_t body);
    /* While it waits: its client has joined. May be NULL. */
    void (*known)(gw_polling_get_t *self);
};

/* The session. */
typedef struct {
    /* See gw_socket_ops_t. */
    void (*writable)(void *user);
    /* gw_polling_end was called, and the last packet is out. Called from the loop's turn, or from
     * within gw_polling_get. */
    void (*ended)(void *user);
} gw_polling_ops_t;

/* `parked` counts the GETs that wait. NULL when out of memory. */
gw_pollings_t *
gw_pollings_new(pr_loop_t *loop, const gw_polling_ops_t *ops, int64_t *parked);
void
gw_pollings_destroy(gw_pollings_t **self_p);

/* `bytes_max` bounds the queue. NULL when out of memory. */
gw_polling_t *
gw_polling_new(gw_pollings_t *shared, size_t bytes_max, void *user);
/* A GET that waits is answered 400. */
void
gw_polling_destroy(gw_polling_t **self_p);

/* A GET came: it is parked. False: one waits already, and both were answered: the session is to be
 * closed. */
bool
gw_polling_get(gw_polling_t *self, gw_polling_get_t *get);
/* Its client is gone. False: it was not the one that waits. */
bool
gw_polling_abort(gw_polling_t *self, const gw_polling_get_t *get);
/* The client has joined: tells the GET that waits. */
void
gw_polling_know(gw_polling_t *self);
/* Whether a GET waits. */
bool
gw_polling_is_parked(const gw_polling_t *self);

/* As the functions of gw_socket_t. The frames are WebSocket's. */
PR_MUST_CHECK int
gw_polling_send(gw_polling_t *self, pr_buf_t *frame);
PR_MUST_CHECK int
gw_polling_send_must(gw_polling_t *self, pr_buf_t *frame);
void
gw_polling_missed(gw_polling_t *self);

/* Answers a GET that waits with noop, unless there is something better for it. */
void
gw_polling_release(gw_polling_t *self);

/* Takes the oldest frame out of the queue; the caller has its reference. NULL: none. */
pr_buf_t *
gw_polling_take(gw_polling_t *self);

/* The last packet: `last` goes out behind the queue, with this GET or the next. A literal. */
void
gw_polling_end(gw_polling_t *self, const char *last);

#endif
