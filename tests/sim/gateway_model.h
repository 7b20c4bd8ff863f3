/* SPDX-License-Identifier: MIT */

/* The classes of gateway/ as gateway.c puts them together, without HTTP, libwebsockets and
 * supervisor. */

#ifndef SIM_GATEWAY_MODEL_H
#define SIM_GATEWAY_MODEL_H

#include "gateway/hosts.h"
#include "gateway/socket.h"
#include "gateway/stats.h"
#include "gateway/token.h"

typedef struct sim_gateway sim_gateway_t;

sim_gateway_t *
sim_gateway_new(pr_loop_t *loop, const char *name, const char *incarnation);
/* Killed: its sockets are gone. NULL is fine. */
void
sim_gateway_destroy(sim_gateway_t **self_p);

gw_hosts_t *
sim_gateway_hosts(sim_gateway_t *self);
const gw_stats_t *
sim_gateway_stats(const sim_gateway_t *self);
bool
sim_gateway_admit(sim_gateway_t *self, gw_socket_t *socket);

/* The key that all gateways sign and verify tokens with, for the life of the program. */
gw_token_keys_t *
sim_keys(void);
void
sim_keys_forget(void);

#endif
