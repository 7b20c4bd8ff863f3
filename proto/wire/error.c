/* SPDX-License-Identifier: MIT */

#include "proto/wire/error.h"

typedef struct {
    int error;
    const char *name;
    const char *text;
} row_t;

static const row_t s_rows[] = {
    {PR_OK, "ok", "Done"},
#define PR_ERROR(number, name, wire, text) {PR_E_##name, wire, text},
#include "proto/wire/errors.def"
#undef PR_ERROR
};

#define ROW_COUNT (sizeof s_rows / sizeof s_rows[0])

const char *
pr_error_name(int error)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (s_rows[i].error == error) {
            return s_rows[i].name;
        }
    }
    return "?";
}

const char *
pr_error_text(int error)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (s_rows[i].error == error) {
            return s_rows[i].text;
        }
    }
    return "Unknown error";
}

int
pr_error_from_name(pr_str_t name)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (pr_str_equal(name, pr_str(s_rows[i].name))) {
            return s_rows[i].error;
        }
    }
    return PR_E_MALFORMED;
}
