/* SPDX-License-Identifier: MIT */

/* Questions about UTF-8 text (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF). */

#ifndef PR_UTF8_H
#define PR_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/bytes.h"

/* U+0000 is valid. */
bool
pr_utf8_is_valid(pr_str_t text);

/* Code points of valid text. */
size_t
pr_utf8_chars(pr_str_t text);

/* Length of valid text in UTF-16 units, as JavaScript counts. */
size_t
pr_utf8_utf16_units(pr_str_t text);

#endif
