/* SPDX-License-Identifier: MIT */

#include "supervisor/quarantine.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/log.h"
#include "proto/poll/ids.h"
#include "proto/wire/limits.h"
#include "proto/wire/roster.h"
#include "supervisor/file.h"

typedef struct {
    char poll[PR_POLL_ID_LEN + 1]; /* "": free */
    int64_t at_ms;                 /* of the last death */
} suspect_t;

struct sv_quarantine {
    suspect_t suspects[PR_POISON_SUSPECTS_MAX];
    char polls[PR_ROSTER_QUARANTINED_MAX][PR_POLL_ID_LEN + 1];
    size_t count;
};

sv_quarantine_t *
sv_quarantine_new(void)
{
    return calloc(1, sizeof(sv_quarantine_t));
}

void
sv_quarantine_destroy(sv_quarantine_t **self_p)
{
    PR_ASSERT(self_p);
    free(*self_p);
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

static bool
s_has(const sv_quarantine_t *self, pr_str_t poll)
{
    for (size_t i = 0; i < self->count; i++) {
        if (pr_str_equal(sv_quarantine_at(self, i), poll)) {
            return true;
        }
    }
    return false;
}

static void
s_add(sv_quarantine_t *self, pr_str_t poll)
{
    if (self->count == PR_ROSTER_QUARANTINED_MAX) {
        pr_log_warn("quarantine.full", "out=%s", self->polls[0]);
        self->count--;
        memmove(self->polls[0], self->polls[1], self->count * sizeof self->polls[0]);
    }
    memcpy(self->polls[self->count], poll.ptr, poll.len);
    self->polls[self->count][poll.len] = '\0';
    self->count++;
}

bool
sv_quarantine_blame(sv_quarantine_t *self, pr_str_t poll, int64_t now_ms)
{
    PR_ASSERT(poll.len == PR_POLL_ID_LEN);
    if (s_has(self, poll)) {
        return false;
    }
    suspect_t *suspect = s_suspect(self, poll);
    bool again = suspect->poll[0] && now_ms - suspect->at_ms <= PR_POISON_MS;
    if (again) {
        suspect->poll[0] = '\0';
        s_add(self, poll);
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
