/* SPDX-License-Identifier: MIT */

/* What people and nature do: deeds_people.c and deeds_nature.c. */

#ifndef SIM_DEEDS_H
#define SIM_DEEDS_H

#include "tests/sim/world.h"

enum {
    SIM_DEED_PEOPLE,
    SIM_DEED_COMMANDS,
    SIM_DEED_NET,
    SIM_DEED_STORE,
    SIM_DEED_AMNESIA, /* the store forgets what it acknowledged */
    SIM_DEED_DEATHS,
    SIM_DEED_PAUSES,
    SIM_DEED_ROSTER,
    SIM_DEED_KINDS
};

/* One deed of one of the kinds in the set. */
void
sim_deed(sim_world_t *world, uint32_t kinds);

void
sim_deed_people(sim_world_t *world);
void
sim_deed_command(sim_world_t *world);

#endif
