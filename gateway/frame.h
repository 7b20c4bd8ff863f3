/* SPDX-License-Identifier: MIT */

/*
 * WebSocket frames of a server (RFC 6455 section 5), beside the ones that socket.h declares.
 * Several frames one behind the other are a frame as well: whatever sends one sends them all.
 */

#ifndef GW_FRAME_H
#define GW_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/buffer.h"
#include "proto/base/bytes.h"

/* Longest reason of a close frame. */
#define GW_FRAME_REASON_MAX 123

/* A close frame; `code` 0: one without a code. `reason` may be NULL, and is cut to fit. NULL when
 * out of memory. */
pr_buf_t *
gw_frame_close(int code, const char *reason);

/*
 * The first fragment boundary of `frames` at or behind `at`, looking from the boundary `from`.
 * Control frames may go in between there, and only there.
 */
size_t
gw_frame_boundary(pr_str_t frames, size_t from, size_t at);

/* One frame of a message: the first one says whether it is binary. */
typedef struct {
    pr_str_t payload; /* borrowed */
    bool binary;
    bool final;
} gw_frame_t;

/* Reads the frame at `at`, a boundary before the end; returns where the next one is. */
size_t
gw_frame_read(pr_str_t frames, size_t at, gw_frame_t *frame);

#endif
