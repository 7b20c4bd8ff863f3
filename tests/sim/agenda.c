/* SPDX-License-Identifier: MIT */

/* A binary heap; each alarm knows its place in it. */

#include "tests/sim/agenda.h"

#include <stdlib.h>

#include "proto/base/assert.h"

struct sim_agenda {
    int64_t now_us;
    uint64_t order;
    sim_alarm_t **heap;
    size_t count;
    size_t room;
};

sim_agenda_t *
sim_agenda_new(int64_t now_us)
{
    sim_agenda_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self);
    self->now_us = now_us;
    return self;
}

void
sim_agenda_destroy(sim_agenda_t **self_p)
{
    if (*self_p) {
        free((*self_p)->heap);
        free(*self_p);
        *self_p = NULL;
    }
}

int64_t
sim_agenda_now_us(const sim_agenda_t *self)
{
    return self->now_us;
}

static bool
s_before(const sim_alarm_t *a, const sim_alarm_t *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void
s_put(sim_agenda_t *self, size_t index, sim_alarm_t *alarm)
{
    self->heap[index] = alarm;
    alarm->place = index + 1;
}

static void
s_rise(sim_agenda_t *self, size_t index)
{
    sim_alarm_t *alarm = self->heap[index];
    while (index > 0 && s_before(alarm, self->heap[(index - 1) / 2])) {
        s_put(self, index, self->heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    s_put(self, index, alarm);
}

static void
s_sink(sim_agenda_t *self, size_t index)
{
    sim_alarm_t *alarm = self->heap[index];
    for (;;) {
        size_t child = index * 2 + 1;
        if (child + 1 < self->count && s_before(self->heap[child + 1], self->heap[child])) {
            child++;
        }
        if (child >= self->count || !s_before(self->heap[child], alarm)) {
            break;
        }
        s_put(self, index, self->heap[child]);
        index = child;
    }
    s_put(self, index, alarm);
}

void
sim_agenda_cancel(sim_alarm_t *alarm)
{
    if (!alarm->place) {
        return;
    }
    sim_agenda_t *self = alarm->agenda;
    size_t index = alarm->place - 1;
    sim_alarm_t *last = self->heap[--self->count];
    alarm->place = 0;
    if (last != alarm) {
        s_put(self, index, last);
        s_rise(self, index);
        s_sink(self, last->place - 1);
    }
}

void
sim_agenda_set(sim_agenda_t *self, sim_alarm_t *alarm, int64_t at_us)
{
    PR_ASSERT(alarm->ring);
    sim_agenda_cancel(alarm);
    if (self->count == self->room) {
        self->room = self->room ? self->room * 2 : 64;
        sim_alarm_t **heap = realloc((void *) self->heap, self->room * sizeof(sim_alarm_t *));
        PR_ASSERT(heap);
        self->heap = heap;
    }
    alarm->agenda = self;
    alarm->at_us = at_us > self->now_us ? at_us : self->now_us;
    alarm->order = ++self->order;
    s_put(self, self->count, alarm);
    self->count++;
    s_rise(self, self->count - 1);
}

bool
sim_agenda_step(sim_agenda_t *self, int64_t until_us)
{
    if (self->count == 0 || self->heap[0]->at_us > until_us) {
        self->now_us = until_us > self->now_us ? until_us : self->now_us;
        return false;
    }
    sim_alarm_t *alarm = self->heap[0];
    self->now_us = alarm->at_us;
    sim_agenda_cancel(alarm);
    alarm->ring(alarm);
    return true;
}
