/* SPDX-License-Identifier: MIT */

/*
 * One stream to Redis over a unix socket or TCP, from dial to close; used once. Host names are
 * looked up without blocking the loop.
 */

#ifndef AC_REDIS_SOCKET_H
#define AC_REDIS_SOCKET_H

#include "proto/base/buffer.h"
#include "proto/base/loop.h"
#include "proto/base/redis_url.h"

typedef struct ac_redis_socket ac_redis_socket_t;

typedef struct {
    void (*open)(void *arg);
    /* Borrowed for the call. */
    void (*data)(void *arg, const char *data, size_t len);
    /* Refused, reset or ended; `why` is static. The last call: close it. */
    void (*lost)(void *arg, const char *why);
} ac_redis_socket_ops_t;

/* Starts to connect. If a name has several addresses, `attempt` chooses among them. No callback
 * comes from within. NULL when out of resources. */
ac_redis_socket_t *
ac_redis_socket_dial(pr_loop_t *loop,
                     const pr_redis_url_t *url,
                     unsigned attempt,
                     const ac_redis_socket_ops_t *ops,
                     void *arg);

/* Sends `data`, which must not change any more, and takes over the reference; always nulls it. Only
 * after `open`. What can not be sent ends with `lost`, which may come from within this call. */
void
ac_redis_socket_write(ac_redis_socket_t *self, pr_buf_t **data_p);

/* Closes at once; no callback comes any more. NULL is fine. Allowed in each callback. */
void
ac_redis_socket_close(ac_redis_socket_t **self_p);

#endif
