/* SPDX-License-Identifier: MIT */

/*
 * Takes new connections from the inherited listening socket, within limits, and gives them to
 * HTTP. At the limit of sockets or of descriptors it stops asking for more until one has gone:
 * those that come wait in the kernel's queue. If it has clearly more clients than another gateway
 * it lets the others go first (share.h), for PR_SHARE_YIELD_MS: what is there after that it takes.
 */

#ifndef GW_ACCEPT_H
#define GW_ACCEPT_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/http.h"
#include "gateway/limit.h"
#include "gateway/proxy_protocol.h"
#include "gateway/share.h"
#include "gateway/stats.h"
#include "gateway/trust.h"
#include "proto/base/loop.h"

typedef struct gw_accept gw_accept_t;

typedef struct {
    pr_loop_t *loop;
    gw_http_t *http;
    gw_limit_t *limit;
    const gw_trust_t *trust; /* proxies; NULL: none */
    bool proxy_protocol;     /* they begin with it */
    gw_share_t *share;       /* NULL: takes all that it can get */
    const gw_stats_t *stats; /* for the sessions that poll: clients without a socket; or NULL */
    int listen_fd;           /* borrowed: shared with other processes */
    int64_t sockets_max;     /* 0: open files less 200 */
} gw_accept_options_t;

typedef struct {
    uint64_t accepted;
    uint64_t refused_rate;      /* an address over its rate: closed at once */
    uint64_t paused;            /* times that a limit stopped us */
    uint64_t yielded;           /* times that we let the others go first */
    uint64_t failed;            /* accept4() errors */
    uint64_t proxied;           /* by a proxy's PROXY head */
    uint64_t bad_proxy;         /* connections closed for theirs */
    uint64_t strangers_evicted; /* who had not joined, for new ones */
    uint64_t strangers_paused;  /* times that too many had not, and none of them for long */
} gw_accept_counters_t;

/* Begins to accept. NULL when the descriptor can not be watched. Takes gw_http_on_closed. */
gw_accept_t *
gw_accept_new(const gw_accept_options_t *options);
/* Before its gw_http_t. Runs a turn of the loop. */
void
gw_accept_destroy(gw_accept_t **self_p);

/* Accepts no more: the gateway drains. */
void
gw_accept_stop(gw_accept_t *self);

const gw_accept_counters_t *
gw_accept_counters(gw_accept_t *self);

#endif
