/* SPDX-License-Identifier: MIT */

/*
 * Effects are kept by the member of the document that they touch, keyed by user or nomination, as
 * both patches need them grouped so. A new kind of effect is a value kind with two writers, or a
 * member.
 */

#include "actors/batch.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/map.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"
#include "proto/wire/message.h"

/* Members of the document that are maps: name, and whether the public document has it. */
#define MEMBERS(X) X(PARTICIPANTS, "participants")

enum {
#define X(name, text) MEMBER_##name,
    MEMBERS(X)
#undef X
        MEMBER_COUNT
};

static const char *const s_member_names[MEMBER_COUNT] = {
#define X(name, text) [MEMBER_##name] = (text),
    MEMBERS(X)
#undef X
};

typedef enum { VALUE_GONE, VALUE_TEXT } value_kind_t;

typedef struct {
    value_kind_t kind;
    size_t len;
    char text[];
} value_t;

struct ac_batch {
    pr_map_t *members[MEMBER_COUNT]; /* key -> value_t */
    size_t bytes;                    /* about what the stored patch has */
};

ac_batch_t *
ac_batch_new(void)
{
    ac_batch_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        self->members[i] = pr_map_new(free);
        if (!self->members[i]) {
            ac_batch_destroy(&self);
            return NULL;
        }
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

static int
s_put(ac_batch_t *self, size_t member, pr_str_t key, value_kind_t kind, pr_str_t text)
{
    value_t *value = malloc(sizeof *value + text.len);
    if (!value) {
        return PR_E_NOMEM;
    }
    value->kind = kind;
    value->len = text.len;
    if (text.len) {
        memcpy(value->text, text.ptr, text.len);
    }
    int rc = pr_map_set(self->members[member], key, value);
    if (rc != 0) {
        free(value);
        return rc;
    }
    self->bytes += key.len + text.len + 6; /* quotes, colon, comma */
    return 0;
}

int
ac_batch_participant(ac_batch_t *self, pr_str_t user, pr_str_t name)
{
    return s_put(self, MEMBER_PARTICIPANTS, user, name.ptr ? VALUE_TEXT : VALUE_GONE, name);
}

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
    return value && value->kind == VALUE_GONE;
}

/* --- the stored patch --- */

static void
s_write_stored_value(const value_t *value, pr_buf_t *out)
{
    switch (value->kind) {
    case VALUE_GONE:
        pr_buf_append_str(out, PR_STR("null"));
        break;
    case VALUE_TEXT:
        pr_buf_append_json(out, (pr_str_t) {value->text, value->len});
        break;
    }
}

static void
s_write_stored_member(const ac_batch_t *self, size_t member, pr_buf_t *out)
{
    const pr_map_t *map = self->members[member];
    pr_buf_append_json(out, pr_str(s_member_names[member]));
    pr_buf_append_str(out, PR_STR(":{"));
    for (size_t i = 0; i < pr_map_count(map); i++) {
        if (i) {
            pr_buf_append_byte(out, ',');
        }
        pr_buf_append_json(out, pr_map_key_at(map, i));
        pr_buf_append_byte(out, ':');
        s_write_stored_value(pr_map_value_at(map, i), out);
    }
    pr_buf_append_byte(out, '}');
}

void
ac_batch_write_stored(const ac_batch_t *self, const pr_rev_t *to, pr_buf_t *out)
{
    const char *between = "{";
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (pr_map_count(self->members[i])) {
            pr_buf_append_str(out, pr_str(between));
            s_write_stored_member(self, i, out);
            between = ",";
        }
    }
    if (to) {
        pr_rev_text_t rev = pr_rev_format(*to);
        pr_buf_append_str(out, pr_str(between));
        /* The script looks for these very bytes. */
        pr_buf_append_str(out, PR_STR("\"meta\":{\"version\":"));
        pr_buf_append_int(out, to->version);
        pr_buf_append_str(out, PR_STR(",\"rev\":\""));
        pr_buf_append_str(out, pr_str(rev.text));
        pr_buf_append_str(out, PR_STR("\"}"));
        between = ",";
    }
    pr_buf_append_str(out, between[0] == '{' ? PR_STR("{}") : PR_STR("}"));
}

/* --- the published patch --- */

static void
s_write_published_value(msgpack_packer *packer, const value_t *value)
{
    switch (value->kind) {
    case VALUE_GONE:
        msgpack_pack_nil(packer);
        break;
    case VALUE_TEXT:
        pr_pack_str(packer, (pr_str_t) {value->text, value->len});
        break;
    }
}

void
ac_batch_write_published(const ac_batch_t *self, pr_rev_t to, pr_buf_t *out)
{
    size_t members = 2;
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        members += pr_map_count(self->members[i]) ? 1 : 0;
    }
    msgpack_packer packer = pr_packer(out);
    msgpack_pack_map(&packer, members);
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const pr_map_t *map = self->members[i];
        if (pr_map_count(map) == 0) {
            continue;
        }
        pr_pack_str(&packer, pr_str(s_member_names[i]));
        msgpack_pack_map(&packer, pr_map_count(map));
        for (size_t j = 0; j < pr_map_count(map); j++) {
            pr_pack_str(&packer, pr_map_key_at(map, j));
            s_write_published_value(&packer, pr_map_value_at(map, j));
        }
    }
    pr_pack_str(&packer, PR_STR("version"));
    msgpack_pack_int64(&packer, to.version);
    pr_pack_str(&packer, PR_STR("rev"));
    pr_pack_str(&packer, pr_str(pr_rev_format(to).text));
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
