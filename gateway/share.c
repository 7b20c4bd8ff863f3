/* SPDX-License-Identifier: MIT */

#include "gateway/share.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proto/base/assert.h"
#include "proto/base/log.h"
#include "proto/wire/limits.h"

#define LINE_BYTES 64

/* When it was written above (ms, as much as goes in), the count below, so that both change at once;
 * 0: nobody. A cache line each: none waits for the writing of another. */
typedef struct {
    _Alignas(LINE_BYTES) _Atomic uint64_t word;
} slot_t;

#define FILE_BYTES (sizeof(slot_t) * PR_ROLE_CHILDREN_MAX)

static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "no lock that a dead process could hold");

struct gw_share {
    slot_t *slots; /* the file: what others wrote may be anything */
    int own;
    int64_t alone_until_ms;
};

/* The slot of "g3" is 2; -1 if there is none for this name. */
static int
s_slot_of(const char *name)
{
    char *end = NULL;
    long number = name[0] ? strtol(name + 1, &end, 10) : 0;
    return number >= 1 && number <= PR_ROLE_CHILDREN_MAX && !*end ? (int) number - 1 : -1;
}

static slot_t *
s_map(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return NULL;
    }
    /* It only ever grows, as others have it mapped; and has its blocks, for a disk that is full
     * later on. */
    void *slots = MAP_FAILED;
    errno = posix_fallocate(fd, 0, FILE_BYTES);
    if (errno == 0) {
        slots = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    int kept = errno;
    (void) close(fd);
    errno = kept;
    return slots == MAP_FAILED ? NULL : slots;
}

gw_share_t *
gw_share_new(const char *run_dir, const char *name)
{
    char path[PATH_MAX];
    gw_share_t *self = calloc(1, sizeof *self);
    int own = s_slot_of(name);
    int len = snprintf(path, sizeof path, "%s/shares", run_dir);
    bool named = self && own >= 0 && len > 0 && len < (int) sizeof path;
    errno = EINVAL;
    slot_t *slots = named ? s_map(path) : NULL;
    if (!slots) {
        pr_log_warn("share.none", "gateway=%s dir=\"%s\" errno=%d", name, run_dir, errno);
        free(self);
        return NULL;
    }
    self->slots = slots;
    self->own = own;
    return self;
}

void
gw_share_destroy(gw_share_t **self_p)
{
    PR_ASSERT(self_p);
    gw_share_t *self = *self_p;
    if (!self) {
        return;
    }
    gw_share_leave(self);
    (void) munmap(self->slots, FILE_BYTES);
    free(self);
    *self_p = NULL;
}

static void
s_write(gw_share_t *self, uint64_t word)
{
    atomic_store_explicit(&self->slots[self->own].word, word, memory_order_relaxed);
}

void
gw_share_show(gw_share_t *self, uint32_t count, int64_t now_ms)
{
    if (self) {
        s_write(self, (uint64_t) now_ms << 32 | count);
    }
}

void
gw_share_leave(gw_share_t *self)
{
    if (self) {
        s_write(self, 0);
    }
}

/* Our time may be older than theirs: it is that of a turn. */
static bool
s_is_fresh(uint64_t word, int64_t now_ms)
{
    uint32_t age_ms = (uint32_t) now_ms - (uint32_t) (word >> 32);
    return word != 0 && age_ms + PR_SHARE_SILENT_MS < 2 * PR_SHARE_SILENT_MS;
}

uint64_t
gw_share_below(gw_share_t *self, uint32_t count, int64_t now_ms)
{
    if (!self || now_ms < self->alone_until_ms) {
        return 0;
    }
    uint64_t slack = count / PR_SHARE_SLACK_PART;
    slack = slack > PR_SHARE_SLACK_MIN ? slack : PR_SHARE_SLACK_MIN;
    uint64_t mark = 0;
    bool is_alone = true;
    for (int i = 0; i < PR_ROLE_CHILDREN_MAX; i++) {
        uint64_t word = atomic_load_explicit(&self->slots[i].word, memory_order_relaxed);
        if (i == self->own || !s_is_fresh(word, now_ms)) {
            continue;
        }
        is_alone = false;
        uint32_t has = word & UINT32_MAX;
        if (has + slack < count) {
            mark += (1ULL << 32) + has;
        }
    }
    if (is_alone) {
        self->alone_until_ms = now_ms + PR_SHARE_LOOK_MS;
    }
    return mark;
}
