/* SPDX-License-Identifier: MIT */

/*
 * The gateways (and rollcallctl) that are linked with this process. Each session has a number of
 * its own: an actor that still names an old one sends into the void. Keeps last words of actors
 * that are gone, and which actors wait for room in a window.
 */

#ifndef AC_PEERS_H
#define AC_PEERS_H

#include <stdint.h>

#include "actors/env.h"
#include "proto/wire/roster.h"
#include "proto/wire/router.h"

typedef struct ac_peers ac_peers_t;

/* None, or NULL when out of memory. */
ac_peers_t *
ac_peers_new(void);
void
ac_peers_destroy(ac_peers_t **self_p);

/* A session began: its number, 0 when out of memory. The number is the peer's data. */
uint32_t
ac_peers_open(ac_peers_t *self, pr_peer_t *peer);
/* A session ended. */
void
ac_peers_close(ac_peers_t *self, uint32_t id);

/* As in ac_actor_ops_t. */
int
ac_peers_send(ac_peers_t *self, uint32_t id, pr_str_t packed);
void
ac_peers_send_last(ac_peers_t *self, uint32_t id, pr_str_t packed);
void
ac_peers_starved(ac_peers_t *self, uint32_t id, ac_actor_t *actor);
void
ac_peers_give_up(ac_peers_t *self, uint32_t id);

/* No peer waits for the actor of that poll any more: it is gone. */
void
ac_peers_forget_actor(ac_peers_t *self, pr_str_t poll);

/* Once a turn, not from within an actor: feeds those with room again, drops those given up.
 * Dropping calls the router's `lost`. */
void
ac_peers_turn(ac_peers_t *self);

/* Gives up the gateways that `before` names and `now` does not: they are dead. `before` may be
 * NULL. */
void
ac_peers_compare(ac_peers_t *self, const pr_roster_t *before, const pr_roster_t *now);

size_t
ac_peers_count(const ac_peers_t *self);
/* How many sessions were ended from here: of dead gateways, of those for which more waited than may
 * (PR_HELD_BYTES_MAX), and where a message was too large. */
uint64_t
ac_peers_given_up(const ac_peers_t *self);

#endif
