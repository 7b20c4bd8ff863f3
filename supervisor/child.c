/* SPDX-License-Identifier: MIT */

#include "supervisor/child.h"

#include <stdlib.h>

#include "proto/base/assert.h"
#include "proto/wire/limits.h"
#include "supervisor/backoff.h"

#define NEVER INT64_MAX
#define ADOPT_MS 3000

struct sv_child {
    sv_child_terms_t terms;
    sv_backoff_t backoff;
    sv_child_state_t state;
    int64_t due_ms;
    int64_t span_ms; /* of the deadline behind due_ms, to start it anew */
    int64_t spawned_ms;
    int64_t ready_at_ms; /* -1: not since the last spawn */
    uint64_t spawns;
    bool wanted;
    bool probing; /* started from FAILED: one more early death is enough */
};

typedef struct {
    sv_child_event_t event;
    int64_t now_ms;
    uint32_t random;
} step_t;

typedef unsigned (*cell_t)(sv_child_t *self, const step_t *step);

static void
s_enter(sv_child_t *self, sv_child_state_t state, const step_t *step, int64_t span_ms)
{
    self->state = state;
    self->span_ms = span_ms;
    self->due_ms = span_ms == NEVER ? NEVER : step->now_ms + span_ms;
}

static unsigned
s_nop(sv_child_t *self, const step_t *step)
{
    (void) self;
    (void) step;
    return 0;
}

static unsigned
s_bug(sv_child_t *self, const step_t *step)
{
    (void) self;
    (void) step;
    return SV_DO_COMPLAIN;
}

static unsigned
s_want(sv_child_t *self, const step_t *step)
{
    (void) step;
    self->wanted = true;
    return 0;
}

static unsigned
s_unwant(sv_child_t *self, const step_t *step)
{
    (void) step;
    self->wanted = false;
    return 0;
}

/* The state is left by SPAWNED or SPAWN_FAILED, which follow at once. */
static unsigned
s_spawn(sv_child_t *self, const step_t *step)
{
    self->wanted = true;
    self->probing = self->state == SV_CHILD_FAILED && step->event == SV_CHILD_ON_TIMER;
    self->due_ms = NEVER;
    return SV_DO_SPAWN;
}

static unsigned
s_spawned(sv_child_t *self, const step_t *step)
{
    self->spawns++;
    self->spawned_ms = step->now_ms;
    self->ready_at_ms = -1;
    s_enter(self, SV_CHILD_STARTING, step, self->terms.start_ms);
    return 0;
}

static unsigned
s_ready(sv_child_t *self, const step_t *step)
{
    self->ready_at_ms = step->now_ms;
    self->probing = false;
    s_enter(self, SV_CHILD_READY, step, NEVER);
    return 0;
}

static unsigned
s_retry(sv_child_t *self, const step_t *step)
{
    int64_t ready_ms = self->ready_at_ms < 0 ? -1 : step->now_ms - self->ready_at_ms;
    int64_t wait_ms = sv_backoff_died(&self->backoff, step->now_ms, ready_ms, step->random);
    if (wait_ms < 0 || self->probing) {
        s_enter(self, SV_CHILD_FAILED, step, PR_CHILD_PROBE_MS);
    } else {
        s_enter(self, SV_CHILD_BACKOFF, step, wait_ms);
    }
    self->ready_at_ms = -1;
    return 0;
}

/* It ended by itself, or was killed for hanging. */
static unsigned
s_died(sv_child_t *self, const step_t *step)
{
    bool for_good = self->terms.restart == SV_TEMPORARY ||
                    (self->terms.restart == SV_TRANSIENT && step->event == SV_CHILD_ON_EXIT_OK);
    if (!self->wanted || for_good) {
        self->wanted = false;
        self->ready_at_ms = -1;
        s_enter(self, SV_CHILD_DOWN, step, NEVER);
        return 0;
    }
    return s_retry(self, step);
}

static unsigned
s_refused(sv_child_t *self, const step_t *step)
{
    self->ready_at_ms = -1;
    s_enter(self, SV_CHILD_FAILED, step, NEVER);
    return 0;
}

/* It ended as it was asked to; a restart is a STOP with a START behind it. */
static unsigned
s_stopped(sv_child_t *self, const step_t *step)
{
    self->ready_at_ms = -1;
    s_enter(self, SV_CHILD_DOWN, step, NEVER);
    return self->wanted ? SV_DO_SPAWN : 0;
}

static unsigned
s_stop(sv_child_t *self, const step_t *step)
{
    self->wanted = false;
    s_enter(self, SV_CHILD_STOPPING, step, self->terms.stop_ms);
    return SV_DO_ASK_STOP;
}

/* Nothing runs: nothing to wait for. */
static unsigned
s_rest(sv_child_t *self, const step_t *step)
{
    self->wanted = false;
    s_enter(self, SV_CHILD_DOWN, step, NEVER);
    return 0;
}

static unsigned
s_kill(sv_child_t *self, const step_t *step)
{
    s_enter(self, SV_CHILD_KILLING, step, PR_CHILD_ABORT_MS);
    return SV_DO_KILL;
}

/* A core file tells where it hung; a stopped or frozen process needs the KILL that follows. */
static unsigned
s_hung(sv_child_t *self, const step_t *step)
{
    s_enter(self, SV_CHILD_KILLING, step, PR_CHILD_ABORT_MS);
    return SV_DO_ABORT;
}

/* clang-format off */
static const cell_t s_table[SV_CHILD_STATE_COUNT][SV_CHILD_EVENT_COUNT] = {
    [SV_CHILD_DOWN] = {
        [SV_CHILD_ON_START] = s_spawn,       [SV_CHILD_ON_SPAWNED] = s_spawned,
        [SV_CHILD_ON_SPAWN_FAILED] = s_retry, [SV_CHILD_ON_READY] = s_nop,
        [SV_CHILD_ON_EXIT_OK] = s_bug,       [SV_CHILD_ON_EXIT_BAD] = s_bug,
        [SV_CHILD_ON_EXIT_FINAL] = s_bug,    [SV_CHILD_ON_BEAT_LATE] = s_nop,
        [SV_CHILD_ON_STOP] = s_unwant,       [SV_CHILD_ON_KILL] = s_nop,
        [SV_CHILD_ON_TIMER] = s_nop,
    },
    [SV_CHILD_ADOPTING] = {
        [SV_CHILD_ON_START] = s_want,        [SV_CHILD_ON_SPAWNED] = s_bug,
        [SV_CHILD_ON_SPAWN_FAILED] = s_bug,  [SV_CHILD_ON_READY] = s_ready,
        [SV_CHILD_ON_EXIT_OK] = s_stopped,   [SV_CHILD_ON_EXIT_BAD] = s_stopped,
        [SV_CHILD_ON_EXIT_FINAL] = s_refused, [SV_CHILD_ON_BEAT_LATE] = s_nop,
        [SV_CHILD_ON_STOP] = s_stop,         [SV_CHILD_ON_KILL] = s_kill,
        [SV_CHILD_ON_TIMER] = s_kill,
    },
    [SV_CHILD_STARTING] = {
        [SV_CHILD_ON_START] = s_want,        [SV_CHILD_ON_SPAWNED] = s_bug,
        [SV_CHILD_ON_SPAWN_FAILED] = s_bug,  [SV_CHILD_ON_READY] = s_ready,
        [SV_CHILD_ON_EXIT_OK] = s_died,      [SV_CHILD_ON_EXIT_BAD] = s_died,
        [SV_CHILD_ON_EXIT_FINAL] = s_refused, [SV_CHILD_ON_BEAT_LATE] = s_nop,
        [SV_CHILD_ON_STOP] = s_stop,         [SV_CHILD_ON_KILL] = s_kill,
        [SV_CHILD_ON_TIMER] = s_kill,
    },
    [SV_CHILD_READY] = {
        [SV_CHILD_ON_START] = s_want,        [SV_CHILD_ON_SPAWNED] = s_bug,
        [SV_CHILD_ON_SPAWN_FAILED] = s_bug,  [SV_CHILD_ON_READY] = s_nop,
        [SV_CHILD_ON_EXIT_OK] = s_died,      [SV_CHILD_ON_EXIT_BAD] = s_died,
        [SV_CHILD_ON_EXIT_FINAL] = s_refused, [SV_CHILD_ON_BEAT_LATE] = s_hung,
        [SV_CHILD_ON_STOP] = s_stop,         [SV_CHILD_ON_KILL] = s_kill,
        [SV_CHILD_ON_TIMER] = s_nop,
    },
    [SV_CHILD_STOPPING] = {
        [SV_CHILD_ON_START] = s_want,        [SV_CHILD_ON_SPAWNED] = s_bug,
        [SV_CHILD_ON_SPAWN_FAILED] = s_bug,  [SV_CHILD_ON_READY] = s_nop,
        [SV_CHILD_ON_EXIT_OK] = s_stopped,   [SV_CHILD_ON_EXIT_BAD] = s_stopped,
        [SV_CHILD_ON_EXIT_FINAL] = s_stopped, [SV_CHILD_ON_BEAT_LATE] = s_nop,
        [SV_CHILD_ON_STOP] = s_unwant,       [SV_CHILD_ON_KILL] = s_kill,
        [SV_CHILD_ON_TIMER] = s_kill,
    },
    [SV_CHILD_KILLING] = {
        [SV_CHILD_ON_START] = s_want,        [SV_CHILD_ON_SPAWNED] = s_bug,
        [SV_CHILD_ON_SPAWN_FAILED] = s_bug,  [SV_CHILD_ON_READY] = s_nop,
        [SV_CHILD_ON_EXIT_OK] = s_died,      [SV_CHILD_ON_EXIT_BAD] = s_died,
        [SV_CHILD_ON_EXIT_FINAL] = s_died,   [SV_CHILD_ON_BEAT_LATE] = s_nop,
        [SV_CHILD_ON_STOP] = s_unwant,       [SV_CHILD_ON_KILL] = s_kill,
        [SV_CHILD_ON_TIMER] = s_kill,
    },
    [SV_CHILD_BACKOFF] = {
        [SV_CHILD_ON_START] = s_spawn,       [SV_CHILD_ON_SPAWNED] = s_spawned,
        [SV_CHILD_ON_SPAWN_FAILED] = s_retry, [SV_CHILD_ON_READY] = s_nop,
        [SV_CHILD_ON_EXIT_OK] = s_bug,       [SV_CHILD_ON_EXIT_BAD] = s_bug,
        [SV_CHILD_ON_EXIT_FINAL] = s_bug,    [SV_CHILD_ON_BEAT_LATE] = s_nop,
        [SV_CHILD_ON_STOP] = s_rest,         [SV_CHILD_ON_KILL] = s_nop,
        [SV_CHILD_ON_TIMER] = s_spawn,
    },
    [SV_CHILD_FAILED] = {
        [SV_CHILD_ON_START] = s_spawn,       [SV_CHILD_ON_SPAWNED] = s_spawned,
        [SV_CHILD_ON_SPAWN_FAILED] = s_retry, [SV_CHILD_ON_READY] = s_nop,
        [SV_CHILD_ON_EXIT_OK] = s_bug,       [SV_CHILD_ON_EXIT_BAD] = s_bug,
        [SV_CHILD_ON_EXIT_FINAL] = s_bug,    [SV_CHILD_ON_BEAT_LATE] = s_nop,
        [SV_CHILD_ON_STOP] = s_rest,         [SV_CHILD_ON_KILL] = s_nop,
        [SV_CHILD_ON_TIMER] = s_spawn,
    },
};
/* clang-format on */

sv_child_t *
sv_child_new(const sv_child_terms_t *terms, sv_child_state_t state, int64_t now_ms)
{
    PR_ASSERT(terms && state < SV_CHILD_STATE_COUNT);
    sv_child_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->terms = *terms;
    sv_backoff_init(&self->backoff);
    self->ready_at_ms = -1;
    self->spawned_ms = now_ms;
    self->wanted = state != SV_CHILD_DOWN;
    step_t step = {.now_ms = now_ms};
    s_enter(self, state, &step, state == SV_CHILD_ADOPTING ? ADOPT_MS : NEVER);
    return self;
}

void
sv_child_destroy(sv_child_t **self_p)
{
    PR_ASSERT(self_p);
    free(*self_p);
    *self_p = NULL;
}

unsigned
sv_child_handle(sv_child_t *self, sv_child_event_t event, int64_t now_ms, uint32_t random)
{
    PR_ASSERT(self && event < SV_CHILD_EVENT_COUNT);
    cell_t cell = s_table[self->state][event];
    PR_ASSERT(cell);
    step_t step = {event, now_ms, random};
    return cell(self, &step);
}

void
sv_child_grant(sv_child_t *self, int64_t stop_ms)
{
    self->terms.stop_ms = stop_ms;
}

void
sv_child_extend(sv_child_t *self, int64_t now_ms)
{
    if (self->due_ms != NEVER) {
        self->due_ms = now_ms + self->span_ms;
    }
}

sv_child_state_t
sv_child_state(const sv_child_t *self)
{
    return self->state;
}

int64_t
sv_child_due_ms(const sv_child_t *self)
{
    return self->due_ms;
}

bool
sv_child_wanted(const sv_child_t *self)
{
    return self->wanted;
}

bool
sv_child_is_alive(const sv_child_t *self)
{
    return self->state >= SV_CHILD_ADOPTING && self->state <= SV_CHILD_KILLING;
}

uint64_t
sv_child_restarts(const sv_child_t *self)
{
    return self->spawns > 0 ? self->spawns - 1 : 0;
}

int64_t
sv_child_ready_ms(const sv_child_t *self)
{
    return self->ready_at_ms < 0 ? -1 : self->ready_at_ms - self->spawned_ms;
}

const char *
sv_child_state_name(sv_child_state_t state)
{
    static const char *const s_names[] = {
#define X(NAME, text) [SV_CHILD_##NAME] = (text),
        SV_CHILD_STATES(X)
#undef X
    };
    return state < SV_CHILD_STATE_COUNT ? s_names[state] : "?";
}

const char *
sv_child_event_name(sv_child_event_t event)
{
    static const char *const s_names[] = {
#define X(NAME, text) [SV_CHILD_ON_##NAME] = (text),
        SV_CHILD_EVENTS(X)
#undef X
    };
    return event < SV_CHILD_EVENT_COUNT ? s_names[event] : "?";
}
