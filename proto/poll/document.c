/* SPDX-License-Identifier: MIT */

/*
 * Texts are kept as they are and escaped when written: a document is written far less often than it
 * is patched, and most texts need no escape. `results` is small, changes once, and is kept as its
 * msgpack bytes.
 */

#include "proto/poll/document.h"

#include <stdlib.h>

#include "proto/base/map.h"
#include "proto/base/text.h"
#include "proto/poll/ballot.h"
#include "proto/poll/nomination.h"
#include "proto/wire/json.h"

struct pr_document {
    pr_text_t *id;
    pr_text_t *topic;
    pr_text_t *admin;
    pr_text_t *state;
    int64_t votes;
    int64_t ends_at;
    int64_t version;
    pr_rev_t rev;
    bool has_started;
    pr_map_t *participants; /* user -> pr_text_t: the name */
    pr_map_t *nominations;  /* id -> pr_nomination_t */
    pr_map_t *rankings;     /* user -> pr_ballot_t */
    pr_buf_t *results;      /* msgpack of the array */
};

/* How one member is taken from a patch and written out again. */
typedef struct {
    const char *name;
    int (*take)(pr_document_t *self, const msgpack_object *value);
    void (*pack)(const pr_document_t *self, msgpack_packer *packer);
} member_t;

static int
s_take_text(pr_text_t **place, const msgpack_object *value)
{
    pr_str_t text = pr_object_str(value);
    if (!text.ptr) {
        return PR_E_MALFORMED;
    }
    pr_text_t *fresh = pr_text_new(text);
    if (!fresh) {
        return PR_E_NOMEM;
    }
    free(*place);
    *place = fresh;
    return 0;
}

/* --- values of the three maps --- */

static int
s_participant_from(const msgpack_object *value, void **out)
{
    pr_text_t *name = NULL;
    int error = s_take_text(&name, value);
    *out = name;
    return error;
}

static int
s_nomination_from(const msgpack_object *value, void **out)
{
    pr_nomination_t *nomination = NULL;
    int error = pr_nomination_from_msgpack(value, &nomination);
    *out = nomination;
    return error;
}

static void
s_nomination_free(void *value)
{
    pr_nomination_t *nomination = value;
    pr_nomination_destroy(&nomination);
}

static int
s_ballot_from(const msgpack_object *value, void **out)
{
    pr_ballot_t *ballot = NULL;
    int error = pr_ballot_from_msgpack(value, &ballot);
    *out = ballot;
    return error;
}

static void
s_ballot_free(void *value)
{
    pr_ballot_t *ballot = value;
    pr_ballot_destroy(&ballot);
}

/* Merges `patch` into a map: null removes, anything else replaces. */
static int
s_merge(pr_map_t *map,
        const msgpack_object *patch,
        int (*from)(const msgpack_object *value, void **out),
        void (*drop)(void *value))
{
    if (patch->type != MSGPACK_OBJECT_MAP) {
        return PR_E_MALFORMED;
    }
    for (uint32_t i = 0; i < patch->via.map.size; i++) {
        const msgpack_object_kv *pair = &patch->via.map.ptr[i];
        pr_str_t key = pr_object_str(&pair->key);
        if (!key.ptr) {
            return PR_E_MALFORMED;
        }
        if (pair->val.type == MSGPACK_OBJECT_NIL) {
            (void) pr_map_remove(map, key);
            continue;
        }
        void *value = NULL;
        int error = from(&pair->val, &value);
        if (!error) {
            error = pr_map_set(map, key, value);
            if (error) {
                drop(value);
            }
        }
        if (error) {
            return error;
        }
    }
    return 0;
}

/* --- members --- */

#define TEXT_MEMBER(field)                                                                         \
    static int s_take_##field(pr_document_t *self, const msgpack_object *value)                    \
    {                                                                                              \
        return s_take_text(&self->field, value);                                                   \
    }                                                                                              \
    static void s_pack_##field(const pr_document_t *self, msgpack_packer *packer)                  \
    {                                                                                              \
        pr_pack_str(packer, pr_text_str(self->field));                                             \
    }

#define INT_MEMBER(field)                                                                          \
    static int s_take_##field(pr_document_t *self, const msgpack_object *value)                    \
    {                                                                                              \
        return pr_object_int(value, &self->field) ? 0 : PR_E_MALFORMED;                            \
    }                                                                                              \
    static void s_pack_##field(const pr_document_t *self, msgpack_packer *packer)                  \
    {                                                                                              \
        (void) msgpack_pack_int64(packer, self->field);                                            \
    }

TEXT_MEMBER(id)
TEXT_MEMBER(topic)
TEXT_MEMBER(admin)
TEXT_MEMBER(state)
INT_MEMBER(votes)
INT_MEMBER(version)
INT_MEMBER(ends_at)

static int
s_take_participants(pr_document_t *self, const msgpack_object *value)
{
    return s_merge(self->participants, value, s_participant_from, free);
}

static int
s_take_nominations(pr_document_t *self, const msgpack_object *value)
{
    return s_merge(self->nominations, value, s_nomination_from, s_nomination_free);
}

static int
s_take_rankings(pr_document_t *self, const msgpack_object *value)
{
    return s_merge(self->rankings, value, s_ballot_from, s_ballot_free);
}

static int
s_take_results(pr_document_t *self, const msgpack_object *value)
{
    if (value->type != MSGPACK_OBJECT_ARRAY) {
        return PR_E_MALFORMED;
    }
    pr_buf_clear(self->results);
    msgpack_packer packer = pr_packer(self->results);
    (void) msgpack_pack_object(&packer, *value);
    return pr_buf_failed(self->results) ? PR_E_NOMEM : 0;
}

static int
s_take_has_started(pr_document_t *self, const msgpack_object *value)
{
    if (value->type != MSGPACK_OBJECT_BOOLEAN) {
        return PR_E_MALFORMED;
    }
    self->has_started = value->via.boolean;
    return 0;
}

static int
s_take_rev(pr_document_t *self, const msgpack_object *value)
{
    return pr_rev_parse(pr_object_str(value), &self->rev) ? 0 : PR_E_MALFORMED;
}

static void
s_pack_participants(const pr_document_t *self, msgpack_packer *packer)
{
    size_t count = pr_map_count(self->participants);
    (void) msgpack_pack_map(packer, count);
    for (size_t i = 0; i < count; i++) {
        pr_pack_str(packer, pr_map_key_at(self->participants, i));
        pr_pack_str(packer, pr_text_str(pr_map_value_at(self->participants, i)));
    }
}

static void
s_pack_nominations(const pr_document_t *self, msgpack_packer *packer)
{
    size_t count = pr_map_count(self->nominations);
    (void) msgpack_pack_map(packer, count);
    for (size_t i = 0; i < count; i++) {
        pr_pack_str(packer, pr_map_key_at(self->nominations, i));
        pr_nomination_pack(pr_map_value_at(self->nominations, i), packer);
    }
}

static void
s_pack_rankings(const pr_document_t *self, msgpack_packer *packer)
{
    size_t count = pr_map_count(self->rankings);
    (void) msgpack_pack_map(packer, count);
    for (size_t i = 0; i < count; i++) {
        pr_pack_str(packer, pr_map_key_at(self->rankings, i));
        pr_ballot_pack(pr_map_value_at(self->rankings, i), packer);
    }
}

static void
s_pack_results(const pr_document_t *self, msgpack_packer *packer)
{
    pr_buf_append_str(packer->data, pr_buf_str(self->results));
}

static void
s_pack_has_started(const pr_document_t *self, msgpack_packer *packer)
{
    (void) (self->has_started ? msgpack_pack_true(packer) : msgpack_pack_false(packer));
}

static void
s_pack_rev(const pr_document_t *self, msgpack_packer *packer)
{
    pr_rev_text_t text = pr_rev_format(self->rev);
    pr_pack_str(packer, pr_str(text.text));
}

/* In the order in which the original application shows them, ours behind. */
static const member_t s_members[] = {
    {"id", s_take_id, s_pack_id},
    {"topic", s_take_topic, s_pack_topic},
    {"votesPerVoter", s_take_votes, s_pack_votes},
    {"participants", s_take_participants, s_pack_participants},
    {"nominations", s_take_nominations, s_pack_nominations},
    {"rankings", s_take_rankings, s_pack_rankings},
    {"results", s_take_results, s_pack_results},
    {"adminID", s_take_admin, s_pack_admin},
    {"hasStarted", s_take_has_started, s_pack_has_started},
    {"version", s_take_version, s_pack_version},
    {"rev", s_take_rev, s_pack_rev},
    {"state", s_take_state, s_pack_state},
    {"endsAt", s_take_ends_at, s_pack_ends_at},
};

#define MEMBER_COUNT (sizeof s_members / sizeof s_members[0])

static pr_document_t *
s_new(void)
{
    pr_document_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->participants = pr_map_new(free);
    self->nominations = pr_map_new(s_nomination_free);
    self->rankings = pr_map_new(s_ballot_free);
    self->results = pr_buf_new(16);
    if (!self->participants || !self->nominations || !self->rankings || !self->results) {
        pr_document_destroy(&self);
    }
    return self;
}

int
pr_document_from_msgpack(const msgpack_object *map, pr_document_t **out)
{
    pr_document_t *self = s_new();
    if (!self) {
        return PR_E_NOMEM;
    }
    int error = 0;
    for (size_t i = 0; i < MEMBER_COUNT && !error; i++) {
        const msgpack_object *value = pr_object_member(map, pr_str(s_members[i].name));
        error = value ? s_members[i].take(self, value) : PR_E_MALFORMED;
    }
    if (error) {
        pr_document_destroy(&self);
        return error;
    }
    *out = self;
    return 0;
}

void
pr_document_destroy(pr_document_t **self_p)
{
    PR_ASSERT(self_p);
    pr_document_t *self = *self_p;
    if (!self) {
        return;
    }
    free(self->id);
    free(self->topic);
    free(self->admin);
    free(self->state);
    pr_map_destroy(&self->participants);
    pr_map_destroy(&self->nominations);
    pr_map_destroy(&self->rankings);
    pr_buf_destroy(&self->results);
    free(self);
    *self_p = NULL;
}

int
pr_document_patch(pr_document_t *self, const msgpack_object *patch)
{
    if (patch->type != MSGPACK_OBJECT_MAP) {
        return PR_E_MALFORMED;
    }
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const msgpack_object *value = pr_object_member(patch, pr_str(s_members[i].name));
        int error = value ? s_members[i].take(self, value) : 0;
        if (error) {
            return error;
        }
    }
    return 0;
}

void
pr_document_write_msgpack(const pr_document_t *self, pr_buf_t *out)
{
    msgpack_packer packer = pr_packer(out);
    (void) msgpack_pack_map(&packer, MEMBER_COUNT);
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        pr_pack_str(&packer, pr_str(s_members[i].name));
        s_members[i].pack(self, &packer);
    }
}

pr_rev_t
pr_document_rev(const pr_document_t *self)
{
    return self->rev;
}

int64_t
pr_document_ends_at(const pr_document_t *self)
{
    return self->ends_at;
}

bool
pr_document_lists(const pr_document_t *self, pr_str_t user)
{
    return pr_map_get(self->participants, user) != NULL;
}

bool
pr_document_has_voted(const pr_document_t *self, pr_str_t user)
{
    return pr_map_get(self->rankings, user) != NULL;
}

size_t
pr_document_participant_count(const pr_document_t *self)
{
    return pr_map_count(self->participants);
}

/* --- JSON, written by hand: the one writer on the way to every client --- */

static void
s_key(pr_buf_t *out, size_t index, pr_str_t key)
{
    if (index) {
        pr_buf_append_byte(out, ',');
    }
    pr_buf_append_json(out, key);
    pr_buf_append_byte(out, ':');
}

static void
s_json_participants(const pr_document_t *self, pr_buf_t *out)
{
    for (size_t i = 0; i < pr_map_count(self->participants); i++) {
        s_key(out, i, pr_map_key_at(self->participants, i));
        pr_buf_append_json(out, pr_text_str(pr_map_value_at(self->participants, i)));
    }
}

static void
s_json_nominations(const pr_document_t *self, pr_buf_t *out)
{
    for (size_t i = 0; i < pr_map_count(self->nominations); i++) {
        s_key(out, i, pr_map_key_at(self->nominations, i));
        pr_nomination_write_json(pr_map_value_at(self->nominations, i), out);
    }
}

static void
s_json_rankings(const pr_document_t *self, pr_buf_t *out, pr_str_t user, pr_str_t own)
{
    for (size_t i = 0; i < pr_map_count(self->rankings); i++) {
        pr_str_t voter = pr_map_key_at(self->rankings, i);
        s_key(out, i, voter);
        if (user.ptr && pr_str_equal(voter, user)) {
            pr_buf_append_str(out, own);
        } else {
            pr_ballot_write_json(pr_map_value_at(self->rankings, i), out);
        }
    }
}

static void
s_json_results(const pr_document_t *self, pr_buf_t *out)
{
    pr_unpacked_t *memory = pr_buf_len(self->results) > 1 ? pr_unpacked_new() : NULL;
    const msgpack_object *results;
    if (memory && pr_value_unpack(pr_buf_str(self->results), memory, &results) == 0) {
        pr_object_write_json(results, out);
    } else {
        pr_buf_append(out, "[]", 2);
    }
    pr_unpacked_destroy(&memory);
}

void
pr_document_write_json(const pr_document_t *self, pr_buf_t *out, pr_str_t user, pr_str_t ballot)
{
    pr_buf_append_str(out, PR_STR("{\"id\":"));
    pr_buf_append_json(out, pr_text_str(self->id));
    pr_buf_append_str(out, PR_STR(",\"topic\":"));
    pr_buf_append_json(out, pr_text_str(self->topic));
    pr_buf_append_str(out, PR_STR(",\"votesPerVoter\":"));
    pr_buf_append_int(out, self->votes);
    pr_buf_append_str(out, PR_STR(",\"participants\":{"));
    s_json_participants(self, out);
    pr_buf_append_str(out, PR_STR("},\"nominations\":{"));
    s_json_nominations(self, out);
    pr_buf_append_str(out, PR_STR("},\"rankings\":{"));
    s_json_rankings(self, out, user, ballot);
    pr_buf_append_str(out, PR_STR("},\"results\":"));
    s_json_results(self, out);
    pr_buf_append_str(out, PR_STR(",\"adminID\":"));
    pr_buf_append_json(out, pr_text_str(self->admin));
    pr_buf_append_str(out, PR_STR(",\"hasStarted\":"));
    pr_buf_append_str(out, self->has_started ? PR_STR("true") : PR_STR("false"));
    pr_buf_append_str(out, PR_STR(",\"version\":"));
    pr_buf_append_int(out, self->version);
    pr_rev_text_t rev = pr_rev_format(self->rev);
    pr_buf_append_str(out, PR_STR(",\"rev\":"));
    pr_buf_append_json(out, pr_str(rev.text));
    pr_buf_append_str(out, PR_STR(",\"state\":"));
    pr_buf_append_json(out, pr_text_str(self->state));
    pr_buf_append_str(out, PR_STR(",\"endsAt\":"));
    pr_buf_append_int(out, self->ends_at);
    pr_buf_append_byte(out, '}');
}
