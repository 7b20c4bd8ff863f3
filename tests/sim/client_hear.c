/* SPDX-License-Identifier: MIT */

/* What a client hears: Socket.IO packets of the namespace /polls, documents, patches, answers. */

#include <stdlib.h>
#include <string.h>

#include "tests/sim/client_private.h"
#include "tests/sim/merge.h"
#include "tests/sim/oracle.h"

#define NAMESPACE PR_STR("/polls,")
/* Both are under way for at most that long. */
#define FIRST_MS 20

/* --- documents --- */

static pr_rev_t
s_rev(const json_t *text)
{
    pr_rev_t rev = {0};
    if (!pr_rev_parse(pr_str(json_string_value(text)), &rev)) {
        sim_fail("a client is shown something without a rev");
    }
    return rev;
}

/* Being let in and the first document are one and the same turn of the gateway's. */
static void
s_check_first(const sim_client_t *self)
{
    bool is_owed = self->first_due && !self->has_dawdled && sim_world_is_settled(self->world);
    if (is_owed && sim_now_ms() - self->joined_ms > FIRST_MS) {
        sim_fail("client %d was let in, but its first document came %lld ms later", self->number,
                 (long long) (sim_now_ms() - self->joined_ms));
    }
}

static void
s_take(sim_client_t *self, json_t *document)
{
    s_check_first(self);
    json_decref(self->document);
    self->document = document;
    self->rev = s_rev(json_object_get(document, "rev"));
    self->shown_on = self->sockets;
    self->first_due = false;
    sim_client_trace(self, "is shown", pr_str(pr_rev_format(self->rev).text));
    sim_oracle_shown(self);
    self->newest = self->rev.version > self->newest.version ? self->rev : self->newest;
}

void
sim_client_take_document(sim_client_t *self, json_t *document)
{
    pr_rev_t rev = s_rev(json_object_get(document, "rev"));
    if (self->shown_on == self->sockets && rev.version < self->rev.version) {
        sim_oracle_fell(self, rev);
    }
    s_take(self, json_incref(document));
}

void
sim_client_take_patch(sim_client_t *self, const json_t *message)
{
    pr_rev_t from = s_rev(json_object_get(message, "from"));
    pr_rev_t to = s_rev(json_object_get(message, "to"));
    if (self->lane == SIM_DOCUMENTS || !self->document || !pr_rev_equal(from, self->rev)) {
        sim_fail("client %d holds %s and is sent a patch from %s", self->number,
                 self->document ? pr_rev_format(self->rev).text : "nothing",
                 pr_rev_format(from).text);
        return;
    }
    json_t *document = sim_merge(self->document, json_object_get(message, "patch"));
    if (!pr_rev_equal(s_rev(json_object_get(document, "rev")), to)) {
        sim_fail("client %d: a patch to %s leads elsewhere", self->number, pr_rev_format(to).text);
    }
    s_take(self, document);
}

/* --- endings --- */

void
sim_client_shut_out(sim_client_t *self, const char *why)
{
    if (!self->is_out) {
        sim_client_trace(self, "is out:", pr_str(why));
        self->is_out = true;
        self->ended = why;
        sim_oracle_shut_out(self, why);
    }
}

static void
s_event(sim_client_t *self, const json_t *list)
{
    const char *name = json_string_value(json_array_get(list, 0));
    json_t *argument = json_array_get(list, 1);
    if (self->state != SIM_JOINED || !name) {
        sim_fail("client %d gets an event before it has joined", self->number);
    } else if (self->first_due && strcmp(name, "poll_updated") != 0 && !sim_oracle_is_over(self)) {
        sim_fail("client %d: \"%s\" comes before the first document", self->number, name);
    } else if (strcmp(name, "poll_updated") == 0) {
        sim_client_take_document(self, argument);
    } else if (strcmp(name, "poll_patched") == 0) {
        sim_client_take_patch(self, argument);
    } else if (strcmp(name, "poll_cancelled") == 0) {
        sim_client_shut_out(self, "cancelled");
    } else if (strcmp(name, "exception") != 0) {
        sim_fail("client %d gets the event \"%s\"", self->number, name);
    }
}

/* --- answers --- */

static sim_outcome_t
s_outcome(const json_t *answer)
{
    const char *text = json_string_value(json_object_get(answer, "outcome"));
    if (!text) {
        sim_fail("an answer has no outcome");
        return SIM_UNKNOWN;
    }
    if (strcmp(text, "unknown") == 0) {
        return SIM_UNKNOWN;
    }
    if (json_object_get(answer, "error")) {
        return SIM_NONE;
    }
    if (strcmp(text, "saved") != 0) {
        sim_fail("an answer without an error says \"%s\"", text);
    }
    return SIM_SAVED;
}

void
sim_client_take_answer(sim_client_t *self, int64_t ack, const json_t *answer)
{
    for (size_t i = 0; i < self->command_count; i++) {
        sim_command_log_t *command = &self->commands[i];
        if (command->ack != ack || command->socket != self->sockets) {
            continue;
        }
        if (command->answered_ms) {
            sim_fail("client %d: command %lld is answered twice", self->number, (long long) ack);
        }
        command->answered_ms = sim_now_ms();
        command->outcome = s_outcome(answer);
        sim_oracle_refused(self, json_object_get(json_object_get(answer, "error"), "message"));
        command->data = json_incref(json_object_get(answer, "data"));
        const json_t *rev = json_object_get(answer, "rev");
        if (rev) {
            command->rev = s_rev(rev);
        }
        sim_oracle_answered(self, command);
        return;
    }
    sim_fail("client %d gets an answer to nothing: %lld", self->number, (long long) ack);
}

/* --- packets --- */

static void
s_refused(sim_client_t *self, const json_t *why)
{
    const char *message = json_string_value(json_object_get(why, "message"));
    self->state = SIM_OPENING;
    sim_client_shut_out(self, message ? message : "?");
    sim_client_go(self, 1000);
}

static void
s_packet(sim_client_t *self, char type, int64_t ack, const json_t *data)
{
    switch (type) {
    case '0':
        if (self->state != SIM_JOINING) {
            sim_fail("client %d is accepted twice", self->number);
        }
        self->state = SIM_JOINED;
        self->joined_ms = sim_now_ms();
        self->first_due = true;
        sim_client_trace(self, "is accepted", PR_STR_NONE);
        break;
    case '1':
        sim_client_shut_out(self, "kicked");
        sim_client_go(self, 1000);
        break;
    case '2':
        s_event(self, data);
        break;
    case '3':
        sim_client_take_answer(self, ack, json_array_get(data, 0));
        break;
    case '4':
        s_refused(self, data);
        break;
    default:
        sim_fail("client %d gets a packet of type %c", self->number, type);
    }
}

void
sim_client_hear(sim_client_t *self, pr_str_t packet)
{
    if (packet.len == 0) {
        sim_fail("client %d gets an empty packet", self->number);
        return;
    }
    char type = packet.ptr[0];
    pr_str_t rest = {packet.ptr + 1, packet.len - 1};
    if (!pr_str_starts(rest, NAMESPACE)) {
        sim_fail("client %d gets a packet of another namespace: %.*s", self->number,
                 PR_STR_ARG(packet));
        return;
    }
    rest = (pr_str_t) {rest.ptr + NAMESPACE.len, rest.len - NAMESPACE.len};
    int64_t ack = -1;
    while (rest.len && rest.ptr[0] >= '0' && rest.ptr[0] <= '9') {
        ack = (ack < 0 ? 0 : ack) * 10 + (rest.ptr[0] - '0');
        rest = (pr_str_t) {rest.ptr + 1, rest.len - 1};
    }
    json_t *data = rest.len ? json_loadb(rest.ptr, rest.len, JSON_ALLOW_NUL, NULL) : NULL;
    if (rest.len && !data) {
        sim_fail("client %d gets what is no JSON: %.*s", self->number, PR_STR_ARG(rest));
    } else {
        s_packet(self, type, ack, data);
    }
    json_decref(data);
}
