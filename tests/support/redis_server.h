/* SPDX-License-Identifier: MIT */

/*
 * A real redis-server with the real RedisJSON module in a folder of its own, on a unix socket, with
 * `appendfsync always`. The module is $ROLLCALL_REDIS_MODULE, else vendor/rejson.so of the source.
 * Whatever fails here fails the test, with one line that says what is missing; nothing is skipped.
 */

#ifndef T_REDIS_SERVER_H
#define T_REDIS_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "actors/probe.h"

typedef struct t_redis_server t_redis_server_t;

/* A user with just the rights that we ask for, password "secret". */
#define T_REDIS_ACL "user poll on >secret resetkeys resetchannels -@all " AC_PROBE_RIGHTS

/* Makes the folder; does not start. `more` are further arguments, NULL at the end, or NULL. */
t_redis_server_t *
t_redis_server_new(bool with_module, const char *const *more);

/* Kills it and removes the folder. NULL is fine. */
void
t_redis_server_destroy(t_redis_server_t **self_p);

/* Starts it, on what it had saved, and waits until it answers. */
void
t_redis_server_start(t_redis_server_t *self);

/* Starts it without waiting. */
void
t_redis_server_spawn(t_redis_server_t *self);

/* kill -9, and waits for its end. Nothing if it does not run. */
void
t_redis_server_kill(t_redis_server_t *self);

/* SIGSTOP and SIGCONT. */
void
t_redis_server_pause(t_redis_server_t *self);
void
t_redis_server_resume(t_redis_server_t *self);

/* Removes what a server that does not run had saved. */
void
t_redis_server_forget(t_redis_server_t *self);

/* Other arguments from its next start on. */
void
t_redis_server_use(t_redis_server_t *self, bool with_module, const char *const *more);

/* Puts a file beside its data: what it sees as ../NAME. */
void
t_redis_server_write(const t_redis_server_t *self, const char *name, const char *text);

/* unix:PATH, as ac_store_new takes it. */
const char *
t_redis_server_url(const t_redis_server_t *self);

/*
 * Runs one command on a connection of its own, and waits. The arguments end with NULL. The answer
 * as text: numbers in digits, "(nil)", errors with a dash before them, parts of arrays with blanks
 * between. It lives until the next call.
 */
const char *
t_redis_server_ask(t_redis_server_t *self, ...) __attribute__((sentinel));

#endif
