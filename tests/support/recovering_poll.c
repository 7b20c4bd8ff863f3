/* SPDX-License-Identifier: MIT */

#include "tests/support/recovering_poll.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "proto/base/clock.h"

enum { WAIT_MS = 20000, LIFE_MS = 3600 * 1000 };

static void
s_done(ac_request_t *request, const ac_answer_t *answer)
{
    t_poll_t *self = (t_poll_t *) request;
    assert_false(self->answered);
    self->answered = true;
    self->kind = answer->kind;
    (void) snprintf(self->text, sizeof self->text, "%.*s", PR_STR_ARG(answer->text));
    pr_buf_clear(self->document);
    pr_buf_append_str(self->document, answer->document);
}

void
t_poll_init(t_poll_t *self, pr_loop_t *loop, ac_store_t *store, const char *id)
{
    *self = (t_poll_t) {.loop = loop, .store = store};
    (void) snprintf(self->request.poll, sizeof self->request.poll, "%s", id);
    (void) snprintf(self->nonce, sizeof self->nonce, "n-%s", id);
    self->request.done = s_done;
    self->ends_at = pr_clock_wall_ms() + LIFE_MS;
    self->rev = (pr_rev_t) {1, 0xa};
    self->to = self->rev;
    self->document = pr_buf_new(1024);
    assert_non_null(self->document);
}

void
t_poll_fini(t_poll_t *self)
{
    pr_buf_destroy(&self->request.body);
    pr_buf_destroy(&self->document);
}

/* --- documents --- */

static void
s_append_members(const t_poll_t *self, bool with_batch, pr_buf_t *out)
{
    for (size_t i = 0; i < self->member_count; i++) {
        pr_buf_append_fmt(out, "%s\"m%d\":\"x\"", i > 0 ? "," : "", self->members[i]);
    }
    if (with_batch && self->adding) {
        const char *comma = self->member_count > 0 ? "," : "";
        pr_buf_append_fmt(out, "%s\"m%d\":\"x\"", comma, self->adding);
    }
}

/* The whole document: as saved, or with the batch at its rev. */
static pr_buf_t *
s_whole(const t_poll_t *self, bool with_batch)
{
    pr_rev_t rev = with_batch ? self->to : self->rev;
    pr_buf_t *out = pr_buf_new(512);
    assert_non_null(out);
    pr_buf_append_fmt(out, "{\"id\":\"%s\",\"participants\":{", self->request.poll);
    s_append_members(self, with_batch, out);
    pr_buf_append_fmt(out, "},\"meta\":{\"version\":%d,\"rev\":\"%s\",\"nonce\":\"%s\"}}",
                      (int) rev.version, pr_rev_format(rev).text, self->nonce);
    return out;
}

pr_buf_t *
t_poll_document(const t_poll_t *self)
{
    pr_buf_t *out = s_whole(self, false);
    pr_buf_append_byte(out, '\0');
    return out;
}

static pr_buf_t *
s_patch(const t_poll_t *self)
{
    pr_buf_t *out = pr_buf_new(256);
    assert_non_null(out);
    pr_buf_append_str(out, PR_STR("{"));
    if (self->adding) {
        pr_buf_append_fmt(out, "\"participants\":{\"m%d\":\"x\"},", self->adding);
    }
    pr_buf_append_fmt(out, "\"meta\":{\"version\":%d,\"rev\":\"%s\"}}", (int) self->to.version,
                      pr_rev_format(self->to).text);
    return out;
}

/* Takes the state out of a document that `claim` gave. */
static void
s_take_document(t_poll_t *self)
{
    json_t *doc = json_loadb(pr_buf_data(self->document), pr_buf_len(self->document), 0, NULL);
    assert_non_null(doc);
    const char *rev = json_string_value(json_object_get(json_object_get(doc, "meta"), "rev"));
    assert_true(pr_rev_parse(pr_str(rev), &self->rev));
    self->member_count = 0;
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(doc, "participants"), name, value)
    {
        self->members[self->member_count++] = (int) strtol(name + 1, NULL, 10);
    }
    json_decref(doc);
}

/* --- requests --- */

static void
s_set_body(t_poll_t *self, pr_buf_t *body)
{
    pr_buf_destroy(&self->request.body);
    self->request.body = body;
}

static void
s_set_texts(t_poll_t *self)
{
    ac_request_t *request = &self->request;
    (void) snprintf(request->nonce, sizeof request->nonce, "%s", self->nonce);
    (void) snprintf(request->token, sizeof request->token, "%s", self->token);
    (void) snprintf(request->from, sizeof request->from, "%s",
                    self->from_none ? "none" : pr_rev_format(self->from).text);
    (void) snprintf(request->to, sizeof request->to, "%s", pr_rev_format(self->to).text);
}

static void
s_ask(t_poll_t *self, ac_script_t script, bool is_root)
{
    ac_request_t *request = &self->request;
    request->script = script;
    request->ends_at = 0;
    s_set_texts(self);
    switch (script) {
    case AC_SCRIPT_CREATE:
        request->ends_at = self->ends_at;
        s_set_body(self, s_whole(self, true));
        break;
    case AC_SCRIPT_WRITE:
        request->ends_at = is_root ? self->ends_at : 0;
        s_set_body(self, is_root ? s_whole(self, true) : s_patch(self));
        break;
    case AC_SCRIPT_CLAIM:
    case AC_SCRIPT_FINISH:
        s_set_body(self, NULL);
        break;
    }
    self->answered = false;
    ac_store_submit(self->store, request);
}

static bool
s_is_answered(void *arg)
{
    return ((t_poll_t *) arg)->answered;
}

static void
s_take_token(t_poll_t *self)
{
    (void) snprintf(self->token, sizeof self->token, "%.63s", self->text);
}

static void
s_commit(t_poll_t *self)
{
    self->rev = self->to;
    if (self->adding) {
        assert_true(self->member_count < T_MEMBERS_MAX);
        self->members[self->member_count++] = self->adding;
    }
    self->adding = 0;
}

/* The rev of a root write: above both, and like no other. */
static void
s_go_above(t_poll_t *self, pr_rev_t stored)
{
    int64_t version = stored.version > self->rev.version ? stored.version : self->rev.version;
    self->to = (pr_rev_t) {version + 1, self->to.chain * 31 + 7};
}

/* --- the table at work --- */

/* What is on its way: the request itself (kept for RESEND), and what is sent in between. */
typedef struct {
    ac_script_t pending;
    bool pending_is_root;
    ac_script_t script;
    ac_aim_t aim;
} drive_t;

/* Performs one step; false when it is the last. */
static bool
s_perform(t_poll_t *self, drive_t *drive, ac_step_t step)
{
    pr_rev_t stored = {0, 0};
    switch (step) {
    case AC_STEP_SAVED:
        if (drive->script == AC_SCRIPT_CREATE) {
            s_take_token(self);
        }
        s_commit(self);
        return false;
    case AC_STEP_OPENED:
        s_take_token(self);
        if (drive->script == AC_SCRIPT_CLAIM) {
            s_take_document(self);
        }
        return false;
    case AC_STEP_RESEND:
    case AC_STEP_ADOPT_AND_RESEND:
        s_take_token(self);
        drive->script = drive->pending;
        return true;
    case AC_STEP_CLAIM_THEN_RESEND:
        drive->script = AC_SCRIPT_CLAIM;
        return true;
    case AC_STEP_CLAIM_THEN_SERVE:
    case AC_STEP_RELOAD:
        drive->script = AC_SCRIPT_CLAIM;
        drive->aim = AC_AIM_OPEN;
        return true;
    case AC_STEP_ROOT_WRITE:
        assert_true(pr_rev_parse(pr_str(self->text), &stored));
        self->from = stored;
        s_go_above(self, stored);
        drive->pending_is_root = true;
        return true;
    case AC_STEP_ROOT_WRITE_ANEW:
        self->from_none = true;
        s_go_above(self, stored);
        drive->pending_is_root = true;
        return true;
    case AC_STEP_CREATE_WHOLE:
        drive->script = AC_SCRIPT_CREATE;
        return true;
    case AC_STEP_GONE:
    case AC_STEP_NOT_FOUND:
    case AC_STEP_MOVED:
    case AC_STEP_LOST:
    case AC_STEP_REDRAW_ID:
    case AC_STEP_QUARANTINE:
    case AC_STEP_COUNT:
        break;
    }
    return false;
}

ac_step_t
t_poll_drive(t_poll_t *self, ac_script_t script, ac_aim_t aim)
{
    drive_t drive = {script, false, script, aim};
    if (script == AC_SCRIPT_CREATE || script == AC_SCRIPT_CLAIM) {
        drive.pending = AC_SCRIPT_WRITE;
    }
    self->step_count = 0;
    ac_step_t step = AC_STEP_COUNT;
    do {
        s_ask(self, drive.script, drive.pending_is_root);
        assert_true(pr_loop_run_until(self->loop, s_is_answered, self, WAIT_MS));
        ac_finding_t finding = {.script = drive.script, .aim = drive.aim, .alive = !self->past};
        ac_answer_t answer = {.kind = self->kind, .text = pr_str(self->text)};
        ac_recovery_read(&finding, &answer, self->token, self->rev.version);
        step = ac_recovery_next(&finding);
        /* More would be a circle. */
        assert_true(self->step_count < T_STEPS_MAX);
        self->steps[self->step_count++] = step;
    } while (s_perform(self, &drive, step));
    return step;
}

ac_step_t
t_poll_create(t_poll_t *self)
{
    return t_poll_drive(self, AC_SCRIPT_CREATE, AC_AIM_OPEN);
}

ac_step_t
t_poll_load(t_poll_t *self)
{
    return t_poll_drive(self, AC_SCRIPT_CLAIM, AC_AIM_OPEN);
}

ac_step_t
t_poll_add(t_poll_t *self, int member)
{
    self->adding = member;
    self->from_none = false;
    self->from = self->rev;
    self->to = (pr_rev_t) {self->rev.version + 1, self->rev.chain * 31 + (uint64_t) member};
    return t_poll_drive(self, AC_SCRIPT_WRITE, AC_AIM_KEEP);
}

ac_step_t
t_poll_validate(t_poll_t *self)
{
    self->adding = 0;
    self->from_none = false;
    self->from = self->rev;
    self->to = self->rev;
    return t_poll_drive(self, AC_SCRIPT_WRITE, AC_AIM_KEEP);
}

ac_step_t
t_poll_end(t_poll_t *self)
{
    return t_poll_drive(self, AC_SCRIPT_FINISH, AC_AIM_END);
}

void
t_poll_assert_steps(const t_poll_t *self, ...)
{
    char took[256] = "";
    for (size_t i = 0; i < self->step_count; i++) {
        size_t len = strlen(took);
        (void) snprintf(took + len, sizeof took - len, " %s", ac_step_name(self->steps[i]));
    }
    va_list args;
    va_start(args, self);
    bool equal = true;
    for (size_t i = 0; i < self->step_count + 1 && equal; i++) {
        ac_step_t expected = (ac_step_t) va_arg(args, int);
        equal = expected == (i < self->step_count ? self->steps[i] : AC_STEP_COUNT);
    }
    va_end(args);
    if (!equal) {
        fail_msg("other steps than expected:%s (last answer: %s)", took, self->text);
    }
}

void
t_poll_assert_stored(const t_poll_t *self, t_redis_server_t *server)
{
    char key[24];
    char own[32];
    (void) snprintf(key, sizeof key, "polls:%s", self->request.poll);
    (void) snprintf(own, sizeof own, "own:{%s}", key);
    pr_buf_t *whole = t_poll_document(self);
    json_t *want = json_loads(pr_buf_data(whole), 0, NULL);
    const char *text = t_redis_server_ask(server, "JSON.GET", key, NULL);
    json_t *have = json_loads(text, 0, NULL);
    if (!json_equal(want, have)) {
        fail_msg("the store has %s, we have %s", text, pr_buf_data(whole));
    }
    json_decref(want);
    json_decref(have);
    pr_buf_destroy(&whole);
    assert_string_equal(t_redis_server_ask(server, "GET", own, NULL), self->token);
    /* 60 s after its end, and 60 s more for the record; a claim may make that longer. */
    int64_t left_ms = self->ends_at - pr_clock_wall_ms();
    int64_t doc_ms = strtoll(t_redis_server_ask(server, "PTTL", key, NULL), NULL, 10);
    int64_t own_ms = strtoll(t_redis_server_ask(server, "PTTL", own, NULL), NULL, 10);
    assert_in_range(doc_ms, left_ms + 50000, left_ms + 70000);
    assert_in_range(own_ms, left_ms + 110000, left_ms + 130000);
}
