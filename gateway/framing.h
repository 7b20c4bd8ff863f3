/* SPDX-License-Identifier: MIT */

/*
 * The rules of RFC 6455 for the heads of a client's frames (section 5), and for the key of its
 * handshake (4.1). Looks at bytes as they came, in pieces of any size, and keeps none. Pure.
 */

#ifndef GW_FRAMING_H
#define GW_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/bytes.h"

#define GW_FRAMING_HEAD_MAX 10

/* Zeroed: before the first frame. */
typedef struct {
    uint64_t left; /* of the frame's mask and payload */
    uint8_t head[GW_FRAMING_HEAD_MAX];
    uint8_t have;    /* bytes of the head */
    bool in_message; /* its last fragment is still to come */
} gw_framing_t;

/* What the sender did wrong: the close code and the reason for its close frame. */
typedef struct {
    int code; /* 0: nothing */
    const char *reason;
} gw_fault_t;

/* How many frames broke the rules. */
typedef struct {
    uint64_t too_large;
    uint64_t bad; /* any other rule */
} gw_fault_counters_t;

/* Looks at more bytes. The answer is how many of them are good; fewer than all: `fault` says why,
 * and nothing that comes later may be looked at. A data frame may have `frame_max` bytes. */
size_t
gw_framing_check(gw_framing_t *self, pr_str_t bytes, uint64_t frame_max, gw_fault_t *fault);

/* Whether a Sec-WebSocket-Key is 16 bytes in base64. */
bool
gw_framing_key_is_good(pr_str_t key);

/* Whether a peer may put this code into a close frame (section 7.4). */
bool
gw_framing_code_is_good(int code);

#endif
