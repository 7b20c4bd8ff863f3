/* SPDX-License-Identifier: MIT */

/*
 * Proxies whose word we take for who the client is: a list of networks (proto/base/networks.h).
 * Of a chain of proxies the last that is none of them is the client: what stands further left in
 * X-Forwarded-For may be made up. Pure.
 */

#ifndef GW_TRUST_H
#define GW_TRUST_H

#include <stdbool.h>

#include "gateway/limit.h"
#include "proto/base/bytes.h"
#include "proto/base/networks.h"

typedef pr_networks_t gw_trust_t;

/* Who is behind a connection from `from`, whose X-Forwarded-For is `chain` (absent: none). Once
 * something in it is no address, the one to its right counts. */
gw_address_t
gw_trust_client(const gw_trust_t *self, const gw_address_t *from, pr_str_t chain);

/* An address as text, IPv4 or IPv6, an IPv6 one also in brackets; either with a port. */
bool
gw_address_parse(pr_str_t text, gw_address_t *out);

#endif
