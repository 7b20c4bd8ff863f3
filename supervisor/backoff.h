/* SPDX-License-Identifier: MIT */

/*
 * How soon a child that died is started again, and when to stop trying: 0 for one that had been
 * ready, else 100 ms·2^n ± 25 % up to 10 s; PR_CHILD_INTENSITY early deaths in
 * PR_CHILD_INTENSITY_MS are too many. Time and chance are arguments.
 */

#ifndef SV_BACKOFF_H
#define SV_BACKOFF_H

#include <stdint.h>

#include "proto/wire/limits.h"

/* Lives inside its child. */
typedef struct {
    int64_t early_ms[PR_CHILD_INTENSITY]; /* times of the last early deaths, a ring */
    uint64_t early_count;
    unsigned failures; /* deaths before READY in a row */
} sv_backoff_t;

void
sv_backoff_init(sv_backoff_t *self);

/*
 * A death at `now_ms` of a child that was ready for `ready_ms` (negative: it never was). Returns
 * the milliseconds to wait, or -1: too many early deaths, give up for now.
 */
int64_t
sv_backoff_died(sv_backoff_t *self, int64_t now_ms, int64_t ready_ms, uint32_t random);

#endif
