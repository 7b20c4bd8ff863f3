/* SPDX-License-Identifier: MIT */

/* The subprotocols of /ws. Pure. */

#ifndef GW_NATIVE_OFFER_H
#define GW_NATIVE_OFFER_H

#include <stdbool.h>

#include "proto/base/bytes.h"

#define GW_NATIVE_SUBPROTOCOL_JSON "rollcall.v1.json"
#define GW_NATIVE_SUBPROTOCOL_MSGPACK "rollcall.v1.msgpack"

/* Whether we speak one of those that a client offers (its Sec-WebSocket-Protocol, absent if there
 * is none): without an offer JSON is meant. */
bool
gw_native_speaks(pr_str_t offered);

#endif
