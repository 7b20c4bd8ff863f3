/* SPDX-License-Identifier: MIT */

/*
 * Simulated processes: a real ac_host_t, or a gateway's real rooms, hosts, Socket.IO sessions and
 * Engine.IO hub, each with a loop of its own. Both may be killed, started anew with another
 * incarnation, and paused.
 */

#ifndef SIM_PROCESS_H
#define SIM_PROCESS_H

#include "actors/host.h"
#include "gateway/hosts.h"
#include "gateway/socket.h"
#include "gateway/stats.h"
#include "proto/base/loop.h"
#include "proto/wire/roster.h"

typedef struct sim_process sim_process_t;
typedef enum { SIM_ACTORS, SIM_GATEWAY } sim_role_t;

sim_process_t *
sim_process_new(sim_role_t role, int slot);
void
sim_process_destroy(sim_process_t **self_p);

/* A new incarnation; it must not be running. */
void
sim_process_start(sim_process_t *self);
/* kill -9 */
void
sim_process_kill(sim_process_t *self);
void
sim_process_pause(sim_process_t *self, bool paused);

bool
sim_process_is_running(const sim_process_t *self);
bool
sim_process_is_paused(const sim_process_t *self);
sim_role_t
sim_process_role(const sim_process_t *self);
int
sim_process_slot(const sim_process_t *self);
const char *
sim_process_name(const sim_process_t *self);
const char *
sim_process_incarnation(const sim_process_t *self);
const char *
sim_process_endpoint(const sim_process_t *self);
pr_loop_t *
sim_process_loop(sim_process_t *self);

/* A roster (consumed) reaches it in its next turn; an older one than it has is dropped. */
void
sim_process_roster(sim_process_t *self, pr_roster_t **roster_p);

/* Gateways. NULL while it is not running. */
gw_hosts_t *
sim_process_hosts(sim_process_t *self);
const gw_stats_t *
sim_process_stats(const sim_process_t *self);
/* A WebSocket has been admitted. False if the gateway could not take it. */
bool
sim_process_admit(sim_process_t *self, gw_socket_t *socket);

/* Actors: one of its counters by name, 0 if there is none. */
int64_t
sim_process_counter(sim_process_t *self, const char *name);

/* The key that all gateways sign and verify tokens with. */
struct gw_token_keys;
struct gw_token_keys *
sim_keys(void);

#endif
