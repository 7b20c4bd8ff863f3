/* SPDX-License-Identifier: MIT */

#include "proto/base/loop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "proto/base/assert.h"
#include "proto/base/clock.h"
#include "proto/wire/error.h"

#define SIGNALS_MAX 8

typedef struct {
    int rank;
    pr_turn_t run;
    void *arg;
} hook_t;

typedef struct {
    uv_signal_t handle;
    pr_signal_t run;
    void *arg;
} watch_t;

struct pr_loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_idle_t idle; /* runs while a hook has more to do, so that the loop does not sleep */
    uv_timer_t tick;
    pr_wheel_t *wheel;
    int64_t now_ms;
    hook_t *hooks;
    size_t hook_count;
    ptrdiff_t at;            /* the hook that runs; hooks may come and go meanwhile */
    bool (*done)(void *arg); /* of pr_loop_run_until: what a hook has brought about ends the turn */
    void *done_arg;
    watch_t *watches[SIGNALS_MAX];
    size_t watch_count;
};

static void
s_idle(uv_idle_t *handle)
{
    (void) handle;
}

static void
s_advance(pr_loop_t *self)
{
    self->now_ms = pr_clock_mono_ms();
    (void) pr_wheel_advance(self->wheel, self->now_ms);
}

static void
s_tick(uv_timer_t *handle)
{
    s_advance(handle->data);
}

static void
s_prepare(uv_prepare_t *handle)
{
    pr_loop_t *self = handle->data;
    self->now_ms = pr_clock_mono_ms();
    bool more = false;
    for (self->at = 0; self->at < (ptrdiff_t) self->hook_count; self->at++) {
        hook_t hook = self->hooks[self->at];
        more |= hook.run(hook.arg);
    }
    if (self->done && self->done(self->done_arg)) {
        self->done = NULL;
        more = true;
    }
    if (more) {
        (void) uv_idle_start(&self->idle, s_idle);
    } else {
        (void) uv_idle_stop(&self->idle);
    }
}

pr_loop_t *
pr_loop_new(void)
{
    pr_loop_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    /* A peer that is gone is an error of the write, not the end of the process. */
    (void) signal(SIGPIPE, SIG_IGN);
    self->now_ms = pr_clock_mono_ms();
    self->wheel = pr_wheel_new(self->now_ms);
    if (!self->wheel || uv_loop_init(&self->uv) != 0) {
        pr_wheel_destroy(&self->wheel);
        free(self);
        return NULL;
    }
    (void) uv_prepare_init(&self->uv, &self->prepare);
    (void) uv_idle_init(&self->uv, &self->idle);
    (void) uv_timer_init(&self->uv, &self->tick);
    self->prepare.data = self;
    self->tick.data = self;
    (void) uv_prepare_start(&self->prepare, s_prepare);
    (void) uv_timer_start(&self->tick, s_tick, PR_WHEEL_TICK_MS, PR_WHEEL_TICK_MS);
    return self;
}

static void
s_free_handle(uv_handle_t *handle)
{
    free(handle);
}

void
pr_loop_destroy(pr_loop_t **self_p)
{
    PR_ASSERT(self_p);
    pr_loop_t *self = *self_p;
    if (!self) {
        return;
    }
    for (size_t i = 0; i < self->watch_count; i++) {
        uv_close((uv_handle_t *) self->watches[i], s_free_handle);
    }
    uv_close((uv_handle_t *) &self->prepare, NULL);
    uv_close((uv_handle_t *) &self->idle, NULL);
    uv_close((uv_handle_t *) &self->tick, NULL);
    (void) uv_run(&self->uv, UV_RUN_NOWAIT);
    (void) uv_run(&self->uv, UV_RUN_NOWAIT);
    (void) uv_loop_close(&self->uv);
    pr_wheel_destroy(&self->wheel);
    free(self->hooks);
    free(self);
    *self_p = NULL;
}

void
pr_loop_run(pr_loop_t *self)
{
    (void) uv_run(&self->uv, UV_RUN_DEFAULT);
}

void
pr_loop_stop(pr_loop_t *self)
{
    uv_stop(&self->uv);
}

bool
pr_loop_run_until(pr_loop_t *self, bool (*done)(void *arg), void *arg, int64_t timeout_ms)
{
    int64_t deadline_ms = pr_clock_mono_ms() + timeout_ms;
    self->done = done;
    self->done_arg = arg;
    /* Asked also after each turn's hooks, and not once more when it has said yes. */
    bool met = done(arg);
    while (!met && pr_clock_mono_ms() < deadline_ms) {
        (void) uv_run(&self->uv, UV_RUN_ONCE);
        met = !self->done || done(arg);
    }
    self->done = NULL;
    return met;
}

void
pr_loop_on_turn(pr_loop_t *self, int rank, pr_turn_t run, void *arg)
{
    hook_t *hooks = realloc(self->hooks, (self->hook_count + 1) * sizeof *hooks);
    PR_ASSERT(hooks); /* a few hooks for the life of the process */
    self->hooks = hooks;
    size_t place = self->hook_count++;
    while (place > 0 && hooks[place - 1].rank > rank) {
        hooks[place] = hooks[place - 1];
        place--;
    }
    hooks[place] = (hook_t) {rank, run, arg};
    if ((ptrdiff_t) place <= self->at) {
        self->at++;
    }
}

void
pr_loop_off_turn(pr_loop_t *self, pr_turn_t run, void *arg)
{
    for (size_t i = 0; i < self->hook_count; i++) {
        if (self->hooks[i].run == run && self->hooks[i].arg == arg) {
            self->hook_count--;
            memmove(&self->hooks[i], &self->hooks[i + 1],
                    (self->hook_count - i) * sizeof self->hooks[0]);
            if ((ptrdiff_t) i <= self->at) {
                self->at--;
            }
            return;
        }
    }
}

static void
s_signal(uv_signal_t *handle, int signum)
{
    watch_t *watch = (watch_t *) handle;
    watch->run(watch->arg, signum);
}

int
pr_loop_on_signal(pr_loop_t *self, int signum, pr_signal_t handle, void *arg)
{
    PR_ASSERT(self->watch_count < SIGNALS_MAX);
    watch_t *watch = calloc(1, sizeof *watch);
    if (!watch) {
        return PR_E_NOMEM;
    }
    watch->run = handle;
    watch->arg = arg;
    (void) uv_signal_init(&self->uv, &watch->handle);
    self->watches[self->watch_count++] = watch;
    return uv_signal_start(&watch->handle, s_signal, signum) == 0 ? 0 : PR_E_SYSTEM;
}

struct uv_loop_s *
pr_loop_uv(pr_loop_t *self)
{
    return &self->uv;
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
