/* SPDX-License-Identifier: MIT */

#include "tests/sim/loop_model.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "proto/base/assert.h"
#include "proto/base/clock.h"
#include "tests/sim/scene.h"

#define HOOKS_MAX 32
#define SOURCES_MAX 128
/* Turns are taken so late. */
#define LATE_US 300
#define SOON_US 20

typedef struct {
    int rank;
    pr_turn_t run;
    void *arg;
} hook_t;

typedef struct {
    void (*take)(void *arg);
    void *arg;
} source_t;

struct pr_loop {
    sim_alarm_t next;
    sim_alarm_t uv_wake;
    const char *name;
    pr_wheel_t *wheel;
    int64_t now_ms;
    int64_t tick_ms;
    bool paused;
    hook_t hooks[HOOKS_MAX];
    ptrdiff_t hook_count;
    ptrdiff_t at;
    source_t sources[SOURCES_MAX];
    ptrdiff_t source_count;
    ptrdiff_t source_at;
};

static void
s_run_sources(pr_loop_t *self)
{
    for (self->source_at = 0; self->source_at < self->source_count; self->source_at++) {
        source_t source = self->sources[self->source_at];
        source.take(source.arg);
    }
    self->source_at = -1;
}

static bool
s_run_hooks(pr_loop_t *self)
{
    bool more = false;
    for (self->at = 0; self->at < self->hook_count; self->at++) {
        hook_t hook = self->hooks[self->at];
        more |= hook.run(hook.arg);
    }
    self->at = -1;
    return more;
}

static void
s_schedule(pr_loop_t *self, int64_t after_us)
{
    int64_t at_us = sim_now_us() + after_us;
    if (!self->paused && (!self->next.place || self->next.at_us > at_us)) {
        sim_agenda_set(sim_scene.agenda, &self->next, at_us);
    }
}

/* I/O is taken with the time that the last turn knew, as libuv's does. */
static void
s_turn(sim_alarm_t *alarm)
{
    pr_loop_t *self = (pr_loop_t *) alarm;
    const char *speaker = sim_scene.speaker;
    sim_scene.speaker = self->name;
    s_run_sources(self);
    if (sim_now_ms() >= self->tick_ms) {
        self->now_ms = sim_now_ms();
        self->tick_ms = self->now_ms + PR_WHEEL_TICK_MS;
        (void) pr_wheel_advance(self->wheel, self->now_ms);
    }
    self->now_ms = sim_now_ms();
    bool more = s_run_hooks(self);
    sim_scene.speaker = speaker;
    if (more) {
        s_schedule(self, SOON_US);
    }
    s_schedule(self, (self->tick_ms - sim_now_ms()) * SIM_MS);
}

/* --- what the models need --- */

void
sim_loop_name(pr_loop_t *self, const char *name)
{
    self->name = name;
}

const char *
sim_loop_name_of(const pr_loop_t *self)
{
    return self->name;
}

void
sim_loop_wake(pr_loop_t *self)
{
    s_schedule(self, sim_chance_between(&sim_scene.nature, SOON_US, LATE_US));
}

void
sim_loop_add_source(pr_loop_t *self, void (*take)(void *arg), void *arg)
{
    PR_ASSERT(self->source_count < SOURCES_MAX);
    self->sources[self->source_count++] = (source_t) {take, arg};
}

void
sim_loop_remove_source(pr_loop_t *self, void (*take)(void *arg), void *arg)
{
    for (ptrdiff_t i = 0; i < self->source_count; i++) {
        if (self->sources[i].take == take && self->sources[i].arg == arg) {
            self->source_count--;
            memmove(&self->sources[i], &self->sources[i + 1],
                    (size_t) (self->source_count - i) * sizeof self->sources[0]);
            self->source_at -= i <= self->source_at ? 1 : 0;
            return;
        }
    }
}

void
sim_loop_pause(pr_loop_t *self, bool paused)
{
    self->paused = paused;
    if (paused) {
        sim_agenda_cancel(&self->next);
    } else {
        s_schedule(self, 0);
    }
}

bool
sim_loop_is_paused(const pr_loop_t *self)
{
    return self->paused;
}

/* --- the contract of proto/base/loop.h --- */

static void
s_uv_wake(sim_alarm_t *alarm)
{
    pr_loop_t *self = (pr_loop_t *) ((char *) alarm - offsetof(pr_loop_t, uv_wake));
    s_schedule(self, 0);
}

pr_loop_t *
pr_loop_new(void)
{
    pr_loop_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self);
    self->next.ring = s_turn;
    self->uv_wake.ring = s_uv_wake;
    self->name = "?";
    self->at = -1;
    self->source_at = -1;
    self->now_ms = sim_now_ms();
    self->tick_ms = self->now_ms + sim_chance_between(&sim_scene.nature, 1, PR_WHEEL_TICK_MS);
    self->wheel = pr_wheel_new(self->now_ms);
    s_schedule(self, 0);
    return self;
}

void
pr_loop_destroy(pr_loop_t **self_p)
{
    pr_loop_t *self = *self_p;
    if (!self) {
        return;
    }
    sim_agenda_cancel(&self->next);
    sim_agenda_cancel(&self->uv_wake);
    pr_wheel_destroy(&self->wheel);
    free(self);
    *self_p = NULL;
}

void
pr_loop_on_turn(pr_loop_t *self, int rank, pr_turn_t run, void *arg)
{
    PR_ASSERT(self->hook_count < HOOKS_MAX);
    ptrdiff_t place = self->hook_count++;
    while (place > 0 && self->hooks[place - 1].rank > rank) {
        self->hooks[place] = self->hooks[place - 1];
        place--;
    }
    self->hooks[place] = (hook_t) {rank, run, arg};
    self->at += place <= self->at ? 1 : 0;
}

void
pr_loop_off_turn(pr_loop_t *self, pr_turn_t run, void *arg)
{
    for (ptrdiff_t i = 0; i < self->hook_count; i++) {
        if (self->hooks[i].run == run && self->hooks[i].arg == arg) {
            self->hook_count--;
            memmove(&self->hooks[i], &self->hooks[i + 1],
                    (size_t) (self->hook_count - i) * sizeof self->hooks[0]);
            self->at -= i <= self->at ? 1 : 0;
            return;
        }
    }
}

pr_wheel_t *
pr_loop_wheel(pr_loop_t *self)
{
    return self->wheel;
}

int64_t
pr_loop_now_ms(const pr_loop_t *self)
{
    return self->now_ms;
}

void
pr_loop_arm(pr_loop_t *self, pr_timer_t *timer, int64_t after_ms)
{
    pr_wheel_arm(self->wheel, timer, self->now_ms + after_ms);
}

/* Nobody sees it as what it is: only its own timers below are asked for. */
struct uv_loop_s *
pr_loop_uv(pr_loop_t *self)
{
    return (struct uv_loop_s *) (void *) self;
}

/* Programs, not classes, use these. */

void
pr_loop_run(pr_loop_t *self)
{
    (void) self;
    PR_ASSERT(!"the agenda runs the loops");
}

void
pr_loop_stop(pr_loop_t *self)
{
    (void) self;
    PR_ASSERT(!"nobody stops a simulated loop");
}

bool
pr_loop_run_until(pr_loop_t *self, bool (*done)(void *arg), void *arg, int64_t timeout_ms)
{
    (void) self;
    (void) done;
    (void) arg;
    (void) timeout_ms;
    PR_ASSERT(!"the agenda runs the loops");
}

int
pr_loop_on_signal(pr_loop_t *self, int signum, pr_signal_t handle, void *arg)
{
    (void) self;
    (void) signum;
    (void) handle;
    (void) arg;
    return 0;
}

/* --- the one thing that a class takes of libuv itself: the timer of gateway/rooms.c --- */

int
uv_timer_init(uv_loop_t *loop, uv_timer_t *handle)
{
    handle->data = loop;
    return 0;
}

int
uv_timer_start(uv_timer_t *handle, uv_timer_cb cb, uint64_t timeout, uint64_t repeat)
{
    (void) cb; /* that the loop turns is all that it is for */
    (void) repeat;
    pr_loop_t *loop = handle->data;
    sim_after(&loop->uv_wake, (int64_t) timeout * SIM_MS);
    return 0;
}

void
uv_close(uv_handle_t *handle, uv_close_cb close_cb)
{
    if (close_cb) {
        close_cb(handle);
    }
}
