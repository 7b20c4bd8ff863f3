/* SPDX-License-Identifier: MIT */

/*
 * Where everything of one instance lives, as absolute paths:
 *     STATE/lock, secret, generation     STATE/run/ sockets, pid records, secrets of this run
 *     STATE/redis/ the polls             STATE/logs/redis.log
 */

#ifndef SV_PATHS_H
#define SV_PATHS_H

#include <stddef.h>

#include "proto/base/assert.h"

#define SV_PATH_MAX 4096

typedef struct sv_paths sv_paths_t;

/*
 * Names the paths of the instance in `state_dir` without touching them. On failure NULL and one
 * line in `error`: too long for a socket (see PR_IPC_PATH_MAX), no such parent.
 */
sv_paths_t *
sv_paths_new(const char *state_dir, char *error, size_t error_size);
void
sv_paths_destroy(sv_paths_t **self_p);

/* Makes the folders, 0700. 0, or PR_E_SYSTEM with one line in `error`. */
PR_MUST_CHECK int
sv_paths_make(const sv_paths_t *self, char *error, size_t error_size);

const char *
sv_paths_state(const sv_paths_t *self);
const char *
sv_paths_run(const sv_paths_t *self);
/* STATE/run/NAME and STATE/NAME, in `out` of SV_PATH_MAX bytes; returns `out`. */
const char *
sv_paths_in_run(const sv_paths_t *self, const char *name, char *out);
const char *
sv_paths_in_state(const sv_paths_t *self, const char *name, char *out);
/* The file `name` beside our own program. */
const char *
sv_paths_program(const sv_paths_t *self, const char *name, char *out);
/* "ipc://STATE/run/NAME". */
const char *
sv_paths_endpoint(const sv_paths_t *self, const char *name, char *out);

#endif
