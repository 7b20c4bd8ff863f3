/* SPDX-License-Identifier: MIT */

/*
 * The rules of the vote: how it starts, how ballots are cast, and how it is counted. As in
 * poll_rules.c each looks for its effect first and changes the poll last.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/poll_rule.h"
#include "proto/wire/error.h"

int
ac_rule_start_vote(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    int rc = ac_rule_must_be_admin(self, event);
    ac_mark_t mark = ac_rule_mark(self, event->user, event->id);
    if (rc != 0 || self->phase == AC_PHASE_VOTING || strcmp(mark.text, self->started.text) == 0) {
        return rc;
    }
    if (self->phase == AC_PHASE_CLOSED) {
        return ac_rule_refuse(event, "The poll is closed");
    }
    if (pr_map_count(self->nominations) == 0) {
        return ac_rule_refuse(event, "Add at least one option before the vote starts");
    }
    rc = ac_batch_phase(effects, pr_str(ac_phase_names[AC_PHASE_VOTING]));
    if (rc == 0) {
        rc = ac_batch_started(effects, pr_str(mark.text));
    }
    if (rc == 0) {
        self->phase = AC_PHASE_VOTING;
        self->has_started = true;
        self->started = mark;
    }
    return rc;
}

/* The choices without repetitions, the first one kept. 0, or a refusal. */
static int
s_read_choices(const ac_poll_t *self, const ac_event_t *event, ac_ballot_t *ballot)
{
    const msgpack_object *list = ac_rule_argument(event, PR_STR("rankings"));
    if (!list || list->type != MSGPACK_OBJECT_ARRAY) {
        return ac_rule_refuse(event, "rankings must be a list of options");
    }
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        pr_str_t id = pr_object_str(&list->via.array.ptr[i]);
        if (!id.ptr || !pr_map_get(self->nominations, id)) {
            return ac_rule_refuse(event, "One of the ranked options does not exist");
        }
        bool repeated = false;
        for (size_t n = 0; n < ballot->count; n++) {
            repeated = repeated || pr_str_equal(pr_str(ballot->choices[n]), id);
        }
        if (!repeated && ballot->count == (size_t) self->votes) {
            char reason[64];
            (void) snprintf(reason, sizeof reason, "Rank at most %lld options",
                            (long long) self->votes);
            return ac_rule_refuse(event, reason);
        }
        if (!repeated) {
            memcpy(ballot->choices[ballot->count++], id.ptr, id.len);
        }
    }
    return ballot->count ? 0 : ac_rule_refuse(event, "Rank at least one option");
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
        return ac_rule_refuse(event, "The vote has not started yet");
    case AC_PHASE_CLOSED:
        return ac_rule_refuse(event, "The poll is closed: your ranking was not counted");
    case AC_PHASE_VOTING:
    case AC_PHASE_COUNT:
        break;
    }
    return 0;
}

/* A command that was sent again, to another process say, may come behind a later one of its conn:
 * it is as if it had been saved and replaced. */
static bool
s_is_replaced(const ac_place_t *place, const ac_cast_t *cast)
{
    return place && strcmp(place->cast.conn.text, cast->conn.text) == 0 &&
           place->cast.number > cast->number && cast->number > 0;
}

/* A ballot's place is that of the voter's first one: who votes again replaces, and keeps it. */
static ac_place_t *
s_place(ac_poll_t *self, pr_str_t user)
{
    ac_place_t *place = pr_map_get(self->ballot_seq, user);
    if (place) {
        return place;
    }
    place = calloc(1, sizeof *place);
    if (!place || pr_map_set(self->ballot_seq, user, place) != 0) {
        free(place);
        return NULL;
    }
    place->seq = ++self->ballots_cast;
    return place;
}

/* As effects: the ballot, in its place. */
static int
s_put_cast(const ac_poll_t *self,
           pr_str_t user,
           const ac_ballot_t *ballot,
           const ac_place_t *place,
           ac_batch_t *effects)
{
    pr_str_t ids[PR_VOTES_MAX];
    for (size_t i = 0; i < ballot->count; i++) {
        ids[i] = pr_str(ballot->choices[i]);
    }
    ac_place_text_t at = ac_poll_format_place(place);
    ac_choice_t choice = {ids, ballot->count, pr_str(at.json), self->ballots_open};
    return ac_batch_ballot(effects, user, &choice);
}

static int
s_cast(ac_poll_t *self,
       pr_str_t user,
       const ac_ballot_t *ballot,
       const ac_cast_t *cast,
       ac_batch_t *effects)
{
    ac_ballot_t *copy = malloc(sizeof *copy);
    ac_place_t *place = copy ? s_place(self, user) : NULL;
    if (!place) {
        free(copy);
        return PR_E_NOMEM;
    }
    *copy = *ballot;
    ac_place_t next = {place->seq, *cast};
    int rc = s_put_cast(self, user, ballot, &next, effects);
    if (rc == 0) {
        rc = pr_map_set(self->rankings, user, copy);
    }
    if (rc == 0) {
        *place = next;
    } else {
        free(copy);
    }
    return rc;
}

int
ac_rule_submit_rankings(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    ac_ballot_t ballot = {0};
    int rc = ac_rule_must_be_in(self, event);
    if (rc == 0 && self->phase == AC_PHASE_OPEN) {
        rc = s_may_vote(self, event);
    }
    if (rc == 0) {
        rc = s_read_choices(self, event, &ballot);
    }
    if (rc != 0) {
        return rc;
    }
    ac_cast_t cast = ac_rule_cast(self, event->user, event->id);
    const ac_ballot_t *had = pr_map_get(self->rankings, event->user);
    if (s_is_replaced(pr_map_get(self->ballot_seq, event->user), &cast) ||
        (had && s_same_ballot(had, &ballot))) {
        return 0;
    }
    rc = s_may_vote(self, event);
    return rc != 0 ? rc : s_cast(self, event->user, &ballot, &cast, effects);
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

int
ac_rule_close_poll(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects)
{
    int rc = ac_rule_must_be_admin(self, event);
    if (rc != 0 || self->phase == AC_PHASE_CLOSED) {
        return rc;
    }
    if (self->phase == AC_PHASE_OPEN) {
        return ac_rule_refuse(event, "The vote has not started yet");
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
