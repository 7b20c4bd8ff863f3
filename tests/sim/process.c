/* SPDX-License-Identifier: MIT */

#include "tests/sim/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/assert.h"
#include "tests/sim/gateway_model.h"
#include "tests/sim/loop_model.h"
#include "tests/sim/scene.h"
#include "tests/sim/tally.h"

/* Short, so that a run is. */
static const ac_grace_t s_grace = {.lost_ms = 4000, .reload_ms = 1000};
static const ac_rules_t s_rules = {
    .participants_max = 50,
    .nominations_max = 12,
    .nominations_per_user_max = 3,
};

struct sim_process {
    sim_role_t role;
    int slot;
    char name[8];
    char incarnation[PR_INCARNATION_LEN + 1];
    char endpoint[64];
    char tap[64];
    pr_loop_t *loop; /* NULL: not running */
    ac_host_t *host;
    sim_gateway_t *gateway;
    pr_roster_t *roster; /* on its way */
    int64_t generation;  /* the newest that it has seen */
};

sim_process_t *
sim_process_new(sim_role_t role, int slot)
{
    sim_process_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self);
    self->role = role;
    self->slot = slot;
    (void) snprintf(self->name, sizeof self->name, "%c%d", role == SIM_ACTORS ? 'a' : 'g', slot);
    return self;
}

/* --- actors --- */

static void
s_on_ready(void *arg)
{
    (void) arg;
    sim_trace("  ready");
}

static void
s_on_unfit(void *arg, const char *line)
{
    (void) arg;
    sim_fail("the store is called unfit: %s", line);
}

static const ac_host_ops_t s_host_ops = {.ready = s_on_ready, .unfit = s_on_unfit};

static void
s_start_host(sim_process_t *self)
{
    ac_host_options_t options = {
        .name = self->name,
        .incarnation = self->incarnation,
        .endpoint = self->endpoint,
        .tap = self->tap,
        .store = "redis://model",
        .rules = s_rules,
        .grace = s_grace,
    };
    self->host = ac_host_new(self->loop, &options, &s_host_ops, self);
    PR_ASSERT(self->host);
}

/* --- both --- */

static void
s_take(void *arg)
{
    sim_process_t *self = arg;
    if (!self->roster) {
        return;
    }
    pr_roster_t *roster = self->roster;
    self->roster = NULL;
    self->generation = pr_roster_generation(roster);
    sim_trace("  takes roster %lld", (long long) self->generation);
    if (self->host) {
        ac_host_roster(self->host, &roster);
    } else {
        gw_hosts_set_roster(sim_gateway_hosts(self->gateway), &roster);
    }
}

void
sim_process_start(sim_process_t *self)
{
    PR_ASSERT(!self->loop);
    (void) snprintf(self->incarnation, sizeof self->incarnation, "%016llx",
                    (unsigned long long) sim_chance_next(&sim_scene.nature));
    (void) snprintf(self->endpoint, sizeof self->endpoint, "ipc://%s-%s", self->name,
                    self->incarnation);
    (void) snprintf(self->tap, sizeof self->tap, "ipc://%s.tap", self->incarnation);
    self->loop = pr_loop_new();
    self->generation = 0;
    sim_loop_name(self->loop, self->name);
    sim_loop_add_source(self->loop, s_take, self);
    sim_trace("START %s %s", self->name, self->incarnation);
    if (self->role == SIM_ACTORS) {
        s_start_host(self);
    } else {
        self->gateway = sim_gateway_new(self->loop, self->name, self->incarnation);
    }
}

static void
s_count(sim_process_t *self)
{
    pr_buf_t *map = pr_buf_new(1024);
    PR_ASSERT(map);
    if (self->host) {
        ac_host_write_stats(self->host, map);
    } else {
        gw_stats_pack(sim_gateway_stats(self->gateway), map);
    }
    sim_tally_add(pr_buf_str(map));
    pr_buf_destroy(&map);
}

void
sim_process_kill(sim_process_t *self)
{
    if (!self->loop) {
        return;
    }
    sim_trace("KILL %s", self->name);
    s_count(self);
    sim_loop_pause(self->loop, false);
    ac_host_destroy(&self->host);
    sim_gateway_destroy(&self->gateway);
    pr_roster_destroy(&self->roster);
    pr_loop_destroy(&self->loop);
}

void
sim_process_destroy(sim_process_t **self_p)
{
    if (*self_p) {
        sim_process_kill(*self_p);
        free(*self_p);
        *self_p = NULL;
    }
}

void
sim_process_pause(sim_process_t *self, bool paused)
{
    if (self->loop && sim_loop_is_paused(self->loop) != paused) {
        sim_trace("%s %s", paused ? "PAUSE" : "RESUME", self->name);
        sim_loop_pause(self->loop, paused);
    }
}

void
sim_process_roster(sim_process_t *self, pr_roster_t **roster_p)
{
    int64_t generation = pr_roster_generation(*roster_p);
    int64_t known = self->roster ? pr_roster_generation(self->roster) : self->generation;
    if (!self->loop || generation <= known) {
        pr_roster_destroy(roster_p);
        return;
    }
    pr_roster_destroy(&self->roster);
    self->roster = *roster_p;
    *roster_p = NULL;
    sim_loop_wake(self->loop);
}

/* --- questions --- */

bool
sim_process_is_running(const sim_process_t *self)
{
    return self->loop != NULL;
}

bool
sim_process_is_paused(const sim_process_t *self)
{
    return self->loop && sim_loop_is_paused(self->loop);
}

sim_role_t
sim_process_role(const sim_process_t *self)
{
    return self->role;
}

int
sim_process_slot(const sim_process_t *self)
{
    return self->slot;
}

const char *
sim_process_name(const sim_process_t *self)
{
    return self->name;
}

const char *
sim_process_incarnation(const sim_process_t *self)
{
    return self->loop ? self->incarnation : "";
}

const char *
sim_process_endpoint(const sim_process_t *self)
{
    return self->loop ? self->endpoint : "";
}

pr_loop_t *
sim_process_loop(sim_process_t *self)
{
    return self->loop;
}

gw_hosts_t *
sim_process_hosts(sim_process_t *self)
{
    return self->gateway ? sim_gateway_hosts(self->gateway) : NULL;
}

const gw_stats_t *
sim_process_stats(const sim_process_t *self)
{
    return self->gateway ? sim_gateway_stats(self->gateway) : NULL;
}

bool
sim_process_admit(sim_process_t *self, gw_socket_t *socket)
{
    return self->gateway && sim_gateway_admit(self->gateway, socket);
}

int64_t
sim_process_counter(sim_process_t *self, const char *name)
{
    pr_buf_t *map = pr_buf_new(1024);
    pr_unpacked_t *memory = pr_unpacked_new();
    const msgpack_object *stats = NULL;
    int64_t value = 0;
    PR_ASSERT(map && memory && self->host);
    ac_host_write_stats(self->host, map);
    PR_ASSERT(pr_value_unpack(pr_buf_str(map), memory, &stats) == 0);
    const msgpack_object *member = pr_object_member(stats, pr_str(name));
    if (member && member->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        value = (int64_t) member->via.u64;
    } else {
        sim_fail("there is no counter %s", name);
    }
    pr_unpacked_destroy(&memory);
    pr_buf_destroy(&map);
    return value;
}
