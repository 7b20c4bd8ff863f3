/* SPDX-License-Identifier: MIT */

#include "proto/wire/outbox.h"

#include <stdlib.h>

#include "proto/wire/limits.h"

/* An emptied buffer larger than this is given back. */
#define KEEP_BYTES (1 << 20)
#define EVENT_BYTES_MAX (PR_MESSAGE_BYTES_MAX / 2)

struct pr_outbox {
    pr_buf_t *bytes;  /* the queued events, one behind the other */
    uint32_t *ends;   /* where each of them ends */
    size_t ends_room; /* allocated */
    size_t count;     /* queued events */
    size_t taken;     /* of those, how many a flush has taken */
    bool broken;
    bool blocked; /* PR_E_BUSY was answered since pr_outbox_has_reopened */

    /* The messages that the queue will make: how many, and what is in the last of them. */
    int64_t batches;
    size_t last_events;
    size_t last_bytes;

    int64_t sent_messages; /* of this session; the last number given away */
    int64_t sent_bytes;
    int64_t consumed_messages;
    int64_t consumed_bytes;
    int64_t last_data_seq; /* the last message with events of the user */
};

pr_outbox_t *
pr_outbox_new(void)
{
    pr_outbox_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->bytes = pr_buf_new(0);
    if (!self->bytes) {
        free(self);
        return NULL;
    }
    return self;
}

void
pr_outbox_destroy(pr_outbox_t **self_p)
{
    PR_ASSERT(self_p);
    pr_outbox_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_buf_destroy(&self->bytes);
    free(self->ends);
    free(self);
    *self_p = NULL;
}

/* Forgets the queue. A buffer that one large event has blown up goes. */
static void
s_empty(pr_outbox_t *self)
{
    if (pr_buf_len(self->bytes) > KEEP_BYTES) {
        pr_buf_t *fresh = pr_buf_new(0);
        if (fresh) {
            pr_buf_destroy(&self->bytes);
            self->bytes = fresh;
        }
    }
    pr_buf_clear(self->bytes);
    self->count = self->taken = 0;
    self->batches = 0;
    self->last_events = self->last_bytes = 0;
}

void
pr_outbox_reset(pr_outbox_t *self)
{
    s_empty(self);
    self->broken = self->blocked = false;
    self->sent_messages = self->sent_bytes = 0;
    self->consumed_messages = self->consumed_bytes = 0;
    self->last_data_seq = 0;
}

static bool
s_is_own(pr_str_t packed)
{
    /* An event is a list of three, and the link's own types are single bytes. */
    return packed.len > 1 && (unsigned char) packed.ptr[0] == 0x93 &&
           (packed.ptr[1] == PR_MSG_HELLO || packed.ptr[1] == PR_MSG_WELCOME ||
            packed.ptr[1] == PR_MSG_BEAT);
}

static bool
s_fits_last_batch(const pr_outbox_t *self, size_t len)
{
    return self->batches > 0 && self->last_events < PR_LINK_BATCH_EVENTS &&
           self->last_bytes + len <= PR_LINK_BATCH_BYTES;
}

/* Whether `len` more bytes fit into the window. An event as large as the window itself goes when
 * nothing of the user is under way: beats must not keep it out for ever. */
static bool
s_fits_window(const pr_outbox_t *self, size_t len)
{
    int64_t more = s_fits_last_batch(self, len) ? 0 : 1;
    if (pr_outbox_open_messages(self) + more > PR_LINK_WINDOW_MESSAGES) {
        return false;
    }
    bool alone = self->count == 0 && self->last_data_seq <= self->consumed_messages;
    return alone || pr_outbox_open_bytes(self) + (int64_t) len <= PR_LINK_WINDOW_BYTES;
}

static int
s_more_ends(pr_outbox_t *self)
{
    if (self->count < self->ends_room) {
        return 0;
    }
    size_t room = self->ends_room ? self->ends_room * 2 : 64;
    uint32_t *ends = realloc(self->ends, room * sizeof *ends);
    if (!ends) {
        return PR_E_NOMEM;
    }
    self->ends = ends;
    self->ends_room = room;
    return 0;
}

static size_t
s_queued_bytes(const pr_outbox_t *self)
{
    return self->count ? self->ends[self->count - 1] : 0;
}

/* Takes in what was just appended to the buffer, or cuts it off again. */
static int
s_admit(pr_outbox_t *self)
{
    size_t from = s_queued_bytes(self);
    if (pr_buf_failed(self->bytes) || s_more_ends(self) != 0) {
        s_empty(self);
        self->broken = true;
        return PR_E_NOMEM;
    }
    size_t len = pr_buf_len(self->bytes) - from;
    int error = 0;
    if (s_is_own((pr_str_t) {pr_buf_data(self->bytes) + from, len})) {
        error = PR_E_BAD_FIELD;
    } else if (len > EVENT_BYTES_MAX) {
        error = PR_E_TOO_LARGE;
    } else if (!s_fits_window(self, len)) {
        self->blocked = true;
        error = PR_E_BUSY;
    }
    if (error) {
        pr_buf_truncate(self->bytes, from);
        return error;
    }
    if (s_fits_last_batch(self, len)) {
        self->last_events++;
        self->last_bytes += len;
    } else {
        self->batches++;
        self->last_events = 1;
        self->last_bytes = len;
    }
    self->ends[self->count++] = (uint32_t) (from + len);
    return 0;
}

int
pr_outbox_put(pr_outbox_t *self, const pr_event_t *event)
{
    PR_ASSERT(self && event && self->taken == 0);
    /* Asked first, so that a closed window costs no encoding. */
    if (!pr_outbox_is_writable(self)) {
        self->blocked = true;
        return self->broken ? PR_E_NOMEM : PR_E_BUSY;
    }
    pr_event_pack(event, self->bytes);
    return s_admit(self);
}

int
pr_outbox_put_packed(pr_outbox_t *self, pr_str_t packed)
{
    PR_ASSERT(self && self->taken == 0);
    if (packed.len == 0 || packed.len > EVENT_BYTES_MAX) {
        return packed.len ? PR_E_TOO_LARGE : PR_E_MALFORMED;
    }
    if (!pr_outbox_is_writable(self)) {
        self->blocked = true;
        return self->broken ? PR_E_NOMEM : PR_E_BUSY;
    }
    pr_buf_append_str(self->bytes, packed);
    return s_admit(self);
}

size_t
pr_outbox_take(pr_outbox_t *self, pr_str_t *parts, int64_t *seq)
{
    if (self->taken == self->count) {
        s_empty(self);
        return 0;
    }
    const char *data = pr_buf_data(self->bytes);
    size_t bytes = 0;
    size_t count = 0;
    while (self->taken < self->count && count < PR_LINK_BATCH_EVENTS) {
        size_t from = self->taken ? self->ends[self->taken - 1] : 0;
        size_t len = self->ends[self->taken] - from;
        if (count > 0 && bytes + len > PR_LINK_BATCH_BYTES) {
            break;
        }
        parts[count++] = (pr_str_t) {data + from, len};
        bytes += len;
        self->taken++;
    }
    self->batches--;
    self->sent_bytes += (int64_t) bytes;
    *seq = self->last_data_seq = ++self->sent_messages;
    return count;
}

int64_t
pr_outbox_own(pr_outbox_t *self, size_t bytes)
{
    self->sent_bytes += (int64_t) bytes;
    return ++self->sent_messages;
}

bool
pr_outbox_consumed(pr_outbox_t *self, int64_t bytes, int64_t messages)
{
    if (bytes < 0 || messages < 0 || bytes > self->sent_bytes || messages > self->sent_messages) {
        return false;
    }
    if (bytes > self->consumed_bytes) {
        self->consumed_bytes = bytes;
    }
    if (messages > self->consumed_messages) {
        self->consumed_messages = messages;
    }
    return true;
}

bool
pr_outbox_has_reopened(pr_outbox_t *self)
{
    if (!self->blocked || pr_outbox_open_messages(self) > PR_LINK_WINDOW_MESSAGES / 2 ||
        pr_outbox_open_bytes(self) > PR_LINK_WINDOW_BYTES / 2) {
        return false;
    }
    self->blocked = false;
    return true;
}

bool
pr_outbox_is_writable(const pr_outbox_t *self)
{
    return !self->broken && s_fits_window(self, 1);
}

bool
pr_outbox_is_broken(const pr_outbox_t *self)
{
    return self->broken;
}

bool
pr_outbox_is_empty(const pr_outbox_t *self)
{
    return self->count == 0;
}

int64_t
pr_outbox_open_bytes(const pr_outbox_t *self)
{
    size_t from = self->taken ? self->ends[self->taken - 1] : 0;
    return self->sent_bytes - self->consumed_bytes + (int64_t) (s_queued_bytes(self) - from);
}

int64_t
pr_outbox_open_messages(const pr_outbox_t *self)
{
    return self->sent_messages - self->consumed_messages + self->batches;
}
