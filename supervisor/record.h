/* SPDX-License-Identifier: MIT */

/*
 * STATE/run/NAME.pid: process id and start time of each running child, so that a supervisor that
 * comes after one that was killed finds what it left behind. The start time tells a process from a
 * later one with the same number.
 */

#ifndef SV_RECORD_H
#define SV_RECORD_H

#include "supervisor/paths.h"

/* Notes that child `name` runs as `pid`. Failures are logged. */
void
sv_record_write(const sv_paths_t *paths, const char *name, int pid);
/* It runs no more. */
void
sv_record_remove(const sv_paths_t *paths, const char *name);

/*
 * Ends what an earlier supervisor left running, and clears the run folder. First the children,
 * which notice the loss by themselves and may still have something to save, then Redis. Blocks
 * until they are gone, for a few seconds at most, so only at the start. PR_E_SYSTEM if something
 * can not be ended, with one line in `error`.
 */
PR_MUST_CHECK int
sv_record_clear(const sv_paths_t *paths, char *error, size_t error_size);

#endif
