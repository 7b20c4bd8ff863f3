/* SPDX-License-Identifier: MIT */

/*
 * Polls that make actors crash. A child that died by a core signal, or was killed because it hung,
 * may have left the name of the poll that it had in its hands (actors/poison.h). Two such deaths on
 * one poll within PR_POISON_MS, and the poll goes into quarantine: the ROSTER lists it, and actors
 * answer `unavailable` for it, so that all others are served. It stays there until somebody lets it
 * out: a file keeps the list, a code in each line. Time is an argument.
 */

#ifndef SV_QUARANTINE_H
#define SV_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/bytes.h"

typedef struct sv_quarantine sv_quarantine_t;

/* With the polls that the file `path` has; whatever else is in it is left out. No path: it is not
 * kept. NULL when out of memory. */
sv_quarantine_t *
sv_quarantine_new(const char *path);
void
sv_quarantine_destroy(sv_quarantine_t **self_p);

/* A child died with this poll in its hands. True: the poll is in quarantine from now on. */
bool
sv_quarantine_blame(sv_quarantine_t *self, pr_str_t poll, int64_t now_ms);

/* The same for what the dead child `name` left in the file `path`, which may name nobody. */
bool
sv_quarantine_examine(sv_quarantine_t *self, const char *path, const char *name, int64_t now_ms);

/* Lets a poll out. False: it is not in it. */
bool
sv_quarantine_release(sv_quarantine_t *self, pr_str_t poll);

/* The polls in it; for walks: index below the count. */
size_t
sv_quarantine_count(const sv_quarantine_t *self);
pr_str_t
sv_quarantine_at(const sv_quarantine_t *self, size_t index);

#endif
