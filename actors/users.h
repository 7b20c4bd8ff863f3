/* SPDX-License-Identifier: MIT */

/*
 * The users of one poll, with and without conns, their grace times, and whose presence has changed.
 * The inner half of ac_presence_t, which has the conns. Pure: time is passed in.
 */

#ifndef AC_USERS_H
#define AC_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/bytes.h"
#include "proto/wire/limits.h"

typedef struct ac_users ac_users_t;
typedef struct ac_user ac_user_t;
struct ac_conn;

typedef struct {
    int64_t lost_ms;
    int64_t reload_ms;
} ac_grace_t;

typedef enum { AC_WHY_LEAVE, AC_WHY_RELOAD, AC_WHY_LOST } ac_why_t;

struct ac_user {
    char id[PR_USER_ID_LEN + 1];
    struct ac_conn *conns; /* of all gateways; linked by ac_presence_t */
    size_t conn_count;
    size_t name_len;
    char *name;
    /* Their own. */
    bool changed;
    ac_why_t why; /* of the last conn that went */
    int64_t due_ms;
    ac_user_t *prev; /* in its list of grace times, or of changes */
    ac_user_t *next;
};

/* No users, or NULL when out of memory. `grace` is borrowed for their life. */
ac_users_t *
ac_users_new(const ac_grace_t *grace);
void
ac_users_destroy(ac_users_t **self_p);

/* The user of that id, or NULL. */
ac_user_t *
ac_users_get(const ac_users_t *self, pr_str_t id);
/* A new one without conns, or NULL when out of memory. Texts are copied. */
ac_user_t *
ac_users_add(ac_users_t *self, pr_str_t id, pr_str_t name);
/* Renames it. 0 or PR_E_NOMEM: then it has its old name. */
PR_MUST_CHECK int
ac_users_rename(ac_user_t *user, pr_str_t name);
/* Frees it if nothing holds it: no conn, no grace time, no change. NULL is fine. */
void
ac_users_drop_if_idle(ac_users_t *self, ac_user_t *user);

/* Its presence has to be looked at; ends its grace time. */
void
ac_users_change(ac_users_t *self, ac_user_t *user);
/* Its last conn has gone: a change at once, or after the grace time of that reason. */
void
ac_users_absent(ac_users_t *self, ac_user_t *user, ac_why_t why, int64_t now_ms);

/* Takes the next changed one by `now_ms`, or NULL. */
ac_user_t *
ac_users_next_change(ac_users_t *self, int64_t now_ms);
bool
ac_users_has_change(const ac_users_t *self, int64_t now_ms);
/* When the next grace time ends; INT64_MAX if none runs. */
int64_t
ac_users_due_ms(const ac_users_t *self);

/* For walks: index below the count. */
size_t
ac_users_count(const ac_users_t *self);
ac_user_t *
ac_users_at(const ac_users_t *self, size_t index);

#endif
