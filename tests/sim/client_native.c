/* SPDX-License-Identifier: MIT */

/* What a client of the native protocol hears (proto/PROTOCOL.md, section 6). */

#include <string.h>

#include "tests/sim/client_private.h"
#include "tests/sim/oracle.h"

static const char *
s_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void
s_joined(sim_client_t *self, const json_t *data)
{
    if (self->state != SIM_JOINING || strcmp(s_text(data, "user"), self->user) != 0) {
        sim_fail("client %d is let in as %s", self->number, s_text(data, "user"));
    }
    self->state = SIM_JOINED;
    self->joined_ms = sim_now_ms();
    /* One that is current is told nothing more. */
    self->first_due =
        !self->document || strcmp(s_text(data, "rev"), pr_rev_format(self->rev).text) != 0;
    sim_client_trace(self, "is accepted", pr_str(s_text(data, "rev")));
}

static void
s_snapshot(sim_client_t *self, const json_t *data)
{
    const json_t *ballot = json_object_get(data, "ballot");
    json_t *document = json_copy(json_object_get(data, "document"));
    if (ballot) {
        /* Where Socket.IO's clients have it. */
        json_t *rankings = json_copy(json_object_get(document, "rankings"));
        (void) json_object_set(rankings, self->user, (json_t *) ballot);
        (void) json_object_set_new(document, "rankings", rankings);
    }
    sim_client_take_document(self, document);
    json_decref(document);
}

/* As Socket.IO's answers look. */
static void
s_answer(sim_client_t *self, const json_t *id, const json_t *data, bool is_error)
{
    json_t *answer = json_copy((json_t *) data);
    if (is_error) {
        (void) json_object_set(answer, "error", (json_t *) data);
    }
    if (json_object_get(data, "id")) {
        (void) json_object_set(answer, "data", json_object_get(data, "id"));
    }
    sim_client_take_answer(self, json_integer_value(id), answer);
    json_decref(answer);
}

static void
s_ended(sim_client_t *self, const json_t *data)
{
    const char *why = s_text(data, "why");
    if (strcmp(why, "removed") == 0) {
        sim_client_shut_out(self, "kicked");
    } else {
        sim_client_shut_out(self, strcmp(why, "not_found") == 0 ? "Poll not found" : "cancelled");
    }
}

static void
s_event(sim_client_t *self, const char *name, const json_t *id, const json_t *data)
{
    bool is_in = self->state == SIM_JOINED;
    if (strcmp(name, "joined") == 0) {
        s_joined(self, data);
    } else if (strcmp(name, "snapshot") == 0 && is_in) {
        s_snapshot(self, data);
    } else if (strcmp(name, "patch") == 0 && is_in) {
        sim_client_take_patch(self, data);
    } else if (strcmp(name, "ack") == 0 && is_in) {
        s_answer(self, id, data, false);
    } else if (strcmp(name, "error") == 0) {
        if (json_is_integer(id)) {
            s_answer(self, id, data, true);
        }
    } else if (strcmp(name, "ended") == 0) {
        s_ended(self, data);
    } else if (strcmp(name, "ballot") != 0) {
        sim_fail("client %d gets the event \"%s\"", self->number, name);
    }
}

void
sim_client_hear_native(sim_client_t *self, pr_str_t frame)
{
    json_t *root = json_loadb(frame.ptr, frame.len, JSON_ALLOW_NUL, NULL);
    if (root) {
        s_event(self, s_text(root, "event"), json_object_get(root, "id"),
                json_object_get(root, "data"));
    } else {
        sim_fail("client %d gets what is no JSON: %.*s", self->number, PR_STR_ARG(frame));
    }
    json_decref(root);
}

void
sim_client_closed(sim_client_t *self, int code)
{
    enum { FORBIDDEN = 4001, NO_POLL = 4003, REMOVED = 4004, NEVER_AGAIN = 4099 };
    if (self->lane != SIM_NATIVE || code < 4000 || code > NEVER_AGAIN) {
        return;
    }
    if (code == FORBIDDEN) {
        sim_client_shut_out(self, "FORBIDDEN");
    } else if (code == NO_POLL) {
        sim_client_shut_out(self, "Poll not found");
    } else if (code == REMOVED) {
        sim_client_shut_out(self, "kicked");
    } else {
        sim_fail("client %d is closed with %d", self->number, code);
    }
}
