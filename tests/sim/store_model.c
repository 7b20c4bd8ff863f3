/* SPDX-License-Identifier: MIT */

#include "tests/sim/store_model.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/assert.h"
#include "tests/sim/oracle.h"
#include "tests/sim/scene.h"
#include "tests/sim/store_private.h"

struct sim_store {
    sim_stored_t **list;
    size_t count;
};

sim_store_t *
sim_store_new(void)
{
    sim_store_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self);
    return self;
}

static void
s_free_stored(sim_stored_t *stored)
{
    for (size_t i = 0; i < stored->history_count; i++) {
        json_decref(stored->history[i].document);
    }
    for (size_t i = 0; i < stored->accepted_count; i++) {
        json_decref(stored->accepted[i].document);
    }
    json_decref(stored->keys.document);
    free(stored->history);
    free(stored->accepted);
    free(stored);
}

void
sim_store_destroy(sim_store_t **self_p)
{
    sim_store_t *self = *self_p;
    if (!self) {
        return;
    }
    for (size_t i = 0; i < self->count; i++) {
        s_free_stored(self->list[i]);
    }
    free(self->list);
    free(self);
    *self_p = NULL;
}

sim_stored_t *
sim_store_find(sim_store_t *self, pr_str_t poll)
{
    for (size_t i = 0; i < self->count; i++) {
        if (pr_str_equal(pr_str(self->list[i]->id), poll)) {
            return self->list[i];
        }
    }
    return NULL;
}

size_t
sim_store_count(const sim_store_t *self)
{
    return self->count;
}

sim_stored_t *
sim_store_at(sim_store_t *self, size_t index)
{
    return self->list[index];
}

static sim_stored_t *
s_need(sim_store_t *self, pr_str_t poll)
{
    sim_stored_t *stored = sim_store_find(self, poll);
    if (stored) {
        return stored;
    }
    PR_ASSERT(poll.len == PR_POLL_ID_LEN);
    stored = calloc(1, sizeof *stored);
    PR_ASSERT(stored);
    self->list = sim_grow((void *) self->list, self->count, sizeof(sim_stored_t *));
    memcpy(stored->id, poll.ptr, poll.len);
    self->list[self->count++] = stored;
    return stored;
}

/* --- time --- */

void
sim_stored_expire(sim_stored_t *self)
{
    sim_keys_t *keys = &self->keys;
    int64_t now_ms = sim_wall_ms();
    if (keys->document && keys->document_until_ms && keys->document_until_ms <= now_ms) {
        json_decref(keys->document);
        keys->document = NULL;
    }
    if (keys->record[0] && keys->record_until_ms && keys->record_until_ms <= now_ms) {
        keys->record[0] = '\0';
    }
}

/* --- what was --- */

void
sim_stored_changed(sim_stored_t *self)
{
    self->history = sim_grow(self->history, self->history_count, sizeof self->history[0]);
    self->history[self->history_count] = self->keys;
    json_incref(self->keys.document);
    self->history_count++;
}

static pr_rev_t
s_rev(const json_t *document)
{
    pr_rev_t rev = {0};
    const json_t *text = json_object_get(json_object_get(document, "meta"), "rev");
    (void) pr_rev_parse(pr_str(json_string_value(text)), &rev);
    return rev;
}

void
sim_stored_accept(sim_stored_t *self, const json_t *before, bool is_whole)
{
    json_t *document = self->keys.document;
    pr_rev_t rev = s_rev(document);
    self->accepted = sim_grow(self->accepted, self->accepted_count, sizeof self->accepted[0]);
    self->accepted[self->accepted_count++] = (sim_accepted_t) {
        .rev = rev,
        .document = json_incref(document),
        .at_ms = sim_now_ms(),
        .is_whole = is_whole,
    };
    self->is_lost |= self->forgot && !is_whole;
    if (self->forgot && !self->is_lost && is_whole && rev.version >= self->lost_to.version) {
        self->forgot = false;
    }
    sim_trace("STORE %s is at %s%s", self->id, pr_rev_format(rev).text, is_whole ? " (whole)" : "");
    sim_oracle_accepted(self, before, is_whole);
}

const sim_accepted_t *
sim_stored_accepted(const sim_stored_t *self, pr_rev_t rev)
{
    for (size_t i = self->accepted_count; i-- > 0;) {
        if (pr_rev_equal(self->accepted[i].rev, rev)) {
            return &self->accepted[i];
        }
    }
    return NULL;
}

void
sim_stored_go_back(sim_stored_t *self, size_t changes)
{
    size_t left = changes < self->history_count ? self->history_count - changes : 0;
    pr_rev_t newest = s_rev(self->keys.document);
    json_decref(self->keys.document);
    self->keys = left ? self->history[left - 1] : (sim_keys_t) {0};
    json_incref(self->keys.document);
    if (changes > 0 && self->history_count > 0) {
        self->lost_to =
            !self->forgot || newest.version > self->lost_to.version ? newest : self->lost_to;
        self->forgot = true;
        self->ever_forgot = true;
    }
    sim_trace("STORE %s goes back to %s, record \"%s\"", self->id,
              pr_rev_format(s_rev(self->keys.document)).text, self->keys.record);
    while (self->history_count > left) {
        json_decref(self->history[--self->history_count].document);
    }
}

/* --- scripts --- */

/* "polls:<id>" */
static pr_str_t
s_poll_of(pr_str_t key)
{
    PR_ASSERT(pr_str_starts(key, PR_STR("polls:")));
    return (pr_str_t) {key.ptr + 6, key.len - 6};
}

/* The answer up to the document in it. */
static void
s_trace(const char *name, const sim_stored_t *stored, pr_str_t answer)
{
    if (!sim_scene.is_traced) {
        return;
    }
    char text[100] = {0};
    for (size_t i = 0; i < answer.len && i < sizeof text - 1 && answer.ptr[i] != '{'; i++) {
        text[i] = answer.ptr[i];
        if (text[i] == '\r' || text[i] == '\n') {
            text[i] = ' ';
        }
    }
    sim_trace("STORE %s %s: %s", name, stored->id, text);
}

void
sim_store_run(sim_store_t *self, size_t argc, const pr_str_t *argv, pr_buf_t *out)
{
    static const struct {
        const char *name;
        void (*run)(sim_stored_t *stored, const pr_str_t *args, size_t count, pr_buf_t *out);
    } scripts[] = {
        {"create", sim_script_create},
        {"claim", sim_script_claim},
        {"write", sim_script_write},
        {"finish", sim_script_finish},
    };
    PR_ASSERT(argc >= 6);
    sim_stored_t *stored = s_need(self, s_poll_of(argv[3]));
    sim_stored_expire(stored);
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        if (pr_str_equal(argv[1], pr_str(scripts[i].name))) {
            scripts[i].run(stored, argv + 5, argc - 5, out);
            s_trace(scripts[i].name, stored, pr_buf_str(out));
            return;
        }
    }
    PR_ASSERT(!"a script that there is");
}
