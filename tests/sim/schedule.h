/* SPDX-License-Identifier: MIT */

/* What happens in one world: people and faults, drawn from the seed; then all is healed, and
 * judged. */

#ifndef SIM_SCHEDULE_H
#define SIM_SCHEDULE_H

#include "tests/sim/world.h"

/* Runs a whole life; the verdict is in sim_scene. */
void
sim_schedule_run(sim_world_t *world);

#endif
