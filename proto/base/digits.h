/* SPDX-License-Identifier: MIT */

/* Numbers as texts have them: decimal digits and nothing else. Pure. */

#ifndef PR_DIGITS_H
#define PR_DIGITS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/bytes.h"

/* Reads the whole text, zeros in front of it too. False, and `*number` is as it was, if it has
 * anything but digits, or none, or is more than `most` (itself at most PR_INTEGER_MAX). */
bool
pr_digits_parse(pr_str_t text, int64_t most, int64_t *number);

#endif
