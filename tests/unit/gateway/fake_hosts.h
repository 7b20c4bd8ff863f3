/* SPDX-License-Identifier: MIT */

/*
 * Actors that only remember what they were told, as JSON lines: stands in for gateway/hosts.c.
 * Included by one file of a test program.
 */

#ifndef FAKE_HOSTS_H
#define FAKE_HOSTS_H

#include <stdlib.h>

#include "gateway/hosts.h"
#include "proto/wire/json.h"

enum { FAKE_REQUESTS_MAX = 64 };

struct gw_hosts {
    pr_buf_t *told; /* a line each */
    int slot;       /* of every poll */
    int error;      /* what sending answers */
    int64_t generation;
    struct {
        gw_reply_t done; /* NULL: free */
        void *arg;
    } requests[FAKE_REQUESTS_MAX];
};

static inline gw_hosts_t *
fake_hosts_new(void)
{
    gw_hosts_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self);
    self->told = pr_buf_new(256);
    self->slot = 1;
    return self;
}

static inline void
fake_hosts_destroy(gw_hosts_t **self_p)
{
    pr_buf_destroy(&(*self_p)->told);
    free(*self_p);
    *self_p = NULL;
}

/* What they were told since the last call. */
static inline const char *
fake_hosts_take(gw_hosts_t *self)
{
    static pr_buf_t *last;
    pr_buf_destroy(&last);
    last = self->told;
    self->told = pr_buf_new(256);
    pr_buf_append_byte(last, '\0');
    return pr_buf_data(last);
}

static inline void
fake_hosts_reply(gw_hosts_t *self, int64_t handle, const pr_msg_reply_t *reply, int error)
{
    gw_reply_t done = self->requests[handle].done;
    self->requests[handle].done = NULL;
    PR_ASSERT(done);
    done(self->requests[handle].arg, reply, error);
}

static inline size_t
fake_hosts_waiting(const gw_hosts_t *self)
{
    size_t count = 0;
    for (size_t i = 0; i < FAKE_REQUESTS_MAX; i++) {
        count += self->requests[i].done ? 1 : 0;
    }
    return count;
}

/* Through the codec, as it would travel. */
static inline void
fake_hosts_note(gw_hosts_t *self, const pr_event_t *event)
{
    pr_unpacked_t *memory = pr_unpacked_new();
    pr_buf_t *packed = pr_buf_new(256);
    pr_event_t copy;
    pr_event_pack(event, packed);
    PR_ASSERT(pr_event_unpack(pr_buf_str(packed), memory, &copy) == 0);
    pr_event_write_json(&copy, self->told);
    pr_buf_append_byte(self->told, '\n');
    pr_buf_destroy(&packed);
    pr_unpacked_destroy(&memory);
}

void
gw_hosts_told(gw_hosts_t *self)
{
    (void) self;
}

int
gw_hosts_send(gw_hosts_t *self, const pr_event_t *event)
{
    if (self->error == 0) {
        fake_hosts_note(self, event);
    }
    return self->error;
}

int
gw_hosts_request(
    gw_hosts_t *self, const pr_event_t *event, gw_reply_t done, void *arg, int64_t *handle)
{
    for (size_t i = 0; i < FAKE_REQUESTS_MAX; i++) {
        if (!self->requests[i].done) {
            self->requests[i].done = done;
            self->requests[i].arg = arg;
            *handle = (int64_t) i;
            pr_event_t copy = *event;
            copy.command.req = (int64_t) i;
            fake_hosts_note(self, &copy);
            return 0;
        }
    }
    return PR_E_BUSY;
}

void
gw_hosts_cancel(gw_hosts_t *self, int64_t handle)
{
    self->requests[handle].done = NULL;
}

int
gw_hosts_slot_of(const gw_hosts_t *self, pr_str_t poll)
{
    (void) poll;
    return self->slot;
}

bool
gw_hosts_is_open(const gw_hosts_t *self, int slot)
{
    return slot == self->slot;
}

int64_t
gw_hosts_generation(const gw_hosts_t *self)
{
    return self->generation;
}

#endif
