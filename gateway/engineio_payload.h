/* SPDX-License-Identifier: MIT */

/*
 * The body of a polling request or answer: packets with a record separator (byte 0x1e) between
 * them, binary ones as `b` and base64. Pure.
 */

#ifndef GW_ENGINEIO_PAYLOAD_H
#define GW_ENGINEIO_PAYLOAD_H

#include <stdbool.h>

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"

typedef struct {
    pr_str_t rest;
    bool more;
} gw_payload_t;

/* Reads a body; an empty one holds one empty packet. */
gw_payload_t
gw_payload(pr_str_t body);
/* The next packet, borrowed from the body; false: no more. */
bool
gw_payload_next(gw_payload_t *self, pr_str_t *packet);

/* The bytes of standard, padded base64 (what stands behind the `b`). NULL if it is none, or when
 * out of memory. */
pr_buf_t *
gw_payload_decode(pr_str_t base64);

/* Appends one packet to a body. */
void
gw_payload_append(pr_buf_t *body, pr_str_t packet);

/* Appends the packets that are in WebSocket frames of ours (gw_frame_text and its like). */
void
gw_payload_append_frames(pr_buf_t *body, pr_str_t frames);
/* What that may make of them at most, in bytes. */
size_t
gw_payload_frames_max(pr_str_t frames);

#endif
