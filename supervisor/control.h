/* SPDX-License-Identifier: MIT */

/*
 * The supervisor's socket (RUN/supervisor.sock): links of the children, and of rollcallctl. A child
 * is let in by name and incarnation of the process that we started; what a killed one left under
 * way is not heard. Keeps every child's roster up to date: sent when it changes, and again until
 * the child's BEAT names its generation.
 */

#ifndef SV_CONTROL_H
#define SV_CONTROL_H

#include "proto/wire/router.h"
#include "supervisor/crew.h"
#include "supervisor/roster.h"

typedef struct sv_control sv_control_t;

typedef struct {
    /* A CALL of rollcallctl; its answer goes by sv_control_answer, now or later. */
    void (*call)(void *arg, pr_peer_t *peer, const pr_msg_call_t *call);
    /* A caller is gone: forget its calls. */
    void (*caller_lost)(void *arg, pr_peer_t *peer);
} sv_control_ops_t;

/* Everything is borrowed. NULL if `endpoint` can not be bound. */
sv_control_t *
sv_control_new(pr_loop_t *loop,
               const char *endpoint,
               sv_roster_t *roster,
               const sv_control_ops_t *ops,
               void *arg);
void
sv_control_destroy(sv_control_t **self_p);

/* Whose children may call. Before this nobody is let in. */
void
sv_control_set_crew(sv_control_t *self, sv_crew_t *crew);

/* Sends STOP, or DRAIN if it is to send its clients away slowly; false if the member has no open
 * link. */
bool
sv_control_ask_stop(sv_control_t *self, const sv_member_t *member);
/* The member's process is gone: closes its link. */
void
sv_control_forget(sv_control_t *self, const sv_member_t *member);
/* The roster has changed: sends it to everybody in this turn. */
void
sv_control_send_roster(sv_control_t *self);

/* A RESULT for call `id`; `data` is one msgpack value or absent. */
void
sv_control_answer(sv_control_t *self, pr_peer_t *peer, int64_t id, int error, pr_str_t data);

#endif
