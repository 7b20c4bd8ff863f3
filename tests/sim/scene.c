/* SPDX-License-Identifier: MIT */

#include "tests/sim/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/assert.h"

sim_scene_t sim_scene;

void
sim_scene_open(uint64_t seed, bool is_traced)
{
    PR_ASSERT(!sim_scene.agenda);
    sim_scene = (sim_scene_t) {.seed = seed, .speaker = "-", .is_traced = is_traced};
    sim_scene.agenda = sim_agenda_new(1000000);
    sim_chance_init(&sim_scene.plot, seed, 1);
    sim_chance_init(&sim_scene.nature, seed, 2);
    sim_chance_init(&sim_scene.product, seed, 3);
}

void
sim_scene_close(void)
{
    sim_agenda_destroy(&sim_scene.agenda);
}

uint64_t
sim_scene_digest(void)
{
    return sim_scene.steps ^ sim_chance_next(&sim_scene.plot) ^ sim_chance_next(&sim_scene.nature) ^
           sim_chance_next(&sim_scene.product);
}

int64_t
sim_now_us(void)
{
    return sim_agenda_now_us(sim_scene.agenda);
}

int64_t
sim_now_ms(void)
{
    return sim_now_us() / SIM_MS;
}

int64_t
sim_wall_ms(void)
{
    return 1800000000000 + sim_now_ms();
}

void
sim_after(sim_alarm_t *alarm, int64_t after_us)
{
    sim_agenda_set(sim_scene.agenda, alarm, sim_now_us() + after_us);
}

void *
sim_grow(void *array, size_t count, size_t size)
{
    void *grown = realloc(array, (count + 1) * size);
    PR_ASSERT(grown);
    return grown;
}

static void
s_print(const char *kind, const char *format, va_list args)
{
    (void) printf("%10.3f %-4s %s", (double) sim_now_us() / 1e6, sim_scene.speaker, kind);
    (void) vprintf(format, args);
    (void) putchar('\n');
}

void
sim_trace(const char *format, ...)
{
    if (sim_scene.is_traced) {
        va_list args;
        va_start(args, format);
        s_print("", format, args);
        va_end(args);
    }
}

void
sim_fail(const char *format, ...)
{
    va_list args;
    if (sim_scene.is_traced) {
        va_start(args, format);
        s_print("FAILED: ", format, args);
        va_end(args);
    }
    if (!sim_scene.failure[0]) {
        va_start(args, format);
        (void) vsnprintf(sim_scene.failure, sizeof sim_scene.failure, format, args);
        va_end(args);
    }
}

bool
sim_has_failed(void)
{
    return sim_scene.failure[0] != '\0';
}
