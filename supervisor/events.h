/* SPDX-License-Identifier: MIT */

/*
 * Tells the world about every state change of a child: a log line, and a CHILD_EVENT on a PUB
 * socket (part 0 the child's name, part 1 the event). Lossy by contract, as any PUB.
 */

#ifndef SV_EVENTS_H
#define SV_EVENTS_H

#include "proto/base/loop.h"
#include "supervisor/member.h"

typedef struct sv_events sv_events_t;

/* NULL if `endpoint` can not be bound. */
sv_events_t *
sv_events_new(pr_loop_t *loop, const char *endpoint);
void
sv_events_destroy(sv_events_t **self_p);

/* `member` was in state `from`. */
void
sv_events_tell(sv_events_t *self,
               const sv_member_t *member,
               sv_child_state_t from,
               const char *why);

#endif
