/* SPDX-License-Identifier: MIT */

/*
 * Requests to actors that wait for their REPLY: CREATE, READ, COMMAND. Each is answered exactly
 * once, within PR_REQUEST_DEADLINE_MS. One that was in flight when its actors process died is sent
 * again, with the same bytes, once.
 */

#ifndef GW_REQUESTS_H
#define GW_REQUESTS_H

#include "proto/base/loop.h"
#include "proto/wire/message.h"

typedef struct gw_requests gw_requests_t;

/*
 * The answer to a request: a REPLY, or NULL and an error: PR_E_UNREACHABLE: it was never sent,
 * nothing came of it. PR_E_TIMEOUT: it was sent, what came of it is not known. Called exactly once,
 * from the loop.
 */
typedef void (*gw_reply_t)(void *arg, const pr_msg_reply_t *reply, int error);

/* Sends bytes of pr_event_pack to the process of that poll; 0 and its slot, or an error. */
typedef int (*gw_transmit_t)(void *arg, pr_str_t poll, pr_str_t packed, int *slot);

/* NULL when out of memory. */
gw_requests_t *
gw_requests_new(pr_loop_t *loop, gw_transmit_t transmit, void *arg);
/* Waiting ones are forgotten, without an answer. */
void
gw_requests_destroy(gw_requests_t **self_p);

/* See gw_hosts_request. 0, PR_E_BUSY past PR_REQUESTS_MAX, PR_E_NOMEM. */
PR_MUST_CHECK int
gw_requests_add(
    gw_requests_t *self, const pr_event_t *event, gw_reply_t done, void *arg, int64_t *handle);
void
gw_requests_cancel(gw_requests_t *self, int64_t handle);

/* A REPLY came. False if nobody waits for it. */
bool
gw_requests_reply(gw_requests_t *self, const pr_msg_reply_t *reply);
/* The session with that slot ended: what was in flight there has to go again. */
void
gw_requests_lost(gw_requests_t *self, int slot);
/* Sends what waits, in order, as far as it can be sent. */
void
gw_requests_flush(gw_requests_t *self);

/* Requests without an answer. */
size_t
gw_requests_count(const gw_requests_t *self);

#endif
