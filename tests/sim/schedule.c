/* SPDX-License-Identifier: MIT */

#include "tests/sim/schedule.h"

#include "tests/sim/client_model.h"
#include "tests/sim/deeds.h"
#include "tests/sim/net_model.h"
#include "tests/sim/oracle.h"
#include "tests/sim/redis_model.h"
#include "tests/sim/supervisor_model.h"

/* After the faults: links, stores and clients come back, grace times and deadlines run out. */
#define QUIET_MS 20000
#define LOADED_MS 6000
/* No verdict so near to the end of a poll. */
#define NEAR_MS 12000

static int64_t
s_below(int64_t limit)
{
    return sim_chance_below(&sim_scene.plot, limit);
}

static int64_t
s_gap_ms(void)
{
    int64_t kind = s_below(40);
    if (kind == 0) {
        return s_below(13000); /* past every deadline */
    }
    return kind < 16 ? 0 : kind < 28 ? s_below(20) : kind < 36 ? s_below(400) : s_below(4000);
}

/* Not every life has every kind of trouble: what is left out gives the rest more room. */
static uint32_t
s_flavour(void)
{
    uint32_t all = (1U << SIM_DEED_KINDS) - 1;
    uint32_t flavour = s_below(5) ? (uint32_t) sim_chance_next(&sim_scene.plot) & all : all;
    return flavour | 1U << SIM_DEED_PEOPLE;
}

static void
s_begin(sim_world_t *world)
{
    sim_supervisor_begin(world->supervisor);
    sim_world_run(world, s_below(3) ? 1500 : s_below(100));
    for (size_t i = 0; i < world->poll_count; i++) {
        sim_world_create(&world->polls[i]);
    }
    sim_world_run(world, s_below(3) ? 100 : s_below(10));
    for (size_t i = 0; i < world->client_count; i++) {
        if (s_below(4)) {
            sim_client_come(world->clients[i]);
            sim_world_run(world, s_below(2) ? 0 : s_below(100));
        }
    }
}

static void
s_heal(sim_world_t *world)
{
    sim_trace("--- all is healed");
    sim_supervisor_heal(world->supervisor);
    sim_net_heal();
    sim_redis_heal();
    for (size_t i = 0; i < world->client_count; i++) {
        sim_client_dawdle(world->clients[i], 1);
        if (world->clients[i]->wants) {
            sim_client_come(world->clients[i]);
        }
    }
}

/* Not when a poll has just ended, or is about to. */
static void
s_wait_for_ends(sim_world_t *world)
{
    /* What is waited for may bring another one near. */
    for (size_t i = 0; i < world->poll_count * 2; i++) {
        int64_t left_ms = world->polls[i % world->poll_count].ends_at - sim_wall_ms();
        if (left_ms > -NEAR_MS && left_ms < NEAR_MS) {
            sim_world_run(world, left_ms + NEAR_MS);
        }
    }
}

void
sim_schedule_run(sim_world_t *world)
{
    s_begin(world);
    uint32_t flavour = s_flavour();
    sim_trace("--- flavour %x", flavour);
    for (int64_t left = 10 + s_below(50); left > 0 && !sim_has_failed(); left--) {
        sim_deed(world, flavour);
        sim_world_run(world, s_gap_ms());
    }
    s_heal(world);
    sim_world_run(world, QUIET_MS);
    s_wait_for_ends(world);
    /* A poll that nobody comes to is loaded by this, and those who left it get their grace. */
    for (int times = 0; times < 2 && !sim_has_failed(); times++) {
        sim_oracle_ask(world);
        sim_world_run(world, times ? 2000 : LOADED_MS);
    }
    if (!sim_has_failed()) {
        sim_oracle_end(world);
    }
}
