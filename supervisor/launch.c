/* SPDX-License-Identifier: MIT */

#include "supervisor/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/log.h"

/* Redis speaks little; what is beyond is kept as redis.log.1, once. */
#define REDIS_LOG_BYTES_MAX (10 << 20)

struct sv_launch {
    sv_launch_options_t options;
    int lifeline[2]; /* the children's end, our end; ours is in nobody else's hands */
};

sv_launch_t *
sv_launch_new(const sv_launch_options_t *options)
{
    sv_launch_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->options = *options;
    if (pipe2(self->lifeline, O_CLOEXEC) != 0) {
        free(self);
        return NULL;
    }
    return self;
}

void
sv_launch_destroy(sv_launch_t **self_p)
{
    PR_ASSERT(self_p);
    sv_launch_t *self = *self_p;
    if (!self) {
        return;
    }
    (void) close(self->lifeline[0]);
    (void) close(self->lifeline[1]);
    free(self);
    *self_p = NULL;
}

static int
s_open_redis_log(const sv_launch_t *self)
{
    char path[SV_PATH_MAX];
    char older[SV_PATH_MAX];
    struct stat found;
    (void) sv_paths_in_state(self->options.paths, "logs/redis.log", path);
    (void) sv_paths_in_state(self->options.paths, "logs/redis.log.1", older);
    if (stat(path, &found) == 0 && found.st_size > REDIS_LOG_BYTES_MAX) {
        (void) rename(path, older);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) {
        pr_log_warn("redis.log", "path=\"%s\" errno=%d", path, errno);
    }
    return fd;
}

/* Redis gets nothing of us: no lifeline (it must outlive us until its users are done), no secrets.
 * */
static sv_process_t *
s_run_redis(sv_launch_t *self, sv_exited_t exited, void *arg, int *error)
{
    int log_fd = s_open_redis_log(self);
    char **argv = sv_redis_argv(self->options.redis);
    sv_spawn_t what = {
        .program = argv[0],
        .argv = argv,
        .bare = true,
        .output_fd = log_fd >= 0 ? log_fd : STDERR_FILENO,
        .lifeline_fd = -1,
        .listen_fd = -1,
    };
    sv_process_t *process = sv_process_new(self->options.loop, &what, exited, arg, error);
    if (log_fd >= 0) {
        (void) close(log_fd);
    }
    return process;
}

#define TEXT_OF(number) TEXT_OF_TOO(number)
#define TEXT_OF_TOO(number) #number

static size_t
s_variables(const sv_launch_t *self,
            const sv_spec_t *spec,
            const char *incarnation,
            sv_variable_t out[])
{
    const sv_launch_options_t *options = &self->options;
    size_t count = 0;
    out[count++] = (sv_variable_t) {"ROLLCALL_CHILD", spec->name};
    out[count++] = (sv_variable_t) {"ROLLCALL_INCARNATION", incarnation};
    out[count++] = (sv_variable_t) {"ROLLCALL_SUPERVISOR", options->endpoint};
    out[count++] = (sv_variable_t) {"ROLLCALL_RUN_DIR", sv_paths_run(options->paths)};
    out[count++] = (sv_variable_t) {"ROLLCALL_LIFELINE_FD", TEXT_OF(SV_FD_LIFELINE)};
    if (options->config_file) {
        out[count++] = (sv_variable_t) {"ROLLCALL_CONFIG", options->config_file};
    }
    if (spec->role == SV_ROLE_GATEWAY) {
        out[count++] = (sv_variable_t) {"ROLLCALL_LISTEN_FD", TEXT_OF(SV_FD_LISTEN)};
        out[count++] = (sv_variable_t) {"ROLLCALL_SECRET_FILE", options->secret_file};
    } else {
        out[count++] = (sv_variable_t) {"ROLLCALL_STORE", options->store};
    }
    return count;
}

sv_process_t *
sv_launch_run(sv_launch_t *self,
              const sv_spec_t *spec,
              const char *incarnation,
              sv_exited_t exited,
              void *arg,
              int *error)
{
    if (spec->role == SV_ROLE_REDIS) {
        return s_run_redis(self, exited, arg, error);
    }
    sv_variable_t variables[12];
    char program[SV_PATH_MAX];
    (void) sv_paths_program(self->options.paths, spec->program, program);
    char *argv[] = {program, NULL};
    sv_spawn_t what = {
        .program = program,
        .argv = argv,
        .variables = variables,
        .variable_count = s_variables(self, spec, incarnation, variables),
        /* Our stdout carries the ready line and nothing else. */
        .output_fd = STDERR_FILENO,
        .lifeline_fd = self->lifeline[0],
        .listen_fd = spec->role == SV_ROLE_GATEWAY ? self->options.listen_fd : -1,
    };
    return sv_process_new(self->options.loop, &what, exited, arg, error);
}

const sv_paths_t *
sv_launch_paths(const sv_launch_t *self)
{
    return self->options.paths;
}
