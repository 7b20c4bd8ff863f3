/* SPDX-License-Identifier: MIT */

/*
 * What the product asks of the system beside its loop: the clock, chance, the log and the fault
 * points. In place of proto/base/clock.c, log.c and fault.c.
 */

#include <stdio.h>
#include <string.h>

#include "proto/base/assert.h"
#include "proto/base/clock.h"
#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "tests/sim/scene.h"

/* --- clock and chance --- */

int64_t
pr_clock_mono_ms(void)
{
    return sim_now_ms();
}

int64_t
pr_clock_wall_ms(void)
{
    return sim_wall_ms();
}

void
pr_random_bytes(void *out, size_t len)
{
    unsigned char *bytes = out;
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (unsigned char) sim_chance_next(&sim_scene.product);
    }
}

void
pr_random_text(char *out, size_t len, const char *alphabet)
{
    int64_t letters = (int64_t) strlen(alphabet);
    for (size_t i = 0; i < len; i++) {
        out[i] = alphabet[sim_chance_below(&sim_scene.product, letters)];
    }
    out[len] = '\0';
}

/* --- log --- */

void
pr_log_init(const char *process, pr_log_level_t least)
{
    (void) process;
    (void) least;
}

pr_log_level_t
pr_log_level_from_name(const char *name)
{
    (void) name;
    return PR_LOG_INFO;
}

/* Whatever a process calls an error is a mistake of ours: nothing in this world deserves one. */
void
pr_log(pr_log_level_t level, const char *event, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (level != PR_LOG_ERROR && !sim_scene.is_traced) {
        return;
    }
    char text[512];
    va_list args;
    va_start(args, format);
    (void) vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (level == PR_LOG_ERROR) {
        sim_fail("%s logs an error: %s %s", sim_scene.speaker, event, text);
    } else {
        sim_trace("  log %s %s %s", names[level], event, text);
    }
}

/* --- planted bugs --- */

static const char *s_planted;

void
sim_plant(const char *name)
{
    s_planted = name;
}

bool
pr_fault_hit(const char *name)
{
    return s_planted && strcmp(s_planted, name) == 0;
}
