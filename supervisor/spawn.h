/* SPDX-License-Identifier: MIT */

/*
 * One running process of ours: fork and exec by libuv, in a session of its own (a Ctrl-C on the
 * terminal is for the supervisor alone), with exactly the descriptors that it is given.
 */

#ifndef SV_SPAWN_H
#define SV_SPAWN_H

#include <stddef.h>

#include "proto/base/assert.h"
#include "proto/base/loop.h"

typedef struct sv_process sv_process_t;

typedef struct {
    const char *name;
    const char *value;
} sv_variable_t;

/* Where the descriptors go that a child may get. */
#define SV_FD_LIFELINE 3
#define SV_FD_LISTEN 4

typedef struct {
    const char *program; /* a path, or a name to look for in PATH */
    char **argv;         /* ends with NULL */
    const sv_variable_t *variables;
    size_t variable_count;
    bool bare;       /* besides these only PATH, TZ and LANG; else our whole environment */
    int output_fd;   /* stdout and stderr */
    int lifeline_fd; /* or -1 */
    int listen_fd;   /* or -1; only together with a lifeline */
} sv_spawn_t;

/* Keeps what we were started with to ourselves: whatever is open beyond stderr is closed in
 * children. Call it first of all. */
void
sv_spawn_inherit_nothing(void);

/* Called once when the process is gone. It may destroy the sv_process_t. */
typedef void (*sv_exited_t)(void *arg, int code, int signum);

/* NULL if it can not be started; then `*error` is libuv's code. */
sv_process_t *
sv_process_new(pr_loop_t *loop, const sv_spawn_t *what, sv_exited_t exited, void *arg, int *error);
/* Forgets the process, alive or not; `exited` is not called any more. */
void
sv_process_destroy(sv_process_t **self_p);

int
sv_process_pid(const sv_process_t *self);
/* Failures mean that it is gone: its exit follows. */
void
sv_process_signal(sv_process_t *self, int signum);

#endif
