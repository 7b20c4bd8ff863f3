/* SPDX-License-Identifier: MIT */

#include "gateway/lane.h"

#include <stdlib.h>

#include "proto/wire/error.h"

#define ROOM_MIN 4

static uint32_t
s_hash(pr_str_t user)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < user.len; i++) {
        hash = (hash ^ (unsigned char) user.ptr[i]) * 16777619U;
    }
    return hash;
}

void
gw_lane_fini(gw_lane_t *self)
{
    PR_ASSERT(self->count == 0);
    free(self->slots);
    free(self->hashes);
    *self = (gw_lane_t) {0};
}

static void
s_bind(gw_lane_t *self, uint32_t index)
{
    gw_member_t *member = self->slots[index].owner;
    member->place = index;
    gw_socket_bind_slot(member->socket, &self->slots[index]);
}

static int
s_make_room(gw_lane_t *self)
{
    if (self->count < self->room) {
        return 0;
    }
    uint32_t room = self->room ? self->room * 2 : ROOM_MIN;
    uint32_t *hashes = realloc(self->hashes, room * sizeof *hashes);
    if (!hashes) {
        return PR_E_NOMEM;
    }
    self->hashes = hashes;
    gw_slot_t *slots = realloc(self->slots, room * sizeof *slots);
    if (!slots) {
        return PR_E_NOMEM;
    }
    self->slots = slots;
    self->room = room;
    for (uint32_t i = 0; i < self->count; i++) {
        s_bind(self, i);
    }
    return 0;
}

int
gw_lane_add(gw_lane_t *self, gw_member_t *member)
{
    int error = s_make_room(self);
    if (error != 0) {
        return error;
    }
    uint32_t index = self->count++;
    self->slots[index] = (gw_slot_t) {.fd = -1, .flags = GW_SLOT_IDLE, .owner = member};
    self->hashes[index] = s_hash(pr_str(member->user));
    s_bind(self, index);
    return 0;
}

void
gw_lane_remove(gw_lane_t *self, gw_member_t *member)
{
    uint32_t index = member->place;
    PR_ASSERT(index < self->count && self->slots[index].owner == member);
    gw_socket_bind_slot(member->socket, NULL);
    uint32_t last = --self->count;
    if (index != last) {
        self->slots[index] = self->slots[last];
        self->hashes[index] = self->hashes[last];
        s_bind(self, index);
    }
}

gw_member_t *
gw_lane_at(const gw_lane_t *self, uint32_t index)
{
    PR_ASSERT(index < self->count);
    return self->slots[index].owner;
}

gw_member_t *
gw_lane_find(const gw_lane_t *self, pr_str_t user, uint32_t *index)
{
    uint32_t hash = s_hash(user);
    while (*index < self->count) {
        uint32_t at = (*index)++;
        if (self->hashes[at] == hash) {
            gw_member_t *member = self->slots[at].owner;
            if (pr_str_equal(pr_str(member->user), user)) {
                return member;
            }
        }
    }
    return NULL;
}
