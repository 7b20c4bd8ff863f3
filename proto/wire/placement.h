/* SPDX-License-Identifier: MIT */

/*
 * Which actors slot a poll belongs to: rendezvous hashing over all actors slots of a roster, up or
 * down, so that a slot that comes or goes moves only its own share. Gateways and actors both ask
 * here. It is a hint: what holds is the owner record in the store.
 */

#ifndef PR_PLACEMENT_H
#define PR_PLACEMENT_H

#include "proto/wire/roster.h"

/* The entry that `poll` belongs to, or NULL if the roster has no actors. Lives as long as the
 * roster is not changed. The same on every machine and in every build. */
const pr_roster_entry_t *
pr_placement(pr_str_t poll, const pr_roster_t *roster);

#endif
