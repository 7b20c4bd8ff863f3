/* SPDX-License-Identifier: MIT */

#include "supervisor/redis.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "supervisor/file.h"

#define USER "poll"
#define PASSWORD_BYTES 32
#define ARGS_MAX 32
/* Less free space is worth a warning: a full disk stops every save. */
#define FREE_BYTES_WARN (256ull << 20)

/* What the actors' scripts need and nothing more; JSON.* is in no category of Redis. */
#define RIGHTS                                                                                     \
    "resetkeys resetchannels ~polls:* ~own:{polls:*} ~probe:* ~roster -@all "                      \
    "+json.get +json.set +json.merge +json.del +get +set +exists +unlink +pexpireat +pttl +time "  \
    "+eval +evalsha +script|load +ping +auth +info +role +module|list +client|setname"

struct sv_redis {
    char *argv[ARGS_MAX];
    size_t argc;
    char socket[SV_PATH_MAX];
    char password[2 * PASSWORD_BYTES + 1];
    char url[3 * SV_PATH_MAX];
};

static bool
s_is_program(const char *path)
{
    return access(path, X_OK) == 0;
}

/* Looks as execvp would, to speak up before it fails. */
static bool
s_is_on_path(const char *program)
{
    if (strchr(program, '/')) {
        return s_is_program(program);
    }
    const char *at = getenv("PATH");
    while (at && *at) {
        size_t len = strcspn(at, ":");
        char path[SV_PATH_MAX];
        int made = snprintf(path, sizeof path, "%.*s/%s", (int) len, at, program);
        if (made > 0 && made < (int) sizeof path && s_is_program(path)) {
            return true;
        }
        at += at[len] ? len + 1 : len;
    }
    return false;
}

static int
s_check(const pr_config_t *config, char *error, size_t error_size)
{
    const char *program = pr_config_text(config, PR_SET_REDIS_SERVER);
    const char *module = pr_config_text(config, PR_SET_REDIS_MODULE);
    if (!s_is_on_path(program)) {
        (void) snprintf(error, error_size,
                        "there is no program %s: install the package redis-server, "
                        "or set REDIS_HOST to a server of your own",
                        program);
        return PR_E_CONFIG;
    }
    if (!*module) {
        (void) snprintf(
            error, error_size,
            "redis.module is not set: start by ops/run, or set ROLLCALL_REDIS_MODULE to "
            "the file of the RedisJSON module, or REDIS_HOST to a server of your own");
        return PR_E_CONFIG;
    }
    /* Redis loads no module without the x bit. */
    if (access(module, R_OK | X_OK) != 0) {
        (void) snprintf(error, error_size,
                        "redis.module %s: %s; it must be readable and executable (chmod 755)",
                        module, strerror(errno));
        return PR_E_CONFIG;
    }
    return 0;
}

static void
s_warn_of_full_disk(const char *dir)
{
    struct statvfs found;
    if (statvfs(dir, &found) != 0) {
        return;
    }
    unsigned long long free_bytes = (unsigned long long) found.f_bavail * found.f_frsize;
    if (free_bytes < FREE_BYTES_WARN) {
        pr_log_warn("disk.low", "dir=\"%s\" free_mib=%llu", dir, free_bytes >> 20);
    }
}

static int
s_write_acl(const sv_redis_t *self, const char *path, char *error, size_t error_size)
{
    char acl[1024];
    /* Nobody can be the default user, but Redis is while it replays its file: without rights it
     * would leave out what a MULTI holds, and so every script, without a word. */
    int len =
        snprintf(acl, sizeof acl, "user default off ~* &* +@all\nuser " USER " on >%s " RIGHTS "\n",
                 self->password);
    PR_ASSERT(len > 0 && len < (int) sizeof acl);
    int result = sv_file_write(path, (pr_str_t) {acl, (size_t) len});
    if (result != 0) {
        (void) snprintf(error, error_size, "cannot write %s: %s", path, strerror(errno));
    }
    return result;
}

/* The path's bytes that mean something in an url go as %XX. */
static void
s_make_url(sv_redis_t *self)
{
    static const char s_plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
    char path[2 * SV_PATH_MAX];
    size_t len = 0;
    for (const char *at = self->socket; *at && len + 4 < sizeof path; at++) {
        unsigned char byte = (unsigned char) *at;
        int more = strchr(s_plain, byte) ? snprintf(path + len, sizeof path - len, "%c", byte)
                                         : snprintf(path + len, sizeof path - len, "%%%02X", byte);
        len += (size_t) more;
    }
    path[len] = '\0';
    (void) snprintf(self->url, sizeof self->url, "unix:%s?user=" USER "&pass=%s", path,
                    self->password);
}

static bool
s_push(sv_redis_t *self, const char *text)
{
    PR_ASSERT(self->argc < ARGS_MAX - 1);
    self->argv[self->argc] = strdup(text);
    return self->argv[self->argc++] != NULL;
}

static bool
s_make_argv(sv_redis_t *self, const pr_config_t *config, const sv_paths_t *paths, const char *acl)
{
    char data[SV_PATH_MAX];
    const char *const args[] = {
        pr_config_text(config, PR_SET_REDIS_SERVER),
        "--port",
        "0",
        "--unixsocket",
        self->socket,
        "--unixsocketperm",
        "700",
        "--dir",
        sv_paths_in_state(paths, "redis", data),
        "--loadmodule",
        pr_config_text(config, PR_SET_REDIS_MODULE),
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--save",
        "",
        "--maxmemory-policy",
        "noeviction",
        "--daemonize",
        "no",
        "--repl-diskless-sync-delay",
        "0",
        "--aclfile",
        acl,
    };
    bool done = true;
    for (size_t i = 0; i < sizeof args / sizeof args[0]; i++) {
        done = done && s_push(self, args[i]);
    }
    return done;
}

sv_redis_t *
sv_redis_new(
    const pr_config_t *config, const sv_paths_t *paths, int *result, char *error, size_t error_size)
{
    *result = s_check(config, error, error_size);
    if (*result != 0) {
        return NULL;
    }
    char path[SV_PATH_MAX];
    s_warn_of_full_disk(sv_paths_in_state(paths, "redis", path));
    sv_redis_t *self = calloc(1, sizeof *self);
    (void) sv_paths_in_run(paths, "users.acl", path);
    if (self) {
        (void) sv_paths_in_run(paths, "redis.sock", self->socket);
        sv_file_random_hex(self->password, PASSWORD_BYTES);
        s_make_url(self);
    }
    if (!self || !s_make_argv(self, config, paths, path)) {
        (void) snprintf(error, error_size, "out of memory");
        *result = PR_E_SYSTEM;
        sv_redis_destroy(&self);
        return NULL;
    }
    *result = s_write_acl(self, path, error, error_size);
    if (*result != 0) {
        sv_redis_destroy(&self);
    }
    return self;
}

void
sv_redis_destroy(sv_redis_t **self_p)
{
    PR_ASSERT(self_p);
    sv_redis_t *self = *self_p;
    if (!self) {
        return;
    }
    for (size_t i = 0; i < self->argc; i++) {
        free(self->argv[i]);
    }
    free(self);
    *self_p = NULL;
}

char **
sv_redis_argv(sv_redis_t *self)
{
    return self->argv;
}

const char *
sv_redis_socket(const sv_redis_t *self)
{
    return self->socket;
}

const char *
sv_redis_user(const sv_redis_t *self)
{
    (void) self;
    return USER;
}

const char *
sv_redis_password(const sv_redis_t *self)
{
    return self->password;
}

const char *
sv_redis_url(const sv_redis_t *self)
{
    return self->url;
}
