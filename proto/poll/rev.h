/* SPDX-License-Identifier: MIT */

/*
 * The revision of a poll's document: "<version>-<chain>". The version rises by one with every saved
 * batch; the chain is a hash over everything that led here, so that equal revs mean equal documents
 * even after a store has gone back in time and another history grew to the same version.
 */

#ifndef PR_REV_H
#define PR_REV_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/wire/limits.h"

typedef struct {
    int64_t version; /* 0: no document yet */
    uint64_t chain;
} pr_rev_t;

/* Room for a formatted rev and its NUL. */
typedef struct {
    char text[PR_REV_LEN_MAX + 1];
} pr_rev_text_t;

/* False if `text` is not a rev. */
bool
pr_rev_parse(pr_str_t text, pr_rev_t *rev);
pr_rev_text_t
pr_rev_format(pr_rev_t rev);
bool
pr_rev_equal(pr_rev_t a, pr_rev_t b);

/* The rev after `previous`, for the change `patch` (the stored JSON before version and rev are
 * added to it) made by the owner with `token`. Depends on nothing else. */
pr_rev_t
pr_rev_next(pr_rev_t previous, pr_str_t token, pr_str_t patch);

#endif
