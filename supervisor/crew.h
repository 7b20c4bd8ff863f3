/* SPDX-License-Identifier: MIT */

/*
 * All children together: started role by role as the ones before become ready, watched, and stopped
 * in the reverse order.
 */

#ifndef SV_CREW_H
#define SV_CREW_H

#include "supervisor/member.h"

typedef struct sv_crew sv_crew_t;

typedef struct {
    /* As in sv_member_ops_t. */
    void (*changed)(void *arg, sv_member_t *member, sv_child_state_t from, const char *why);
    bool (*ask_stop)(void *arg, sv_member_t *member);
    void (*ready)(void *arg);   /* all are ready for the first time */
    void (*stopped)(void *arg); /* after sv_crew_stop: nobody is left */
} sv_crew_ops_t;

/* Everything is borrowed; `specs` grows by sv_crew_scale. Does nothing until started. NULL when out
 * of memory. */
sv_crew_t *
sv_crew_new(pr_loop_t *loop,
            sv_spec_list_t *specs,
            sv_launch_t *launch,
            const sv_crew_ops_t *ops,
            void *arg);
/* Not from within a callback. */
void
sv_crew_destroy(sv_crew_t **self_p);

void
sv_crew_start(sv_crew_t *self);
/* Gateways, then actors, then Redis. Asked twice: kills whoever is left. */
void
sv_crew_stop(sv_crew_t *self);

/*
 * Makes it `count` of a role: starts more, or drains and retires those of the highest slots. The
 * members of a role that are wanted and the retired ones that are not gone yet tell how far it is.
 * 0, PR_E_BAD_REQUEST for a count or role that can not be, PR_E_BUSY while it does not run, or
 * PR_E_NOMEM.
 */
PR_MUST_CHECK int
sv_crew_scale(sv_crew_t *self, sv_role_t role, int64_t count);
/* Whether each of the role is as it was wanted the last time. */
bool
sv_crew_is_scaled(const sv_crew_t *self, sv_role_t role);
/* Those of a role that are not retired. */
size_t
sv_crew_count_of(const sv_crew_t *self, sv_role_t role);

bool
sv_crew_is_stopping(const sv_crew_t *self);
/* Whether `ready` was called. */
bool
sv_crew_was_ready(const sv_crew_t *self);
/* Whether everybody who is wanted is ready now. */
bool
sv_crew_is_ready(const sv_crew_t *self);

/* All, the retired ones included. */
size_t
sv_crew_count(const sv_crew_t *self);
sv_member_t *
sv_crew_at(const sv_crew_t *self, size_t index);
/* The member of that name, or NULL. It may be retired. */
sv_member_t *
sv_crew_find(const sv_crew_t *self, pr_str_t name);

#endif
