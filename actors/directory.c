/* SPDX-License-Identifier: MIT */

#include "actors/directory.h"

#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/base/map.h"
#include "proto/wire/limits.h"

/* An actor and the lists that name it: the actor's data. */
typedef struct {
    ac_actor_t *actor;
    bool is_woken;
    bool is_finished;
    bool to_verify;
} entry_t;

typedef struct {
    entry_t **entries;
    size_t count;
    size_t room;
} list_t;

struct ac_directory {
    pr_map_t *live; /* poll -> entry_t */
    list_t woken;
    list_t to_verify;
    list_t finished;
};

static void
s_free_entry(void *value)
{
    entry_t *entry = value;
    ac_actor_destroy(&entry->actor);
    free(entry);
}

ac_directory_t *
ac_directory_new(void)
{
    ac_directory_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->live = pr_map_new(s_free_entry);
    if (!self->live) {
        ac_directory_destroy(&self);
    }
    return self;
}

void
ac_directory_destroy(ac_directory_t **self_p)
{
    PR_ASSERT(self_p);
    ac_directory_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_map_destroy(&self->live);
    for (size_t i = 0; i < self->finished.count; i++) {
        s_free_entry(self->finished.entries[i]);
    }
    free((void *) self->woken.entries);
    free((void *) self->to_verify.entries);
    free((void *) self->finished.entries);
    free(self);
    *self_p = NULL;
}

/* False when out of memory. */
static bool
s_append(list_t *list, entry_t *entry)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        entry_t **entries = realloc((void *) list->entries, room * sizeof(entry_t *));
        if (!entries) {
            return false;
        }
        list->entries = entries;
        list->room = room;
    }
    list->entries[list->count++] = entry;
    return true;
}

ac_actor_t *
ac_directory_get(const ac_directory_t *self, pr_str_t poll)
{
    const entry_t *entry = pr_map_get(self->live, poll);
    return entry ? entry->actor : NULL;
}

ac_actor_t *
ac_directory_add(ac_directory_t *self, ac_env_t *env, pr_str_t poll)
{
    PR_ASSERT(!pr_map_get(self->live, poll));
    entry_t *entry = pr_map_count(self->live) < PR_ACTORS_MAX ? calloc(1, sizeof *entry) : NULL;
    if (!entry) {
        return NULL;
    }
    entry->actor = ac_actor_new(env, poll);
    if (!entry->actor || pr_map_set(self->live, poll, entry) != 0) {
        s_free_entry(entry);
        return NULL;
    }
    ac_actor_set_data(entry->actor, entry);
    return entry->actor;
}

size_t
ac_directory_count(const ac_directory_t *self)
{
    return pr_map_count(self->live);
}

void
ac_directory_wake(ac_directory_t *self, ac_actor_t *actor)
{
    entry_t *entry = ac_actor_data(actor);
    if (!entry->is_woken) {
        /* Without memory for it the actor sleeps until its timer fires. */
        entry->is_woken = s_append(&self->woken, entry);
    }
}

void
ac_directory_finished(ac_directory_t *self, ac_actor_t *actor)
{
    entry_t *entry = ac_actor_data(actor);
    entry->is_finished = true;
    (void) pr_map_take(self->live, ac_actor_poll(actor));
    if (!s_append(&self->finished, entry)) {
        pr_log_error("directory.nomem", "leaked=1");
    }
}

static void
s_mark(ac_actor_t *actor, void *arg)
{
    ac_directory_t *self = arg;
    entry_t *entry = ac_actor_data(actor);
    if (!entry->to_verify) {
        entry->to_verify = s_append(&self->to_verify, entry);
    }
}

void
ac_directory_verify_all(ac_directory_t *self)
{
    ac_directory_for_each(self, s_mark, self);
}

size_t
ac_directory_verify(ac_directory_t *self, size_t most)
{
    size_t out = 0;
    while (self->to_verify.count && out < most) {
        entry_t *entry = self->to_verify.entries[--self->to_verify.count];
        entry->to_verify = false;
        if (!entry->is_finished && ac_actor_verify(entry->actor)) {
            out++;
        }
    }
    return out;
}

bool
ac_directory_has_to_verify(const ac_directory_t *self)
{
    return self->to_verify.count > 0;
}

bool
ac_directory_think(ac_directory_t *self)
{
    list_t *list = &self->woken;
    /* Those woken from here on are appended, and have their turn in the next one. */
    for (size_t left = list->count; left > 0; left--) {
        entry_t *entry = list->entries[left - 1];
        list->entries[left - 1] = list->entries[--list->count];
        entry->is_woken = false;
        ac_actor_think(entry->actor);
    }
    return list->count > 0;
}

/* One that a list still names stays for another turn. */
void
ac_directory_reap(ac_directory_t *self)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->finished.count; i++) {
        entry_t *entry = self->finished.entries[i];
        if (entry->is_woken || entry->to_verify) {
            self->finished.entries[kept++] = entry;
        } else {
            s_free_entry(entry);
        }
    }
    self->finished.count = kept;
}

void
ac_directory_for_each(ac_directory_t *self, void (*run)(ac_actor_t *actor, void *arg), void *arg)
{
    for (size_t i = pr_map_count(self->live); i-- > 0;) {
        const entry_t *entry = pr_map_value_at(self->live, i);
        run(entry->actor, arg);
    }
}
