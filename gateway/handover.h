/* SPDX-License-Identifier: MIT */

/*
 * Connections that gateways of one machine hand to each other: the descriptor, with the client's
 * address and the request that was read from it already, in one datagram to
 * RUN/<name>-<incarnation>.fd. Whoever gets it serves the connection as if it had accepted it.
 */

#ifndef GW_HANDOVER_H
#define GW_HANDOVER_H

#include "gateway/limit.h"
#include "proto/base/assert.h"
#include "proto/base/bytes.h"
#include "proto/base/loop.h"

typedef struct gw_handover gw_handover_t;

/* One has come: the descriptor is the callee's. */
typedef void (*gw_handover_take_t)(void *arg, int fd, const gw_address_t *address, pr_str_t head);

typedef struct {
    pr_loop_t *loop;
    const char *run_dir; /* texts are copied */
    const char *name;    /* "g1" */
    const char *incarnation;
    gw_handover_take_t take;
    void *arg;
} gw_handover_options_t;

typedef struct {
    uint64_t given;
    uint64_t not_given; /* nobody there, or no room with them */
    uint64_t taken;
    uint64_t malformed; /* datagrams that are none */
} gw_handover_counters_t;

/* NULL when the socket can not be made. */
gw_handover_t *
gw_handover_new(const gw_handover_options_t *options);
/* Runs a turn of the loop. */
void
gw_handover_destroy(gw_handover_t **self_p);

/* Gives a connection away: 0, then it is to be closed here, without a shutdown. Or PR_E_TOO_LARGE,
 * PR_E_UNREACHABLE, PR_E_BUSY: it is still ours. */
PR_MUST_CHECK int
gw_handover_give(gw_handover_t *self,
                 const char *name,
                 const char *incarnation,
                 int fd,
                 const gw_address_t *address,
                 pr_str_t head);

const gw_handover_counters_t *
gw_handover_counters(const gw_handover_t *self);

#endif
