/* SPDX-License-Identifier: MIT */

/* Small files, written whole or not at all, readable by their owner alone. */

#ifndef SV_FILE_H
#define SV_FILE_H

#include <stddef.h>

#include "proto/base/assert.h"
#include "proto/base/bytes.h"

/* Replaces `path` by a file with `content`, mode 0600. 0 or PR_E_SYSTEM, with errno. */
PR_MUST_CHECK int
sv_file_write(const char *path, pr_str_t content);

/* Reads at most `size` - 1 bytes and ends them by a NUL. Returns how many, or PR_E_SYSTEM, with
 * errno. */
PR_MUST_CHECK int
sv_file_read(const char *path, char *out, size_t size);

/* Fills `out` with `bytes` random bytes as hex digits and a NUL: 2 * bytes + 1 characters. */
void
sv_file_random_hex(char *out, size_t bytes);

#endif
