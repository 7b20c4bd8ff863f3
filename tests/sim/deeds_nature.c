/* SPDX-License-Identifier: MIT */

#include "tests/sim/client_model.h"
#include "tests/sim/deeds.h"
#include "tests/sim/net_model.h"
#include "tests/sim/redis_model.h"
#include "tests/sim/supervisor_model.h"

static int64_t
s_below(int64_t limit)
{
    return sim_chance_below(&sim_scene.plot, limit);
}

/* Mostly short, sometimes past every deadline. */
static int64_t
s_while_ms(void)
{
    int64_t kind = s_below(10);
    return kind < 4   ? s_below(50)
           : kind < 7 ? s_below(1000)
           : kind < 9 ? s_below(5000)
                      : s_below(14000);
}

static void
s_net(sim_world_t *world)
{
    (void) world;
    switch (s_below(6)) {
    case 0:
        (void) sim_net_cut();
        break;
    case 1:
    case 2:
        (void) sim_net_stall(s_while_ms());
        break;
    case 3:
        (void) sim_net_lose();
        break;
    case 4:
        (void) sim_net_repeat();
        break;
    default:
        sim_net_refuse(s_while_ms());
    }
}

static void
s_store(sim_world_t *world)
{
    static const char *const refusals[] = {
        "LOADING Redis is loading the dataset in memory",
        "OOM command not allowed when used memory > 'maxmemory'.",
        "READONLY You can't write against a read only replica.",
        "NOSCRIPT No matching script. Please use EVAL.",
        "BUSY Redis is busy running a script.",
    };
    (void) world;
    switch (s_below(6)) {
    case 0:
        sim_redis_kill(s_while_ms());
        break;
    case 1:
        sim_redis_stall(s_while_ms());
        break;
    case 2:
        sim_redis_slow(s_below(2) ? 400 : 1 + s_below(400000));
        break;
    case 3:
        sim_redis_refuse(refusals[s_below(5)], s_below(2) ? s_below(100) : s_below(3000));
        break;
    default:
        sim_redis_reset();
    }
}

/* A failover: the new primary lacks the last changes of a poll, or never heard of it. */
static void
s_amnesia(sim_world_t *world)
{
    if (sim_store_count(world->store) == 0) {
        return;
    }
    int64_t count = (int64_t) sim_store_count(world->store);
    sim_stored_t *stored = sim_store_at(world->store, (size_t) s_below(count));
    size_t changes = s_below(4) ? (size_t) (1 + s_below(3)) : (size_t) 1 << 20;
    sim_redis_kill(s_below(300));
    sim_stored_go_back(stored, changes);
}

static sim_process_t *
s_any_process(sim_world_t *world)
{
    int64_t index = s_below((int64_t) (world->actors_count + world->gateway_count));
    size_t at = (size_t) index;
    return at < world->actors_count ? world->actors[at] : world->gateways[at - world->actors_count];
}

static void
s_death(sim_world_t *world)
{
    world->owners_changed = true;
    sim_supervisor_kill(world->supervisor, s_any_process(world), s_below(1000), s_while_ms());
}

static void
s_pause(sim_world_t *world)
{
    sim_process_t *process = s_any_process(world);
    world->had_pause = true;
    world->owners_changed = true;
    sim_process_pause(process, !sim_process_is_paused(process));
}

static void
s_change_roster(sim_world_t *world)
{
    world->owners_changed = true;
    if (s_below(3) == 0) {
        sim_supervisor_lag(world->supervisor, s_below(2) ? 100 : s_below(5000));
    }
    sim_supervisor_list(world->supervisor, (int) s_below((int64_t) world->actors_count),
                        s_below(2) == 0);
}

void
sim_deed(sim_world_t *world, uint32_t kinds)
{
    static const struct {
        int kind;
        int weight;
        void (*run)(sim_world_t *world);
    } deeds[] = {
        {SIM_DEED_PEOPLE, 8, sim_deed_people},
        {SIM_DEED_COMMANDS, 10, sim_deed_command},
        {SIM_DEED_NET, 3, s_net},
        {SIM_DEED_STORE, 3, s_store},
        {SIM_DEED_AMNESIA, 1, s_amnesia},
        {SIM_DEED_DEATHS, 1, s_death},
        {SIM_DEED_PAUSES, 1, s_pause},
        {SIM_DEED_ROSTER, 1, s_change_roster},
    };
    int64_t total = 0;
    for (size_t i = 0; i < SIM_DEED_KINDS; i++) {
        total += kinds >> deeds[i].kind & 1 ? deeds[i].weight : 0;
    }
    int64_t at = s_below(total);
    for (size_t i = 0; i < SIM_DEED_KINDS; i++) {
        at -= kinds >> deeds[i].kind & 1 ? deeds[i].weight : 0;
        if (at < 0) {
            deeds[i].run(world);
            return;
        }
    }
}
