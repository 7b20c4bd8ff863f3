/* SPDX-License-Identifier: MIT */

/* Pseudo-random numbers (xoshiro256**, seeded by splitmix64): the same seed gives the same row. */

#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t state[4];
} sim_chance_t;

/* `stream` tells rows of one seed apart. */
void
sim_chance_init(sim_chance_t *self, uint64_t seed, uint64_t stream);
uint64_t
sim_chance_next(sim_chance_t *self);
/* A number below `limit`, which is not 0. */
int64_t
sim_chance_below(sim_chance_t *self, int64_t limit);
/* A number from `least` to `most`. */
int64_t
sim_chance_between(sim_chance_t *self, int64_t least, int64_t most);
/* True so many times in a hundred. */
bool
sim_chance_percent(sim_chance_t *self, int64_t percent);

#endif
