/* SPDX-License-Identifier: MIT */

/* What native.c (the socket, what it says) and native_tell.c (what it is told) share. */

#ifndef GW_NATIVE_PRIVATE_H
#define GW_NATIVE_PRIVATE_H

#include "gateway/conn.h"
#include "gateway/native.h"
#include "gateway/native_asks.h"

typedef struct gw_native gw_native_t;

struct gw_natives {
    gw_natives_settings_t settings;
    pr_buf_t *ping;
    gw_native_t *first;
    int64_t spread_ms; /* of coming again, once we close all */
};

struct gw_native {
    pr_timer_t timer; /* first: the pointers are equal. The end of the wait for a join or a pong,
                         or the next ping */
    gw_natives_t *all;
    gw_native_t *prev;
    gw_native_t *next;
    gw_socket_t *socket;
    gw_conn_t *conn; /* NULL: not joined yet, or over */
    gw_native_asks_t asks;
    int64_t join;    /* its number in `asks` */
    int64_t rate_ms; /* when `frames` was true */
    int64_t frames;  /* thousandths of frames that it may still send */
    gw_native_encoding_t encoding;
    bool closing;
    bool pong_owed;
};

/* For gw_conn_new; a conn's client is its gw_native_t. */
extern const gw_client_ops_t gw_native_client_ops;

/* Sends a frame; `json` may be absent, `id` NULL. A socket that is too slow for it is closed. */
void
gw_native_send(gw_native_t *self, pr_str_t event, const gw_native_id_t *id, pr_str_t json);
/* A refusal of our own, of which nothing was nor will be saved. */
void
gw_native_refuse(gw_native_t *self, const gw_native_id_t *id, int error, pr_str_t text);
/* Closes the socket; its conn goes when that has happened, if it has not gone before. */
void
gw_native_close(gw_native_t *self, int code, const char *reason);

#endif
