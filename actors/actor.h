/* SPDX-License-Identifier: MIT */

/*
 * One live poll: presence, mailbox, core, saved document and the script that is out.
 * Single-threaded, no I/O, no clock: it talks through ac_env_t, so that the simulator drives this
 * very object.
 *
 * A turn drains the presence changes and the mailbox into the core, makes one patch and sends one
 * script. While that is out nothing else of this poll is decided. When it is saved the actor
 * patches its public document, publishes, and answers everything of the turn. So what is shown is
 * saved, and a storm of joins is one script a turn.
 *
 * The table is actor_table.def. In short:
 *
 *     NEW          the first event: CREATE -> CREATING, all else -> LOADING
 *     CREATING     queues; created -> READY, id taken or gone -> FREE
 *     LOADING      queues; loaded -> READY (past its end: ENDING), no such poll -> FREE
 *     READY        a turn -> SAVING; 30 s without conns -> FREE; endsAt -> ENDING
 *     SAVING       a batch is out; saved -> READY; heals; store got ahead -> LOADING; gone -> FREE
 *     UNSURE       as SAVING, and the store is away
 *     ENDING       all is refused; the store has finished it: POLL_ENDED -> FREE
 *     LOST         somebody else owns it: MOVED, until there is a newer roster -> FREE
 *     QUARANTINED  the store has what we can not use: unavailable; 30 s without conns -> FREE
 *     FREE         waits to be destroyed
 *
 * Whether a CONNECT can be answered at once is one question: the saved document lists the user, and
 * the batch that is out does not remove it.
 */

#ifndef AC_ACTOR_H
#define AC_ACTOR_H

#include "actors/env.h"

/* An actor in state NEW, or NULL when out of memory. `env` is borrowed for its life. */
ac_actor_t *
ac_actor_new(ac_env_t *env, pr_str_t poll);
/* Takes back what is with the store, frees. Not from within one of its callbacks. */
void
ac_actor_destroy(ac_actor_t **self_p);

/* An event of a gateway, about this poll, its fields checked by ac_intake_check. */
void
ac_actor_event(ac_actor_t *self, uint32_t gateway, const pr_event_t *event);
/* The gateway's session is over, or the gateway is dead: its conns are lost. */
void
ac_actor_gateway_lost(ac_actor_t *self, uint32_t gateway);
/* After PR_E_BUSY: there is room again. */
void
ac_actor_writable(ac_actor_t *self, uint32_t gateway);
/* The turn that it asked for. */
void
ac_actor_think(ac_actor_t *self);
/* env->store_up has changed. */
void
ac_actor_store_down(ac_actor_t *self);
/* Nothing out: asks the store whether it still has what it acknowledged. Says whether a script
 * went. */
bool
ac_actor_verify(ac_actor_t *self);
/* env->generation has grown. */
void
ac_actor_roster(ac_actor_t *self);
/* It is not to be touched any more: all are refused. */
void
ac_actor_quarantine(ac_actor_t *self);

/* Data of the owner's, for its maps. */
void *
ac_actor_data(const ac_actor_t *self);
void
ac_actor_set_data(ac_actor_t *self, void *data);

pr_str_t
ac_actor_poll(const ac_actor_t *self);
/* "READY" and so on. */
const char *
ac_actor_state_name(const ac_actor_t *self);
/* Whether a script of it is with the store. */
bool
ac_actor_is_out(const ac_actor_t *self);
size_t
ac_actor_conn_count(const ac_actor_t *self);

#endif
