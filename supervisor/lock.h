/* SPDX-License-Identifier: MIT */

/* One supervisor a state directory: a locked file that the kernel frees when we die. */

#ifndef SV_LOCK_H
#define SV_LOCK_H

#include <stddef.h>

#include "proto/base/assert.h"

/* Takes the lock file `path` for the life of the process. 0; PR_E_BUSY if another process holds
 * it, or PR_E_SYSTEM; then one line in `error`. */
PR_MUST_CHECK int
sv_lock_take(const char *path, char *error, size_t error_size);

#endif
