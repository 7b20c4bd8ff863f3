/* SPDX-License-Identifier: MIT */

/*
 * A gateway among others on one port: what comes to it of sessions that are theirs goes to them,
 * and what comes to them of ours is served. Puts together neighbours, neighbours_server and
 * handover.
 */

#ifndef GW_NEIGHBOURHOOD_H
#define GW_NEIGHBOURHOOD_H

#include "gateway/engineio.h"
#include "gateway/handover.h"
#include "gateway/http.h"
#include "gateway/neighbours.h"
#include "gateway/neighbours_server.h"

typedef struct gw_neighbourhood gw_neighbourhood_t;

typedef struct {
    pr_loop_t *loop;
    const char *run_dir; /* texts are copied */
    const char *name;
    const char *incarnation;
    gw_engineio_hub_t *hub;   /* borrowed */
    int64_t get_ms;           /* see gw_neighbours_options_t */
    gw_handover_take_t adopt; /* see handover.h */
    void *arg;
} gw_neighbourhood_options_t;

/* NULL when its sockets can not be made. */
gw_neighbourhood_t *
gw_neighbourhood_new(const gw_neighbourhood_options_t *options);
/* After all requests, before the hub. Runs a turn of the loop. */
void
gw_neighbourhood_destroy(gw_neighbourhood_t **self_p);

/* Where we are found: for the roster. */
const char *
gw_neighbourhood_endpoint(const gw_neighbourhood_t *self);
void
gw_neighbourhood_set_roster(gw_neighbourhood_t *self, const pr_roster_t *roster);

/* For gw_polling_door_t. */
bool
gw_neighbourhood_forward(gw_neighbourhood_t *self,
                         gw_request_t *request,
                         pr_str_t sid,
                         pr_str_t owner);
/* For gw_ws_ops_t. */
PR_MUST_CHECK int
gw_neighbourhood_pass(
    gw_neighbourhood_t *self, pr_str_t sid, int fd, const gw_address_t *address, pr_str_t head);

const gw_neighbours_counters_t *
gw_neighbourhood_asked(const gw_neighbourhood_t *self);
const gw_neighbours_server_counters_t *
gw_neighbourhood_served(const gw_neighbourhood_t *self);
const gw_handover_counters_t *
gw_neighbourhood_handed(const gw_neighbourhood_t *self);

#endif
