/* SPDX-License-Identifier: MIT */

/* A short name for a lot of bytes: SHA-256, cut. For ids and revs that must come out alike
 * everywhere. */

#ifndef PR_DIGEST_H
#define PR_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/bytes.h"

/* The first 64 bits of the digest over `parts`, each with a NUL behind it, so that no other split
 * of the same bytes gives the same. */
uint64_t
pr_digest(const pr_str_t *parts, size_t count);

#endif
