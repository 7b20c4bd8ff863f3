/* SPDX-License-Identifier: MIT */

#include "tests/sim/supervisor_model.h"

#include <stdlib.h>

#include "proto/base/assert.h"

#define USUAL_LAG_MS 100
#define CHILDREN (SIM_ACTORS_MAX + SIM_GATEWAYS_MAX)

/* One child: when its death is noticed, when it is started again, which roster it is to get. */
typedef struct {
    sim_alarm_t notice; /* first: the pointers are equal */
    sim_alarm_t start;
    sim_alarm_t tell;
    sim_supervisor_t *owner;
    sim_process_t *process;
    bool is_actors;
    bool is_listed; /* actors: its slot is in the roster */
    bool is_up;     /* as far as we know */
    pr_roster_t *roster;
} child_t;

struct sim_supervisor {
    sim_world_t *world;
    child_t children[CHILDREN];
    size_t count;
    int64_t generation;
    int64_t lag_ms;
    int64_t made_ms; /* the last roster */
};

/* --- rosters --- */

static pr_roster_t *
s_roster(const sim_supervisor_t *self)
{
    pr_roster_t *roster = pr_roster_new(self->generation);
    PR_ASSERT(roster);
    for (size_t i = 0; i < self->count; i++) {
        const child_t *child = &self->children[i];
        const char *inc = child->is_up ? sim_process_incarnation(child->process) : "";
        const char *endpoint = child->is_up ? sim_process_endpoint(child->process) : "";
        int slot = sim_process_slot(child->process);
        if (child->is_actors && child->is_listed) {
            PR_ASSERT(pr_roster_add_actors(roster, slot, inc, endpoint, inc[0] != '\0') == 0);
        } else if (!child->is_actors && inc[0]) {
            PR_ASSERT(pr_roster_add_gateway(roster, slot, inc, endpoint) == 0);
        }
    }
    return roster;
}

static void
s_tell(sim_alarm_t *alarm)
{
    child_t *child = (child_t *) ((char *) alarm - offsetof(child_t, tell));
    if (child->roster) {
        sim_process_roster(child->process, &child->roster);
    }
}

static void
s_publish(sim_supervisor_t *self)
{
    int64_t wall_ms = sim_wall_ms();
    self->generation = self->generation + 1 > wall_ms ? self->generation + 1 : wall_ms;
    self->made_ms = sim_now_ms();
    sim_trace("ROSTER %lld", (long long) self->generation);
    for (size_t i = 0; i < self->count; i++) {
        child_t *child = &self->children[i];
        pr_roster_destroy(&child->roster);
        child->roster = s_roster(self);
        sim_after(&child->tell, sim_chance_between(&sim_scene.nature, 0, self->lag_ms * SIM_MS));
    }
}

/* --- births and deaths --- */

static void
s_notice(sim_alarm_t *alarm)
{
    child_t *child = (child_t *) alarm;
    child->is_up = sim_process_is_running(child->process);
    s_publish(child->owner);
}

static void
s_start(sim_alarm_t *alarm)
{
    child_t *child = (child_t *) ((char *) alarm - offsetof(child_t, start));
    sim_process_start(child->process);
    /* READY takes a moment. */
    sim_after(&child->notice, sim_chance_between(&sim_scene.nature, 1, 300 * SIM_MS));
}

void
sim_supervisor_kill(sim_supervisor_t *self,
                    sim_process_t *process,
                    int64_t blind_ms,
                    int64_t down_ms)
{
    child_t *child = self->children;
    while (child->process != process) {
        child++;
    }
    if (!sim_process_is_running(process)) {
        return;
    }
    sim_process_kill(process);
    sim_agenda_cancel(&child->tell);
    sim_after(&child->notice, blind_ms * SIM_MS);
    sim_after(&child->start, (down_ms > blind_ms ? down_ms : blind_ms + 1) * SIM_MS);
}

void
sim_supervisor_list(sim_supervisor_t *self, int index, bool listed)
{
    int others = 0;
    for (size_t i = 0; i < self->count; i++) {
        others += self->children[i].is_actors && self->children[i].is_listed && (int) i != index;
    }
    if (self->children[index].is_listed != listed && (listed || others > 0)) {
        self->children[index].is_listed = listed;
        s_publish(self);
    }
}

void
sim_supervisor_lag(sim_supervisor_t *self, int64_t most_ms)
{
    self->lag_ms = most_ms;
}

int64_t
sim_supervisor_quiet_ms(const sim_supervisor_t *self)
{
    return sim_now_ms() - self->made_ms;
}

void
sim_supervisor_begin(sim_supervisor_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        sim_process_start(self->children[i].process);
        self->children[i].is_up = true;
    }
    s_publish(self);
}

void
sim_supervisor_heal(sim_supervisor_t *self)
{
    self->lag_ms = USUAL_LAG_MS;
    for (size_t i = 0; i < self->count; i++) {
        child_t *child = &self->children[i];
        child->is_listed = true;
        sim_process_pause(child->process, false);
        if (!sim_process_is_running(child->process)) {
            sim_agenda_cancel(&child->start);
            sim_process_start(child->process);
        }
        sim_agenda_cancel(&child->notice);
        child->is_up = true;
    }
    s_publish(self);
}

/* --- life --- */

static void
s_add(sim_supervisor_t *self, sim_process_t *process)
{
    self->children[self->count++] = (child_t) {
        .notice = {.ring = s_notice},
        .start = {.ring = s_start},
        .tell = {.ring = s_tell},
        .owner = self,
        .process = process,
        .is_actors = sim_process_role(process) == SIM_ACTORS,
        .is_listed = true,
    };
}

sim_supervisor_t *
sim_supervisor_new(sim_world_t *world)
{
    sim_supervisor_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self);
    self->world = world;
    self->lag_ms = USUAL_LAG_MS;
    for (size_t i = 0; i < world->actors_count; i++) {
        s_add(self, world->actors[i]);
    }
    for (size_t i = 0; i < world->gateway_count; i++) {
        s_add(self, world->gateways[i]);
    }
    return self;
}

void
sim_supervisor_destroy(sim_supervisor_t **self_p)
{
    sim_supervisor_t *self = *self_p;
    if (!self) {
        return;
    }
    for (size_t i = 0; i < self->count; i++) {
        sim_agenda_cancel(&self->children[i].notice);
        sim_agenda_cancel(&self->children[i].start);
        sim_agenda_cancel(&self->children[i].tell);
        pr_roster_destroy(&self->children[i].roster);
    }
    free(self);
    *self_p = NULL;
}
