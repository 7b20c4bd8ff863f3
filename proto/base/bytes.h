/* SPDX-License-Identifier: MIT */

/* A borrowed run of bytes or of UTF-8 text: no owner, no NUL at its end. */

#ifndef PR_BYTES_H
#define PR_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct {
    const char *ptr; /* NULL: absent */
    size_t len;
} pr_str_t;

#define PR_STR(literal) ((pr_str_t) {("" literal), sizeof(literal) - 1})
#define PR_STR_NONE ((pr_str_t) {NULL, 0})
/* For printf: "%.*s", PR_STR_ARG(text). */
#define PR_STR_ARG(text) (int) (text).len, (text).ptr ? (text).ptr : ""

/* The text of a C string; NULL gives an absent one. */
static inline pr_str_t
pr_str(const char *text)
{
    return (pr_str_t) {text, text ? strlen(text) : 0};
}

static inline bool
pr_str_equal(pr_str_t a, pr_str_t b)
{
    return a.len == b.len && (a.len == 0 || (a.ptr && b.ptr && memcmp(a.ptr, b.ptr, a.len) == 0));
}

static inline bool
pr_str_starts(pr_str_t text, pr_str_t start)
{
    return text.len >= start.len && memcmp(text.ptr, start.ptr, start.len) == 0;
}

#endif
