/* SPDX-License-Identifier: MIT */

/* Seeded tests: the same seed makes the same run. */

#ifndef T_SEEDS_H
#define T_SEEDS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Calls `run(seed)`, which returns what was wrong (allocated) or NULL, for `count` seeds from
 * `first` on; prints the seed and returns false at the first that fails. ROLLCALL_SEED=N runs that
 * one alone, ROLLCALL_SEEDS=N so many.
 */
bool
t_seeds(uint64_t first, uint64_t count, char *(*run)(uint64_t seed));

#endif
