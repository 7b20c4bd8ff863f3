/* SPDX-License-Identifier: MIT */

/*
 * A user is in at most one list: of changes while it is `changed`, of grace times while its due
 * time is set. Grace times of one reason are all equally long, so each reason's list is in order of
 * its due times.
 */

#include "actors/users.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/assert.h"
#include "proto/base/map.h"
#include "proto/wire/error.h"

typedef struct {
    ac_user_t *first;
    ac_user_t *last;
} list_t;

struct ac_users {
    const ac_grace_t *grace;
    pr_map_t *map; /* id -> ac_user_t */
    list_t changed;
    list_t reload;
    list_t lost;
};

static void
s_free_user(void *value)
{
    ac_user_t *user = value;
    free(user->name);
    free(user);
}

ac_users_t *
ac_users_new(const ac_grace_t *grace)
{
    PR_ASSERT(grace);
    ac_users_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->grace = grace;
    self->map = pr_map_new(s_free_user);
    if (!self->map) {
        ac_users_destroy(&self);
    }
    return self;
}

void
ac_users_destroy(ac_users_t **self_p)
{
    PR_ASSERT(self_p);
    ac_users_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_map_destroy(&self->map);
    free(self);
    *self_p = NULL;
}

/* --- lists --- */

static void
s_append(list_t *list, ac_user_t *user)
{
    user->prev = list->last;
    user->next = NULL;
    if (list->last) {
        list->last->next = user;
    } else {
        list->first = user;
    }
    list->last = user;
}

static void
s_unlink(list_t *list, ac_user_t *user)
{
    if (user->prev) {
        user->prev->next = user->next;
    } else {
        list->first = user->next;
    }
    if (user->next) {
        user->next->prev = user->prev;
    } else {
        list->last = user->prev;
    }
    user->prev = user->next = NULL;
}

static list_t *
s_grace_list(ac_users_t *self, ac_why_t why)
{
    return why == AC_WHY_RELOAD ? &self->reload : &self->lost;
}

/* --- verbs --- */

ac_user_t *
ac_users_get(const ac_users_t *self, pr_str_t id)
{
    return pr_map_get(self->map, id);
}

ac_user_t *
ac_users_add(ac_users_t *self, pr_str_t id, pr_str_t name)
{
    PR_ASSERT(id.len == PR_USER_ID_LEN);
    ac_user_t *user = calloc(1, sizeof *user);
    if (!user) {
        return NULL;
    }
    user->due_ms = INT64_MAX;
    memcpy(user->id, id.ptr, id.len);
    if (ac_users_rename(user, name) != 0 || pr_map_set(self->map, id, user) != 0) {
        s_free_user(user);
        return NULL;
    }
    return user;
}

int
ac_users_rename(ac_user_t *user, pr_str_t name)
{
    char *copy = malloc(name.len + 1);
    if (!copy) {
        return PR_E_NOMEM;
    }
    if (name.len) {
        memcpy(copy, name.ptr, name.len);
    }
    copy[name.len] = '\0';
    free(user->name);
    user->name = copy;
    user->name_len = name.len;
    return 0;
}

void
ac_users_drop_if_idle(ac_users_t *self, ac_user_t *user)
{
    if (user && user->conn_count == 0 && !user->changed && user->due_ms == INT64_MAX) {
        (void) pr_map_remove(self->map, pr_str(user->id));
    }
}

void
ac_users_change(ac_users_t *self, ac_user_t *user)
{
    if (user->changed) {
        return;
    }
    if (user->due_ms != INT64_MAX) {
        s_unlink(s_grace_list(self, user->why), user);
        user->due_ms = INT64_MAX;
    }
    user->changed = true;
    s_append(&self->changed, user);
}

static int64_t
s_grace_ms(const ac_users_t *self, ac_why_t why)
{
    switch (why) {
    case AC_WHY_LEAVE:
        return 0;
    case AC_WHY_RELOAD:
        return self->grace->reload_ms;
    case AC_WHY_LOST:
        return self->grace->lost_ms;
    }
    return 0;
}

void
ac_users_absent(ac_users_t *self, ac_user_t *user, ac_why_t why, int64_t now_ms)
{
    PR_ASSERT(user->conn_count == 0 && user->due_ms == INT64_MAX);
    int64_t grace_ms = s_grace_ms(self, why);
    if (grace_ms == 0) {
        ac_users_change(self, user);
        return;
    }
    /* A change that nobody has looked at yet is looked at when the grace time is over. */
    if (user->changed) {
        s_unlink(&self->changed, user);
        user->changed = false;
    }
    user->why = why;
    user->due_ms = now_ms + grace_ms;
    s_append(s_grace_list(self, why), user);
}

/* Users whose grace time is over join the list of changes. */
static void
s_collect_due(ac_users_t *self, list_t *list, int64_t now_ms)
{
    while (list->first && list->first->due_ms <= now_ms) {
        ac_users_change(self, list->first);
    }
}

ac_user_t *
ac_users_next_change(ac_users_t *self, int64_t now_ms)
{
    s_collect_due(self, &self->reload, now_ms);
    s_collect_due(self, &self->lost, now_ms);
    ac_user_t *user = self->changed.first;
    if (user) {
        s_unlink(&self->changed, user);
        user->changed = false;
    }
    return user;
}

bool
ac_users_has_change(const ac_users_t *self, int64_t now_ms)
{
    return self->changed.first || ac_users_due_ms(self) <= now_ms;
}

int64_t
ac_users_due_ms(const ac_users_t *self)
{
    int64_t due_ms = self->reload.first ? self->reload.first->due_ms : INT64_MAX;
    if (self->lost.first && self->lost.first->due_ms < due_ms) {
        due_ms = self->lost.first->due_ms;
    }
    return due_ms;
}

size_t
ac_users_count(const ac_users_t *self)
{
    return pr_map_count(self->map);
}

ac_user_t *
ac_users_at(const ac_users_t *self, size_t index)
{
    return pr_map_value_at(self->map, index);
}
