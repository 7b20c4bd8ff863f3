/* SPDX-License-Identifier: MIT */

/*
 * The PROXY protocol, versions 1 and 2: what a proxy says of its client before the client's own
 * bytes. gw_proxy_parse is pure; gw_proxy_waits reads it off connections, before anybody else
 * reads of them: at most PR_PROXY_WAITING_MAX at a time, each within PR_HEADER_MS.
 */

#ifndef GW_PROXY_PROTOCOL_H
#define GW_PROXY_PROTOCOL_H

#include "gateway/limit.h"
#include "proto/base/assert.h"
#include "proto/base/bytes.h"
#include "proto/base/loop.h"

/* Longest head that we take: of version 2 with its additions. */
#define GW_PROXY_HEAD_MAX 536

/*
 * Looks at what has come. 0: the head is whole, `*used` bytes of it, and `*client` is who it names
 * (untouched if it names nobody: a check of the proxy's own). PR_E_AGAIN: more is to come, and the
 * first `*used` bytes are surely of the head. PR_E_MALFORMED.
 */
PR_MUST_CHECK int
gw_proxy_parse(pr_str_t bytes, size_t *used, gw_address_t *client);

typedef struct gw_proxy_waits gw_proxy_waits_t;

typedef struct {
    uint64_t named;     /* heads that were read */
    uint64_t malformed; /* closed for what they said, or said too late */
    uint64_t refused;   /* too many wait */
} gw_proxy_counters_t;

/* `named` gets each connection whose head is read. NULL when out of memory. */
gw_proxy_waits_t *
gw_proxy_waits_new(pr_loop_t *loop,
                   void (*named)(void *arg, int fd, const gw_address_t *client),
                   void *arg);
/* Closes those that wait. Runs turns of the loop. */
void
gw_proxy_waits_destroy(gw_proxy_waits_t **self_p);

/* Takes a connection, in any case. */
void
gw_proxy_waits_add(gw_proxy_waits_t *self, int fd, const gw_address_t *from);

/* Those that wait now. */
size_t
gw_proxy_waits_count(const gw_proxy_waits_t *self);

const gw_proxy_counters_t *
gw_proxy_waits_counters(const gw_proxy_waits_t *self);

#endif
