/* SPDX-License-Identifier: MIT */

/*
 * What happens when in the simulated world: alarms by time, in microseconds; equal ones ring in the
 * order they were set. Ringing moves the clock: nothing else does.
 */

#ifndef SIM_AGENDA_H
#define SIM_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim_alarm sim_alarm_t;
typedef struct sim_agenda sim_agenda_t;

/* Lives inside the object that it wakes. Zero it and set `ring` first; the rest is the agenda's. */
struct sim_alarm {
    void (*ring)(sim_alarm_t *alarm);
    int64_t at_us;
    uint64_t order;
    size_t place; /* 1-based; 0: not set */
    sim_agenda_t *agenda;
};

sim_agenda_t *
sim_agenda_new(int64_t now_us);
/* Alarms that are still set are forgotten. */
void
sim_agenda_destroy(sim_agenda_t **self_p);

int64_t
sim_agenda_now_us(const sim_agenda_t *self);

/* Sets the alarm, or moves it; a time that has passed counts as now. */
void
sim_agenda_set(sim_agenda_t *self, sim_alarm_t *alarm, int64_t at_us);
void
sim_agenda_cancel(sim_alarm_t *alarm);

/* Rings the next one that is due until `until_us`; false if there is none: the clock is there. */
bool
sim_agenda_step(sim_agenda_t *self, int64_t until_us);

#endif
