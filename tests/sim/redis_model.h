/* SPDX-License-Identifier: MIT */

/*
 * The way to the server, in place of actors/redis.c and actors/check.c: pipelined connections that
 * are lost with what they carry, commands that the server runs though nobody waits any more, a
 * server that is slow, silent, down, or refuses for a while.
 */

#ifndef SIM_REDIS_MODEL_H
#define SIM_REDIS_MODEL_H

#include "tests/sim/store_model.h"

/* The server of this world, over the keys of `store`. */
void
sim_redis_open(sim_store_t *store);
/* Forgets commands that are still under way. */
void
sim_redis_close(void);

/* --- faults --- */

/* Killed, and started again after so long; what it had accepted is still there. */
void
sim_redis_kill(int64_t down_ms);
/* Stands still for so long; what was sent meanwhile it finds then. */
void
sim_redis_stall(int64_t for_ms);
/* Each answer takes so long from now on, about. */
void
sim_redis_slow(int64_t latency_us);
/* All connections are lost; commands under way may still be run. */
void
sim_redis_reset(void);
/* Refuses scripts with these words of the server's, for so long. */
void
sim_redis_refuse(const char *words, int64_t for_ms);
void
sim_redis_heal(void);

#endif
