/* SPDX-License-Identifier: MIT */

/*
 * The rules: one function an event, in a table at the end. Each looks for its effect first, then at
 * its rule, then makes the effects, and changes the poll last, so that it changes all or nothing.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/poll_body.h"
#include "proto/base/digest.h"
#include "proto/base/fault.h"
#include "proto/poll/ids.h"
#include "proto/wire/error.h"

/* --- what they share --- */

static void
s_say(const ac_event_t *event, const char *words)
{
    if (event->words) {
        msgpack_packer packer = pr_packer(event->words);
        pr_pack_str(&packer, pr_str(words));
    }
}

static int
s_refuse(const ac_event_t *event, const char *reason)
{
    s_say(event, reason);
    return PR_E_BAD_REQUEST;
}

/* Whoever asks must be in the poll. */
static int
s_must_be_in(const ac_poll_t *self, const ac_event_t *event)
{
    if (ac_poll_has_removed(self, event->user)) {
        return PR_E_REMOVED;
    }
    return ac_poll_lists(self, event->user) ? 0 : s_refuse(event, "You are not in this poll");
}

static int
s_must_be_admin(const ac_poll_t *self, const ac_event_t *event)
{
    return pr_str_equal(event->user, pr_str(self->admin)) ? 0 : PR_E_UNAUTHORIZED;
}

/* The member `name` of the arguments, or NULL. */
static const msgpack_object *
s_argument(const ac_event_t *event, pr_str_t name)
{
    const msgpack_object *args = NULL;
    if (!event->args.ptr || pr_value_unpack(event->args, event->memory, &args) != 0) {
        return NULL;
    }
    return pr_object_member(args, name);
}

/* An id that hangs on the command alone: the same for a command that comes twice. */
typedef struct {
    char text[PR_NOMINATION_ID_LEN + 1];
} mark_t;

static mark_t
s_mark(const ac_poll_t *self, const ac_event_t *event)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    enum { LETTERS = 52, ALL = 64 };
    pr_str_t parts[] = {pr_str(self->id), event->user, event->id};
    uint64_t digest = pr_digest(parts, 3);
    digest += PR_FAULT("core.new_mark") ? pr_map_count(self->nominations) : 0;
    mark_t mark = {{0}};
    mark.text[0] = alphabet[digest % LETTERS];
    digest /= LETTERS;
    for (size_t i = 1; i < PR_NOMINATION_ID_LEN; i++) {
        mark.text[i] = alphabet[digest % ALL];
        digest /= ALL;
    }
    return mark;
}

/* --- presence --- */

static int
s_join(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    if (ac_poll_has_removed(self, event->user)) {
        return PR_E_REMOVED;
    }
    if (ac_poll_lists(self, event->user)) {
        return 0;
    }
    if ((int64_t) pr_map_count(self->participants) >= self->rules->participants_max) {
        return PR_E_FULL;
    }
    pr_text_t *name = pr_text_new(event->name);
    if (!name || pr_map_set(self->participants, event->user, name) != 0) {
        free(name);
        return PR_E_NOMEM;
    }
    int rc = ac_batch_participant(effects, event->user, event->name);
    if (rc != 0) {
        (void) pr_map_remove(self->participants, event->user);
    }
    return rc;
}

/* Who leaves stays listed once the vote has started: the ballot needs its voter. */
static int
s_leave(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    if (self->phase != AC_PHASE_OPEN || !ac_poll_lists(self, event->user)) {
        return 0;
    }
    int rc = ac_batch_participant(effects, event->user, PR_STR_NONE);
    if (rc == 0) {
        (void) pr_map_remove(self->participants, event->user);
    }
    return rc;
}

/* An admin has removed a user, or an option. */
static int
s_remember_removed(ac_poll_t *self, pr_str_t id, ac_batch_t *effects)
{
    ac_number_t *count = calloc(1, sizeof *count);
    if (!count || pr_map_set(self->removed, id, count) != 0) {
        free(count);
        return PR_E_NOMEM;
    }
    count->value = (int64_t) pr_map_count(self->removed);
    return ac_batch_removed(effects, id, count->value);
}

static int
s_remove_participant(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    int rc = s_must_be_admin(self, event);
    if (rc != 0) {
        return rc;
    }
    pr_str_t user = pr_object_str(s_argument(event, PR_STR("id")));
    if (!user.ptr) {
        return s_refuse(event, "id must be a string");
    }
    if (!ac_poll_lists(self, user)) {
        return 0;
    }
    if (self->phase == AC_PHASE_CLOSED) {
        return s_refuse(event, "The poll is closed");
    }
    rc = s_remember_removed(self, user, effects);
    if (rc == 0 && pr_map_get(self->rankings, user)) {
        rc = ac_batch_ballot(effects, user, &(ac_choice_t) {0});
    }
    if (rc == 0) {
        rc = ac_batch_participant(effects, user, PR_STR_NONE);
    }
    if (rc != 0) {
        (void) pr_map_remove(self->removed, user);
        return rc;
    }
    (void) pr_map_remove(self->participants, user);
    (void) pr_map_remove(self->rankings, user);
    (void) pr_map_remove(self->ballot_seq, user);
    return 0;
}

/* --- nominations --- */

static int64_t
s_nominations_of(const ac_poll_t *self, pr_str_t user)
{
    int64_t count = 0;
    for (size_t i = 0; i < pr_map_count(self->nominations); i++) {
        const ac_nomination_t *nomination = pr_map_value_at(self->nominations, i);
        count += pr_str_equal(pr_str(nomination->user), user);
    }
    return count;
}

static int
s_may_nominate(const ac_poll_t *self, const ac_event_t *event, pr_str_t text)
{
    int rc = s_must_be_in(self, event);
    if (rc != 0) {
        return rc;
    }
    if (self->phase != AC_PHASE_OPEN) {
        return s_refuse(event, "The vote has started: options can not be added any more");
    }
    if (!pr_text_is_valid(text, 1, PR_TEXT_CHARS_MAX)) {
        return s_refuse(event, "text must be a string of 1 to 100 characters");
    }
    if ((int64_t) pr_map_count(self->nominations) >= self->rules->nominations_max) {
        return s_refuse(event, "This poll has as many options as it may have");
    }
    if (s_nominations_of(self, event->user) >= self->rules->nominations_per_user_max) {
        return s_refuse(event, "You have added as many options as you may");
    }
    return 0;
}

static int
s_nominate(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    mark_t mark = s_mark(self, event);
    bool was_removed = ac_poll_has_removed(self, pr_str(mark.text));
    if (was_removed || pr_map_get(self->nominations, pr_str(mark.text))) {
        s_say(event, mark.text);
        return 0;
    }
    pr_str_t text = pr_object_str(s_argument(event, PR_STR("text")));
    int rc = s_may_nominate(self, event, text);
    if (rc != 0) {
        return rc;
    }
    ac_nomination_t *nomination = calloc(1, sizeof *nomination);
    pr_text_t *copy = pr_text_new(text);
    if (!nomination || !copy || pr_map_set(self->nominations, pr_str(mark.text), nomination) != 0) {
        free(nomination);
        free(copy);
        return PR_E_NOMEM;
    }
    memcpy(nomination->user, event->user.ptr, event->user.len);
    nomination->text = copy;
    rc = ac_batch_nomination(effects, pr_str(mark.text), event->user, text);
    if (rc != 0) {
        (void) pr_map_remove(self->nominations, pr_str(mark.text));
        return rc;
    }
    s_say(event, mark.text);
    return 0;
}

static int
s_remove_nomination(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    int rc = s_must_be_admin(self, event);
    if (rc != 0) {
        return rc;
    }
    pr_str_t id = pr_object_str(s_argument(event, PR_STR("id")));
    if (!id.ptr) {
        return s_refuse(event, "id must be a string");
    }
    if (!pr_map_get(self->nominations, id)) {
        return 0;
    }
    if (self->phase != AC_PHASE_OPEN) {
        return s_refuse(event, "The vote has started: options can not be removed any more");
    }
    /* The command that added it may be sent again, and must not add it again. */
    if (pr_map_count(self->removed) < PR_REMOVALS_MAX) {
        rc = s_remember_removed(self, id, effects);
    }
    if (rc == 0) {
        rc = ac_batch_nomination(effects, id, PR_STR_NONE, PR_STR_NONE);
    }
    if (rc == 0) {
        (void) pr_map_remove(self->nominations, id);
    } else {
        (void) pr_map_remove(self->removed, id);
    }
    return rc;
}

/* --- the vote --- */

static int
s_start_vote(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    int rc = s_must_be_admin(self, event);
    mark_t mark = s_mark(self, event);
    if (rc != 0 || self->phase == AC_PHASE_VOTING || strcmp(mark.text, self->started) == 0) {
        return rc;
    }
    if (self->phase == AC_PHASE_CLOSED) {
        return s_refuse(event, "The poll is closed");
    }
    if (pr_map_count(self->nominations) == 0) {
        return s_refuse(event, "Add at least one option before the vote starts");
    }
    rc = ac_batch_phase(effects, pr_str(ac_phase_names[AC_PHASE_VOTING]));
    if (rc == 0) {
        rc = ac_batch_started(effects, pr_str(mark.text));
    }
    if (rc == 0) {
        self->phase = AC_PHASE_VOTING;
        self->has_started = true;
        memcpy(self->started, mark.text, sizeof self->started);
    }
    return rc;
}

/* The choices without repetitions, the first one kept. 0, or a refusal. */
static int
s_read_choices(const ac_poll_t *self, const ac_event_t *event, ac_ballot_t *ballot)
{
    const msgpack_object *list = s_argument(event, PR_STR("rankings"));
    if (!list || list->type != MSGPACK_OBJECT_ARRAY) {
        return s_refuse(event, "rankings must be a list of options");
    }
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        pr_str_t id = pr_object_str(&list->via.array.ptr[i]);
        if (!id.ptr || !pr_map_get(self->nominations, id)) {
            return s_refuse(event, "One of the ranked options does not exist");
        }
        bool repeated = false;
        for (size_t n = 0; n < ballot->count; n++) {
            repeated = repeated || pr_str_equal(pr_str(ballot->choices[n]), id);
        }
        if (!repeated && ballot->count == (size_t) self->votes) {
            char reason[64];
            (void) snprintf(reason, sizeof reason, "Rank at most %lld options",
                            (long long) self->votes);
            return s_refuse(event, reason);
        }
        if (!repeated) {
            memcpy(ballot->choices[ballot->count++], id.ptr, id.len);
        }
    }
    return ballot->count ? 0 : s_refuse(event, "Rank at least one option");
}

static bool
s_same_ballot(const ac_ballot_t *a, const ac_ballot_t *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = strcmp(a->choices[i], b->choices[i]) == 0;
    }
    return same;
}

static int
s_may_vote(const ac_poll_t *self, const ac_event_t *event)
{
    switch (self->phase) {
    case AC_PHASE_OPEN:
        return s_refuse(event, "The vote has not started yet");
    case AC_PHASE_CLOSED:
        return s_refuse(event, "The poll is closed: your ranking was not counted");
    case AC_PHASE_VOTING:
    case AC_PHASE_COUNT:
        break;
    }
    return 0;
}

/* A ballot's place is that of the voter's first one: who votes again replaces, and keeps it. */
static ac_number_t *
s_place(ac_poll_t *self, pr_str_t user)
{
    ac_number_t *seq = pr_map_get(self->ballot_seq, user);
    if (seq) {
        return seq;
    }
    seq = calloc(1, sizeof *seq);
    if (!seq || pr_map_set(self->ballot_seq, user, seq) != 0) {
        free(seq);
        return NULL;
    }
    seq->value = ++self->ballots_cast;
    return seq;
}

static int
s_cast(ac_poll_t *self, pr_str_t user, const ac_ballot_t *ballot, ac_batch_t *effects)
{
    pr_str_t ids[PR_VOTES_MAX];
    for (size_t i = 0; i < ballot->count; i++) {
        ids[i] = pr_str(ballot->choices[i]);
    }
    ac_ballot_t *copy = malloc(sizeof *copy);
    const ac_number_t *seq = copy ? s_place(self, user) : NULL;
    if (!seq) {
        free(copy);
        return PR_E_NOMEM;
    }
    *copy = *ballot;
    ac_choice_t choice = {ids, ballot->count, seq->value, self->ballots_open};
    int rc = ac_batch_ballot(effects, user, &choice);
    if (rc == 0) {
        rc = pr_map_set(self->rankings, user, copy);
    }
    if (rc != 0) {
        free(copy);
    }
    return rc;
}

static int
s_submit_rankings(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    ac_ballot_t ballot = {0};
    int rc = s_must_be_in(self, event);
    if (rc == 0 && self->phase == AC_PHASE_OPEN) {
        rc = s_may_vote(self, event);
    }
    if (rc == 0) {
        rc = s_read_choices(self, event, &ballot);
    }
    if (rc != 0) {
        return rc;
    }
    const ac_ballot_t *had = pr_map_get(self->rankings, event->user);
    if (had && s_same_ballot(had, &ballot)) {
        return 0;
    }
    rc = s_may_vote(self, event);
    return rc != 0 ? rc : s_cast(self, event->user, &ballot, effects);
}

static int
s_put_results(ac_poll_t *self, ac_batch_t *effects)
{
    pr_buf_t *json = pr_buf_new(256);
    pr_buf_t *pack = pr_buf_new(256);
    int rc = PR_E_NOMEM;
    if (json && pack) {
        msgpack_packer packer = pr_packer(pack);
        ac_poll_write_results(self, json);
        ac_poll_pack_results(self, &packer);
        if (!pr_buf_failed(json) && !pr_buf_failed(pack)) {
            rc = ac_batch_results(effects, pr_buf_str(json), pr_buf_str(pack));
        }
    }
    pr_buf_destroy(&json);
    pr_buf_destroy(&pack);
    return rc;
}

static int
s_close_poll(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    int rc = s_must_be_admin(self, event);
    if (rc != 0 || self->phase == AC_PHASE_CLOSED) {
        return rc;
    }
    if (self->phase == AC_PHASE_OPEN) {
        return s_refuse(event, "The vote has not started yet");
    }
    rc = ac_poll_tally(self);
    if (rc == 0) {
        rc = s_put_results(self, effects);
    }
    if (rc == 0) {
        rc = ac_batch_phase(effects, pr_str(ac_phase_names[AC_PHASE_CLOSED]));
    }
    if (rc == 0) {
        self->phase = AC_PHASE_CLOSED;
    }
    return rc;
}

static int
s_cancel_poll(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    (void) effects;
    int rc = s_must_be_admin(self, event);
    self->cancelled = rc == 0;
    return rc;
}

/* --- the table --- */

typedef int (*rule_t)(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects);

static const rule_t s_rules[AC_EVENT_COUNT] = {
    [AC_EVENT_JOIN] = s_join,
    [AC_EVENT_LEAVE] = s_leave,
    [AC_EVENT_NOMINATE] = s_nominate,
    [AC_EVENT_REMOVE_NOMINATION] = s_remove_nomination,
    [AC_EVENT_REMOVE_PARTICIPANT] = s_remove_participant,
    [AC_EVENT_START_VOTE] = s_start_vote,
    [AC_EVENT_SUBMIT_RANKINGS] = s_submit_rankings,
    [AC_EVENT_CLOSE_POLL] = s_close_poll,
    [AC_EVENT_CANCEL_POLL] = s_cancel_poll,
};

int
ac_poll_apply(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    return s_rules[event->kind](self, event, effects);
}
