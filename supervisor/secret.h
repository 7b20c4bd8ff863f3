/* SPDX-License-Identifier: MIT */

/*
 * The key of the tokens, in a file for the gateways: STATE/secret, made at the first start, or
 * STATE/run/secret with what the settings say. Never in a log, never in a child's arguments.
 */

#ifndef SV_SECRET_H
#define SV_SECRET_H

#include "proto/base/config.h"
#include "supervisor/paths.h"

/* The file's path goes to `out` (SV_PATH_MAX bytes). 0, or PR_E_SYSTEM or PR_E_CONFIG with one line
 * in `error`. */
PR_MUST_CHECK int
sv_secret_provide(
    const pr_config_t *config, const sv_paths_t *paths, char *out, char *error, size_t error_size);

#endif
