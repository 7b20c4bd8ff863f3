/* SPDX-License-Identifier: MIT */

#include "actors/script.h"

#include "proto/base/assert.h"

#include "actors/scripts.inc"

typedef struct {
    const char *name;
    pr_str_t text;
} entry_t;

static const entry_t s_scripts[AC_SCRIPT_COUNT] = {
    [AC_SCRIPT_CREATE] = {"create", {s_create, sizeof s_create}},
    [AC_SCRIPT_CLAIM] = {"claim", {s_claim, sizeof s_claim}},
    [AC_SCRIPT_WRITE] = {"write", {s_write, sizeof s_write}},
    [AC_SCRIPT_FINISH] = {"finish", {s_finish, sizeof s_finish}},
    [AC_SCRIPT_ROSTER] = {"roster", {s_roster, sizeof s_roster}},
};

pr_str_t
ac_script_text(int script)
{
    PR_ASSERT(script >= 0 && script < AC_SCRIPT_COUNT);
    return s_scripts[script].text;
}

const char *
ac_script_name(int script)
{
    PR_ASSERT(script >= 0 && script < AC_SCRIPT_COUNT);
    return s_scripts[script].name;
}
