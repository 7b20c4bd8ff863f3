/* SPDX-License-Identifier: MIT */

/*
 * A whole real Rollcall for a test of the supervisor: the built programs, a real Redis with the
 * module (ROLLCALL_REDIS_MODULE, else vendor/rejson.so), a state directory and a port of its own.
 */

#ifndef T_SV_SYSTEM_H
#define T_SV_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

typedef struct {
    char dir[64];
    int port;
    int gateways;
    int actors;
    pid_t pid;  /* of the supervisor; 0: does not run */
    int out_fd; /* its stdout */
    char ready_line[256];
} t_sv_system_t;

/* Whether programs and module are there to run it. */
bool
t_sv_system_can_run(void);

/* A fresh place; nothing runs. */
void
t_sv_system_init(t_sv_system_t *self, int gateways, int actors);
/* Kills what runs and removes the folder. */
void
t_sv_system_fini(t_sv_system_t *self);

/* Starts it and waits for the ready line; fails the test if it does not come. */
void
t_sv_system_start(t_sv_system_t *self);
/* Starts another supervisor in the same place and returns its exit code. */
int
t_sv_system_start_second(const t_sv_system_t *self, int port);
/* Sends a signal to the supervisor. Afterwards, when it ended: exit code, or -signal. */
void
t_sv_system_signal(const t_sv_system_t *self, int signum);
int
t_sv_system_wait_end(t_sv_system_t *self);

/* Runs rollcallctl; returns its exit code. `words` end with NULL. Its output goes to `out`. */
int
t_sv_system_ctl(const t_sv_system_t *self, const char *const *words, char *out, size_t size);
/* `status --json`; the caller releases it. NULL: it did not answer. */
json_t *
t_sv_system_status(const t_sv_system_t *self);
/* A child's process; 0: none. */
pid_t
t_sv_system_pid_of(const t_sv_system_t *self, const char *name);
/* Waits until the child is in `state` with another process than `former`; returns its pid. Fails
 * the test after `timeout_ms`. */
pid_t
t_sv_system_wait_child(const t_sv_system_t *self,
                       const char *name,
                       const char *state,
                       pid_t former,
                       int64_t timeout_ms);
/* Waits until that process is gone. */
bool
t_sv_system_wait_gone(pid_t pid, int64_t timeout_ms);

#endif
