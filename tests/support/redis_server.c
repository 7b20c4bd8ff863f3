/* SPDX-License-Identifier: MIT */

#include "tests/support/redis_server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/buffer.h"
#include "proto/base/clock.h"

#define ARGS_MAX 48
#define START_MS 20000
#define ANSWER_S 20

struct t_redis_server {
    char folder[64];
    char socket[96];
    char url[112];
    char data[96];
    char log[96];
    char module[512];
    const char *const *more;
    pid_t pid; /* 0: does not run */
    pr_buf_t *answer;
};

/* --- the process --- */

static void
s_find_module(char *out, size_t size)
{
    const char *path = getenv("ROLLCALL_REDIS_MODULE");
    /* Tests run in the folder of the source. */
    char *whole = realpath(path && path[0] ? path : "vendor/rejson.so", NULL);
    if (!whole || access(whole, X_OK) != 0) {
        fail_msg("no RedisJSON module at %s: set ROLLCALL_REDIS_MODULE, or let ops/run fetch it "
                 "(it must be executable)",
                 path && path[0] ? path : "vendor/rejson.so");
    }
    assert_true(snprintf(out, size, "%s", whole) < (int) size);
    free(whole);
}

t_redis_server_t *
t_redis_server_new(bool with_module, const char *const *more)
{
    t_redis_server_t *self = calloc(1, sizeof *self);
    assert_non_null(self);
    (void) snprintf(self->folder, sizeof self->folder, "/tmp/rollcall-redis-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    (void) snprintf(self->socket, sizeof self->socket, "%s/redis.sock", self->folder);
    (void) snprintf(self->url, sizeof self->url, "unix:%s", self->socket);
    (void) snprintf(self->data, sizeof self->data, "%s/data", self->folder);
    (void) snprintf(self->log, sizeof self->log, "%s/log", self->folder);
    assert_int_equal(mkdir(self->data, 0700), 0);
    t_redis_server_use(self, with_module, more);
    self->answer = pr_buf_new(256);
    assert_non_null(self->answer);
    return self;
}

void
t_redis_server_use(t_redis_server_t *self, bool with_module, const char *const *more)
{
    self->module[0] = '\0';
    if (with_module) {
        s_find_module(self->module, sizeof self->module);
    }
    self->more = more;
}

static void
s_exec(const t_redis_server_t *self)
{
    /* The test may die by a signal: never leave a server behind. */
    (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
    const char *args[ARGS_MAX] = {
        "redis-server", "--port",    "0",       "--unixsocket", self->socket, "--dir",
        self->data,     "--logfile", self->log, "--appendonly", "yes",        "--appendfsync",
        "always",       "--save",    "",        "--daemonize",  "no",         "--maxmemory-policy",
        "noeviction"};
    size_t count = 19;
    if (self->module[0]) {
        args[count++] = "--loadmodule";
        args[count++] = self->module;
    }
    for (size_t i = 0; self->more && self->more[i] && count < ARGS_MAX - 1; i++) {
        args[count++] = self->more[i];
    }
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    (void) dup2(nowhere, STDIN_FILENO);
    (void) execvp(args[0], (char *const *) (uintptr_t) args);
    _exit(127);
}

void
t_redis_server_spawn(t_redis_server_t *self)
{
    assert_int_equal(self->pid, 0);
    (void) unlink(self->socket);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        s_exec(self);
    }
    self->pid = pid;
}

static int
s_connect(const t_redis_server_t *self)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void) snprintf(address.sun_path, sizeof address.sun_path, "%s", self->socket);
    struct timeval most = {.tv_sec = ANSWER_S};
    (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    if (connect(fd, (const struct sockaddr *) &address, sizeof address) != 0) {
        (void) close(fd);
        return -1;
    }
    return fd;
}

/* The last words in its log. */
static void
s_last_words(const t_redis_server_t *self, char *line, size_t size)
{
    (void) snprintf(line, size, "nothing: is redis-server installed?");
    FILE *log = fopen(self->log, "r");
    char next[512];
    while (log && fgets(next, sizeof next, log)) {
        (void) snprintf(line, size, "%s", next);
    }
    if (log) {
        (void) fclose(log);
    }
}

void
t_redis_server_kill(t_redis_server_t *self)
{
    if (self->pid > 0) {
        (void) kill(self->pid, SIGKILL);
        (void) waitpid(self->pid, NULL, 0);
        self->pid = 0;
    }
}

void
t_redis_server_pause(t_redis_server_t *self)
{
    assert_int_equal(kill(self->pid, SIGSTOP), 0);
    int status = 0;
    assert_int_equal(waitpid(self->pid, &status, WUNTRACED), self->pid);
}

void
t_redis_server_resume(t_redis_server_t *self)
{
    assert_int_equal(kill(self->pid, SIGCONT), 0);
}

static int
s_remove(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void) status;
    (void) kind;
    (void) walk;
    return remove(path);
}

void
t_redis_server_forget(t_redis_server_t *self)
{
    assert_int_equal(self->pid, 0);
    assert_int_equal(nftw(self->data, s_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
    assert_int_equal(mkdir(self->data, 0700), 0);
}

void
t_redis_server_destroy(t_redis_server_t **self_p)
{
    t_redis_server_t *self = *self_p;
    if (!self) {
        return;
    }
    t_redis_server_kill(self);
    (void) nftw(self->folder, s_remove, 16, FTW_DEPTH | FTW_PHYS);
    pr_buf_destroy(&self->answer);
    free(self);
    *self_p = NULL;
}

const char *
t_redis_server_url(const t_redis_server_t *self)
{
    return self->url;
}

void
t_redis_server_write(const t_redis_server_t *self, const char *name, const char *text)
{
    char path[128];
    (void) snprintf(path, sizeof path, "%s/%s", self->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* --- asking it --- */

static bool
s_send(int fd, const pr_buf_t *command)
{
    size_t sent = 0;
    while (sent < pr_buf_len(command)) {
        ssize_t count =
            send(fd, pr_buf_data(command) + sent, pr_buf_len(command) - sent, MSG_NOSIGNAL);
        if (count <= 0) {
            return false;
        }
        sent += (size_t) count;
    }
    return true;
}

/* One line without its end; false if it hung up or takes too long. */
static bool
s_read_line(FILE *from, char *line, size_t size)
{
    if (!fgets(line, (int) size, from)) {
        return false;
    }
    line[strcspn(line, "\r\n")] = '\0';
    return true;
}

static bool
s_read_bulk(FILE *from, long len, pr_buf_t *out)
{
    char *at = pr_buf_reserve(out, (size_t) len + 2);
    assert_non_null(at);
    bool read = fread(at, 1, (size_t) len + 2, from) == (size_t) len + 2;
    pr_buf_grow(out, (size_t) len);
    return read;
}

/* One reply, arrays flattened, as text; false as above. */
static bool
s_read_reply(FILE *from, pr_buf_t *out)
{
    long open = 1; /* replies that are still to come */
    while (open > 0) {
        char line[4096];
        if (!s_read_line(from, line, sizeof line)) {
            return false;
        }
        open--;
        long count = strtol(line + 1, NULL, 10);
        bool is_nil = count < 0 && (line[0] == '$' || line[0] == '*');
        if (line[0] == '*' && !is_nil) {
            open += count;
            continue;
        }
        if (is_nil) {
            pr_buf_append_str(out, PR_STR("(nil)"));
        } else if (line[0] != '$') {
            pr_buf_append_str(out, pr_str(line[0] == '-' ? line : line + 1));
        } else if (!s_read_bulk(from, count, out)) {
            return false;
        }
        if (open > 0) {
            pr_buf_append_byte(out, ' ');
        }
    }
    return true;
}

static void
s_format(pr_buf_t *command, va_list args)
{
    va_list again;
    va_copy(again, args);
    int64_t count = 0;
    while (va_arg(again, const char *)) {
        count++;
    }
    va_end(again);
    pr_buf_append_fmt(command, "*%d\r\n", (int) count);
    for (const char *arg = va_arg(args, const char *); arg; arg = va_arg(args, const char *)) {
        pr_buf_append_byte(command, '$');
        pr_buf_append_int(command, (int64_t) strlen(arg));
        pr_buf_append_str(command, PR_STR("\r\n"));
        pr_buf_append_str(command, pr_str(arg));
        pr_buf_append_str(command, PR_STR("\r\n"));
    }
}

/* False if nobody is there, or hangs up. */
static bool
s_try(t_redis_server_t *self, const pr_buf_t *command)
{
    int fd = s_connect(self);
    if (fd < 0) {
        return false;
    }
    FILE *from = fdopen(fd, "r");
    assert_non_null(from);
    pr_buf_clear(self->answer);
    bool answered = s_send(fd, command) && s_read_reply(from, self->answer);
    pr_buf_append_byte(self->answer, '\0');
    (void) fclose(from);
    return answered;
}

const char *
t_redis_server_ask(t_redis_server_t *self, ...)
{
    pr_buf_t *command = pr_buf_new(256);
    assert_non_null(command);
    va_list args;
    va_start(args, self);
    s_format(command, args);
    va_end(args);
    bool answered = s_try(self, command);
    pr_buf_destroy(&command);
    if (!answered) {
        char line[512];
        s_last_words(self, line, sizeof line);
        fail_msg("redis-server hung up or did not answer within %d s; it said: %s", ANSWER_S, line);
    }
    return pr_buf_data(self->answer);
}

/* --- its start --- */

static bool
s_answers(t_redis_server_t *self)
{
    pr_buf_t *command = pr_buf_new(16);
    assert_non_null(command);
    pr_buf_append_str(command, PR_STR("*1\r\n$4\r\nPING\r\n"));
    bool answered = s_try(self, command);
    pr_buf_destroy(&command);
    /* -NOAUTH, -NOPERM and the like answer, too; -LOADING does not count. */
    return answered && strncmp(pr_buf_data(self->answer), "-LOADING", 8) != 0;
}

void
t_redis_server_start(t_redis_server_t *self)
{
    t_redis_server_spawn(self);
    int64_t deadline_ms = pr_clock_mono_ms() + START_MS;
    while (!s_answers(self)) {
        int status = 0;
        if (waitpid(self->pid, &status, WNOHANG) == self->pid) {
            self->pid = 0;
            char line[512];
            s_last_words(self, line, sizeof line);
            fail_msg("redis-server ended with status %#x and said: %s", (unsigned) status, line);
        }
        assert_true(pr_clock_mono_ms() < deadline_ms);
        /* Its socket is asked again until the deadline. */
        (void) poll(NULL, 0, 5);
    }
}
