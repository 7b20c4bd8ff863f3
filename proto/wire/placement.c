/* SPDX-License-Identifier: MIT */

/* Highest random weight (Thaler and Ravishankar, 1996), FNV-1a with a finisher for the weight. */

#include "proto/wire/placement.h"

static uint64_t
s_weight(pr_str_t poll, int64_t slot)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < poll.len; i++) {
        hash = (hash ^ (unsigned char) poll.ptr[i]) * 0x100000001b3u;
    }
    /* splitmix64 on the pair: neighbouring slots must not get neighbouring weights. */
    uint64_t mixed = hash + (uint64_t) slot * 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

const pr_roster_entry_t *
pr_placement(pr_str_t poll, const pr_roster_t *roster)
{
    const pr_roster_entry_t *best = NULL;
    uint64_t best_weight = 0;
    for (size_t i = 0; i < pr_roster_actors_count(roster); i++) {
        const pr_roster_entry_t *entry = pr_roster_actors_at(roster, i);
        uint64_t weight = s_weight(poll, entry->slot);
        if (!best || weight > best_weight || (weight == best_weight && entry->slot < best->slot)) {
            best = entry;
            best_weight = weight;
        }
    }
    return best;
}
