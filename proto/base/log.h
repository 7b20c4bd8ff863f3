/* SPDX-License-Identifier: MIT */

/*
 * Log lines on stderr, one event each, as key=value:
 *     2026-11-24T07:00:00.123Z info a1 store.up ms=12 version=7.0.15
 * Events have fixed names; values are quoted where they need it. Never a token, never a user's
 * text. At most PR_LOG_LINES_PER_S lines of one event a second; the next one says how many were
 * left out.
 */

#ifndef PR_LOG_H
#define PR_LOG_H

#include "proto/base/bytes.h"

typedef enum { PR_LOG_DEBUG, PR_LOG_INFO, PR_LOG_WARN, PR_LOG_ERROR } pr_log_level_t;

/* Who speaks ("a1", "g1", "supervisor"), kept for the life of the process; and from which level
 * on. */
void
pr_log_init(const char *process, pr_log_level_t least);

/* The level of that name; PR_LOG_INFO for anything unknown. */
pr_log_level_t
pr_log_level_from_name(const char *name);

/* `event` must be a literal; `format` makes the key=value pairs, and may be "". */
__attribute__((format(printf, 3, 4))) void
pr_log(pr_log_level_t level, const char *event, const char *format, ...);

#define pr_log_debug(event, ...) pr_log(PR_LOG_DEBUG, event, __VA_ARGS__)
#define pr_log_info(event, ...) pr_log(PR_LOG_INFO, event, __VA_ARGS__)
#define pr_log_warn(event, ...) pr_log(PR_LOG_WARN, event, __VA_ARGS__)
#define pr_log_error(event, ...) pr_log(PR_LOG_ERROR, event, __VA_ARGS__)

#endif
