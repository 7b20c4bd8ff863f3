/* SPDX-License-Identifier: MIT */

#include "tests/sim/chance.h"

static uint64_t
s_splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void
sim_chance_init(sim_chance_t *self, uint64_t seed, uint64_t stream)
{
    uint64_t state = seed * 0x9e3779b97f4a7c15u + stream;
    for (int i = 0; i < 4; i++) {
        self->state[i] = s_splitmix(&state);
    }
}

static uint64_t
s_rotate(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

uint64_t
sim_chance_next(sim_chance_t *self)
{
    uint64_t *s = self->state;
    uint64_t result = s_rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = s_rotate(s[3], 45);
    return result;
}

int64_t
sim_chance_below(sim_chance_t *self, int64_t limit)
{
    return (int64_t) (sim_chance_next(self) % (uint64_t) limit);
}

int64_t
sim_chance_between(sim_chance_t *self, int64_t least, int64_t most)
{
    return least + sim_chance_below(self, most - least + 1);
}

bool
sim_chance_percent(sim_chance_t *self, int64_t percent)
{
    return sim_chance_below(self, 100) < percent;
}
