/* SPDX-License-Identifier: MIT */

/* A poll in a phase of its life and how to ask it for things; for test_rules.c alone. */

#ifndef RULES_WORLD_H
#define RULES_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "actors/poll.h"
#include "proto/poll/document.h"
#include "proto/wire/error.h"
#include "proto/wire/json.h"

#define ADMIN PR_STR("admin-admin-admin-adm")
#define BOB PR_STR("bobby-bobby-bobby-bob")
#define CAROL PR_STR("carol-carol-carol-car")
#define ENDS_AT 2000000
#define NOW 1000000

static const ac_rules_t s_rules = {100, 4, 2};

typedef struct {
    ac_poll_t *poll;
    ac_batch_t *batch;
    pr_unpacked_t *memory;
    pr_buf_t *words;
    pr_buf_t *args;
    char id[16];    /* of the next command */
    char first[16]; /* nominations that are there from the start */
    char second[16];
} world_t;

static int
s_ask_as(world_t *self, ac_event_kind_t kind, pr_str_t user, pr_str_t id, const char *args)
{
    pr_buf_clear(self->words);
    pr_buf_clear(self->args);
    ac_batch_clear(self->batch);
    ac_event_t event = {.kind = kind, .user = user, .name = PR_STR("Name"), .id = id};
    if (args) {
        assert_int_equal(pr_json_to_msgpack(pr_str(args), self->args), 0);
        event.args = pr_buf_str(self->args);
    }
    event.memory = self->memory;
    event.words = self->words;
    return ac_poll_decide(self->poll, &event, NOW, self->batch);
}

static int
s_ask(world_t *self, ac_event_kind_t kind, pr_str_t user, const char *args)
{
    static int commands;
    (void) snprintf(self->id, sizeof self->id, "c%d", ++commands);
    return s_ask_as(self, kind, user, pr_str(self->id), args);
}

/* What the core said: a reason, or an id. */
static const char *
s_words(world_t *self)
{
    static char text[128];
    const msgpack_object *object;
    assert_int_equal(pr_value_unpack(pr_buf_str(self->words), self->memory, &object), 0);
    pr_str_t said = pr_object_str(object);
    assert_in_range(said.len, 1, sizeof text - 1);
    memcpy(text, said.ptr, said.len);
    text[said.len] = '\0';
    return text;
}

/* Arguments that rank one nomination, or two. */
static const char *
s_rank(const char *first, const char *second)
{
    static char text[128];
    (void) snprintf(text, sizeof text, "{\"rankings\":[\"%s\"%s%s%s]}", first, second ? ",\"" : "",
                    second ? second : "", second ? "\"" : "");
    return text;
}

static const char *
s_id(const char *id)
{
    static char text[64];
    (void) snprintf(text, sizeof text, "{\"id\":\"%s\"}", id);
    return text;
}

/* Admin, Bob and two nominations, brought to a phase: 0 open, 1 voting, 2 closed. */
static world_t
s_world(int phase)
{
    ac_creation_t creation = {
        PR_STR("ABC123"), PR_STR("Lunch"), ADMIN, PR_STR("nonce"), 2, ENDS_AT, false};
    world_t self = {
        .poll = ac_poll_new_created(&creation, &s_rules),
        .batch = ac_batch_new(),
        .memory = pr_unpacked_new(),
        .words = pr_buf_new(0),
        .args = pr_buf_new(0),
    };
    assert_int_equal(s_ask(&self, AC_EVENT_JOIN, ADMIN, NULL), 0);
    assert_int_equal(s_ask(&self, AC_EVENT_JOIN, BOB, NULL), 0);
    assert_int_equal(s_ask(&self, AC_EVENT_NOMINATE, ADMIN, "{\"text\":\"Soup\"}"), 0);
    (void) snprintf(self.first, sizeof self.first, "%s", s_words(&self));
    assert_int_equal(s_ask(&self, AC_EVENT_NOMINATE, BOB, "{\"text\":\"Rice\"}"), 0);
    (void) snprintf(self.second, sizeof self.second, "%s", s_words(&self));
    if (phase > 0) {
        assert_int_equal(s_ask(&self, AC_EVENT_START_VOTE, ADMIN, NULL), 0);
        assert_int_equal(
            s_ask(&self, AC_EVENT_SUBMIT_RANKINGS, BOB, s_rank(self.second, self.first)), 0);
    }
    if (phase > 1) {
        assert_int_equal(s_ask(&self, AC_EVENT_CLOSE_POLL, ADMIN, NULL), 0);
    }
    return self;
}

static void
s_end(world_t *self)
{
    ac_poll_destroy(&self->poll);
    ac_batch_destroy(&self->batch);
    pr_unpacked_destroy(&self->memory);
    pr_buf_destroy(&self->words);
    pr_buf_destroy(&self->args);
}

/* The poll as its next owner has it: read from what is stored. */
static inline void
s_reload(world_t *self)
{
    const pr_rev_t rev = {7, 0xff};
    pr_buf_t *json = pr_buf_new(0);
    ac_poll_t *again = NULL;
    ac_poll_write_stored(self->poll, &rev, json);
    assert_int_equal(ac_poll_from_json(pr_buf_str(json), PR_STR("ABC123"), &s_rules, &again), 0);
    ac_poll_destroy(&self->poll);
    self->poll = again;
    pr_buf_destroy(&json);
}

static bool
s_stored_has(const world_t *self, const char *piece)
{
    pr_buf_t *json = pr_buf_new(0);
    ac_poll_write_stored(self->poll, NULL, json);
    pr_buf_append_byte(json, '\0');
    bool has = strstr(pr_buf_data(json), piece) != NULL;
    pr_buf_destroy(&json);
    return has;
}

#endif
