/* SPDX-License-Identifier: MIT */

/*
 * The stage that all models share: clock, chance, the trace and the verdict. The product code asks
 * for time, chance and logs by plain functions, so there is one scene at a time.
 */

#ifndef SIM_SCENE_H
#define SIM_SCENE_H

#include <stdarg.h>

#include "tests/sim/agenda.h"
#include "tests/sim/chance.h"

#define SIM_MS 1000
#define SIM_FAILURE_MAX 1024

typedef struct {
    uint64_t seed;
    sim_agenda_t *agenda;
    sim_chance_t plot;    /* what the schedule does */
    sim_chance_t nature;  /* latencies and losses */
    sim_chance_t product; /* pr_random_* */
    const char *speaker;  /* whose code runs: for the trace */
    bool is_traced;
    uint64_t steps;
    char failure[SIM_FAILURE_MAX]; /* the first thing that went wrong, "" while all is well */
} sim_scene_t;

/* The present one. */
extern sim_scene_t sim_scene;

void
sim_scene_open(uint64_t seed, bool is_traced);
void
sim_scene_close(void);

/* Of all that chance has decided in it so far. */
uint64_t
sim_scene_digest(void);

int64_t
sim_now_us(void);
int64_t
sim_now_ms(void);
/* Unix time. */
int64_t
sim_wall_ms(void);

/* Sets an alarm so many microseconds from now. */
void
sim_after(sim_alarm_t *alarm, int64_t after_us);

/* Room for one more element behind `count`; never NULL. */
void *
sim_grow(void *array, size_t count, size_t size);

/* Something for the reader of a replay. */
__attribute__((format(printf, 1, 2))) void
sim_trace(const char *format, ...);
/* An invariant does not hold. Only the first counts; the run stops at the end of the step. */
__attribute__((format(printf, 1, 2))) void
sim_fail(const char *format, ...);
bool
sim_has_failed(void);

/* The planted bug that is on in this run, NULL: none. */
void
sim_plant(const char *name);

#endif
