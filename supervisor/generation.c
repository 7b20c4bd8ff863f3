/* SPDX-License-Identifier: MIT */

#include "supervisor/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/assert.h"
#include "proto/base/log.h"
#include "proto/wire/limits.h"

struct sv_generation {
    int fd;
    int64_t last;
};

static int64_t
s_read(int fd)
{
    char text[32];
    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    long long last = strtoll(text, NULL, 10);
    return last > 0 && last < PR_INTEGER_MAX ? last : 0;
}

sv_generation_t *
sv_generation_new(const char *path)
{
    sv_generation_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (self->fd < 0) {
        pr_log_warn("generation.open", "error=\"%s\"", strerror(errno));
    } else {
        self->last = s_read(self->fd);
    }
    return self;
}

void
sv_generation_destroy(sv_generation_t **self_p)
{
    PR_ASSERT(self_p);
    sv_generation_t *self = *self_p;
    if (!self) {
        return;
    }
    if (self->fd >= 0) {
        (void) close(self->fd);
    }
    free(self);
    *self_p = NULL;
}

int64_t
sv_generation_last(const sv_generation_t *self)
{
    return self->last;
}

void
sv_generation_save(sv_generation_t *self, int64_t generation)
{
    self->last = generation;
    if (self->fd < 0) {
        return;
    }
    /* Of one length, in place and without fsync: a write to the page cache does not block the loop.
     * */
    char text[32];
    int len = snprintf(text, sizeof text, "%020lld\n", (long long) generation);
    if (pwrite(self->fd, text, (size_t) len, 0) != len) {
        pr_log_warn("generation.save", "error=\"%s\"", strerror(errno));
    }
}
