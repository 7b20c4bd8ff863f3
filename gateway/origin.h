/* SPDX-License-Identifier: MIT */

/*
 * Which web pages may talk to us: those without an Origin (no browser), of the same origin as the
 * Host, http://localhost:CLIENT_PORT and configured ones. A page elsewhere gets its REST answers
 * without the header that would let it read them, and no WebSocket.
 */

#ifndef GW_ORIGIN_H
#define GW_ORIGIN_H

#include <stdbool.h>

#include "proto/base/bytes.h"

typedef struct gw_origin gw_origin_t;

/* `more`: origins separated by blanks. NULL when out of memory. */
gw_origin_t *
gw_origin_new(int client_port, const char *more);
void
gw_origin_destroy(gw_origin_t **self_p);

/* Whether a request with these headers may be answered as to a friend; absent texts are fine. */
bool
gw_origin_allows(const gw_origin_t *self, pr_str_t origin, pr_str_t host);

#endif
