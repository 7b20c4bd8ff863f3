/* SPDX-License-Identifier: MIT */

/*
 * How the own Redis is started: its command line, its access list with the secret of this run, and
 * what its users are told. It listens on a socket in the run folder only, and writes every change
 * to disk before it answers (appendfsync always).
 */

#ifndef SV_REDIS_H
#define SV_REDIS_H

#include "proto/base/config.h"
#include "supervisor/paths.h"

typedef struct sv_redis sv_redis_t;

/*
 * Looks for the program and the module, and writes RUN/users.acl. On failure NULL and one line in
 * `error` that says what is missing and how to get it; `*result` is PR_E_CONFIG or PR_E_SYSTEM.
 */
sv_redis_t *
sv_redis_new(const pr_config_t *config,
             const sv_paths_t *paths,
             int *result,
             char *error,
             size_t error_size);
void
sv_redis_destroy(sv_redis_t **self_p);

/* For a spawn: ends with NULL, lives as long as `self`. */
char **
sv_redis_argv(sv_redis_t *self);
/* File of the unix socket. */
const char *
sv_redis_socket(const sv_redis_t *self);
const char *
sv_redis_user(const sv_redis_t *self);
const char *
sv_redis_password(const sv_redis_t *self);
/* unix:PATH?user=…&pass=…, as the actors read it. */
const char *
sv_redis_url(const sv_redis_t *self);

#endif
