/* SPDX-License-Identifier: MIT */

/*
 * A whole gateway: all classes of this folder put together, from the inherited listening socket to
 * the links to the actors. It accepts clients once it can reach all actors.
 */

#ifndef GW_GATEWAY_H
#define GW_GATEWAY_H

#include "proto/base/config.h"
#include "proto/base/loop.h"
#include "proto/wire/lifeline.h"

typedef struct gw_gateway gw_gateway_t;

/* NULL when something that it needs is missing, with a line in the log. `env` and `config` are
 * borrowed for its life. */
gw_gateway_t *
gw_gateway_new(pr_loop_t *loop, const pr_child_env_t *env, const pr_config_t *config);
/* Closes what is still open; turns the loop for that. */
void
gw_gateway_destroy(gw_gateway_t **self_p);

/* Accepts no more, closes all client sockets so that they come again elsewhere, and stops the loop
 * when they are gone, or after PR_GATEWAY_STOP_MS. */
void
gw_gateway_stop(gw_gateway_t *self, const char *why);

#endif
