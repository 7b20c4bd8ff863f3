/* SPDX-License-Identifier: MIT */

#include "actors/poll.h"

#include <stdlib.h>
#include <string.h>

#include "actors/poll_body.h"
#include "proto/poll/ids.h"
#include "proto/wire/error.h"

const char *const ac_phase_names[AC_PHASE_COUNT] = {
#define X(name, text) [AC_PHASE_##name] = (text),
    AC_PHASES(X)
#undef X
};

/* --- life --- */

static void
s_free_nomination(void *value)
{
    ac_nomination_t *nomination = value;
    free(nomination->text);
    free(nomination);
}

ac_poll_t *
ac_poll_new(pr_str_t id, const ac_rules_t *rules)
{
    PR_ASSERT(id.len == PR_POLL_ID_LEN && rules);
    ac_poll_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->rules = rules;
    memcpy(self->id, id.ptr, id.len);
    self->participants = pr_map_new(free);
    self->nominations = pr_map_new(s_free_nomination);
    self->rankings = pr_map_new(free);
    self->removed = pr_map_new(free);
    self->ballot_seq = pr_map_new(free);
    if (!self->participants || !self->nominations || !self->rankings || !self->removed ||
        !self->ballot_seq) {
        ac_poll_destroy(&self);
    }
    return self;
}

bool
ac_creation_is_valid(const ac_creation_t *creation)
{
    return pr_id_is_poll(creation->id) && pr_id_is_user(creation->admin) &&
           pr_id_is_word(creation->nonce, PR_NONCE_LEN_MAX) &&
           pr_text_is_valid(creation->topic, 1, PR_TOPIC_CHARS_MAX) && creation->votes >= 1 &&
           creation->votes <= PR_VOTES_MAX && creation->ends_at > 0 &&
           creation->ends_at <= PR_INTEGER_MAX;
}

ac_poll_t *
ac_poll_new_created(const ac_creation_t *creation, const ac_rules_t *rules)
{
    PR_ASSERT(ac_creation_is_valid(creation));
    ac_poll_t *self = ac_poll_new(creation->id, rules);
    if (!self) {
        return NULL;
    }
    memcpy(self->admin, creation->admin.ptr, creation->admin.len);
    memcpy(self->nonce, creation->nonce.ptr, creation->nonce.len);
    self->topic = pr_text_new(creation->topic);
    self->votes = creation->votes;
    self->ends_at = creation->ends_at;
    self->ballots_open = creation->ballots_open;
    if (!self->topic) {
        ac_poll_destroy(&self);
    }
    return self;
}

void
ac_poll_destroy(ac_poll_t **self_p)
{
    PR_ASSERT(self_p);
    ac_poll_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_map_destroy(&self->participants);
    pr_map_destroy(&self->nominations);
    pr_map_destroy(&self->rankings);
    pr_map_destroy(&self->removed);
    pr_map_destroy(&self->ballot_seq);
    for (size_t i = 0; i < self->result_count; i++) {
        free(self->results[i].text);
    }
    free(self->results);
    free(self->topic);
    free(self);
    *self_p = NULL;
}

/* --- events --- */

int
ac_poll_decide(ac_poll_t *self, const ac_event_t *event, int64_t wall_ms, ac_batch_t *effects)
{
    PR_ASSERT(self && event->kind < AC_EVENT_COUNT);
    if (self->cancelled || wall_ms >= self->ends_at) {
        return PR_E_NOT_FOUND;
    }
    return ac_poll_apply(self, event, effects);
}

static const char *const s_verbs[AC_EVENT_COUNT] = {
#define X(name, text) [AC_EVENT_##name] = (text),
    AC_EVENTS(X)
#undef X
};

const char *
ac_event_verb(ac_event_kind_t kind)
{
    PR_ASSERT(kind < AC_EVENT_COUNT);
    return s_verbs[kind];
}

ac_event_kind_t
ac_event_from_verb(pr_str_t verb)
{
    for (int i = 0; i < AC_EVENT_COUNT; i++) {
        if (verb.len && pr_str_equal(verb, pr_str(s_verbs[i]))) {
            return (ac_event_kind_t) i;
        }
    }
    return AC_EVENT_COUNT;
}

/* --- questions --- */

pr_rev_t
ac_poll_loaded_rev(const ac_poll_t *self)
{
    return self->loaded;
}

int
ac_poll_first_rev(const ac_poll_t *self, pr_str_t token, pr_rev_t *rev)
{
    pr_buf_t *json = pr_buf_new(512);
    if (!json) {
        return PR_E_NOMEM;
    }
    ac_poll_write_stored(self, NULL, json);
    int rc = PR_E_NOMEM;
    if (!pr_buf_failed(json)) {
        *rev = pr_rev_next((pr_rev_t) {0}, token, pr_buf_str(json));
        rc = 0;
    }
    pr_buf_destroy(&json);
    return rc;
}

bool
ac_poll_is_cancelled(const ac_poll_t *self)
{
    return self->cancelled;
}

pr_str_t
ac_poll_nonce(const ac_poll_t *self)
{
    return pr_str(self->nonce);
}

int64_t
ac_poll_ends_at(const ac_poll_t *self)
{
    return self->ends_at;
}

bool
ac_poll_lists(const ac_poll_t *self, pr_str_t user)
{
    return pr_map_get(self->participants, user) != NULL;
}

bool
ac_poll_has_removed(const ac_poll_t *self, pr_str_t user)
{
    return pr_map_get(self->removed, user) != NULL;
}

size_t
ac_poll_participant_count(const ac_poll_t *self)
{
    return pr_map_count(self->participants);
}

pr_str_t
ac_poll_participant_at(const ac_poll_t *self, size_t index)
{
    return pr_map_key_at(self->participants, index);
}

pr_str_t
ac_poll_name(const ac_poll_t *self, pr_str_t user)
{
    const pr_text_t *name = pr_map_get(self->participants, user);
    return name ? pr_text_str(name) : PR_STR_NONE;
}
