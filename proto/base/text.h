/* SPDX-License-Identifier: MIT */

/* A text that somebody owns, in one piece of memory; it may hold U+0000. Freed with free(). */

#ifndef PR_TEXT_H
#define PR_TEXT_H

#include "proto/base/bytes.h"

typedef struct pr_text pr_text_t;

/* A copy of `text`, or NULL when out of memory. */
pr_text_t *
pr_text_new(pr_str_t text);

/* What it says; "" for NULL. */
pr_str_t
pr_text_str(const pr_text_t *self);

#endif
