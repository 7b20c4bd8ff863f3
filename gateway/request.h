/* SPDX-License-Identifier: MIT */

/* What http.c knows of a request; request.c has the parts that need no libwebsockets. */

#ifndef GW_REQUEST_H
#define GW_REQUEST_H

#include "gateway/http.h"
#include "gateway/peer.h"
#include "proto/wire/limits.h"

struct lws;

/* All that is kept of the head of a request, each text with a NUL. */
#define GW_REQUEST_TEXT_MAX (PR_HEADER_BYTES_MAX + 64)
/* Bodies that come later than this are cut off. */
#define GW_REQUEST_BODY_MS PR_CLIENT_MESSAGE_MS
/* A larger answer may go out in parts, and a client that has the last of them may be faster with
 * its next request than libwebsockets is ready for one: the connection ends with it. */
#define GW_REQUEST_KEEP_MAX (16 << 10)
/* Bodies over the bound, but not over this, are read to their end, and the connection goes on. */
#define GW_REQUEST_SKIP_MAX (1 << 20)
/* Rest of a refused body that we wait for, so that its sender reads why. */
#define GW_REQUEST_LINGER_MS 2000

#define GW_LENGTH_NONE (-1) /* not announced */
#define GW_LENGTH_BAD (-2)  /* no number, or beyond all reason */

struct gw_request {
    struct lws *wsi;
    gw_peer_t *peer;
    pr_loop_t *loop;
    gw_http_counters_t *counters;
    const char *method;
    pr_str_t path;
    pr_str_t query; /* name=value parts, each with a NUL behind it */
    pr_str_t headers[GW_HEADER_COUNT];
    pr_buf_t *body;     /* NULL: empty */
    size_t body_left;   /* bytes of it that have not come */
    size_t body_max;    /* 0: PR_BODY_BYTES_MAX, and what is larger is answered here */
    pr_buf_t *response; /* NULL: none yet */
    pr_timer_t timer;
    void (*cancelled)(void *arg);
    void *arg;
    void (*lost)(void *arg, gw_request_t *self);
    void *lost_arg;
    int64_t content_length; /* or one of GW_LENGTH_ */
    bool chunked : 1;
    bool head : 1;
    bool too_large : 1; /* its body is thrown away */
    bool complete : 1;  /* has been handed over, or refused */
    bool cut : 1;       /* the connection is being closed */
    bool parked : 1;    /* nothing is read until the answer */
    bool body_read : 1; /* the next request may come */
    bool answered : 1;  /* the answer has been written */
    bool delivered : 1; /* … and libwebsockets holds nothing of it back */
    bool ahead : 1;     /* libwebsockets has bytes of the next one already */
    bool close : 1;     /* the connection ends with it */
    bool linger : 1;    /* … when the peer has read it */
    size_t text_len;
    char text[GW_REQUEST_TEXT_MAX];
};

/* Makes room in the request's text for `len` bytes and a NUL; NULL if there is none. */
char *
gw_request_reserve(gw_request_t *self, size_t len);
/* Keeps `len` bytes that were written to what gw_request_reserve gave. */
pr_str_t
gw_request_keep(gw_request_t *self, size_t len);

/* --- what http.c tells --- */

/* The head is there: looks at the announced body, and hands over what has none. */
void
gw_request_begin(gw_request_t *self);
/* A piece of the body. Nonzero: close the connection. */
int
gw_request_add_body(gw_request_t *self, pr_str_t piece);
void
gw_request_end_body(gw_request_t *self);
/* The connection is gone before the next request. */
void
gw_request_gone(gw_request_t *self);

/* --- what http.c does for it --- */

/* Reads nothing while a request waits: libwebsockets would spin on bytes behind it. */
void
gw_http_park(gw_request_t *request, bool park);
/* Watches a client that has not taken all of its answer: bytes behind the request, or the end of
 * them, would keep the loop busy until it has, and so end the connection. */
void
gw_http_guard(gw_request_t *request);
/* Ends a connection whose request can not be answered; the loop reads the end and closes it. */
void
gw_http_cut(gw_request_t *request);
/* Gives a whole request to whoever answers it. */
void
gw_http_hand_over(gw_request_t *request);
/* What options.head says of it. */
size_t
gw_http_ask_head(gw_request_t *request);

#endif
