/* SPDX-License-Identifier: MIT */

/*
 * Looks at msgpack bytes before they are decoded, since msgpack-c believes what they claim: five
 * bytes can make it ask for gigabytes. Allocates nothing.
 */

#ifndef PR_MSGPACK_SCAN_H
#define PR_MSGPACK_SCAN_H

#include <stdbool.h>

#include "proto/base/bytes.h"

/* Whether `bytes` are exactly one value, nested at most PR_MSGPACK_DEPTH_MAX deep, each claimed
 * length and count within the bytes that are there. */
bool
pr_msgpack_is_sound(pr_str_t bytes);

#endif
