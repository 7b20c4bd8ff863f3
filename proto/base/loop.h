/* SPDX-License-Identifier: MIT */

/*
 * The one event loop of a process: libuv, a timer wheel and hooks that run once per turn, just
 * before the loop sleeps. What a turn gathered (events for a peer, frames for a poll) is sent from
 * there.
 */

#ifndef PR_LOOP_H
#define PR_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/wheel.h"

typedef struct pr_loop pr_loop_t;
struct uv_loop_s;

/* Returns true if it has more to do at once: the loop then does not sleep. */
typedef bool (*pr_turn_t)(void *arg);
typedef void (*pr_signal_t)(void *arg, int signum);

/* NULL when the system has no resources for it. */
pr_loop_t *
pr_loop_new(void);

/* Closes what pr_loop opened and frees it; all other handles must be closed before. NULL is
 * fine. */
void
pr_loop_destroy(pr_loop_t **self_p);

/* Runs until pr_loop_stop. */
void
pr_loop_run(pr_loop_t *self);

/* Ends pr_loop_run after the present turn. */
void
pr_loop_stop(pr_loop_t *self);

/* Runs turns until `done(arg)` or for `timeout_ms`; returns whether it was done. For tests and
 * tools. */
bool
pr_loop_run_until(pr_loop_t *self, bool (*done)(void *arg), void *arg, int64_t timeout_ms);

/* Calls `run(arg)` once in each turn, after I/O and timers, in order of `rank` (low first; equal
 * ones in order of registration). */
void
pr_loop_on_turn(pr_loop_t *self, int rank, pr_turn_t run, void *arg);
/* Takes it out again; both must match. Hooks may be added and taken out from within a hook. */
void
pr_loop_off_turn(pr_loop_t *self, pr_turn_t run, void *arg);

/* Ranks: read from peers, think, write to clients, send to peers. */
enum { PR_TURN_RECEIVE = 0, PR_TURN_THINK = 10, PR_TURN_WRITE = 20, PR_TURN_SEND = 30 };

/* Calls `handle(arg, signum)` from the loop for each `signum`, at most one handler a signal. */
int
pr_loop_on_signal(pr_loop_t *self, int signum, pr_signal_t handle, void *arg);

struct uv_loop_s *
pr_loop_uv(pr_loop_t *self);
/* Its clock is moved by the loop, every PR_WHEEL_TICK_MS. */
pr_wheel_t *
pr_loop_wheel(pr_loop_t *self);
/* Monotonic time of this turn. */
int64_t
pr_loop_now_ms(const pr_loop_t *self);

/* Arms `timer` so many milliseconds from now. */
void
pr_loop_arm(pr_loop_t *self, pr_timer_t *timer, int64_t after_ms);

#endif
