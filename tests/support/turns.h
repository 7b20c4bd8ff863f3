/* SPDX-License-Identifier: MIT */

/* A loop that a test turns by hand. */

#ifndef T_TURNS_H
#define T_TURNS_H

#include <uv.h>

#include "proto/base/loop.h"

/* One turn, which waits for nothing. */
static inline void
t_loop_turn(pr_loop_t *loop)
{
    (void) uv_run(pr_loop_uv(loop), UV_RUN_NOWAIT);
}

/* Timers see that it is so much later; the loop's own time stands still. */
static inline void
t_loop_pass(pr_loop_t *loop, int64_t ms)
{
    (void) pr_wheel_advance(pr_loop_wheel(loop), pr_loop_now_ms(loop) + ms);
}

#endif
