/* SPDX-License-Identifier: MIT */

/*
 * Who is there: the actors and gateway processes of one generation, as a ROSTER message tells it.
 * The supervisor makes it, its children keep the newest. Entries are owned copies.
 *
 *     actors    [[slot, inc, endpoint, "up" | "down"]…]
 *     gateways  [[slot, inc, endpoint]…]
 *     quarantined  ["CODE99"…]
 *
 * A slot outlives its processes: "a1" is slot 1 in each of its incarnations. Between two of them it
 * is down, with an empty incarnation and endpoint, and keeps its polls.
 */

#ifndef PR_ROSTER_H
#define PR_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"
#include "proto/wire/limits.h"
#include "proto/wire/message.h"

/* Entries of each list that a roster may have; more are malformed. */
#define PR_ROSTER_ENTRIES_MAX 1024
/* Polls that may be in quarantine; the oldest is let out. */
#define PR_ROSTER_QUARANTINED_MAX 256

typedef struct pr_roster pr_roster_t;

typedef struct {
    int64_t slot;
    char inc[PR_INCARNATION_LEN + 1]; /* "" while down */
    char *endpoint;                   /* "" while down; never NULL */
    bool up;                          /* gateways: always true */
} pr_roster_entry_t;

/* An empty roster of that generation, or NULL when out of memory. */
pr_roster_t *
pr_roster_new(int64_t generation);
void
pr_roster_destroy(pr_roster_t **self_p);

/* The roster that a message holds. 0, PR_E_MALFORMED or PR_E_NOMEM; `*out` is the caller's. */
PR_MUST_CHECK int
pr_roster_decode(const pr_msg_roster_t *message, pr_roster_t **out);

/* Appends a whole ROSTER event, as pr_event_pack would. 0 or PR_E_NOMEM. */
PR_MUST_CHECK int
pr_roster_pack(const pr_roster_t *self, pr_buf_t *out);

/* Adds an entry; texts are copied, NULL counts as "". 0, PR_E_FULL, PR_E_MALFORMED (a wrong
 * incarnation, or a slot that is there already) or PR_E_NOMEM. */
PR_MUST_CHECK int
pr_roster_add_actors(
    pr_roster_t *self, int64_t slot, const char *inc, const char *endpoint, bool up);
PR_MUST_CHECK int
pr_roster_add_gateway(pr_roster_t *self, int64_t slot, const char *inc, const char *endpoint);
/* Adds a poll that no actor may touch. 0, PR_E_MALFORMED or PR_E_NOMEM. */
PR_MUST_CHECK int
pr_roster_add_quarantined(pr_roster_t *self, pr_str_t poll);

int64_t
pr_roster_generation(const pr_roster_t *self);
size_t
pr_roster_actors_count(const pr_roster_t *self);
/* For walks: index below the count. The entry lives as long as the roster is not changed. */
const pr_roster_entry_t *
pr_roster_actors_at(const pr_roster_t *self, size_t index);
size_t
pr_roster_gateway_count(const pr_roster_t *self);
const pr_roster_entry_t *
pr_roster_gateway_at(const pr_roster_t *self, size_t index);
/* The actors entry of that slot, or NULL. */
const pr_roster_entry_t *
pr_roster_actors(const pr_roster_t *self, int64_t slot);
/* Whether a gateway, or an actors process, of that incarnation is in it. */
bool
pr_roster_has_incarnation(const pr_roster_t *self, const char *inc);
bool
pr_roster_is_quarantined(const pr_roster_t *self, pr_str_t poll);

#endif
