/* SPDX-License-Identifier: MIT */

/* The whole supervisor: puts the pieces of this folder together and runs them until it is told to
 * end. */

#ifndef SV_SUPERVISOR_H
#define SV_SUPERVISOR_H

#include "proto/base/config.h"

/* Exit codes of every program of ours. */
enum {
    SV_EXIT_OK = 0,
    SV_EXIT_USAGE = 100,       /* wrong use or settings: starting again does not help */
    SV_EXIT_ENVIRONMENT = 111, /* the surroundings failed */
    SV_EXIT_FINAL = 125,
};

/* Runs; returns the exit code. `config_file` (NULL: none) goes on to the children. Failures are one
 * line on stderr. */
int
sv_supervisor_run(const pr_config_t *config, const char *config_file);

#endif
