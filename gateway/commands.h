/* SPDX-License-Identifier: MIT */

/*
 * The commands of one conn on their way to the actor and back: held while the actor can not be
 * reached, numbered so that a repeated one is known, at a bounded rate, each refused or answered
 * once. A refusal is the event `exception` {type, message}, and an error in the answer if one was
 * asked for.
 */

#ifndef GW_COMMANDS_H
#define GW_COMMANDS_H

#include "gateway/conn.h"

typedef struct gw_commands gw_commands_t;

/* Whether clients may ask for that. */
bool
gw_commands_knows(pr_str_t verb);

/* Takes a command of the client's: sends it if `live`, else holds it. `*self_p` is NULL before the
 * first one; it is made here. Commands that do not exist are counted and ignored. */
void
gw_commands_take(gw_commands_t **self_p, gw_conn_t *conn, const gw_command_t *command, bool live);
/* Sends what is held. NULL is fine. */
void
gw_commands_release(gw_commands_t *self);
/* Nobody waits for their answers any more. NULL is fine. */
void
gw_commands_destroy(gw_commands_t **self_p);

#endif
