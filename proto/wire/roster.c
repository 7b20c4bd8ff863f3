/* SPDX-License-Identifier: MIT */

#include "proto/wire/roster.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    pr_roster_entry_t *entries;
    size_t count;
} list_t;

struct pr_roster {
    int64_t generation;
    list_t actors;
    list_t gateways;
    char (*quarantined)[PR_POLL_ID_LEN + 1];
    size_t quarantined_count;
};

pr_roster_t *
pr_roster_new(int64_t generation)
{
    pr_roster_t *self = calloc(1, sizeof *self);
    if (self) {
        self->generation = generation;
    }
    return self;
}

static void
s_free_list(list_t *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->entries[i].endpoint);
    }
    free(list->entries);
}

void
pr_roster_destroy(pr_roster_t **self_p)
{
    PR_ASSERT(self_p);
    pr_roster_t *self = *self_p;
    if (!self) {
        return;
    }
    s_free_list(&self->actors);
    s_free_list(&self->gateways);
    free(self->quarantined);
    free(self);
    *self_p = NULL;
}

static bool
s_is_incarnation(pr_str_t text)
{
    if (text.len != PR_INCARNATION_LEN) {
        return text.len == 0;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

static int
s_add(list_t *list, int64_t slot, pr_str_t inc, pr_str_t endpoint, bool up)
{
    if (list->count == PR_ROSTER_ENTRIES_MAX) {
        return PR_E_FULL;
    }
    if (!s_is_incarnation(inc) || memchr(endpoint.len ? endpoint.ptr : "", 0, endpoint.len)) {
        return PR_E_MALFORMED;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i].slot == slot) {
            return PR_E_MALFORMED;
        }
    }
    pr_roster_entry_t *entries = realloc(list->entries, (list->count + 1) * sizeof *entries);
    if (!entries) {
        return PR_E_NOMEM;
    }
    list->entries = entries;
    pr_roster_entry_t *entry = &entries[list->count];
    *entry = (pr_roster_entry_t) {.slot = slot, .up = up, .endpoint = malloc(endpoint.len + 1)};
    if (!entry->endpoint) {
        return PR_E_NOMEM;
    }
    if (endpoint.len) {
        memcpy(entry->endpoint, endpoint.ptr, endpoint.len);
    }
    entry->endpoint[endpoint.len] = '\0';
    if (inc.len) {
        memcpy(entry->inc, inc.ptr, inc.len);
    }
    list->count++;
    return 0;
}

int
pr_roster_add_actors(
    pr_roster_t *self, int64_t slot, const char *inc, const char *endpoint, bool up)
{
    return s_add(&self->actors, slot, pr_str(inc), pr_str(endpoint), up);
}

int
pr_roster_add_gateway(pr_roster_t *self, int64_t slot, const char *inc, const char *endpoint)
{
    return s_add(&self->gateways, slot, pr_str(inc), pr_str(endpoint), true);
}

int
pr_roster_add_quarantined(pr_roster_t *self, pr_str_t poll)
{
    if (poll.len != PR_POLL_ID_LEN) {
        return PR_E_MALFORMED;
    }
    if (pr_roster_is_quarantined(self, poll)) {
        return 0;
    }
    if (self->quarantined_count == PR_ROSTER_QUARANTINED_MAX) {
        self->quarantined_count--;
        memmove(self->quarantined[0], self->quarantined[1],
                self->quarantined_count * sizeof self->quarantined[0]);
    }
    size_t size = (self->quarantined_count + 1) * sizeof self->quarantined[0];
    char(*list)[PR_POLL_ID_LEN + 1] = realloc(self->quarantined, size);
    if (!list) {
        return PR_E_NOMEM;
    }
    self->quarantined = list;
    memcpy(list[self->quarantined_count], poll.ptr, poll.len);
    list[self->quarantined_count][poll.len] = '\0';
    self->quarantined_count++;
    return 0;
}

/* --- from and to a message --- */

/* One entry: [slot, inc, endpoint] and, for actors, "up" or "down". Further members are ignored. */
static int
s_decode_entry(list_t *list, const msgpack_object *object, bool is_actors)
{
    size_t least = is_actors ? 4 : 3;
    if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size < least) {
        return PR_E_MALFORMED;
    }
    const msgpack_object *fields = object->via.array.ptr;
    int64_t slot = 0;
    pr_str_t inc = pr_object_str(&fields[1]);
    pr_str_t endpoint = pr_object_str(&fields[2]);
    if (!pr_object_int(&fields[0], &slot) || slot < 0 || !inc.ptr || !endpoint.ptr ||
        endpoint.len > PR_FIELD_BYTES_MAX) {
        return PR_E_MALFORMED;
    }
    bool up = true;
    if (is_actors) {
        pr_str_t state = pr_object_str(&fields[3]);
        up = pr_str_equal(state, PR_STR("up"));
        if (!up && !pr_str_equal(state, PR_STR("down"))) {
            return PR_E_MALFORMED;
        }
    }
    return s_add(list, slot, inc, endpoint, up);
}

static int
s_decode_list(list_t *list, const msgpack_object *object, bool is_actors)
{
    if (!object || object->type != MSGPACK_OBJECT_ARRAY) {
        return PR_E_MALFORMED;
    }
    for (uint32_t i = 0; i < object->via.array.size; i++) {
        int rc = s_decode_entry(list, &object->via.array.ptr[i], is_actors);
        if (rc != 0) {
            return rc == PR_E_NOMEM ? rc : PR_E_MALFORMED;
        }
    }
    return 0;
}

static int
s_decode_quarantined(pr_roster_t *self, const msgpack_object *object)
{
    if (!object) {
        return 0;
    }
    if (object->type != MSGPACK_OBJECT_ARRAY) {
        return PR_E_MALFORMED;
    }
    for (uint32_t i = 0; i < object->via.array.size; i++) {
        int rc = pr_roster_add_quarantined(self, pr_object_str(&object->via.array.ptr[i]));
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int
pr_roster_decode(const pr_msg_roster_t *message, pr_roster_t **out)
{
    pr_roster_t *self = pr_roster_new(message->generation);
    if (!self) {
        return PR_E_NOMEM;
    }
    int rc = s_decode_list(&self->actors, message->actors.object, true);
    if (rc == 0) {
        rc = s_decode_list(&self->gateways, message->gateways.object, false);
    }
    if (rc == 0) {
        rc = s_decode_quarantined(self, message->quarantined.object);
    }
    if (rc != 0) {
        pr_roster_destroy(&self);
        return rc;
    }
    *out = self;
    return 0;
}

static void
s_pack_list(const list_t *list, bool is_actors, pr_buf_t *out)
{
    msgpack_packer packer = pr_packer(out);
    msgpack_pack_array(&packer, list->count);
    for (size_t i = 0; i < list->count; i++) {
        const pr_roster_entry_t *entry = &list->entries[i];
        msgpack_pack_array(&packer, is_actors ? 4 : 3);
        msgpack_pack_int64(&packer, entry->slot);
        pr_pack_str(&packer, pr_str(entry->inc));
        pr_pack_str(&packer, pr_str(entry->endpoint));
        if (is_actors) {
            pr_pack_str(&packer, entry->up ? PR_STR("up") : PR_STR("down"));
        }
    }
}

static void
s_pack_quarantined(const pr_roster_t *self, pr_buf_t *out)
{
    msgpack_packer packer = pr_packer(out);
    msgpack_pack_array(&packer, self->quarantined_count);
    for (size_t i = 0; i < self->quarantined_count; i++) {
        pr_pack_str(&packer, pr_str(self->quarantined[i]));
    }
}

int
pr_roster_pack(const pr_roster_t *self, pr_buf_t *out)
{
    int rc = PR_E_NOMEM;
    pr_buf_t *actors = pr_buf_new(256);
    pr_buf_t *gateways = pr_buf_new(256);
    pr_buf_t *quarantined = pr_buf_new(64);
    if (actors && gateways && quarantined) {
        s_pack_list(&self->actors, true, actors);
        s_pack_list(&self->gateways, false, gateways);
        s_pack_quarantined(self, quarantined);
        pr_event_t event = pr_event(PR_MSG_ROSTER, PR_STR(""));
        event.roster.generation = self->generation;
        event.roster.actors.raw = pr_buf_str(actors);
        event.roster.gateways.raw = pr_buf_str(gateways);
        event.roster.quarantined.raw = pr_buf_str(quarantined);
        if (!pr_buf_failed(actors) && !pr_buf_failed(gateways) && !pr_buf_failed(quarantined)) {
            pr_event_pack(&event, out);
            rc = pr_buf_failed(out) ? PR_E_NOMEM : 0;
        }
    }
    pr_buf_destroy(&actors);
    pr_buf_destroy(&gateways);
    pr_buf_destroy(&quarantined);
    return rc;
}

/* --- questions --- */

int64_t
pr_roster_generation(const pr_roster_t *self)
{
    return self->generation;
}

size_t
pr_roster_actors_count(const pr_roster_t *self)
{
    return self->actors.count;
}

const pr_roster_entry_t *
pr_roster_actors_at(const pr_roster_t *self, size_t index)
{
    PR_ASSERT(index < self->actors.count);
    return &self->actors.entries[index];
}

size_t
pr_roster_gateway_count(const pr_roster_t *self)
{
    return self->gateways.count;
}

const pr_roster_entry_t *
pr_roster_gateway_at(const pr_roster_t *self, size_t index)
{
    PR_ASSERT(index < self->gateways.count);
    return &self->gateways.entries[index];
}

const pr_roster_entry_t *
pr_roster_actors(const pr_roster_t *self, int64_t slot)
{
    for (size_t i = 0; i < self->actors.count; i++) {
        if (self->actors.entries[i].slot == slot) {
            return &self->actors.entries[i];
        }
    }
    return NULL;
}

static bool
s_list_has(const list_t *list, const char *inc)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->entries[i].inc, inc) == 0) {
            return true;
        }
    }
    return false;
}

bool
pr_roster_has_incarnation(const pr_roster_t *self, const char *inc)
{
    return inc[0] && (s_list_has(&self->gateways, inc) || s_list_has(&self->actors, inc));
}

bool
pr_roster_is_quarantined(const pr_roster_t *self, pr_str_t poll)
{
    for (size_t i = 0; i < self->quarantined_count; i++) {
        if (pr_str_equal(poll, pr_str(self->quarantined[i]))) {
            return true;
        }
    }
    return false;
}
