/* SPDX-License-Identifier: MIT */

/*
 * The only readers of clocks and of chance. Pure classes get time as an argument instead, so that
 * tests and the simulator decide what time it is.
 */

#ifndef PR_CLOCK_H
#define PR_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds of a clock that never jumps; its zero means nothing. */
int64_t
pr_clock_mono_ms(void);

/* Unix time in milliseconds. */
int64_t
pr_clock_wall_ms(void);

/* Fills `out` with random bytes fit for secrets; aborts if the kernel has none. */
void
pr_random_bytes(void *out, size_t len);

/* `len` random characters of `alphabet`, each equally likely, and a NUL: `out` has len + 1
 * bytes. */
void
pr_random_text(char *out, size_t len, const char *alphabet);

#endif
