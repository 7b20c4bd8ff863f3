/* SPDX-License-Identifier: MIT */

#include "gateway/ring.h"

#include <stdlib.h>
#include <string.h>

#include "proto/wire/limits.h"

#define SIZE_MIN 8

typedef struct {
    pr_buf_t *frame;
    pr_rev_t from;
} entry_t;

struct gw_ring {
    entry_t *entries; /* circular; that of `seq` lies at seq modulo size */
    size_t size;      /* a power of two */
    uint64_t first;   /* the oldest */
    uint64_t end;     /* behind the newest; equal to `first`: empty */
    size_t bytes;
    size_t bytes_max;
};

gw_ring_t *
gw_ring_new(size_t bytes_max)
{
    gw_ring_t *self = calloc(1, sizeof *self);
    if (self) {
        self->bytes_max = bytes_max;
    }
    return self;
}

static entry_t *
s_at(const gw_ring_t *self, uint64_t seq)
{
    return &self->entries[seq & (self->size - 1)];
}

static void
s_drop_first(gw_ring_t *self)
{
    pr_buf_t **frame = &s_at(self, self->first++)->frame;
    self->bytes -= pr_buf_len(*frame);
    pr_buf_destroy(frame);
}

void
gw_ring_clear(gw_ring_t *self)
{
    while (self->first != self->end) {
        s_drop_first(self);
    }
    free(self->entries);
    self->entries = NULL;
    self->size = 0;
}

void
gw_ring_destroy(gw_ring_t **self_p)
{
    PR_ASSERT(self_p);
    gw_ring_t *self = *self_p;
    if (!self) {
        return;
    }
    gw_ring_clear(self);
    free(self);
    *self_p = NULL;
}

static bool
s_make_room(gw_ring_t *self)
{
    if (self->end - self->first < self->size) {
        return true;
    }
    size_t size = self->size ? self->size * 2 : SIZE_MIN;
    entry_t *entries = calloc(size, sizeof *entries);
    if (!entries) {
        return false;
    }
    for (uint64_t seq = self->first; seq != self->end; seq++) {
        entries[seq & (size - 1)] = *s_at(self, seq);
    }
    free(self->entries);
    self->entries = entries;
    self->size = size;
    return true;
}

void
gw_ring_add(gw_ring_t *self, uint64_t seq, pr_rev_t from, pr_buf_t **frame_p)
{
    pr_buf_t *frame = *frame_p;
    *frame_p = NULL;
    if (seq != self->end) {
        gw_ring_clear(self);
        self->first = self->end = seq;
    }
    if (!frame || !s_make_room(self)) {
        pr_buf_destroy(&frame);
        gw_ring_clear(self);
        return;
    }
    *s_at(self, self->end++) = (entry_t) {frame, from};
    self->bytes += pr_buf_len(frame);
    while (self->bytes > self->bytes_max) {
        s_drop_first(self);
    }
}

bool
gw_ring_covers(const gw_ring_t *self, uint64_t cursor, uint64_t seq)
{
    return cursor == seq || (cursor + 1 >= self->first && cursor < seq && seq + 1 == self->end);
}

/* Versions rise by one with each frame, so there is but one place to look at. */
bool
gw_ring_find(const gw_ring_t *self, pr_rev_t rev, uint64_t *cursor)
{
    if (self->first == self->end) {
        return false;
    }
    int64_t behind = s_at(self, self->end - 1)->from.version - rev.version;
    if (behind < 0 || (uint64_t) behind >= self->end - self->first) {
        return false;
    }
    uint64_t seq = self->end - 1 - (uint64_t) behind;
    *cursor = seq - 1;
    return pr_rev_equal(s_at(self, seq)->from, rev);
}

bool
gw_ring_mentions(const gw_ring_t *self, uint64_t cursor, uint64_t seq, pr_str_t bytes)
{
    PR_ASSERT(gw_ring_covers(self, cursor, seq));
    for (uint64_t at = cursor + 1; at <= seq; at++) {
        pr_str_t frame = pr_buf_str(s_at(self, at)->frame);
        /* In a longer one they may be cut by a fragment's header. */
        if (frame.len > PR_FRAGMENT_BYTES || memmem(frame.ptr, frame.len, bytes.ptr, bytes.len)) {
            return true;
        }
    }
    return false;
}

pr_buf_t *
gw_ring_read(const gw_ring_t *self, uint64_t *cursor, uint64_t seq, size_t bytes_max)
{
    PR_ASSERT(*cursor < seq && gw_ring_covers(self, *cursor, seq));
    uint64_t first = *cursor + 1;
    if (first == seq) {
        *cursor = seq;
        return pr_buf_ref(s_at(self, seq)->frame);
    }
    pr_buf_t *out = pr_buf_new(bytes_max / 8);
    if (!out) {
        return NULL;
    }
    uint64_t at = first;
    for (; at <= seq; at++) {
        pr_str_t frame = pr_buf_str(s_at(self, at)->frame);
        if (at != first && pr_buf_len(out) + frame.len > bytes_max) {
            break;
        }
        pr_buf_append_str(out, frame);
    }
    if (pr_buf_failed(out)) {
        pr_buf_destroy(&out);
        return NULL;
    }
    *cursor = at - 1;
    return out;
}

size_t
gw_ring_bytes(const gw_ring_t *self)
{
    return self->bytes;
}
