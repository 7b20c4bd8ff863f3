/* SPDX-License-Identifier: MIT */

/*
 * A child's link to its supervisor: says HELLO and READY, beats, gets the roster and orders. If the
 * supervisor can not be reached for `PR_LIFELINE_MS`, or its pipe closes (descriptor `lifeline_fd`,
 * when given), the child is told to stop: `orphaned` is called once.
 *
 * What a child is told at its start stands in the environment, set by the supervisor:
 *     ROLLCALL_CHILD          its name, "a1" or "g1"
 *     ROLLCALL_INCARNATION    16 hex digits
 *     ROLLCALL_SUPERVISOR     endpoint to dial, ipc://…
 *     ROLLCALL_RUN_DIR        folder for its own endpoints
 *     ROLLCALL_LIFELINE_FD    a pipe that closes when the supervisor dies (absent: none)
 *     ROLLCALL_LISTEN_FD      the listening socket (gateways)
 *     ROLLCALL_SECRET_FILE    file with the key of the tokens (gateways)
 *     ROLLCALL_STORE          where the store is (actors): redis://[[USER]:PASS@]HOST[:PORT] or
 *                             unix:PATH[?user=USER&pass=PASS]; %XX as in an url
 * and ROLLCALL_CONFIG, the path of the settings file, if there is one.
 */

#ifndef PR_LIFELINE_H
#define PR_LIFELINE_H

#include "proto/base/loop.h"
#include "proto/wire/message.h"

typedef struct pr_lifeline pr_lifeline_t;

/* A child without a word from its supervisor for so long stops. */
#define PR_LIFELINE_MS 60000

typedef struct {
    /* A newer roster than the last that was taken (also the first). True: it is in force, which the
     * generation in the next BEAT tells. */
    bool (*roster)(void *arg, const pr_msg_roster_t *roster);
    void (*drain)(void *arg, int64_t within_ms); /* may be NULL */
    void (*stop)(void *arg);                     /* asked to stop: exit 0 soon */
    void (*reload)(void *arg);                   /* may be NULL */
    void (*orphaned)(void *arg);                 /* the supervisor is gone: stop cleanly */
    /* Fills `out` with one msgpack map of counters, for status. May be NULL. Called each second. */
    void (*stats)(void *arg, pr_buf_t *out);
} pr_lifeline_ops_t;

/* What the environment says. All texts are "" when absent, descriptors -1. */
typedef struct {
    const char *name;
    const char *incarnation;
    const char *supervisor;
    const char *run_dir;
    const char *secret_file;
    const char *store;
    const char *config;
    int lifeline_fd;
    int listen_fd;
} pr_child_env_t;

/* Reads the environment; false if name, incarnation, supervisor or run_dir is missing. */
bool
pr_child_env_read(pr_child_env_t *env);

/* Dials. `role` is "gateway" or "actors". NULL when out of resources. */
pr_lifeline_t *
pr_lifeline_new(pr_loop_t *loop,
                const char *role,
                const pr_child_env_t *env,
                const pr_lifeline_ops_t *ops,
                void *arg);
void
pr_lifeline_destroy(pr_lifeline_t **self_p);

/* Whether there is a session with the supervisor now. */
bool
pr_lifeline_is_open(const pr_lifeline_t *self);

/* Rosters that were older than the one in force: they are ignored. */
uint64_t
pr_lifeline_old_rosters(const pr_lifeline_t *self);

/* Says READY now and after each new session with the supervisor. `tap` may be NULL. */
void
pr_lifeline_ready(pr_lifeline_t *self, const char *endpoint, const char *tap);

#endif
