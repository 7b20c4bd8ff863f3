/* SPDX-License-Identifier: MIT */

#include "actors/receivers.h"

#include <stdlib.h>
#include <string.h>

#include "proto/wire/error.h"
#include "proto/wire/limits.h"

typedef struct ac_held {
    struct ac_held *next;
    size_t len;
    char bytes[];
} held_t;

struct ac_receivers {
    ac_receiver_t *list;
    size_t count;
};

ac_receivers_t *
ac_receivers_new(void)
{
    return calloc(1, sizeof(ac_receivers_t));
}

static void
s_fini(ac_receiver_t *receiver)
{
    while (receiver->first) {
        ac_receiver_unhold(receiver);
    }
}

void
ac_receivers_destroy(ac_receivers_t **self_p)
{
    PR_ASSERT(self_p);
    ac_receivers_t *self = *self_p;
    if (!self) {
        return;
    }
    for (size_t i = 0; i < self->count; i++) {
        s_fini(&self->list[i]);
    }
    free(self->list);
    free(self);
    *self_p = NULL;
}

ac_receiver_t *
ac_receivers_get(const ac_receivers_t *self, uint32_t gateway)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->list[i].gateway == gateway) {
            return &self->list[i];
        }
    }
    return NULL;
}

ac_receiver_t *
ac_receivers_need(ac_receivers_t *self, uint32_t gateway)
{
    ac_receiver_t *found = ac_receivers_get(self, gateway);
    if (found) {
        return found;
    }
    ac_receiver_t *list = realloc(self->list, (self->count + 1) * sizeof *list);
    if (!list) {
        return NULL;
    }
    self->list = list;
    ac_receiver_t *receiver = &list[self->count++];
    *receiver = (ac_receiver_t) {.gateway = gateway};
    return receiver;
}

void
ac_receivers_drop(ac_receivers_t *self, uint32_t gateway)
{
    ac_receiver_t *receiver = ac_receivers_get(self, gateway);
    if (receiver) {
        s_fini(receiver);
        self->count--;
        *receiver = self->list[self->count];
    }
}

size_t
ac_receivers_count(const ac_receivers_t *self)
{
    return self->count;
}

ac_receiver_t *
ac_receivers_at(const ac_receivers_t *self, size_t index)
{
    PR_ASSERT(index < self->count);
    return &self->list[index];
}

int
ac_receiver_hold(ac_receiver_t *self, pr_str_t packed)
{
    if (self->held_bytes + packed.len > PR_HELD_BYTES_MAX) {
        return PR_E_FULL;
    }
    held_t *held = malloc(sizeof *held + packed.len);
    if (!held) {
        return PR_E_NOMEM;
    }
    held->next = NULL;
    held->len = packed.len;
    if (packed.len) {
        memcpy(held->bytes, packed.ptr, packed.len);
    }
    if (self->last) {
        self->last->next = held;
    } else {
        self->first = held;
    }
    self->last = held;
    self->held_bytes += packed.len;
    return 0;
}

pr_str_t
ac_receiver_held(const ac_receiver_t *self)
{
    return self->first ? (pr_str_t) {self->first->bytes, self->first->len} : PR_STR_NONE;
}

void
ac_receiver_unhold(ac_receiver_t *self)
{
    held_t *held = self->first;
    PR_ASSERT(held);
    self->first = held->next;
    if (!self->first) {
        self->last = NULL;
    }
    self->held_bytes -= held->len;
    free(held);
}
