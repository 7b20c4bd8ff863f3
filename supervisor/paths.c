/* SPDX-License-Identifier: MIT */

#include "supervisor/paths.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/wire/error.h"
#include "proto/wire/limits.h"

/* The longest name of a socket in the run folder: "/a32-<incarnation>-tap.sock". */
#define SOCKET_NAME_MAX (1 + 3 + 1 + PR_INCARNATION_LEN + 9)

struct sv_paths {
    char state[PATH_MAX];
    char run[PATH_MAX + 8];
    char programs[PATH_MAX];
};

/* `dir` may not be there yet, but what it lies in must be. */
static bool
s_resolve(const char *dir, char *out)
{
    if (realpath(dir, out)) {
        return true;
    }
    char copy[PATH_MAX];
    char copy_too[PATH_MAX];
    char parent[PATH_MAX];
    if (snprintf(copy, sizeof copy, "%s", dir) >= (int) sizeof copy) {
        errno = ENAMETOOLONG;
        return false;
    }
    (void) snprintf(copy_too, sizeof copy_too, "%s", copy);
    if (!realpath(dirname(copy), parent)) {
        return false;
    }
    const char *last = basename(copy_too);
    const char *between = strcmp(parent, "/") == 0 ? "" : "/";
    return snprintf(out, PATH_MAX, "%s%s%s", parent, between, last) < PATH_MAX;
}

static void
s_find_programs(char *out)
{
    ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - 1);
    out[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(out, '/');
    if (slash) {
        *slash = '\0';
    } else {
        (void) snprintf(out, PATH_MAX, ".");
    }
}

sv_paths_t *
sv_paths_new(const char *state_dir, char *error, size_t error_size)
{
    sv_paths_t *self = calloc(1, sizeof *self);
    if (!self) {
        (void) snprintf(error, error_size, "out of memory");
        return NULL;
    }
    if (!s_resolve(state_dir, self->state)) {
        (void) snprintf(error, error_size, "state directory %s: %s", state_dir, strerror(errno));
        free(self);
        return NULL;
    }
    (void) snprintf(self->run, sizeof self->run, "%s/run", self->state);
    s_find_programs(self->programs);
    if (strlen(self->run) + SOCKET_NAME_MAX > PR_IPC_PATH_MAX) {
        (void) snprintf(error, error_size,
                        "the path of the state directory is too long for sockets: "
                        "set ROLLCALL_STATE_DIR to one of at most %d characters",
                        PR_IPC_PATH_MAX - SOCKET_NAME_MAX - 4);
        free(self);
        return NULL;
    }
    return self;
}

void
sv_paths_destroy(sv_paths_t **self_p)
{
    PR_ASSERT(self_p);
    free(*self_p);
    *self_p = NULL;
}

static int
s_make(const char *dir, char *error, size_t error_size)
{
    struct stat found;
    if (mkdir(dir, 0700) == 0) {
        return 0;
    }
    if (errno == EEXIST && stat(dir, &found) == 0 && S_ISDIR(found.st_mode)) {
        /* Whoever can open the sockets in it gives orders. */
        if (chmod(dir, 0700) == 0) {
            return 0;
        }
    }
    (void) snprintf(error, error_size, "cannot use folder %s: %s", dir, strerror(errno));
    return PR_E_SYSTEM;
}

int
sv_paths_make(const sv_paths_t *self, char *error, size_t error_size)
{
    char path[SV_PATH_MAX];
    int result = s_make(self->state, error, error_size);
    if (result == 0) {
        result = s_make(self->run, error, error_size);
    }
    if (result == 0) {
        result = s_make(sv_paths_in_state(self, "redis", path), error, error_size);
    }
    if (result == 0) {
        result = s_make(sv_paths_in_state(self, "logs", path), error, error_size);
    }
    return result;
}

const char *
sv_paths_state(const sv_paths_t *self)
{
    return self->state;
}

const char *
sv_paths_run(const sv_paths_t *self)
{
    return self->run;
}

static const char *
s_join(const char *start, const char *dir, const char *name, char *out)
{
    int len = snprintf(out, SV_PATH_MAX, "%s%s/%s", start, dir, name);
    /* A cut path would name another file; an empty one names none. */
    if (len < 0 || len >= SV_PATH_MAX) {
        out[0] = '\0';
    }
    return out;
}

const char *
sv_paths_in_run(const sv_paths_t *self, const char *name, char *out)
{
    return s_join("", self->run, name, out);
}

const char *
sv_paths_in_state(const sv_paths_t *self, const char *name, char *out)
{
    return s_join("", self->state, name, out);
}

const char *
sv_paths_program(const sv_paths_t *self, const char *name, char *out)
{
    return s_join("", self->programs, name, out);
}

const char *
sv_paths_endpoint(const sv_paths_t *self, const char *name, char *out)
{
    return s_join("ipc://", self->run, name, out);
}
