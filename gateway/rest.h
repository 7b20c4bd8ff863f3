/* SPDX-License-Identifier: MIT */

/*
 * The REST routes: create, join, rejoin and read a poll, and the two health checks. Rules and
 * documents are the actors'; here are shapes, texts, tokens and status codes.
 */

#ifndef GW_REST_H
#define GW_REST_H

#include "gateway/hosts.h"
#include "gateway/http.h"
#include "gateway/limit.h"
#include "gateway/token.h"
#include "proto/base/loop.h"

typedef struct gw_rest gw_rest_t;

typedef struct {
    pr_loop_t *loop;
    gw_hosts_t *hosts;
    gw_limit_t *limit;
    const gw_token_keys_t *keys;
    int64_t poll_duration_s;
    /* Why this gateway is not ready, for /readyz; NULL: it is. */
    const char *(*unready)(void *arg);
    void *arg;
} gw_rest_options_t;

typedef struct {
    uint64_t created;
    uint64_t joined;
    uint64_t rejoined;
    uint64_t read;
    uint64_t invalid;       /* 400 */
    uint64_t forbidden;     /* 403 */
    uint64_t unknown_polls; /* 404 */
    uint64_t limited;       /* 429 */
    uint64_t unavailable;   /* 503 */
    uint64_t redrawn;       /* ids that were taken */
    uint64_t waiting;       /* requests at the actors now */
} gw_rest_counters_t;

/* NULL when out of memory. */
gw_rest_t *
gw_rest_new(const gw_rest_options_t *options);
/* After its gw_http_t, before its gw_hosts_t. */
void
gw_rest_destroy(gw_rest_t **self_p);

/* Answers a request (gw_http_options_t). */
void
gw_rest_request(void *self, gw_request_t *request);

const gw_rest_counters_t *
gw_rest_counters(const gw_rest_t *self);

#endif
