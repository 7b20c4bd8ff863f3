/* SPDX-License-Identifier: MIT */

/* The dialling end of a link on ZeroMQ: a DEALER socket and one pr_link. It ticks and flushes
 * itself. */

#ifndef PR_DEALER_H
#define PR_DEALER_H

#include "proto/base/loop.h"
#include "proto/wire/link.h"

typedef struct pr_dealer pr_dealer_t;

/*
 * Connects to `endpoint` with the ZeroMQ identity `identity` and dials. If it is not answered
 * although connected, it connects again as "identity.2" and so on. `ops->transmit` is ignored (it
 * is the dealer's own). NULL when out of resources, or for an endpoint that can not be used. Not to
 * be destroyed from within a callback of its link; calls nobody then.
 */
pr_dealer_t *
pr_dealer_new(pr_loop_t *loop,
              const char *endpoint,
              const char *identity,
              const pr_link_self_t *me,
              const pr_link_ops_t *ops,
              void *arg);
void
pr_dealer_destroy(pr_dealer_t **self_p);

/* Its link, to send on and to ask. */
pr_link_t *
pr_dealer_link(pr_dealer_t *self);

#endif
