/* SPDX-License-Identifier: MIT */

/* What client_model.c (coming and going), client_hear.c and client_native.c (what it is told)
 * share. */

#ifndef SIM_CLIENT_PRIVATE_H
#define SIM_CLIENT_PRIVATE_H

#include "tests/sim/client_model.h"

/* A Socket.IO packet, or a frame of the native protocol. */
void
sim_client_hear(sim_client_t *self, pr_str_t packet);
void
sim_client_hear_native(sim_client_t *self, pr_str_t frame);
/* Its socket was closed by the other end. */
void
sim_client_closed(sim_client_t *self, int code);

/* --- in whichever protocol it came --- */

void
sim_client_take_document(sim_client_t *self, json_t *document);
/* {from, to, patch} */
void
sim_client_take_patch(sim_client_t *self, const json_t *message);
/* {outcome, rev?, data?} or {error, outcome} */
void
sim_client_take_answer(sim_client_t *self, int64_t ack, const json_t *answer);
/* It may not come again. */
void
sim_client_shut_out(sim_client_t *self, const char *why);
void
sim_client_trace(const sim_client_t *self, const char *what, pr_str_t detail);

#endif
