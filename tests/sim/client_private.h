/* SPDX-License-Identifier: MIT */

/* What client_model.c (coming and going) and client_hear.c (what it is told) share. */

#ifndef SIM_CLIENT_PRIVATE_H
#define SIM_CLIENT_PRIVATE_H

#include "tests/sim/client_model.h"

/* A Socket.IO packet. */
void
sim_client_hear(sim_client_t *self, pr_str_t packet);
void
sim_client_trace(const sim_client_t *self, const char *what, pr_str_t detail);

#endif
