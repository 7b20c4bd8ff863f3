/* SPDX-License-Identifier: MIT */

#include "proto/base/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/clock.h"
#include "proto/wire/limits.h"

/* Rates are kept per event name in a small table; two names in one place share a rate. */
#define RATE_SLOTS 64

typedef struct {
    int64_t second;
    uint32_t lines;
    uint32_t left_out;
} rate_t;

static char s_process[32] = "-";
static pr_log_level_t s_least = PR_LOG_INFO;
static rate_t s_rates[RATE_SLOTS];
static const char *const s_level_names[] = {"debug", "info", "warn", "error"};

void
pr_log_init(const char *process, pr_log_level_t least)
{
    (void) snprintf(s_process, sizeof s_process, "%s", process);
    s_least = least;
}

pr_log_level_t
pr_log_level_from_name(const char *name)
{
    for (int i = PR_LOG_DEBUG; i <= PR_LOG_ERROR; i++) {
        if (name && strcmp(name, s_level_names[i]) == 0) {
            return (pr_log_level_t) i;
        }
    }
    return PR_LOG_INFO;
}

static rate_t *
s_rate(const char *event)
{
    uint32_t hash = 2166136261u;
    for (const char *at = event; *at; at++) {
        hash = (hash ^ (unsigned char) *at) * 16777619u;
    }
    return &s_rates[hash % RATE_SLOTS];
}

static void
s_head(char *line, size_t size, pr_log_level_t level, const char *event)
{
    int64_t now_ms = pr_clock_wall_ms();
    time_t now_s = (time_t) (now_ms / 1000);
    struct tm parts;
    (void) gmtime_r(&now_s, &parts);
    size_t len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &parts);
    (void) snprintf(line + len, size - len, ".%03dZ %s %s %s", (int) (now_ms % 1000),
                    s_level_names[level], s_process, event);
}

void
pr_log(pr_log_level_t level, const char *event, const char *format, ...)
{
    if (level < s_least) {
        return;
    }
    rate_t *rate = s_rate(event);
    int64_t second = pr_clock_mono_ms() / 1000;
    if (rate->second != second) {
        rate->second = second;
        rate->lines = 0;
    }
    if (++rate->lines > PR_LOG_LINES_PER_S) {
        rate->left_out++;
        return;
    }
    char line[1024];
    const size_t room = sizeof line - 32; /* the rest is for the end */
    s_head(line, room, level, event);
    size_t len = strlen(line);
    if (format[0] && len + 2 < room) {
        line[len++] = ' ';
        va_list args;
        va_start(args, format);
        (void) vsnprintf(line + len, room - len, format, args);
        va_end(args);
        len = strlen(line);
    }
    if (rate->left_out) {
        len += (size_t) snprintf(line + len, sizeof line - len, " left_out=%u", rate->left_out);
        rate->left_out = 0;
    }
    line[len++] = '\n';
    /* One write a line: several processes share the file. A full disk must not stop us. */
    ssize_t written = write(STDERR_FILENO, line, len);
    (void) written;
}
