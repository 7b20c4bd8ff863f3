/* SPDX-License-Identifier: MIT */

/*
 * What rollcallctl can ask for (CALL verb and args -> RESULT):
 *
 *     status                       report.h
 *     stop                         the planned stop of everything; answered at once with {pid}
 *     stop|start|restart {name}    answered with the child's map when it is down or ready
 *     kill {name, signal?}         sends the signal (a number; default 9), answered at once
 *     drain {name, within_ms?}     a gateway sends its clients away over that time and is started
 *                                  anew; answered with its map when it is ready again
 *     scale {role, count}          makes it so many "gateway" or "actors"; answered with {role,
 *                                  count} when all are ready and those too many are gone. The
 *                                  settings count again at the next start.
 *
 * Any other verb is answered `unknown_type`; reload, top, polls and poll will be here.
 */

#ifndef SV_VERBS_H
#define SV_VERBS_H

#include "supervisor/control.h"
#include "supervisor/crew.h"

typedef struct sv_verbs sv_verbs_t;

/* Everything is borrowed. NULL when out of memory. */
sv_verbs_t *
sv_verbs_new(pr_loop_t *loop, sv_crew_t *crew, sv_roster_t *roster, const char *url);
void
sv_verbs_destroy(sv_verbs_t **self_p);

/* Where answers go. */
void
sv_verbs_set_control(sv_verbs_t *self, sv_control_t *control);
/* For the status, and to let a poll out: then `released(arg)` is called. Borrowed. */
void
sv_verbs_set_quarantine(sv_verbs_t *self,
                        sv_quarantine_t *quarantine,
                        void (*released)(void *arg),
                        void *arg);

void
sv_verbs_call(sv_verbs_t *self, pr_peer_t *peer, const pr_msg_call_t *call);
/* Forgets the calls of a caller that went. */
void
sv_verbs_forget(sv_verbs_t *self, const pr_peer_t *peer);

#endif
