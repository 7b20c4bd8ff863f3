/* SPDX-License-Identifier: MIT */

/*
 * What one address may do: token buckets for new sockets and for unknown poll codes. Loopback is
 * not exempt. The newest PR_ADDRESSES_MAX addresses are remembered; the one that was longest
 * silent is forgotten first. An IPv6 client counts by its /64, since it has all of that.
 *
 * Pure: time is an argument.
 */

#ifndef GW_LIMIT_H
#define GW_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/networks.h"

struct sockaddr;

typedef pr_address_t gw_address_t;

#define GW_ADDRESS_TEXT_MAX PR_ADDRESS_TEXT_MAX

/* All zero for a family that is neither IPv4 nor IPv6. */
gw_address_t
gw_address_from(const struct sockaddr *from);
/* Writes its text, with the NUL, to `out`; IPv4 as people write it. Returns `out`. */
const char *
gw_address_text(const gw_address_t *self, char out[GW_ADDRESS_TEXT_MAX]);

typedef enum { GW_LIMIT_CONNECTS, GW_LIMIT_CODES, GW_LIMIT_KINDS } gw_limit_kind_t;

typedef struct {
    int64_t burst;
    int64_t count; /* of tokens that come back */
    int64_t per_ms;
} gw_limit_rate_t;

typedef struct gw_limit gw_limit_t;

/* NULL when out of memory. */
gw_limit_t *
gw_limit_new(const gw_limit_rate_t rates[GW_LIMIT_KINDS], size_t addresses_max);
void
gw_limit_destroy(gw_limit_t **self_p);

/* Takes a token if there is one; says whether. Out of memory counts as none. */
bool
gw_limit_take(gw_limit_t *self, gw_limit_kind_t kind, const gw_address_t *address, int64_t now_ms);

/* Whether there is a token, without taking it. */
bool
gw_limit_has(gw_limit_t *self, gw_limit_kind_t kind, const gw_address_t *address, int64_t now_ms);

/* Takes a token that may not be there: what was found out too late is paid later, up to ten
 * bursts. */
void
gw_limit_charge(gw_limit_t *self,
                gw_limit_kind_t kind,
                const gw_address_t *address,
                int64_t now_ms);

/* Addresses remembered now. */
size_t
gw_limit_count(const gw_limit_t *self);

#endif
