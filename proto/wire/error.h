/* SPDX-License-Identifier: MIT */

/* Results of our functions: 0, or the negative PR_E_ code of one line of errors.def. */

#ifndef PR_ERROR_H
#define PR_ERROR_H

#include "proto/base/bytes.h"

typedef enum {
    PR_OK = 0,
#define PR_ERROR(number, name, wire, text) PR_E_##name = -(number),
#include "proto/wire/errors.def"
#undef PR_ERROR
} pr_error_t;

/* The name that travels on the wire, "ok" for 0, "?" for a number that is no error. */
const char *
pr_error_name(int error);

/* A sentence for people. */
const char *
pr_error_text(int error);

/* The error with that wire name; PR_E_MALFORMED if there is none, 0 for "ok". */
int
pr_error_from_name(pr_str_t name);

#endif
