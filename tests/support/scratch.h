/* SPDX-License-Identifier: MIT */

/* A folder of a test's own, with a short path so that ipc endpoints fit. */

#ifndef T_SCRATCH_H
#define T_SCRATCH_H

#include <stddef.h>

/* Its path; made at the first call, removed with its files at exit. */
const char *
t_scratch(void);

/* "ipc://FOLDER/name" into `out`. */
void
t_scratch_endpoint(const char *name, char *out, size_t size);

#endif
