/* SPDX-License-Identifier: MIT */

/*
 * How fast full documents are broadcast. A document of n bytes to n sockets costs n² bytes, so
 * polls in a storm of changes share a budget of bytes a second; a poll that keeps within its share
 * never waits.
 *
 * Fair queueing in virtual time: what a poll spends is its debt; all polls in debt pay it back at
 * the same speed, the budget divided by their number. A poll may broadcast while its debt is at
 * most a hundredth of a second's budget, so its first change goes out at once, and the last one
 * always does: the caller asks again. (Demers, Keshav and Shenker, "Analysis and simulation of a
 * fair queueing algorithm", 1989.)
 *
 * Pure: time is passed in.
 */

#ifndef GW_PACE_H
#define GW_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gw_pace gw_pace_t;
typedef struct gw_pacer gw_pacer_t;

/* A poll's account; lives inside its feed. Zero it before first use; gw_pace_forget before its
 * memory goes. The members belong to the pace. */
struct gw_pacer {
    gw_pacer_t *prev;
    gw_pacer_t *next;
    uint64_t finish; /* virtual time at which the debt is paid */
};

/* NULL when out of memory. */
gw_pace_t *
gw_pace_new(int64_t bytes_per_s, int64_t now_ms);
/* All accounts must have been forgotten. */
void
gw_pace_destroy(gw_pace_t **self_p);

/* How long until this poll may broadcast, in ms as things stand now; 0: at once. */
int64_t
gw_pace_wait_ms(gw_pace_t *self, const gw_pacer_t *pacer, int64_t now_ms);

/* The poll has broadcast so many bytes. */
void
gw_pace_spend(gw_pace_t *self, gw_pacer_t *pacer, uint64_t bytes, int64_t now_ms);

/* Takes the account out, with its debt. */
void
gw_pace_forget(gw_pace_t *self, gw_pacer_t *pacer);

/* How many polls are in debt. */
size_t
gw_pace_debtors(const gw_pace_t *self);

#endif
