/* SPDX-License-Identifier: MIT */

/*
 * Asks the own Redis whether it serves: AUTH and PING over its unix socket, again and again. Quick
 * until it answers +PONG, then each second, so that a hung one is noticed as a hung child is.
 * Speaks just enough RESP for that.
 */

#ifndef SV_PROBE_H
#define SV_PROBE_H

#include "proto/base/loop.h"

typedef struct sv_probe sv_probe_t;

typedef struct {
    void (*pong)(void *arg); /* it serves */
    void (*busy)(void *arg); /* it lives, but still loads its data */
} sv_probe_ops_t;

/* Texts are copied. Idle until started. NULL when out of resources. */
sv_probe_t *
sv_probe_new(pr_loop_t *loop,
             const char *socket,
             const char *user,
             const char *password,
             const sv_probe_ops_t *ops,
             void *arg);
/* Not from within a callback. The loop must run once more before it is destroyed. */
void
sv_probe_destroy(sv_probe_t **self_p);

/* Dials until somebody answers; forgets a former connection. */
void
sv_probe_start(sv_probe_t *self);
void
sv_probe_stop(sv_probe_t *self);

#endif
