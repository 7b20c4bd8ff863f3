/* SPDX-License-Identifier: MIT */

#include "actors/poison.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proto/wire/limits.h"

struct ac_poison {
    char *text; /* PR_POISON_BYTES of the file; the last one stays NUL */
};

ac_poison_t *
ac_poison_new(const char *path)
{
    ac_poison_t *self = calloc(1, sizeof *self);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    void *text = MAP_FAILED;
    if (self && fd >= 0 && ftruncate(fd, PR_POISON_BYTES) == 0) {
        text = mmap(NULL, PR_POISON_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (fd >= 0) {
        (void) close(fd);
    }
    if (text == MAP_FAILED) {
        free(self);
        return NULL;
    }
    self->text = text;
    return self;
}

void
ac_poison_destroy(ac_poison_t **self_p)
{
    PR_ASSERT(self_p);
    ac_poison_t *self = *self_p;
    if (!self) {
        return;
    }
    ac_poison_leave(self);
    (void) munmap(self->text, PR_POISON_BYTES);
    free(self);
    *self_p = NULL;
}

void
ac_poison_enter(ac_poison_t *self, pr_str_t poll, const char *what)
{
    if (!self) {
        return;
    }
    PR_ASSERT(poll.len == PR_POLL_ID_LEN);
    size_t room = PR_POISON_BYTES - PR_POLL_ID_LEN - 2;
    size_t len = strnlen(what, room);
    char *at = self->text + PR_POLL_ID_LEN;
    *at++ = ' ';
    memcpy(at, what, len);
    memset(at + len, 0, room - len);
    memcpy(self->text, poll.ptr, poll.len);
    /* What follows may be the end: nothing of the above may wait for it. */
    atomic_signal_fence(memory_order_seq_cst);
}

void
ac_poison_leave(ac_poison_t *self)
{
    if (self) {
        atomic_signal_fence(memory_order_seq_cst);
        self->text[0] = '\0';
    }
}
