/* SPDX-License-Identifier: MIT */

/* RFC 7396 on jansson values, and their canonical text. */

#ifndef SIM_MERGE_H
#define SIM_MERGE_H

#include <jansson.h>
#include <stdbool.h>

/* `target` (may be NULL) after `patch`; a new reference. `target` itself is not changed. */
json_t *
sim_merge(const json_t *target, const json_t *patch);

/* Whether two values are the same state; the order of members is none. */
bool
sim_same(const json_t *a, const json_t *b);

#endif
