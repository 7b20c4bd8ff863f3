/* SPDX-License-Identifier: MIT */

/*
 * Loops of simulated processes, in place of proto/base/loop.c. A turn is what libuv makes of one:
 * what has come in, then the wheel's tick, then the hooks. What comes in waits in its source until
 * then; a paused loop (SIGSTOP) turns no more, and finds everything at once later.
 */

#ifndef SIM_LOOP_MODEL_H
#define SIM_LOOP_MODEL_H

#include "proto/base/loop.h"

/* The name for the trace; borrowed. */
void
sim_loop_name(pr_loop_t *self, const char *name);
const char *
sim_loop_name_of(const pr_loop_t *self);
/* Something has come in: there is a turn soon. */
void
sim_loop_wake(pr_loop_t *self);
/* A source: `take` is called at the begin of each turn. */
void
sim_loop_add_source(pr_loop_t *self, void (*take)(void *arg), void *arg);
void
sim_loop_remove_source(pr_loop_t *self, void (*take)(void *arg), void *arg);
/* Stands still from now on, or goes on. */
void
sim_loop_pause(pr_loop_t *self, bool paused);
bool
sim_loop_is_paused(const pr_loop_t *self);

#endif
