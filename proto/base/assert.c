/* SPDX-License-Identifier: MIT */

#include "proto/base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void
pr_assert_fail(const char *condition, const char *file, int line, const char *function)
{
    (void) fprintf(stderr, "%s:%d: %s: broken: %s\n", file, line, function, condition);
    abort();
}
