/* SPDX-License-Identifier: MIT */

/*
 * One pipelined connection to Redis on our loop, dialled again for ever. Nothing else in Rollcall
 * knows hiredis. Where Redis is: proto/base/redis_url.h.
 *
 *     state       | dial       | connected        | authenticated | lost, refused, silent
 *     DOWN        | CONNECTING |                  |               |
 *     CONNECTING  |            | AUTH, or READY   |               | DOWN
 *     AUTH        |            |                  | READY         | DOWN
 *     READY       |            |                  |               | DOWN
 *
 * A server that owes an answer and sends none for PR_STORE_ANSWER_MS is given up: DOWN.
 */

#ifndef AC_REDIS_H
#define AC_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "actors/redis_reply.h"
#include "proto/base/bytes.h"
#include "proto/base/loop.h"

typedef struct ac_redis ac_redis_t;

typedef struct {
    /* Connected and authenticated: ac_redis_send may be used. */
    void (*ready)(void *arg);
    /* Was ready, is not any more. All that was sent has been answered with NULL before. */
    void (*down)(void *arg);
} ac_redis_ops_t;

/* `reply` is NULL if the connection went before the answer. Each one that ac_redis_send took is
 * called exactly once, in order. */
typedef void (*ac_redis_answer_t)(void *arg, const ac_reply_t *reply);

/* Dials from the loop's next turn on. NULL when out of memory or when the url is not valid. */
ac_redis_t *
ac_redis_new(pr_loop_t *loop, const char *url, const ac_redis_ops_t *ops, void *arg);

/* Closes at once and answers all that is unanswered with NULL, without `down`. Not from within a
 * callback of this object. */
void
ac_redis_destroy(ac_redis_t **self_p);

/* Sends one command of `argc` parts; the bytes are copied. False if the connection is not ready or
 * memory ran out: `answer` will then not be called. */
bool
ac_redis_send(
    ac_redis_t *self, size_t argc, const pr_str_t *argv, ac_redis_answer_t answer, void *arg);

/* Closes the connection in the loop's next turn and dials again, not before `pause_ms`. `why` is a
 * literal for the log. */
void
ac_redis_give_up(ac_redis_t *self, const char *why, int64_t pause_ms);

bool
ac_redis_is_ready(const ac_redis_t *self);
/* Where it dials to, without user and password, for logs. */
const char *
ac_redis_where(const ac_redis_t *self);

#endif
