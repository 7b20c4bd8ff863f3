/* SPDX-License-Identifier: MIT */

/*
 * Tells of connections whose client hangs up while its request waits. libwebsockets does not: it
 * either does not read, and hears nothing, or reads and spins. The descriptors are watched in an
 * epoll set of its own, which the loop watches in turn; one that closes leaves it by itself.
 */

#ifndef GW_HANGUP_H
#define GW_HANGUP_H

#include "proto/base/assert.h"
#include "proto/base/loop.h"

typedef struct gw_hangup gw_hangup_t;

/* `gone(user)` is called from the loop. NULL when the system has no resources for it. */
gw_hangup_t *
gw_hangup_new(pr_loop_t *loop, void (*gone)(void *user));
/* Runs turns of the loop. */
void
gw_hangup_destroy(gw_hangup_t **self_p);

/* Watches a connection from now on, till it was told of once, or closes; `user` must live until
 * then. It is told of also if it hung up before; with `bytes` also when it sends something, or did
 * and that is not read. 0 or PR_E_SYSTEM. */
PR_MUST_CHECK int
gw_hangup_watch(gw_hangup_t *self, int fd, void *user, bool bytes);

/* Does so no more. */
void
gw_hangup_forget(gw_hangup_t *self, int fd);

#endif
