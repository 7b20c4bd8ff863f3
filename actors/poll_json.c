/* SPDX-License-Identifier: MIT */

/*
 * The stored document of a poll: read with jansson, written by hand. Reading trusts nothing:
 * another program may have been at the store, and what is wrong here would reach every client.
 */

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "actors/poll.h"
#include "actors/poll_body.h"
#include "proto/poll/ids.h"
#include "proto/wire/error.h"

/* --- reading --- */

static pr_str_t
s_text(const json_t *value)
{
    return json_is_string(value) ? (pr_str_t) {json_string_value(value), json_string_length(value)}
                                 : PR_STR_NONE;
}

static pr_str_t
s_member_text(const json_t *object, const char *name)
{
    return s_text(json_object_get(object, name));
}

/* False if the member is no whole number within the wire's bounds. */
static bool
s_member_int(const json_t *object, const char *name, int64_t *out)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value)) {
        return false;
    }
    *out = json_integer_value(value);
    return *out >= 0 && *out <= PR_INTEGER_MAX;
}

/* An id that was checked into room for it and its NUL, which is there already. */
static void
s_copy_id(char *out, pr_str_t id)
{
    if (id.ptr) {
        memcpy(out, id.ptr, id.len);
    }
}

/* Sets `key` to `value`, which is consumed; NULL counts as out of memory. */
static int
s_set(pr_map_t *map, const char *key, void *value)
{
    if (!value) {
        return PR_E_NOMEM;
    }
    return pr_map_set(map, pr_str(key), value);
}

static int
s_read_participants(ac_poll_t *self, const json_t *object)
{
    const char *user;
    json_t *value;
    json_object_foreach((json_t *) object, user, value)
    {
        pr_str_t name = s_text(value);
        if (!pr_id_is_user(pr_str(user)) || !pr_text_is_valid(name, 0, PR_NAME_CHARS_MAX)) {
            return PR_E_MALFORMED;
        }
        pr_text_t *copy = pr_text_new(name);
        if (s_set(self->participants, user, copy) != 0) {
            free(copy);
            return PR_E_NOMEM;
        }
    }
    return 0;
}

static int
s_read_nominations(ac_poll_t *self, const json_t *object)
{
    const char *id;
    json_t *value;
    json_object_foreach((json_t *) object, id, value)
    {
        pr_str_t user = s_member_text(value, "userID");
        pr_str_t text = s_member_text(value, "text");
        if (!pr_id_is_nomination(pr_str(id)) || !pr_id_is_user(user) ||
            !pr_text_is_valid(text, 0, PR_TEXT_CHARS_MAX)) {
            return PR_E_MALFORMED;
        }
        ac_nomination_t *nomination = calloc(1, sizeof *nomination);
        pr_text_t *copy = pr_text_new(text);
        if (!nomination || !copy || s_set(self->nominations, id, nomination) != 0) {
            free(nomination);
            free(copy);
            return PR_E_NOMEM;
        }
        s_copy_id(nomination->user, user);
        nomination->text = copy;
    }
    return 0;
}

static int
s_read_ballot(const json_t *list, ac_ballot_t *ballot)
{
    if (!json_is_array(list) || json_array_size(list) > PR_VOTES_MAX) {
        return PR_E_MALFORMED;
    }
    ballot->count = json_array_size(list);
    for (size_t i = 0; i < ballot->count; i++) {
        pr_str_t id = s_text(json_array_get(list, i));
        if (!pr_id_is_nomination(id)) {
            return PR_E_MALFORMED;
        }
        s_copy_id(ballot->choices[i], id);
    }
    return 0;
}

static int
s_read_rankings(ac_poll_t *self, const json_t *object)
{
    const char *user;
    json_t *value;
    json_object_foreach((json_t *) object, user, value)
    {
        ac_ballot_t *ballot = calloc(1, sizeof *ballot);
        if (!ballot) {
            return PR_E_NOMEM;
        }
        int rc = pr_id_is_user(pr_str(user)) ? s_read_ballot(value, ballot) : PR_E_MALFORMED;
        if (rc == 0) {
            rc = s_set(self->rankings, user, ballot);
        }
        if (rc != 0) {
            free(ballot);
            return rc;
        }
    }
    return 0;
}

static bool
s_is_removable(pr_str_t id)
{
    return pr_id_is_user(id) || pr_id_is_nomination(id);
}

/* A map id -> number; absent counts as empty. */
static int
s_read_numbers(pr_map_t *map, const json_t *object, bool (*is_id)(pr_str_t id))
{
    const char *id;
    json_t *value;
    json_object_foreach((json_t *) object, id, value)
    {
        if (!is_id(pr_str(id)) || !json_is_integer(value)) {
            return PR_E_MALFORMED;
        }
        ac_number_t *number = calloc(1, sizeof *number);
        if (s_set(map, id, number) != 0) {
            free(number);
            return PR_E_NOMEM;
        }
        number->value = json_integer_value(value);
    }
    return 0;
}

/* [seq,"conn",number], or a number as it was once. */
static int
s_read_place(const json_t *value, ac_place_t *place)
{
    const json_t *seq = json_is_array(value) ? json_array_get(value, 0) : value;
    if (!json_is_integer(seq)) {
        return PR_E_MALFORMED;
    }
    place->seq = json_integer_value(seq);
    const json_t *conn = json_array_get(value, 1);
    pr_str_t mark = pr_str(json_string_value(conn));
    if (pr_id_is_nomination(mark)) {
        s_copy_id(place->cast.conn.text, mark);
        place->cast.number = json_integer_value(json_array_get(value, 2));
    }
    return 0;
}

static int
s_read_ballot_seq(ac_poll_t *self, const json_t *object)
{
    const char *user;
    json_t *value;
    json_object_foreach((json_t *) object, user, value)
    {
        ac_place_t read = {0};
        if (!pr_id_is_user(pr_str(user)) || s_read_place(value, &read) != 0) {
            return PR_E_MALFORMED;
        }
        ac_place_t *place = malloc(sizeof *place);
        if (s_set(self->ballot_seq, user, place) != 0) {
            free(place);
            return PR_E_NOMEM;
        }
        *place = read;
        self->ballots_cast = read.seq > self->ballots_cast ? read.seq : self->ballots_cast;
    }
    return 0;
}

static int
s_read_meta(ac_poll_t *self, const json_t *meta)
{
    int64_t schema = 0;
    if (!s_member_int(meta, "schema", &schema)) {
        return PR_E_MALFORMED;
    }
    if (schema > AC_POLL_SCHEMA) {
        return PR_E_VERSION;
    }
    int64_t version = 0;
    pr_str_t nonce = s_member_text(meta, "nonce");
    pr_str_t ballots = s_member_text(meta, "ballots");
    pr_str_t state = s_member_text(meta, "state");
    if (!s_member_int(meta, "version", &version) || !s_member_int(meta, "endsAt", &self->ends_at) ||
        !pr_rev_parse(s_member_text(meta, "rev"), &self->loaded) ||
        self->loaded.version != version || version < 1 || !pr_id_is_word(nonce, PR_NONCE_LEN_MAX)) {
        return PR_E_MALFORMED;
    }
    s_copy_id(self->nonce, nonce);
    pr_str_t started = s_member_text(meta, "started");
    if (pr_id_is_nomination(started)) {
        s_copy_id(self->started.text, started);
    }
    self->ballots_open = pr_str_equal(ballots, PR_STR("open"));
    self->phase = AC_PHASE_COUNT;
    for (int i = 0; i < AC_PHASE_COUNT; i++) {
        if (pr_str_equal(state, pr_str(ac_phase_names[i]))) {
            self->phase = (ac_phase_t) i;
        }
    }
    if (self->phase == AC_PHASE_COUNT) {
        return PR_E_MALFORMED;
    }
    int rc = s_read_numbers(self->removed, json_object_get(meta, "removed"), s_is_removable);
    return rc != 0 ? rc : s_read_ballot_seq(self, json_object_get(meta, "ballotSeq"));
}

static int
s_read_scalars(ac_poll_t *self, const json_t *root)
{
    pr_str_t topic = s_member_text(root, "topic");
    pr_str_t admin = s_member_text(root, "adminID");
    const json_t *started = json_object_get(root, "hasStarted");
    if (!pr_str_equal(s_member_text(root, "id"), pr_str(self->id)) ||
        !pr_text_is_valid(topic, 0, PR_TOPIC_CHARS_MAX) || !pr_id_is_user(admin) ||
        !json_is_boolean(started) || !s_member_int(root, "votesPerVoter", &self->votes) ||
        self->votes < 1 || self->votes > PR_VOTES_MAX) {
        return PR_E_MALFORMED;
    }
    s_copy_id(self->admin, admin);
    self->has_started = json_is_true(started);
    self->topic = pr_text_new(topic);
    return self->topic ? 0 : PR_E_NOMEM;
}

static int
s_read_root(ac_poll_t *self, const json_t *root)
{
    const json_t *meta = json_object_get(root, "meta");
    const json_t *participants = json_object_get(root, "participants");
    const json_t *nominations = json_object_get(root, "nominations");
    const json_t *rankings = json_object_get(root, "rankings");
    const json_t *results = json_object_get(root, "results");
    /* The schema first: of a newer one nothing else need look as we know it. */
    int rc = s_read_meta(self, meta);
    if (rc == 0 && (!json_is_object(participants) || !json_is_object(nominations) ||
                    !json_is_object(rankings) || !json_is_array(results))) {
        rc = PR_E_MALFORMED;
    }
    if (rc == 0) {
        rc = s_read_scalars(self, root);
    }
    if (rc == 0) {
        rc = s_read_participants(self, participants);
    }
    if (rc == 0) {
        rc = s_read_nominations(self, nominations);
    }
    if (rc == 0) {
        rc = s_read_rankings(self, rankings);
    }
    /* Computed again, as the store moves some doubles by one unit in their last place. */
    return rc == 0 && self->phase == AC_PHASE_CLOSED ? ac_poll_tally(self) : rc;
}

int
ac_poll_from_json(pr_str_t json, pr_str_t id, const ac_rules_t *rules, ac_poll_t **out)
{
    PR_ASSERT(out);
    json_error_t error;
    json_t *root = json_loadb(json.ptr ? json.ptr : "", json.len, JSON_ALLOW_NUL, &error);
    if (!root) {
        return PR_E_MALFORMED;
    }
    ac_poll_t *self = ac_poll_new(id, rules);
    int rc = self ? s_read_root(self, root) : PR_E_NOMEM;
    json_decref(root);
    if (rc != 0) {
        ac_poll_destroy(&self);
        return rc;
    }
    *out = self;
    return 0;
}

/* --- writing --- */

/* `,"name":` without the comma before the first. */
static void
s_key(pr_buf_t *out, bool first, pr_str_t name)
{
    if (!first) {
        pr_buf_append_byte(out, ',');
    }
    pr_buf_append_json(out, name);
    pr_buf_append_byte(out, ':');
}

static void
s_write_participants(const ac_poll_t *self, pr_buf_t *out)
{
    pr_buf_append_str(out, PR_STR(",\"participants\":{"));
    for (size_t i = 0; i < pr_map_count(self->participants); i++) {
        s_key(out, i == 0, pr_map_key_at(self->participants, i));
        pr_buf_append_json(out, pr_text_str(pr_map_value_at(self->participants, i)));
    }
    pr_buf_append_byte(out, '}');
}

static void
s_write_nominations(const ac_poll_t *self, pr_buf_t *out)
{
    pr_buf_append_str(out, PR_STR(",\"nominations\":{"));
    for (size_t i = 0; i < pr_map_count(self->nominations); i++) {
        const ac_nomination_t *nomination = pr_map_value_at(self->nominations, i);
        s_key(out, i == 0, pr_map_key_at(self->nominations, i));
        pr_buf_append_str(out, PR_STR("{\"userID\":"));
        pr_buf_append_json(out, pr_str(nomination->user));
        pr_buf_append_str(out, PR_STR(",\"text\":"));
        pr_buf_append_json(out, pr_text_str(nomination->text));
        pr_buf_append_byte(out, '}');
    }
    pr_buf_append_byte(out, '}');
}

static void
s_write_rankings(const ac_poll_t *self, pr_buf_t *out)
{
    pr_buf_append_str(out, PR_STR(",\"rankings\":{"));
    for (size_t i = 0; i < pr_map_count(self->rankings); i++) {
        const ac_ballot_t *ballot = pr_map_value_at(self->rankings, i);
        s_key(out, i == 0, pr_map_key_at(self->rankings, i));
        pr_buf_append_byte(out, '[');
        for (size_t j = 0; j < ballot->count; j++) {
            if (j) {
                pr_buf_append_byte(out, ',');
            }
            pr_buf_append_json(out, pr_str(ballot->choices[j]));
        }
        pr_buf_append_byte(out, ']');
    }
    pr_buf_append_byte(out, '}');
}

void
ac_poll_write_results(const ac_poll_t *self, pr_buf_t *json)
{
    pr_buf_append_byte(json, '[');
    for (size_t i = 0; i < self->result_count; i++) {
        const ac_result_t *result = &self->results[i];
        if (i) {
            pr_buf_append_byte(json, ',');
        }
        pr_buf_append_str(json, PR_STR("{\"nominationID\":"));
        pr_buf_append_json(json, pr_str(result->nomination));
        pr_buf_append_str(json, PR_STR(",\"nominationText\":"));
        pr_buf_append_json(json, pr_text_str(result->text));
        pr_buf_append_fmt(json, ",\"score\":%.17g}", result->score);
    }
    pr_buf_append_byte(json, ']');
}

static void
s_write_numbers(const pr_map_t *map, pr_str_t name, pr_buf_t *out)
{
    s_key(out, false, name);
    pr_buf_append_byte(out, '{');
    for (size_t i = 0; i < pr_map_count(map); i++) {
        const ac_number_t *number = pr_map_value_at(map, i);
        s_key(out, i == 0, pr_map_key_at(map, i));
        pr_buf_append_int(out, number->value);
    }
    pr_buf_append_byte(out, '}');
}

ac_place_text_t
ac_poll_format_place(const ac_place_t *place)
{
    ac_place_text_t text;
    long long seq = place->seq;
    const ac_cast_t *cast = &place->cast;
    if (cast->conn.text[0]) {
        (void) snprintf(text.json, sizeof text.json, "[%lld,\"%s\",%lld]", seq, cast->conn.text,
                        (long long) cast->number);
    } else {
        (void) snprintf(text.json, sizeof text.json, "[%lld]", seq);
    }
    return text;
}

static void
s_write_ballot_seq(const ac_poll_t *self, pr_buf_t *out)
{
    s_key(out, false, PR_STR("ballotSeq"));
    pr_buf_append_byte(out, '{');
    for (size_t i = 0; i < pr_map_count(self->ballot_seq); i++) {
        s_key(out, i == 0, pr_map_key_at(self->ballot_seq, i));
        pr_buf_append_str(out,
                          pr_str(ac_poll_format_place(pr_map_value_at(self->ballot_seq, i)).json));
    }
    pr_buf_append_byte(out, '}');
}

static void
s_write_meta(const ac_poll_t *self, const pr_rev_t *rev, pr_buf_t *out)
{
    pr_buf_append_str(out, PR_STR(",\"meta\":{\"schema\":"));
    pr_buf_append_int(out, AC_POLL_SCHEMA);
    if (rev) {
        pr_buf_append_str(out, PR_STR(",\"version\":"));
        pr_buf_append_int(out, rev->version);
        /* The script looks for these very bytes. */
        pr_buf_append_str(out, PR_STR(",\"rev\":\""));
        pr_buf_append_str(out, pr_str(pr_rev_format(*rev).text));
        pr_buf_append_byte(out, '"');
    }
    pr_buf_append_str(out, PR_STR(",\"state\":"));
    pr_buf_append_json(out, pr_str(ac_phase_names[self->phase]));
    pr_buf_append_str(out, PR_STR(",\"endsAt\":"));
    pr_buf_append_int(out, self->ends_at);
    pr_buf_append_str(out, PR_STR(",\"ballots\":"));
    pr_buf_append_json(out, self->ballots_open ? PR_STR("open") : PR_STR("secret"));
    if (self->started.text[0]) {
        pr_buf_append_str(out, PR_STR(",\"started\":"));
        pr_buf_append_json(out, pr_str(self->started.text));
    }
    s_write_numbers(self->removed, PR_STR("removed"), out);
    s_write_ballot_seq(self, out);
    pr_buf_append_str(out, PR_STR(",\"nonce\":"));
    pr_buf_append_json(out, pr_str(self->nonce));
    pr_buf_append_byte(out, '}');
}

void
ac_poll_write_stored(const ac_poll_t *self, const pr_rev_t *rev, pr_buf_t *out)
{
    pr_buf_append_str(out, PR_STR("{\"id\":"));
    pr_buf_append_json(out, pr_str(self->id));
    pr_buf_append_str(out, PR_STR(",\"topic\":"));
    pr_buf_append_json(out, pr_text_str(self->topic));
    pr_buf_append_str(out, PR_STR(",\"votesPerVoter\":"));
    pr_buf_append_int(out, self->votes);
    s_write_participants(self, out);
    s_write_nominations(self, out);
    s_write_rankings(self, out);
    pr_buf_append_str(out, PR_STR(",\"results\":"));
    ac_poll_write_results(self, out);
    pr_buf_append_str(out, PR_STR(",\"adminID\":"));
    pr_buf_append_json(out, pr_str(self->admin));
    pr_buf_append_str(out, self->has_started ? PR_STR(",\"hasStarted\":true")
                                             : PR_STR(",\"hasStarted\":false"));
    s_write_meta(self, rev, out);
    pr_buf_append_byte(out, '}');
}
