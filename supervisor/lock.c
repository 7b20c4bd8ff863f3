/* SPDX-License-Identifier: MIT */

#include "supervisor/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "proto/wire/error.h"

static void
s_tell_holder(int fd, const char *path, char *error, size_t error_size)
{
    char pid[16] = "";
    ssize_t len = pread(fd, pid, sizeof pid - 1, 0);
    pid[len > 0 ? len : 0] = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    (void) snprintf(error, error_size,
                    "another supervisor%s%s holds %s: stop it with rollcallctl stop, "
                    "or set ROLLCALL_STATE_DIR and PORT to others",
                    pid[0] ? ", process " : "", pid, path);
}

int
sv_lock_take(const char *path, char *error, size_t error_size)
{
    /* Never closed: closing frees the lock. Not inherited: it must die with us. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        (void) snprintf(error, error_size, "cannot open %s: %s", path, strerror(errno));
        return PR_E_SYSTEM;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            s_tell_holder(fd, path, error, error_size);
            (void) close(fd);
            return PR_E_BUSY;
        }
        (void) snprintf(error, error_size, "cannot lock %s: %s", path, strerror(errno));
        (void) close(fd);
        return PR_E_SYSTEM;
    }
    char pid[16];
    int len = snprintf(pid, sizeof pid, "%d\n", (int) getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t) len, 0) != len) {
        (void) snprintf(error, error_size, "cannot write %s: %s", path, strerror(errno));
        (void) close(fd);
        return PR_E_SYSTEM;
    }
    return 0;
}
