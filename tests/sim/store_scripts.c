/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/assert.h"
#include "tests/sim/merge.h"
#include "tests/sim/scene.h"
#include "tests/sim/store_private.h"

/* --- answers --- */

static void
s_error(pr_buf_t *out, const char *words, const char *more)
{
    pr_buf_append_fmt(out, "-%s%s\r\n", words, more);
}

static void
s_bulk(pr_buf_t *out, pr_str_t text)
{
    pr_buf_append_fmt(out, "$%zu\r\n", text.len);
    pr_buf_append_str(out, text);
    pr_buf_append_str(out, PR_STR("\r\n"));
}

static void
s_pair(pr_buf_t *out, int applied, const char *text)
{
    pr_buf_append_fmt(out, "*2\r\n:%d\r\n", applied);
    s_bulk(out, pr_str(text));
}

static void
s_fenced(const sim_stored_t *self, pr_buf_t *out)
{
    s_error(out, "FENCED ", self->keys.record[0] ? self->keys.record : "none");
}

/* --- arguments --- */

static int64_t
s_number(pr_str_t text)
{
    char digits[24] = {0};
    PR_ASSERT(text.len < sizeof digits);
    memcpy(digits, text.ptr, text.len);
    return strtoll(digits, NULL, 10);
}

/* A number of "generation:epoch:incarnation". */
static long long
s_field(pr_str_t record, int index)
{
    char text[SIM_RECORD_MAX] = {0};
    PR_ASSERT(record.len < sizeof text);
    memcpy(text, record.ptr, record.len);
    const char *at = text;
    for (; index > 0; index--) {
        at = strchr(at, ':');
        PR_ASSERT(at);
        at++;
    }
    return strtoll(at, NULL, 10);
}

static json_t *
s_json(pr_str_t text)
{
    return json_loadb(text.ptr, text.len, JSON_ALLOW_NUL, NULL);
}

static bool
s_is(const char *text, pr_str_t other)
{
    return pr_str_equal(pr_str(text), other);
}

static const char *
s_meta(const json_t *document, const char *name)
{
    const char *text = json_string_value(json_object_get(json_object_get(document, "meta"), name));
    return text ? text : "none";
}

static bool
s_holds_rev(pr_str_t json, pr_str_t rev)
{
    char wanted[64];
    int len = snprintf(wanted, sizeof wanted, "\"rev\":\"%.*s\"", PR_STR_ARG(rev));
    return memmem(json.ptr, json.len, wanted, (size_t) len) != NULL;
}

/* --- effects --- */

static void
s_put(sim_stored_t *self, json_t *document, bool is_whole)
{
    json_t *before = self->keys.document;
    self->keys.document = document;
    sim_stored_changed(self);
    sim_stored_accept(self, before, is_whole);
    json_decref(before);
}

static void
s_live_until(sim_stored_t *self, int64_t ends_ms)
{
    self->keys.document_until_ms = ends_ms + 60000;
    self->keys.record_until_ms = ends_ms + 120000;
}

/* --- scripts --- */

/* generation, incarnation, json, endsAt, nonce */
void
sim_script_create(sim_stored_t *self, const pr_str_t *args, size_t count, pr_buf_t *out)
{
    PR_ASSERT(count == 5);
    sim_keys_t *keys = &self->keys;
    if (keys->document) {
        if (s_is(s_meta(keys->document, "nonce"), args[4])) {
            s_pair(out, 0, keys->record[0] ? keys->record : "none");
        } else {
            s_error(out, "TAKEN poll", "");
        }
        return;
    }
    if (keys->record[0]) {
        s_error(out, "TAKEN record", "");
        return;
    }
    json_t *document = s_json(args[2]);
    int64_t ends_ms = s_number(args[3]);
    if (ends_ms <= sim_wall_ms() || !document) {
        s_error(out, "BADARG ", document ? "endsAt" : "not stored");
        json_decref(document);
        return;
    }
    (void) snprintf(keys->record, sizeof keys->record, "%.*s:1:%.*s", PR_STR_ARG(args[0]),
                    PR_STR_ARG(args[1]));
    s_live_until(self, ends_ms);
    s_put(self, document, true);
    s_pair(out, 1, keys->record);
}

/* generation, incarnation */
void
sim_script_claim(sim_stored_t *self, const pr_str_t *args, size_t count, pr_buf_t *out)
{
    PR_ASSERT(count == 2);
    sim_keys_t *keys = &self->keys;
    long long generation = 0;
    long long epoch = 0;
    if (keys->record[0]) {
        generation = s_field(pr_str(keys->record), 0);
        epoch = s_field(pr_str(keys->record), 1);
        if (strstr(keys->record, ":ended")) {
            s_error(out, "NODOC ended", "");
            return;
        }
        if (generation > s_number(args[0])) {
            s_error(out, "STALE ", keys->record);
            return;
        }
    }
    if (!keys->document) {
        s_error(out, "NODOC ", keys->record[0] ? "lost" : "missing");
        return;
    }
    (void) snprintf(keys->record, sizeof keys->record, "%.*s:%lld:%.*s", PR_STR_ARG(args[0]),
                    epoch + 1, PR_STR_ARG(args[1]));
    int64_t until_ms = keys->document_until_ms + 60000;
    keys->record_until_ms = until_ms > keys->record_until_ms ? until_ms : keys->record_until_ms;
    sim_stored_changed(self);
    char *body = json_dumps(keys->document, JSON_COMPACT);
    pr_buf_append_str(out, PR_STR("*3\r\n:1\r\n"));
    s_bulk(out, pr_str(keys->record));
    s_bulk(out, pr_str(body));
    free(body);
}

/* Whether the write goes on: its document is at `from`. */
static bool
s_may_write(const sim_stored_t *self, const pr_str_t *args, bool is_root, pr_buf_t *out)
{
    const json_t *document = self->keys.document;
    if (!s_is(self->keys.record, args[0])) {
        s_fenced(self, out);
        return false;
    }
    bool from_none = pr_str_equal(args[1], PR_STR("none"));
    if (document) {
        const char *have = s_meta(document, "rev");
        if (s_is(have, args[2])) {
            s_pair(out, 0, have);
            return false;
        }
        if (!s_is(have, args[1]) || (is_root && from_none)) {
            s_error(out, "CONFLICT ", have);
            return false;
        }
    } else if (!is_root || !from_none) {
        s_error(out, "NODOC missing", "");
        return false;
    }
    return true;
}

/* token, from, to, json, endsAt of a root write */
void
sim_script_write(sim_stored_t *self, const pr_str_t *args, size_t count, pr_buf_t *out)
{
    PR_ASSERT(count == 4 || count == 5);
    bool is_root = count == 5;
    if (!s_may_write(self, args, is_root, out)) {
        return;
    }
    json_t *patch = s_holds_rev(args[3], args[2]) ? s_json(args[3]) : NULL;
    if (!json_is_object(patch) || (is_root && s_number(args[4]) <= sim_wall_ms())) {
        s_error(out, "BADARG ", json_is_object(patch) ? "endsAt" : "rev");
        json_decref(patch);
        return;
    }
    if (is_root) {
        s_live_until(self, s_number(args[4]));
        s_put(self, patch, true);
    } else {
        s_put(self, sim_merge(self->keys.document, patch), false);
        json_decref(patch);
    }
    s_pair(out, 1, s_meta(self->keys.document, "rev"));
}

/* token */
void
sim_script_finish(sim_stored_t *self, const pr_str_t *args, size_t count, pr_buf_t *out)
{
    PR_ASSERT(count == 1);
    sim_keys_t *keys = &self->keys;
    char stone[SIM_RECORD_MAX];
    (void) snprintf(stone, sizeof stone, "%lld:%lld:ended", s_field(args[0], 0),
                    s_field(args[0], 1));
    if (strcmp(keys->record, stone) == 0) {
        pr_buf_append_str(out, PR_STR("*1\r\n:0\r\n"));
        return;
    }
    if (!s_is(keys->record, args[0])) {
        s_fenced(self, out);
        return;
    }
    json_decref(keys->document);
    keys->document = NULL;
    memcpy(keys->record, stone, sizeof stone);
    self->is_ended = true;
    sim_stored_changed(self);
    sim_trace("STORE %s has ended", self->id);
    pr_buf_append_str(out, PR_STR("*1\r\n:1\r\n"));
}
