/* SPDX-License-Identifier: MIT */

/*
 * Effects are kept by the member of the document that they touch, as both patches need them grouped
 * so. A value is encoded both ways when it comes in: the writers only join.
 */

#include "actors/batch.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/map.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"
#include "proto/wire/value.h"

/*
 * MEMBER(NAME, "name", where, is a map). A member stands at the root of both documents, or in
 * `meta` of the stored one and nowhere else. Of `state` the stored document has it in `meta`, the
 * public at its root.
 */
#define MEMBERS(X)                                                                                 \
    X(PARTICIPANTS, "participants", ROOT, true)                                                    \
    X(NOMINATIONS, "nominations", ROOT, true)                                                      \
    X(RANKINGS, "rankings", ROOT, true)                                                            \
    X(RESULTS, "results", ROOT, false)                                                             \
    X(HAS_STARTED, "hasStarted", ROOT, false)                                                      \
    X(STATE, "state", META_AND_SHOWN, false)                                                       \
    X(REMOVED, "removed", META, true)                                                              \
    X(BALLOT_SEQ, "ballotSeq", META, true)                                                         \
    X(STARTED, "started", META, false)

typedef enum { ROOT, META, META_AND_SHOWN } where_t;

enum {
#define X(name, text, where, is_map) MEMBER_##name,
    MEMBERS(X)
#undef X
        MEMBER_COUNT
};

typedef struct {
    const char *name;
    where_t where;
    bool is_map;
} member_t;

static const member_t s_members[MEMBER_COUNT] = {
#define X(name, text, where, is_map) [MEMBER_##name] = {text, where, is_map},
    MEMBERS(X)
#undef X
};

/* The value of a member that is no map has this key. */
static const pr_str_t s_whole = {"", 0};

/* Stored JSON, and behind it public msgpack. */
typedef struct {
    size_t stored;
    size_t shown;
    bool is_gone;
    char bytes[];
} value_t;

struct ac_batch {
    pr_map_t *members[MEMBER_COUNT]; /* key -> value_t */
    size_t bytes;                    /* about what the stored patch has */
    pr_buf_t *json;                  /* for encoding one value */
    pr_buf_t *pack;
};

/* --- life --- */

ac_batch_t *
ac_batch_new(void)
{
    ac_batch_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->json = pr_buf_new(0);
    self->pack = pr_buf_new(0);
    bool made = self->json && self->pack;
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        self->members[i] = pr_map_new(free);
        made = made && self->members[i];
    }
    if (!made) {
        ac_batch_destroy(&self);
    }
    return self;
}

void
ac_batch_destroy(ac_batch_t **self_p)
{
    PR_ASSERT(self_p);
    ac_batch_t *self = *self_p;
    if (!self) {
        return;
    }
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        pr_map_destroy(&self->members[i]);
    }
    pr_buf_destroy(&self->json);
    pr_buf_destroy(&self->pack);
    free(self);
    *self_p = NULL;
}

void
ac_batch_clear(ac_batch_t *self)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        pr_map_clear(self->members[i]);
    }
    self->bytes = 0;
}

/* --- effects --- */

/* Empties both encodings of one value. */
static msgpack_packer
s_begin(ac_batch_t *self)
{
    pr_buf_clear(self->json);
    pr_buf_clear(self->pack);
    return pr_packer(self->pack);
}

static value_t *
s_value(const ac_batch_t *self, bool is_gone)
{
    if (pr_buf_failed(self->json) || pr_buf_failed(self->pack)) {
        return NULL;
    }
    size_t stored = pr_buf_len(self->json);
    size_t shown = pr_buf_len(self->pack);
    value_t *value = malloc(sizeof *value + stored + shown);
    if (value) {
        value->stored = stored;
        value->shown = shown;
        value->is_gone = is_gone;
        memcpy(value->bytes, pr_buf_data(self->json), stored);
        memcpy(value->bytes + stored, pr_buf_data(self->pack), shown);
    }
    return value;
}

/* Puts what was encoded since s_begin. */
static int
s_put(ac_batch_t *self, size_t member, pr_str_t key, bool is_gone)
{
    value_t *value = s_value(self, is_gone);
    if (!value) {
        return PR_E_NOMEM;
    }
    size_t bytes = key.len + value->stored + 4; /* quotes, colon, comma */
    int rc = pr_map_set(self->members[member], key, value);
    if (rc != 0) {
        free(value);
        return rc;
    }
    self->bytes += bytes;
    return 0;
}

static int
s_put_gone(ac_batch_t *self, size_t member, pr_str_t key)
{
    msgpack_packer packer = s_begin(self);
    pr_buf_append_str(self->json, PR_STR("null"));
    (void) msgpack_pack_nil(&packer);
    return s_put(self, member, key, true);
}

static int
s_put_text(ac_batch_t *self, size_t member, pr_str_t key, pr_str_t text)
{
    msgpack_packer packer = s_begin(self);
    pr_buf_append_json(self->json, text);
    pr_pack_str(&packer, text);
    return s_put(self, member, key, false);
}

int
ac_batch_participant(ac_batch_t *self, pr_str_t user, pr_str_t name)
{
    return name.ptr ? s_put_text(self, MEMBER_PARTICIPANTS, user, name)
                    : s_put_gone(self, MEMBER_PARTICIPANTS, user);
}

int
ac_batch_nomination(ac_batch_t *self, pr_str_t id, pr_str_t user, pr_str_t text)
{
    if (!text.ptr) {
        return s_put_gone(self, MEMBER_NOMINATIONS, id);
    }
    msgpack_packer packer = s_begin(self);
    pr_buf_append_str(self->json, PR_STR("{\"userID\":"));
    pr_buf_append_json(self->json, user);
    pr_buf_append_str(self->json, PR_STR(",\"text\":"));
    pr_buf_append_json(self->json, text);
    pr_buf_append_byte(self->json, '}');
    (void) msgpack_pack_map(&packer, 2);
    pr_pack_str(&packer, PR_STR("userID"));
    pr_pack_str(&packer, user);
    pr_pack_str(&packer, PR_STR("text"));
    pr_pack_str(&packer, text);
    return s_put(self, MEMBER_NOMINATIONS, id, false);
}

static int
s_put_ballot(ac_batch_t *self, pr_str_t user, const ac_choice_t *choice)
{
    msgpack_packer packer = s_begin(self);
    pr_buf_append_byte(self->json, '[');
    (void) msgpack_pack_array(&packer, choice->is_shown ? choice->count : 0);
    for (size_t i = 0; i < choice->count; i++) {
        if (i) {
            pr_buf_append_byte(self->json, ',');
        }
        pr_buf_append_json(self->json, choice->ids[i]);
        if (choice->is_shown) {
            pr_pack_str(&packer, choice->ids[i]);
        }
    }
    pr_buf_append_byte(self->json, ']');
    return s_put(self, MEMBER_RANKINGS, user, false);
}

static int
s_put_place(ac_batch_t *self, pr_str_t user, pr_str_t json)
{
    (void) s_begin(self);
    pr_buf_append_str(self->json, json);
    return s_put(self, MEMBER_BALLOT_SEQ, user, false);
}

int
ac_batch_ballot(ac_batch_t *self, pr_str_t user, const ac_choice_t *choice)
{
    bool is_gone = choice->count == 0;
    int rc = is_gone ? s_put_gone(self, MEMBER_BALLOT_SEQ, user)
                     : s_put_place(self, user, choice->place);
    if (rc == 0) {
        rc = is_gone ? s_put_gone(self, MEMBER_RANKINGS, user) : s_put_ballot(self, user, choice);
        if (rc != 0) {
            (void) pr_map_remove(self->members[MEMBER_BALLOT_SEQ], user);
        }
    }
    return rc;
}

int
ac_batch_removed(ac_batch_t *self, pr_str_t id, int64_t count)
{
    (void) s_begin(self);
    pr_buf_append_int(self->json, count);
    return s_put(self, MEMBER_REMOVED, id, false);
}

int
ac_batch_started(ac_batch_t *self, pr_str_t mark)
{
    int rc = s_put_text(self, MEMBER_STARTED, s_whole, mark);
    if (rc != 0) {
        return rc;
    }
    msgpack_packer packer = s_begin(self);
    pr_buf_append_str(self->json, PR_STR("true"));
    (void) msgpack_pack_true(&packer);
    rc = s_put(self, MEMBER_HAS_STARTED, s_whole, false);
    if (rc != 0) {
        (void) pr_map_remove(self->members[MEMBER_STARTED], s_whole);
    }
    return rc;
}

int
ac_batch_phase(ac_batch_t *self, pr_str_t phase)
{
    return s_put_text(self, MEMBER_STATE, s_whole, phase);
}

int
ac_batch_results(ac_batch_t *self, pr_str_t json, pr_str_t msgpack)
{
    (void) s_begin(self);
    pr_buf_append_str(self->json, json);
    pr_buf_append_str(self->pack, msgpack);
    return s_put(self, MEMBER_RESULTS, s_whole, false);
}

/* --- questions --- */

size_t
ac_batch_count(const ac_batch_t *self)
{
    size_t count = 0;
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        count += pr_map_count(self->members[i]);
    }
    return count;
}

bool
ac_batch_is_full(const ac_batch_t *self)
{
    return self->bytes >= PR_BATCH_BYTES_MAX || ac_batch_count(self) >= PR_BATCH_CHANGES_MAX;
}

bool
ac_batch_removes(const ac_batch_t *self, pr_str_t user)
{
    const value_t *value = pr_map_get(self->members[MEMBER_PARTICIPANTS], user);
    return value && value->is_gone;
}

size_t
ac_batch_removed_count(const ac_batch_t *self)
{
    return pr_map_count(self->members[MEMBER_REMOVED]);
}

pr_str_t
ac_batch_removed_at(const ac_batch_t *self, size_t index)
{
    return pr_map_key_at(self->members[MEMBER_REMOVED], index);
}

bool
ac_batch_votes(const ac_batch_t *self, pr_str_t user)
{
    return pr_map_get(self->members[MEMBER_RANKINGS], user) != NULL;
}

size_t
ac_batch_voter_count(const ac_batch_t *self)
{
    return pr_map_count(self->members[MEMBER_RANKINGS]);
}

pr_str_t
ac_batch_voter_at(const ac_batch_t *self, size_t index)
{
    return pr_map_key_at(self->members[MEMBER_RANKINGS], index);
}

/* --- the stored patch --- */

static void
s_write_json(const value_t *value, pr_buf_t *out)
{
    pr_buf_append(out, value->bytes, value->stored);
}

/* `,"name":value`, without the comma behind a brace. */
static void
s_write_member(const ac_batch_t *self, size_t member, const char *between, pr_buf_t *out)
{
    const pr_map_t *map = self->members[member];
    pr_buf_append_str(out, pr_str(between));
    pr_buf_append_json(out, pr_str(s_members[member].name));
    pr_buf_append_byte(out, ':');
    if (!s_members[member].is_map) {
        s_write_json(pr_map_value_at(map, 0), out);
        return;
    }
    for (size_t i = 0; i < pr_map_count(map); i++) {
        pr_buf_append_byte(out, i ? ',' : '{');
        pr_buf_append_json(out, pr_map_key_at(map, i));
        pr_buf_append_byte(out, ':');
        s_write_json(pr_map_value_at(map, i), out);
    }
    pr_buf_append_byte(out, '}');
}

static bool
s_has_meta(const ac_batch_t *self)
{
    bool has = false;
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        has = has || (s_members[i].where != ROOT && pr_map_count(self->members[i]));
    }
    return has;
}

static void
s_write_meta(const ac_batch_t *self, const pr_rev_t *to, pr_buf_t *out)
{
    const char *between = "";
    pr_buf_append_str(out, PR_STR("\"meta\":{"));
    if (to) {
        pr_rev_text_t rev = pr_rev_format(*to);
        pr_buf_append_str(out, PR_STR("\"version\":"));
        pr_buf_append_int(out, to->version);
        /* The script looks for these very bytes. */
        pr_buf_append_str(out, PR_STR(",\"rev\":\""));
        pr_buf_append_str(out, pr_str(rev.text));
        pr_buf_append_byte(out, '"');
        between = ",";
    }
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (s_members[i].where != ROOT && pr_map_count(self->members[i])) {
            s_write_member(self, i, between, out);
            between = ",";
        }
    }
    pr_buf_append_byte(out, '}');
}

void
ac_batch_write_stored(const ac_batch_t *self, const pr_rev_t *to, pr_buf_t *out)
{
    const char *between = "";
    pr_buf_append_byte(out, '{');
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (s_members[i].where == ROOT && pr_map_count(self->members[i])) {
            s_write_member(self, i, between, out);
            between = ",";
        }
    }
    if (to || s_has_meta(self)) {
        pr_buf_append_str(out, pr_str(between));
        s_write_meta(self, to, out);
    }
    pr_buf_append_byte(out, '}');
}

/* --- the published patch --- */

static bool
s_is_shown(const ac_batch_t *self, size_t member)
{
    return s_members[member].where != META && pr_map_count(self->members[member]);
}

static void
s_write_shown(const value_t *value, pr_buf_t *out)
{
    pr_buf_append(out, value->bytes + value->stored, value->shown);
}

static void
s_publish_member(const ac_batch_t *self, size_t member, msgpack_packer *packer, pr_buf_t *out)
{
    const pr_map_t *map = self->members[member];
    pr_pack_str(packer, pr_str(s_members[member].name));
    if (!s_members[member].is_map) {
        s_write_shown(pr_map_value_at(map, 0), out);
        return;
    }
    (void) msgpack_pack_map(packer, pr_map_count(map));
    for (size_t i = 0; i < pr_map_count(map); i++) {
        pr_pack_str(packer, pr_map_key_at(map, i));
        s_write_shown(pr_map_value_at(map, i), out);
    }
}

void
ac_batch_write_published(const ac_batch_t *self, pr_rev_t to, pr_buf_t *out)
{
    size_t members = 2;
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        members += s_is_shown(self, i) ? 1 : 0;
    }
    msgpack_packer packer = pr_packer(out);
    (void) msgpack_pack_map(&packer, members);
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (s_is_shown(self, i)) {
            s_publish_member(self, i, &packer, out);
        }
    }
    pr_pack_str(&packer, PR_STR("version"));
    (void) msgpack_pack_int64(&packer, to.version);
    pr_rev_text_t rev = pr_rev_format(to);
    pr_pack_str(&packer, PR_STR("rev"));
    pr_pack_str(&packer, pr_str(rev.text));
}

int
ac_batch_rev(const ac_batch_t *self, pr_rev_t from, pr_str_t token, pr_rev_t *to)
{
    pr_buf_t *patch = pr_buf_new(256);
    if (!patch) {
        return PR_E_NOMEM;
    }
    ac_batch_write_stored(self, NULL, patch);
    int rc = PR_E_NOMEM;
    if (!pr_buf_failed(patch)) {
        *to = pr_rev_next(from, token, pr_buf_str(patch));
        rc = 0;
    }
    pr_buf_destroy(&patch);
    return rc;
}
