/* SPDX-License-Identifier: MIT */

/*
 * The rules: one function an event, in a table at the end. Each looks for its effect first, then at
 * its rule, then makes the effects, and changes the poll last, so that it changes all or nothing.
 */

#include <stdlib.h>
#include <string.h>

#include "actors/poll_rule.h"
#include "proto/poll/ids.h"
#include "proto/wire/error.h"

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
    int rc = ac_rule_must_be_admin(self, event);
    if (rc != 0) {
        return rc;
    }
    pr_str_t user = pr_object_str(ac_rule_argument(event, PR_STR("id")));
    if (!user.ptr) {
        return ac_rule_refuse(event, "id must be a string");
    }
    if (!ac_poll_lists(self, user)) {
        return 0;
    }
    if (self->phase == AC_PHASE_CLOSED) {
        return ac_rule_refuse(event, "The poll is closed");
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
    int rc = ac_rule_must_be_in(self, event);
    if (rc != 0) {
        return rc;
    }
    if (self->phase != AC_PHASE_OPEN) {
        return ac_rule_refuse(event, "The vote has started: options can not be added any more");
    }
    if (!pr_text_is_valid(text, 1, PR_TEXT_CHARS_MAX)) {
        return ac_rule_refuse(event, "text must be a string of 1 to 100 characters");
    }
    if ((int64_t) pr_map_count(self->nominations) >= self->rules->nominations_max) {
        return ac_rule_refuse(event, "This poll has as many options as it may have");
    }
    if (s_nominations_of(self, event->user) >= self->rules->nominations_per_user_max) {
        return ac_rule_refuse(event, "You have added as many options as you may");
    }
    return 0;
}

static int
s_nominate(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    ac_mark_t mark = ac_rule_mark(self, event->user, event->id);
    bool was_removed = ac_poll_has_removed(self, pr_str(mark.text));
    if (was_removed || pr_map_get(self->nominations, pr_str(mark.text))) {
        ac_rule_say(event, mark.text);
        return 0;
    }
    pr_str_t text = pr_object_str(ac_rule_argument(event, PR_STR("text")));
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
    ac_rule_say(event, mark.text);
    return 0;
}

static int
s_remove_nomination(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    int rc = ac_rule_must_be_admin(self, event);
    if (rc != 0) {
        return rc;
    }
    pr_str_t id = pr_object_str(ac_rule_argument(event, PR_STR("id")));
    if (!id.ptr) {
        return ac_rule_refuse(event, "id must be a string");
    }
    if (!pr_map_get(self->nominations, id)) {
        return 0;
    }
    if (self->phase != AC_PHASE_OPEN) {
        return ac_rule_refuse(event, "The vote has started: options can not be removed any more");
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

/* --- the end --- */

static int
s_cancel_poll(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    (void) effects;
    int rc = ac_rule_must_be_admin(self, event);
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
    [AC_EVENT_START_VOTE] = ac_rule_start_vote,
    [AC_EVENT_SUBMIT_RANKINGS] = ac_rule_submit_rankings,
    [AC_EVENT_CLOSE_POLL] = ac_rule_close_poll,
    [AC_EVENT_CANCEL_POLL] = s_cancel_poll,
};

int
ac_poll_apply(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    return s_rules[event->kind](self, event, effects);
}
