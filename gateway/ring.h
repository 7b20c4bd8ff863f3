/* SPDX-License-Identifier: MIT */

/*
 * The latest patch frames of a feed, numbered without a gap. A socket is a cursor into it; the
 * oldest frames go when there are more than `bytes_max` bytes.
 */

#ifndef GW_RING_H
#define GW_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/poll/rev.h"

typedef struct gw_ring gw_ring_t;

/* Allocates nothing more before the first frame. NULL when out of memory. */
gw_ring_t *
gw_ring_new(size_t bytes_max);
void
gw_ring_destroy(gw_ring_t **self_p);

/* Appends the frame that leads from `seq` - 1, the document of rev `from`, to `seq`; takes it over,
 * in any case. If `seq` is not the next, or memory is out, everything before it is forgotten. */
void
gw_ring_add(gw_ring_t *self, uint64_t seq, pr_rev_t from, pr_buf_t **frame_p);
void
gw_ring_clear(gw_ring_t *self);

/* Whether all frames after `cursor` up to `seq` are there. */
bool
gw_ring_covers(const gw_ring_t *self, uint64_t cursor, uint64_t seq);

/* Whether one of the frames leads on from the document of that rev; then `*cursor` stands there. */
bool
gw_ring_find(const gw_ring_t *self, pr_rev_t rev, uint64_t *cursor);

/* Whether a frame after `cursor` up to `seq`, which must be covered, may hold these bytes. */
bool
gw_ring_mentions(const gw_ring_t *self, uint64_t cursor, uint64_t seq, pr_str_t bytes);

/*
 * Frames after `*cursor` up to `seq`, which must be covered, as one frame of about `bytes_max`
 * bytes at most, but at least one of them; moves the cursor. The caller has one reference; NULL
 * when out of memory: the cursor has not moved.
 */
pr_buf_t *
gw_ring_read(const gw_ring_t *self, uint64_t *cursor, uint64_t seq, size_t bytes_max);

size_t
gw_ring_bytes(const gw_ring_t *self);

#endif
