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

/* Everything is borrowed. Does nothing until started. NULL when out of memory. */
sv_crew_t *
sv_crew_new(pr_loop_t *loop,
            const sv_spec_list_t *specs,
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

bool
sv_crew_is_stopping(const sv_crew_t *self);
/* Whether `ready` was called. */
bool
sv_crew_was_ready(const sv_crew_t *self);
/* Whether everybody who is wanted is ready now. */
bool
sv_crew_is_ready(const sv_crew_t *self);

size_t
sv_crew_count(const sv_crew_t *self);
sv_member_t *
sv_crew_at(const sv_crew_t *self, size_t index);
/* The member of that name, or NULL. */
sv_member_t *
sv_crew_find(const sv_crew_t *self, pr_str_t name);

#endif
