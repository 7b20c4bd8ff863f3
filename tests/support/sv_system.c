/* SPDX-License-Identifier: MIT */

#include "tests/support/sv_system.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/clock.h"

enum { DEADLINE_MS = 30000 };

static void
s_program(const char *name, char out[PATH_MAX])
{
    char own[PATH_MAX - 64];
    ssize_t len = readlink("/proc/self/exe", own, sizeof own - 1);
    own[len > 0 ? len : 0] = '\0';
    *strrchr(own, '/') = '\0';
    (void) snprintf(out, PATH_MAX, "%s/../bin/%s", own, name);
}

static const char *
s_module(void)
{
    static char s_path[PATH_MAX];
    const char *given = getenv("ROLLCALL_REDIS_MODULE");
    return given && *given ? given : realpath("vendor/rejson.so", s_path);
}

bool
t_sv_system_can_run(void)
{
    static const char *const s_needed[] = {"rollcall", "rollcall-supervisor", "rollcall-actors",
                                           "rollcall-gateway", "rollcallctl"};
    const char *module = s_module();
    bool found = module && access(module, X_OK) == 0;
    for (size_t i = 0; i < sizeof s_needed / sizeof s_needed[0]; i++) {
        char path[PATH_MAX];
        s_program(s_needed[i], path);
        found = found && access(path, X_OK) == 0;
    }
    return found;
}

static int
s_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool done = fd >= 0 && bind(fd, (struct sockaddr *) &address, sizeof address) == 0 &&
                getsockname(fd, (struct sockaddr *) &address, &len) == 0;
    assert_true(done);
    (void) close(fd);
    return ntohs(address.sin_port);
}

void
t_sv_system_init(t_sv_system_t *self, int gateways, int actors)
{
    *self = (t_sv_system_t) {.gateways = gateways, .actors = actors, .out_fd = -1};
    (void) snprintf(self->dir, sizeof self->dir, "/tmp/rollcall-sv-XXXXXX");
    assert_non_null(mkdtemp(self->dir));
    self->port = s_free_port();
}

static int
s_remove(const char *path, const struct stat *found, int kind, struct FTW *where)
{
    (void) found;
    (void) kind;
    (void) where;
    return remove(path);
}

/* Ends what a failed test left running: every record in the run folder. */
static void
s_kill_children(const t_sv_system_t *self)
{
    static const char *const s_names[] = {"redis", "a1", "a2", "a3", "g1", "g2", "g3", "g4"};
    for (size_t i = 0; i < sizeof s_names / sizeof s_names[0]; i++) {
        char path[128];
        char text[32] = "";
        (void) snprintf(path, sizeof path, "%s/run/%s.pid", self->dir, s_names[i]);
        FILE *record = fopen(path, "re");
        if (record && fgets(text, sizeof text, record) && strtol(text, NULL, 10) > 1) {
            (void) kill((pid_t) strtol(text, NULL, 10), SIGKILL);
        }
        if (record) {
            (void) fclose(record);
        }
    }
}

void
t_sv_system_fini(t_sv_system_t *self)
{
    if (self->pid) {
        (void) kill(self->pid, SIGKILL);
        (void) waitpid(self->pid, NULL, 0);
    }
    s_kill_children(self);
    if (self->out_fd >= 0) {
        (void) close(self->out_fd);
    }
    (void) nftw(self->dir, s_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static void
s_set(const char *name, int number)
{
    char text[16];
    (void) snprintf(text, sizeof text, "%d", number);
    (void) setenv(name, text, 1);
}

/* In the child: becomes `program` with this place's settings. */
static void
s_exec(const t_sv_system_t *self, const char *program, char *const *argv, int out_fd)
{
    char path[PATH_MAX];
    s_program(program, path);
    (void) setenv("HOST", "127.0.0.1", 1);
    (void) setenv("ROLLCALL_STATE_DIR", self->dir, 1);
    (void) setenv("ROLLCALL_REDIS_MODULE", s_module(), 1);
    (void) unsetenv("REDIS_HOST");
    (void) unsetenv("ROLLCALL_REDIS_URL");
    s_set("PORT", self->port);
    s_set("ROLLCALL_GATEWAYS", self->gateways);
    s_set("ROLLCALL_ACTORS", self->actors);
    (void) dup2(out_fd, STDOUT_FILENO);
    (void) execv(path, argv);
    _exit(127);
}

static pid_t
s_run(const t_sv_system_t *self, const char *program, char *const *argv, int *out_fd)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        s_exec(self, program, argv, fds[1]);
    }
    assert_true(pid > 0);
    (void) close(fds[1]);
    *out_fd = fds[0];
    return pid;
}

/* Reads until a line is whole, the end, or the deadline. */
static void
s_read_line(int fd, char *out, size_t size)
{
    int64_t deadline_ms = pr_clock_mono_ms() + DEADLINE_MS;
    size_t len = 0;
    out[0] = '\0';
    while (len < size - 1 && !strchr(out, '\n')) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int64_t left_ms = deadline_ms - pr_clock_mono_ms();
        if (left_ms <= 0 || poll(&ready, 1, (int) left_ms) <= 0) {
            return;
        }
        ssize_t more = read(fd, out + len, size - 1 - len);
        if (more <= 0) {
            return;
        }
        len += (size_t) more;
        out[len] = '\0';
    }
}

void
t_sv_system_start(t_sv_system_t *self)
{
    char *argv[] = {"rollcall", NULL};
    if (self->out_fd >= 0) {
        (void) close(self->out_fd);
    }
    self->pid = s_run(self, "rollcall", argv, &self->out_fd);
    s_read_line(self->out_fd, self->ready_line, sizeof self->ready_line);
    if (strncmp(self->ready_line, "Rollcall is ready: http://", 26) != 0) {
        fail_msg("no ready line but \"%s\"", self->ready_line);
    }
}

static int
s_wait(pid_t pid)
{
    int status = 0;
    assert_true(t_sv_system_wait_gone(pid, DEADLINE_MS));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int
t_sv_system_start_second(const t_sv_system_t *self, int port)
{
    char *argv[] = {"rollcall", NULL};
    int out_fd = -1;
    t_sv_system_t second = *self;
    second.port = port;
    pid_t pid = s_run(&second, "rollcall", argv, &out_fd);
    int code = s_wait(pid);
    (void) close(out_fd);
    return code;
}

void
t_sv_system_signal(const t_sv_system_t *self, int signum)
{
    assert_int_equal(kill(self->pid, signum), 0);
}

int
t_sv_system_wait_end(t_sv_system_t *self)
{
    int code = s_wait(self->pid);
    self->pid = 0;
    return code;
}

int
t_sv_system_ctl(const t_sv_system_t *self, const char *const *words, char *out, size_t size)
{
    char *argv[16] = {"rollcallctl"};
    int out_fd = -1;
    for (size_t i = 0; i < 14 && words[i]; i++) {
        argv[i + 1] = (char *) words[i];
    }
    pid_t pid = s_run(self, "rollcallctl", argv, &out_fd);
    size_t len = 0;
    ssize_t more = 1;
    while (len < size - 1 && more > 0) {
        more = read(out_fd, out + len, size - 1 - len);
        len += more > 0 ? (size_t) more : 0;
    }
    out[len] = '\0';
    (void) close(out_fd);
    return s_wait(pid);
}

json_t *
t_sv_system_status(const t_sv_system_t *self)
{
    static const char *const s_words[] = {"status", "--json", NULL};
    static char s_out[1 << 18];
    int code = t_sv_system_ctl(self, s_words, s_out, sizeof s_out);
    return code == 0 ? json_loads(s_out, 0, NULL) : NULL;
}

/* pid and state of a child; false if there was no answer. */
static bool
s_child(const t_sv_system_t *self, const char *name, pid_t *pid, char *state, size_t size)
{
    json_t *status = t_sv_system_status(self);
    size_t index = 0;
    const json_t *child = NULL;
    bool found = false;
    json_array_foreach(json_object_get(status, "children"), index, child)
    {
        if (strcmp(json_string_value(json_object_get(child, "name")), name) == 0) {
            *pid = (pid_t) json_integer_value(json_object_get(child, "pid"));
            (void) snprintf(state, size, "%s", json_string_value(json_object_get(child, "state")));
            found = true;
        }
    }
    json_decref(status);
    return found;
}

pid_t
t_sv_system_pid_of(const t_sv_system_t *self, const char *name)
{
    pid_t pid = 0;
    char state[32];
    assert_true(s_child(self, name, &pid, state, sizeof state));
    return pid;
}

pid_t
t_sv_system_wait_child(const t_sv_system_t *self,
                       const char *name,
                       const char *state,
                       pid_t former,
                       int64_t timeout_ms)
{
    int64_t deadline_ms = pr_clock_mono_ms() + timeout_ms;
    char is[32] = "";
    pid_t pid = former;
    /* Its end is an event; only what follows has to be asked for. */
    if (former) {
        (void) t_sv_system_wait_gone(former, timeout_ms);
    }
    while (pr_clock_mono_ms() < deadline_ms) {
        if (s_child(self, name, &pid, is, sizeof is) && strcmp(is, state) == 0 && pid != former) {
            return pid;
        }
    }
    fail_msg("%s is %s (process %d), not %s", name, is, (int) pid, state);
    return 0;
}

bool
t_sv_system_wait_gone(pid_t pid, int64_t timeout_ms)
{
    int fd = (int) syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) {
        return errno == ESRCH;
    }
    struct pollfd gone = {.fd = fd, .events = POLLIN};
    bool done = poll(&gone, 1, (int) timeout_ms) > 0;
    (void) close(fd);
    return done;
}
