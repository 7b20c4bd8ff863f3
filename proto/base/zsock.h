/* SPDX-License-Identifier: MIT */

/*
 * A ZeroMQ socket on our loop. The only class that knows ZeroMQ.
 *
 * Its descriptor is edge-triggered and only says "look", so the socket is drained in the turn hook,
 * up to PR_ZSOCK_TURN_MESSAGES a turn. Options before bind or connect: LINGER PR_ZSOCK_LINGER_MS,
 * ROUTER_MANDATORY 1, no HANDOVER, HWM PR_ZSOCK_HWM, MAXMSGSIZE PR_MESSAGE_BYTES_MAX. A DEALER is
 * IMMEDIATE: without a connection it takes nothing, and the loop takes a turn when there is one.
 *
 * A message of more than PR_MESSAGE_PARTS_MAX parts or PR_MESSAGE_BYTES_MAX bytes is dropped and
 * counted.
 */

#ifndef PR_ZSOCK_H
#define PR_ZSOCK_H

#include "proto/base/assert.h"
#include "proto/base/bytes.h"
#include "proto/base/loop.h"

typedef struct pr_zsock pr_zsock_t;

typedef enum { PR_ZSOCK_ROUTER, PR_ZSOCK_DEALER, PR_ZSOCK_PUB, PR_ZSOCK_SUB } pr_zsock_kind_t;

typedef struct {
    uint64_t received;
    uint64_t sent;
    uint64_t dropped; /* messages over the bounds */
    uint64_t busy;    /* sends that met the high-water mark, or no connection */
} pr_zsock_counters_t;

/* One message. On a ROUTER parts[0] is the sender's identity. Borrowed for the call. The callback
 * may send on this socket; it must not destroy it. */
typedef void (*pr_zsock_receive_t)(void *arg, const pr_str_t *parts, size_t count);

/* `identity` (DEALER; else NULL) must be unique at the peer. `receive` may be NULL on a PUB. NULL
 * when the system has no more sockets or memory. */
pr_zsock_t *
pr_zsock_new(pr_loop_t *loop,
             pr_zsock_kind_t kind,
             const char *identity,
             pr_zsock_receive_t receive,
             void *arg);

/* Closes without waiting; what was sent may still go out for PR_ZSOCK_LINGER_MS. Nulls the pointer;
 * NULL is fine. */
void
pr_zsock_destroy(pr_zsock_t **self_p);

/* `endpoint` is "ipc://PATH" (at most PR_IPC_PATH_MAX bytes of path, else PR_E_CONFIG) or
 * "tcp://…". PR_E_SYSTEM if refused, with errno's text in the log. */
PR_MUST_CHECK int
pr_zsock_bind(pr_zsock_t *self, const char *endpoint);
PR_MUST_CHECK int
pr_zsock_connect(pr_zsock_t *self, const char *endpoint);
/* SUB only: a prefix of part 0; "" is everything. */
PR_MUST_CHECK int
pr_zsock_subscribe(pr_zsock_t *self, pr_str_t prefix);

/* Sends one message of `count` parts (at most PR_MESSAGE_PARTS_MAX), copied, without blocking.
 * PR_E_BUSY at the high-water mark or without a connection, PR_E_UNREACHABLE if a ROUTER does not
 * know parts[0] or the connection broke, PR_E_NOMEM; then nothing was sent. */
PR_MUST_CHECK int
pr_zsock_send(pr_zsock_t *self, const pr_str_t *parts, size_t count);

const pr_zsock_counters_t *
pr_zsock_counters(const pr_zsock_t *self);

#endif
