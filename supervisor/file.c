/* SPDX-License-Identifier: MIT */

#include "supervisor/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "proto/base/clock.h"
#include "proto/wire/error.h"

static int
s_fill(int fd, pr_str_t content)
{
    size_t done = 0;
    while (done < content.len) {
        ssize_t more = write(fd, content.ptr + done, content.len - done);
        if (more < 0 && errno != EINTR) {
            return PR_E_SYSTEM;
        }
        done += more > 0 ? (size_t) more : 0;
    }
    return fsync(fd) == 0 ? 0 : PR_E_SYSTEM;
}

int
sv_file_write(const char *path, pr_str_t content)
{
    char fresh[PATH_MAX];
    if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int) sizeof fresh) {
        errno = ENAMETOOLONG;
        return PR_E_SYSTEM;
    }
    (void) unlink(fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return PR_E_SYSTEM;
    }
    int result = s_fill(fd, content);
    if (close(fd) != 0) {
        result = PR_E_SYSTEM;
    }
    if (result == 0 && rename(fresh, path) != 0) {
        result = PR_E_SYSTEM;
    }
    return result;
}

int
sv_file_read(const char *path, char *out, size_t size)
{
    PR_ASSERT(size > 0);
    out[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return PR_E_SYSTEM;
    }
    size_t done = 0;
    ssize_t more = 1;
    while (done < size - 1 && more > 0) {
        more = read(fd, out + done, size - 1 - done);
        done += more > 0 ? (size_t) more : 0;
    }
    (void) close(fd);
    out[done] = '\0';
    return more < 0 ? PR_E_SYSTEM : (int) done;
}

void
sv_file_random_hex(char *out, size_t bytes)
{
    static const char s_digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = 0;
        pr_random_bytes(&byte, 1);
        out[2 * i] = s_digits[byte >> 4];
        out[2 * i + 1] = s_digits[byte & 15];
    }
    out[2 * bytes] = '\0';
}
