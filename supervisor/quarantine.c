/* SPDX-License-Identifier: MIT */

#include "supervisor/quarantine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/log.h"
#include "proto/poll/ids.h"
#include "proto/wire/limits.h"
#include "proto/wire/roster.h"
#include "supervisor/file.h"

/* Of the file: a code and the end of the line. */
#define LINE_LEN (PR_POLL_ID_LEN + 1)

typedef struct {
    char poll[PR_POLL_ID_LEN + 1]; /* "": free */
    int64_t at_ms;                 /* of the last death */
} suspect_t;

struct sv_quarantine {
    suspect_t suspects[PR_POISON_SUSPECTS_MAX];
    char polls[PR_ROSTER_QUARANTINED_MAX][PR_POLL_ID_LEN + 1];
    size_t count;
    char *path; /* NULL: it is not kept */
};

void
sv_quarantine_destroy(sv_quarantine_t **self_p)
{
    PR_ASSERT(self_p);
    sv_quarantine_t *self = *self_p;
    if (!self) {
        return;
    }
    free(self->path);
    free(self);
    *self_p = NULL;
}

/* The suspect of that name, else a place for it: a free one, or that of the oldest. */
static suspect_t *
s_suspect(sv_quarantine_t *self, pr_str_t poll)
{
    suspect_t *oldest = &self->suspects[0];
    for (size_t i = 0; i < PR_POISON_SUSPECTS_MAX; i++) {
        suspect_t *suspect = &self->suspects[i];
        if (pr_str_equal(pr_str(suspect->poll), poll)) {
            return suspect;
        }
        if (oldest->poll[0] && (!suspect->poll[0] || suspect->at_ms < oldest->at_ms)) {
            oldest = suspect;
        }
    }
    oldest->poll[0] = '\0';
    return oldest;
}

/* Its index; the count if it is not in. */
static size_t
s_find(const sv_quarantine_t *self, pr_str_t poll)
{
    size_t i = 0;
    while (i < self->count && !pr_str_equal(sv_quarantine_at(self, i), poll)) {
        i++;
    }
    return i;
}

static void
s_remove(sv_quarantine_t *self, size_t index)
{
    self->count--;
    memmove(self->polls[index], self->polls[index + 1],
            (self->count - index) * sizeof self->polls[0]);
}

static void
s_add(sv_quarantine_t *self, pr_str_t poll)
{
    if (self->count == PR_ROSTER_QUARANTINED_MAX) {
        pr_log_warn("quarantine.full", "out=%s", self->polls[0]);
        s_remove(self, 0);
    }
    memcpy(self->polls[self->count], poll.ptr, poll.len);
    self->polls[self->count][poll.len] = '\0';
    self->count++;
}

/* --- the file --- */

/* It comes and goes so seldom that the loop may wait for the disk. */
static void
s_save(const sv_quarantine_t *self)
{
    char text[PR_ROSTER_QUARANTINED_MAX * LINE_LEN];
    for (size_t i = 0; i < self->count; i++) {
        memcpy(text + i * LINE_LEN, self->polls[i], PR_POLL_ID_LEN);
        text[i * LINE_LEN + PR_POLL_ID_LEN] = '\n';
    }
    if (self->path && sv_file_write(self->path, (pr_str_t) {text, self->count * LINE_LEN}) != 0) {
        pr_log_warn("quarantine.save", "error=\"%s\"", strerror(errno));
    }
}

static void
s_load(sv_quarantine_t *self)
{
    char text[PR_ROSTER_QUARANTINED_MAX * LINE_LEN + 1];
    int len = sv_file_read(self->path, text, sizeof text);
    const char *end = text + (len > 0 ? len : 0);
    for (const char *at = text; at < end;) {
        const char *stop = memchr(at, '\n', (size_t) (end - at));
        pr_str_t line = {at, (size_t) ((stop ? stop : end) - at)};
        if (pr_id_is_poll(line) && s_find(self, line) == self->count) {
            s_add(self, line);
        }
        at += line.len + 1;
    }
    if (self->count > 0) {
        pr_log_warn("quarantine.kept", "polls=%zu", self->count);
    }
}

sv_quarantine_t *
sv_quarantine_new(const char *path)
{
    sv_quarantine_t *self = calloc(1, sizeof *self);
    if (self && path) {
        self->path = strdup(path);
        if (!self->path) {
            sv_quarantine_destroy(&self);
            return NULL;
        }
        s_load(self);
    }
    return self;
}

/* --- in and out --- */

bool
sv_quarantine_release(sv_quarantine_t *self, pr_str_t poll)
{
    size_t index = s_find(self, poll);
    if (index == self->count) {
        return false;
    }
    s_remove(self, index);
    s_save(self);
    return true;
}

bool
sv_quarantine_blame(sv_quarantine_t *self, pr_str_t poll, int64_t now_ms)
{
    PR_ASSERT(poll.len == PR_POLL_ID_LEN);
    if (s_find(self, poll) < self->count) {
        return false;
    }
    suspect_t *suspect = s_suspect(self, poll);
    bool again = suspect->poll[0] && now_ms - suspect->at_ms <= PR_POISON_MS;
    if (again) {
        suspect->poll[0] = '\0';
        s_add(self, poll);
        s_save(self);
        return true;
    }
    memcpy(suspect->poll, poll.ptr, poll.len);
    suspect->at_ms = now_ms;
    return false;
}

/* What it was at; a crashing process may have written anything. */
static size_t
s_word_len(const char *text)
{
    size_t len = 0;
    while ((text[len] >= 'A' && text[len] <= 'Z') || (text[len] >= 'a' && text[len] <= 'z') ||
           text[len] == '_') {
        len++;
    }
    return len;
}

bool
sv_quarantine_examine(sv_quarantine_t *self, const char *path, const char *name, int64_t now_ms)
{
    char text[PR_POISON_BYTES + 1];
    int len = sv_file_read(path, text, sizeof text);
    pr_str_t poll = {text, PR_POLL_ID_LEN};
    if (len < PR_POISON_BYTES || !pr_id_is_poll(poll)) {
        return false;
    }
    const char *what = text + PR_POLL_ID_LEN + 1;
    bool shut = sv_quarantine_blame(self, poll, now_ms);
    pr_log_error("child.poison", "child=%s poll=%.*s in=%.*s quarantined=%d", name,
                 PR_STR_ARG(poll), (int) s_word_len(what), what, shut ? 1 : 0);
    return shut;
}

size_t
sv_quarantine_count(const sv_quarantine_t *self)
{
    return self->count;
}

pr_str_t
sv_quarantine_at(const sv_quarantine_t *self, size_t index)
{
    PR_ASSERT(index < self->count);
    return pr_str(self->polls[index]);
}
