/* SPDX-License-Identifier: MIT */

#include "actors/directory.h"

#include <stdlib.h>

#include "proto/base/map.h"
#include "proto/wire/limits.h"

/* An actor and its places in the lists: the actor's data. */
typedef struct entry {
    ac_actor_t *actor;
    bool is_woken;
    bool is_finished;
    bool to_verify;
    struct entry *next_woken;
    struct entry *next_finished;
    struct entry *next_to_verify;
} entry_t;

/* The lists run through the entries: to be in one costs no memory, so it can not fail. */
struct ac_directory {
    pr_map_t *live; /* poll -> entry_t */
    entry_t *woken;
    entry_t *to_verify;
    entry_t *finished;
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
    while (self->finished) {
        entry_t *entry = self->finished;
        self->finished = entry->next_finished;
        s_free_entry(entry);
    }
    free(self);
    *self_p = NULL;
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
        entry->is_woken = true;
        entry->next_woken = self->woken;
        self->woken = entry;
    }
}

void
ac_directory_finished(ac_directory_t *self, ac_actor_t *actor)
{
    entry_t *entry = ac_actor_data(actor);
    PR_ASSERT(!entry->is_finished);
    (void) pr_map_take(self->live, ac_actor_poll(actor));
    entry->is_finished = true;
    entry->next_finished = self->finished;
    self->finished = entry;
}

static void
s_mark(ac_actor_t *actor, void *arg)
{
    ac_directory_t *self = arg;
    entry_t *entry = ac_actor_data(actor);
    if (!entry->to_verify) {
        entry->to_verify = true;
        entry->next_to_verify = self->to_verify;
        self->to_verify = entry;
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
    while (self->to_verify && out < most) {
        entry_t *entry = self->to_verify;
        self->to_verify = entry->next_to_verify;
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
    return self->to_verify != NULL;
}

bool
ac_directory_think(ac_directory_t *self)
{
    /* Those woken from here on have their turn in the next one. */
    entry_t *entry = self->woken;
    self->woken = NULL;
    while (entry) {
        entry_t *next = entry->next_woken;
        entry->is_woken = false;
        ac_actor_think(entry->actor);
        entry = next;
    }
    return self->woken != NULL;
}

/* One that a list still names stays for another turn. */
void
ac_directory_reap(ac_directory_t *self)
{
    entry_t *entry = self->finished;
    self->finished = NULL;
    while (entry) {
        entry_t *next = entry->next_finished;
        if (entry->is_woken || entry->to_verify) {
            entry->next_finished = self->finished;
            self->finished = entry;
        } else {
            s_free_entry(entry);
        }
        entry = next;
    }
}

void
ac_directory_for_each(ac_directory_t *self, void (*run)(ac_actor_t *actor, void *arg), void *arg)
{
    for (size_t i = pr_map_count(self->live); i-- > 0;) {
        const entry_t *entry = pr_map_value_at(self->live, i);
        run(entry->actor, arg);
    }
}
