/* SPDX-License-Identifier: MIT */

/* The Lua of actors/scripts/, built in. */

#ifndef AC_SCRIPT_H
#define AC_SCRIPT_H

#include "actors/request.h"

/* Beside those that actors ask for: the shared roster's. */
enum { AC_SCRIPT_ROSTER = AC_SCRIPT_FINISH + 1, AC_SCRIPT_COUNT };

/* SHA-1 in hex as the server computes it, and a NUL; "" until loaded. */
typedef struct {
    char sha[AC_SCRIPT_COUNT][41];
} ac_script_shas_t;

/* Its text. `script` is below AC_SCRIPT_COUNT. */
pr_str_t
ac_script_text(int script);

/* "create", "claim" … */
const char *
ac_script_name(int script);

#endif
