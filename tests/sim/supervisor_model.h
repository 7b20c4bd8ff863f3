/* SPDX-License-Identifier: MIT */

/*
 * What the supervisor does for its children, without being one of the processes: starts what has
 * died, makes rosters and hands them out, to each child at its own time.
 */

#ifndef SIM_SUPERVISOR_MODEL_H
#define SIM_SUPERVISOR_MODEL_H

#include "tests/sim/world.h"

sim_supervisor_t *
sim_supervisor_new(sim_world_t *world);
void
sim_supervisor_destroy(sim_supervisor_t **self_p);

/* Starts everything and tells everybody. */
void
sim_supervisor_begin(sim_supervisor_t *self);
/* Kills the process; it is started again after so long, and known to be gone after `blind_ms`. */
void
sim_supervisor_kill(sim_supervisor_t *self,
                    sim_process_t *process,
                    int64_t blind_ms,
                    int64_t down_ms);
/* Takes an actors slot out of the roster, or puts it in again: its polls move. */
void
sim_supervisor_list(sim_supervisor_t *self, int index, bool listed);
/* Rosters come so late from now on. */
void
sim_supervisor_lag(sim_supervisor_t *self, int64_t most_ms);
/* Since the last roster was made. */
int64_t
sim_supervisor_quiet_ms(const sim_supervisor_t *self);
/* All is up, listed and told. */
void
sim_supervisor_heal(sim_supervisor_t *self);

#endif
