/* SPDX-License-Identifier: MIT */

#include "supervisor/spawn.h"

#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#define VARIABLES_MAX 16

struct sv_process {
    uv_process_t handle;
    sv_exited_t exited; /* NULL: forgotten */
    void *arg;
};

/* --- environment: an array of "NAME=VALUE" --- */

static const char *const s_bare[] = {"PATH", "TZ", "LANG"};

static bool
s_is_name_of(const char *name, const char *entry)
{
    size_t len = strlen(name);
    return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

/* Whether the child gets this entry of our own environment. */
static bool
s_passes(const sv_spawn_t *what, const char *entry)
{
    for (size_t i = 0; i < what->variable_count; i++) {
        if (s_is_name_of(what->variables[i].name, entry)) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof s_bare / sizeof s_bare[0]; i++) {
        if (s_is_name_of(s_bare[i], entry)) {
            return true;
        }
    }
    return !what->bare;
}

/* `made` gets what has to be freed. The array borrows the rest from our own environment. */
static char **
s_environment(const sv_spawn_t *what, char *made[VARIABLES_MAX])
{
    size_t own = 0;
    while (environ[own]) {
        own++;
    }
    char **out = calloc(own + what->variable_count + 1, sizeof *out);
    size_t count = 0;
    for (size_t i = 0; out && i < own; i++) {
        if (s_passes(what, environ[i])) {
            out[count++] = environ[i];
        }
    }
    for (size_t i = 0; out && i < what->variable_count; i++) {
        const sv_variable_t *variable = &what->variables[i];
        size_t size = strlen(variable->name) + strlen(variable->value) + 2;
        made[i] = malloc(size);
        if (!made[i]) {
            free((void *) out);
            return NULL;
        }
        (void) snprintf(made[i], size, "%s=%s", variable->name, variable->value);
        out[count++] = made[i];
    }
    return out;
}

/* --- the process --- */

void
sv_spawn_inherit_nothing(void)
{
    (void) close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}

static void
s_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void
s_exit(uv_process_t *handle, int64_t code, int signum)
{
    sv_process_t *self = handle->data;
    if (self->exited) {
        self->exited(self->arg, (int) code, signum);
    }
}

static int
s_run(pr_loop_t *loop, sv_process_t *self, const sv_spawn_t *what, char **env)
{
    uv_stdio_container_t fds[SV_FD_LISTEN + 1] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = what->output_fd},
        {.flags = UV_INHERIT_FD, .data.fd = what->output_fd},
        {.flags = UV_INHERIT_FD, .data.fd = what->lifeline_fd},
        {.flags = UV_INHERIT_FD, .data.fd = what->listen_fd},
    };
    PR_ASSERT(what->listen_fd < 0 || what->lifeline_fd >= 0);
    uv_process_options_t options = {
        .exit_cb = s_exit,
        .file = what->program,
        .args = what->argv,
        .env = env,
        .flags = UV_PROCESS_DETACHED,
        .stdio = fds,
        .stdio_count = 3 + (what->lifeline_fd >= 0) + (what->listen_fd >= 0),
    };
    return uv_spawn(pr_loop_uv(loop), &self->handle, &options);
}

sv_process_t *
sv_process_new(pr_loop_t *loop, const sv_spawn_t *what, sv_exited_t exited, void *arg, int *error)
{
    PR_ASSERT(what->variable_count <= VARIABLES_MAX);
    char *made[VARIABLES_MAX] = {NULL};
    *error = UV_ENOMEM;
    sv_process_t *self = calloc(1, sizeof *self);
    char **env = s_environment(what, made);
    if (self && env) {
        self->exited = exited;
        self->arg = arg;
        *error = s_run(loop, self, what, env);
        self->handle.data = self;
        if (*error != 0) {
            /* Even a failed spawn leaves a handle that must be closed. */
            uv_close((uv_handle_t *) &self->handle, s_closed);
            self = NULL;
        }
    } else {
        free(self);
        self = NULL;
    }
    for (size_t i = 0; i < VARIABLES_MAX; i++) {
        free(made[i]);
    }
    free((void *) env);
    return self;
}

void
sv_process_destroy(sv_process_t **self_p)
{
    PR_ASSERT(self_p);
    sv_process_t *self = *self_p;
    if (!self) {
        return;
    }
    self->exited = NULL;
    uv_close((uv_handle_t *) &self->handle, s_closed);
    *self_p = NULL;
}

int
sv_process_pid(const sv_process_t *self)
{
    return self->handle.pid;
}

void
sv_process_signal(sv_process_t *self, int signum)
{
    (void) uv_process_kill(&self->handle, signum);
}
