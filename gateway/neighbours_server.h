/* SPDX-License-Identifier: MIT */

/*
 * What other gateways ask of us: polling requests of our sessions that their clients sent to them.
 * A ROUTER, RUN/<name>-<incarnation>.sock; a GET waits at its session as one of our own does.
 * When the link of a neighbour ends, the clients behind it have lost their requests, and their
 * sessions end.
 */

#ifndef GW_NEIGHBOURS_SERVER_H
#define GW_NEIGHBOURS_SERVER_H

#include "gateway/engineio.h"
#include "proto/base/loop.h"

typedef struct gw_neighbours_server gw_neighbours_server_t;

typedef struct {
    pr_loop_t *loop;
    const char *endpoint;
    const char *name; /* "g1" */
    const char *incarnation;
    gw_engineio_hub_t *hub; /* borrowed */
} gw_neighbours_server_options_t;

typedef struct {
    uint64_t gets;
    uint64_t posts;
    uint64_t aborts;
    uint64_t lost;       /* GETs with the link of their neighbour */
    uint64_t overflowed; /* links that did not take their answers */
    uint64_t parked;     /* now */
    uint64_t malformed;  /* bodies that are none */
} gw_neighbours_server_counters_t;

/* NULL when out of resources, or if the endpoint can not be bound. */
gw_neighbours_server_t *
gw_neighbours_server_new(const gw_neighbours_server_options_t *options);
/* Before the hub. Not from within a callback. */
void
gw_neighbours_server_destroy(gw_neighbours_server_t **self_p);

const gw_neighbours_server_counters_t *
gw_neighbours_server_counters(const gw_neighbours_server_t *self);

#endif
