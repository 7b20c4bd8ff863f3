/* SPDX-License-Identifier: MIT */

/*
 * What must hold. Some of it is asked at once, whenever a client is shown or told something or the
 * server accepts something; the rest at the end, when all faults are healed and time has run on.
 *
 * A server that goes back in time may take with it what was acknowledged, if nobody who knew it
 * lives (sim_stored_t.forgot): then, and only then, some of it is waived.
 */

#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

#include <jansson.h>

#include "tests/sim/client_model.h"

/* The client has a new document. */
void
sim_oracle_shown(const sim_client_t *client);
/* It is shown an older one than it had. */
void
sim_oracle_fell(const sim_client_t *client, pr_rev_t to);
/* Its command was answered. */
void
sim_oracle_answered(const sim_client_t *client, const sim_command_log_t *command);
/* Why its command was not done: `message`, NULL if it was. */
void
sim_oracle_refused(const sim_client_t *client, const json_t *message);
/* It is told that it may not come again. */
void
sim_oracle_shut_out(const sim_client_t *client, const char *why);
/* Whether the client's poll has ended, or is about to. */
bool
sim_oracle_is_over(const sim_client_t *client);
/* The server has accepted a document; `before` is the one that it replaces, or NULL. */
void
sim_oracle_accepted(const sim_stored_t *stored, const json_t *before, bool is_whole);

/* The public document of a stored one; a new reference. */
json_t *
sim_public(const json_t *stored);
/* Whether a document that a client of `user` holds is that public one, its own ballot (`saved`, may
 * be NULL) shown or not. */
bool
sim_is_shown_as(const json_t *shown, const json_t *stored, const json_t *saved, const char *user);

/* Asks the actors for all polls, for sim_oracle_end. */
void
sim_oracle_ask(sim_world_t *world);
/* All is quiet: everything must agree. */
void
sim_oracle_end(sim_world_t *world);
/* The commands of all clients against what was accepted: oracle_commands.c. */
void
sim_oracle_commands(sim_world_t *world);

#endif
