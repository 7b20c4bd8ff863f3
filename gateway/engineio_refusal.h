/* SPDX-License-Identifier: MIT */

/* The errors of Engine.IO's requests, and the order in which the stock server finds them. Pure. */

#ifndef GW_ENGINEIO_REFUSAL_H
#define GW_ENGINEIO_REFUSAL_H

#include <stdbool.h>

#include "proto/base/bytes.h"

typedef enum {
    GW_REFUSAL_TRANSPORT = 0,
    GW_REFUSAL_SESSION = 1,
    GW_REFUSAL_METHOD = 2,
    GW_REFUSAL_REQUEST = 3,
    GW_REFUSAL_FORBIDDEN = 4,
    GW_REFUSAL_PROTOCOL = 5,
    GW_REFUSAL_NONE
} gw_refusal_t;

/* The query of a request; absent: not given. */
typedef struct {
    pr_str_t transport;
    pr_str_t eio;
    pr_str_t sid;
    gw_refusal_t session; /* with a sid: what its owner says of it */
    bool is_get;
    bool is_upgrade;
    bool origin_allowed;
} gw_handshake_t;

gw_refusal_t
gw_refusal_check(const gw_handshake_t *asked);

int
gw_refusal_status(gw_refusal_t refusal);

/* {"code":1,"message":"Session ID unknown"} */
pr_str_t
gw_refusal_body(gw_refusal_t refusal);

#endif
