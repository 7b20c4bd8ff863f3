/* SPDX-License-Identifier: MIT */

#include "supervisor/record.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"
#include "supervisor/file.h"

#define KILLED_WAIT_MS 5000

/* Field 22 of /proc/PID/stat, in clock ticks since the boot; -1 if there is no such process. */
static long long
s_started_at(int pid)
{
    char path[64];
    char stat[1024];
    (void) snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (sv_file_read(path, stat, sizeof stat) < 0) {
        return -1;
    }
    /* The second field, the program's name, may hold anything: count from its last bracket. */
    const char *at = strrchr(stat, ')');
    for (int field = 2; at && field < 22; field++) {
        at = strchr(at + 1, ' ');
    }
    return at ? strtoll(at + 1, NULL, 10) : -1;
}

void
sv_record_write(const sv_paths_t *paths, const char *name, int pid)
{
    char file[64];
    char path[SV_PATH_MAX];
    char content[64];
    (void) snprintf(file, sizeof file, "%s.pid", name);
    int len = snprintf(content, sizeof content, "%d %lld\n", pid, s_started_at(pid));
    FILE *out = fopen(sv_paths_in_run(paths, file, path), "we");
    /* No fsync: a record that a power failure takes is of a process that it took as well. */
    if (!out || fwrite(content, 1, (size_t) len, out) != (size_t) len) {
        pr_log_warn("record.write", "name=%s error=\"%s\"", name, strerror(errno));
    }
    if (out && fclose(out) != 0) {
        pr_log_warn("record.write", "name=%s error=\"%s\"", name, strerror(errno));
    }
}

void
sv_record_remove(const sv_paths_t *paths, const char *name)
{
    char file[64];
    char path[SV_PATH_MAX];
    (void) snprintf(file, sizeof file, "%s.pid", name);
    (void) unlink(sv_paths_in_run(paths, file, path));
}

/* --- what was left behind --- */

/* A descriptor of the process that the record file tells of, or -1: it is gone. */
static int
s_open_recorded(const char *path, int *pid)
{
    char content[64];
    if (sv_file_read(path, content, sizeof content) < 0) {
        return -1;
    }
    char *end = NULL;
    *pid = (int) strtol(content, &end, 10);
    long long started_at = strtoll(end, NULL, 10);
    if (*pid <= 1) {
        return -1;
    }
    int fd = (int) syscall(SYS_pidfd_open, *pid, 0);
    /* Asked after the descriptor was opened: now the number can not pass to another process. */
    if (fd >= 0 && s_started_at(*pid) != started_at) {
        (void) close(fd);
        return -1;
    }
    return fd;
}

/* A Redis without a record, killed between its fork and our note: it listens on our socket. */
static int
s_open_listening(const char *socket_path, int *pid)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void) snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    struct ucred peer = {0};
    socklen_t len = sizeof peer;
    bool known = connect(fd, (struct sockaddr *) &address, sizeof address) == 0 &&
                 getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid > 1;
    (void) close(fd);
    *pid = (int) peer.pid;
    return known ? (int) syscall(SYS_pidfd_open, peer.pid, 0) : -1;
}

static bool
s_wait_gone(int pidfd, int timeout_ms)
{
    struct pollfd ready = {.fd = pidfd, .events = POLLIN};
    int found = poll(&ready, 1, timeout_ms);
    return found > 0;
}

static void
s_signal(int pidfd, int signum)
{
    (void) syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0);
}

/* Asks, waits, kills, waits. Closes `pidfd`. */
static bool
s_end(int pidfd, int pid, const char *name)
{
    pr_log_info("leftover.end", "name=%s pid=%d", name, pid);
    s_signal(pidfd, SIGTERM);
    bool gone = s_wait_gone(pidfd, PR_CHILD_STOP_MS);
    if (!gone) {
        pr_log_warn("leftover.kill", "name=%s pid=%d", name, pid);
        s_signal(pidfd, SIGKILL);
        gone = s_wait_gone(pidfd, KILLED_WAIT_MS);
    }
    (void) close(pidfd);
    return gone;
}

static int
s_end_recorded(const sv_paths_t *paths, const char *file, char *error, size_t error_size)
{
    char path[SV_PATH_MAX];
    int pid = 0;
    int pidfd = s_open_recorded(sv_paths_in_run(paths, file, path), &pid);
    if (pidfd >= 0 && !s_end(pidfd, pid, file)) {
        (void) snprintf(error, error_size, "process %d (%s) of an earlier run can not be ended",
                        pid, file);
        return PR_E_SYSTEM;
    }
    (void) unlink(path);
    return 0;
}

static bool
s_ends_with(const char *name, const char *end)
{
    size_t len = strlen(name);
    return len > strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

static int
s_end_redis(const sv_paths_t *paths, char *error, size_t error_size)
{
    char path[SV_PATH_MAX];
    int pid = 0;
    int result = s_end_recorded(paths, "redis.pid", error, error_size);
    int pidfd =
        result == 0 ? s_open_listening(sv_paths_in_run(paths, "redis.sock", path), &pid) : -1;
    if (pidfd >= 0 && !s_end(pidfd, pid, "redis")) {
        (void) snprintf(error, error_size, "process %d (redis) can not be ended", pid);
        result = PR_E_SYSTEM;
    }
    return result;
}

/* Every entry of the run folder with that ending: ended if it is a record, else removed. */
static int
s_each(const sv_paths_t *paths, const char *ending, char *error, size_t error_size)
{
    DIR *dir = opendir(sv_paths_run(paths));
    if (!dir) {
        (void) snprintf(error, error_size, "%s: %s", sv_paths_run(paths), strerror(errno));
        return PR_E_SYSTEM;
    }
    int result = 0;
    const struct dirent *entry = NULL;
    while (result == 0 && (entry = readdir(dir))) {
        char path[SV_PATH_MAX];
        if (!s_ends_with(entry->d_name, ending) || strcmp(entry->d_name, "redis.pid") == 0) {
            continue;
        }
        if (strcmp(ending, ".pid") == 0) {
            result = s_end_recorded(paths, entry->d_name, error, error_size);
        } else {
            (void) unlink(sv_paths_in_run(paths, entry->d_name, path));
        }
    }
    (void) closedir(dir);
    return result;
}

int
sv_record_clear(const sv_paths_t *paths, char *error, size_t error_size)
{
    int result = s_each(paths, ".pid", error, error_size);
    if (result == 0) {
        result = s_end_redis(paths, error, error_size);
    }
    if (result == 0) {
        result = s_each(paths, ".sock", error, error_size);
    }
    if (result == 0) {
        result = s_each(paths, ".tap", error, error_size);
    }
    return result;
}
