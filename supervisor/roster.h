/* SPDX-License-Identifier: MIT */

/*
 * The roster as the supervisor makes it (proto/wire/roster.h is what everybody reads): told its
 * children's states, it notices what changed, raises the generation and packs the ROSTER event once
 * for all. Pure: time is an argument.
 *
 * Polls are hashed over the actors slots that are listed. A slot that is down stays listed, so that
 * its polls wait for it; when it is FAILED, or was down for PR_SLOT_DOWN_MS, and another one is up,
 * it is left out and the others take over. Gateways are listed while they are ready.
 */

#ifndef SV_ROSTER_H
#define SV_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/bytes.h"
#include "supervisor/quarantine.h"

typedef struct sv_roster sv_roster_t;

typedef struct {
    int slot;
    const char *incarnation; /* this and the endpoint are told while up */
    const char *endpoint;
    bool up;
    bool failed;
    int64_t down_since_ms; /* meant while not up */
} sv_roster_slot_t;

/* Generations go on above `last_generation`. NULL when out of memory. */
sv_roster_t *
sv_roster_new(int64_t last_generation);
void
sv_roster_destroy(sv_roster_t **self_p);

/* Begins a new picture; add all slots, then commit. Texts are borrowed until then. */
void
sv_roster_begin(sv_roster_t *self);
void
sv_roster_add_actors(sv_roster_t *self, const sv_roster_slot_t *slot);
void
sv_roster_add_gateway(sv_roster_t *self, const sv_roster_slot_t *slot);

/* Polls that no actor may touch; borrowed until the commit. */
void
sv_roster_quarantine(sv_roster_t *self, const sv_quarantine_t *quarantine);

/* Whether the picture differs from the last one; then the generation has risen, to
 * max(last + 1, wall_ms). Time alone can change it: paint it again until sv_roster_is_settled.
 * False too when out of memory; the last picture stays. */
bool
sv_roster_commit(sv_roster_t *self, int64_t now_ms, int64_t wall_ms);

/* Whether every listed slot is up. */
bool
sv_roster_is_settled(const sv_roster_t *self);

/* Somebody was shown a roster of that generation: never fall behind it. If that is a newer one, the
 * next commit raises the generation whatever has changed. */
void
sv_roster_saw(sv_roster_t *self, int64_t generation);

int64_t
sv_roster_generation(const sv_roster_t *self);
/* The ROSTER event, packed; empty before the first commit. */
pr_str_t
sv_roster_packed(const sv_roster_t *self);

#endif
