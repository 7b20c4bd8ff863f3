/* SPDX-License-Identifier: MIT */

/*
 * What a child of each role is started with: program, descriptors, and the environment that
 * proto/wire/lifeline.h names. Holds the pipe whose closing tells the children that we are dead.
 */

#ifndef SV_LAUNCH_H
#define SV_LAUNCH_H

#include "supervisor/paths.h"
#include "supervisor/redis.h"
#include "supervisor/spawn.h"
#include "supervisor/spec.h"

typedef struct sv_launch sv_launch_t;

/* All borrowed for the life of the sv_launch_t. */
typedef struct {
    pr_loop_t *loop;
    const sv_paths_t *paths;
    sv_redis_t *redis;       /* NULL: a server of the operator's own */
    const char *store;       /* for ROLLCALL_STORE */
    const char *endpoint;    /* of the supervisor */
    const char *secret_file; /* key of the tokens */
    const char *config_file; /* NULL: none */
    int listen_fd;
} sv_launch_options_t;

/* NULL if the system gives no pipe or memory. */
sv_launch_t *
sv_launch_new(const sv_launch_options_t *options);
void
sv_launch_destroy(sv_launch_t **self_p);

/* Starts a process as `spec` says; see sv_process_new. */
sv_process_t *
sv_launch_run(sv_launch_t *self,
              const sv_spec_t *spec,
              const char *incarnation,
              sv_exited_t exited,
              void *arg,
              int *error);

const sv_paths_t *
sv_launch_paths(const sv_launch_t *self);

#endif
