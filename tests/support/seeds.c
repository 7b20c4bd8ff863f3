/* SPDX-License-Identifier: MIT */

#include "tests/support/seeds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

bool
t_seeds(uint64_t first, uint64_t count, char *(*run)(uint64_t seed))
{
    const char *chosen = getenv("ROLLCALL_SEED");
    const char *more = getenv("ROLLCALL_SEEDS");
    if (more) {
        count = strtoull(more, NULL, 10);
    }
    if (chosen) {
        first = strtoull(chosen, NULL, 10);
        count = 1;
    }
    for (uint64_t seed = first; seed < first + count; seed++) {
        char *failure = run(seed);
        if (failure) {
            (void) fprintf(stderr, "ROLLCALL_SEED=%" PRIu64 ": %s\n", seed, failure);
            free(failure);
            return false;
        }
    }
    return true;
}
