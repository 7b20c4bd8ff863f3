/* SPDX-License-Identifier: MIT */

/*
 * Sends the clients of a gateway away one after the other, at an even pace, so that they do not all
 * come back to the others at once.
 */

#ifndef GW_DRAIN_H
#define GW_DRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/loop.h"

typedef struct {
    size_t (*count)(void *arg);                 /* clients that are here */
    void (*close_some)(void *arg, size_t most); /* so many that are not being closed yet */
    void (*done)(void *arg);                    /* the time is over, or nobody is here any more */
} gw_drain_ops_t;

/* Zeroed: not begun. */
typedef struct {
    pr_timer_t timer; /* first: the pointers are equal */
    pr_loop_t *loop;
    const gw_drain_ops_t *ops;
    void *arg;
    int64_t start_ms;
    int64_t within_ms;
    size_t total;
    size_t closed;
} gw_drain_t;

/* Begins; `done` is called from the loop. */
void
gw_drain_begin(
    gw_drain_t *self, pr_loop_t *loop, int64_t within_ms, const gw_drain_ops_t *ops, void *arg);
/* Nothing is called any more. */
void
gw_drain_end(gw_drain_t *self);

#endif
