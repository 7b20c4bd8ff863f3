/* SPDX-License-Identifier: MIT */

#include "gateway/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/base/text.h"
#include "proto/wire/error.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"

/* What clients may ask for. */
static const char *const s_verbs[] = {
    "nominate",        "remove_nomination", "remove_participant", "start_vote",
    "submit_rankings", "close_poll",        "cancel_poll",
};

/* One command that has no answer yet. */
typedef struct pending pending_t;
struct pending {
    gw_commands_t *owner;
    pending_t *next;
    bool is_held;
    int64_t request; /* its handle, if it is not held */
    int64_t ack;
    int64_t number;
    const char *verb;
    pr_text_t *args; /* msgpack, or NULL: none */
};

struct gw_commands {
    gw_conn_t *conn;
    pending_t *first; /* in order */
    uint32_t count;
    uint32_t held;
    int64_t numbers;
    int64_t rate_ms; /* when `tokens` was true */
    int64_t tokens;  /* thousandths of commands */
};

/* --- what the client is told --- */

typedef struct {
    const char *type;
    pr_str_t message; /* JSON */
    pr_str_t outcome;
} refusal_t;

static const char *
s_type_of(int error)
{
    switch (error) {
    case PR_E_UNAUTHORIZED:
        return "Unauthorized";
    case PR_E_BAD_REQUEST:
    case PR_E_BAD_FIELD:
    case PR_E_TOO_LARGE:
    case PR_E_FULL:
        return "BadRequest";
    default:
        return "Unknown";
    }
}

static void
s_write_refusal(pr_buf_t *out, const refusal_t *refusal)
{
    pr_buf_append_str(out, PR_STR("{\"type\":"));
    pr_buf_append_json(out, pr_str(refusal->type));
    pr_buf_append_str(out, PR_STR(",\"message\":"));
    pr_buf_append_str(out, refusal->message);
    pr_buf_append_byte(out, '}');
}

static void
s_refuse(gw_conn_t *conn, int64_t ack, const refusal_t *refusal)
{
    pr_buf_t *json = pr_buf_new(128);
    if (!json) {
        return;
    }
    s_write_refusal(json, refusal);
    if (!pr_buf_failed(json)) {
        gw_conn_tell(conn, PR_STR("exception"), pr_buf_str(json));
    }
    if (ack >= 0) {
        pr_buf_clear(json);
        pr_buf_append_str(json, PR_STR("{\"error\":"));
        s_write_refusal(json, refusal);
        pr_buf_append_str(json, PR_STR(",\"outcome\":"));
        pr_buf_append_json(json, refusal->outcome);
        pr_buf_append_byte(json, '}');
        if (!pr_buf_failed(json)) {
            gw_conn_answer(conn, ack, pr_buf_str(json));
        }
    }
    pr_buf_destroy(&json);
}

/* A refusal of our own. */
static void
s_refuse_here(gw_conn_t *conn, int64_t ack, const char *type, const char *message)
{
    char json[128];
    int len = snprintf(json, sizeof json, "\"%s\"", message);
    PR_ASSERT(len > 0 && (size_t) len < sizeof json);
    refusal_t refusal = {type, {json, (size_t) len}, PR_STR("none")};
    s_refuse(conn, ack, &refusal);
}

/* Why an actor refused: the words it gave (a text or a list of them), else those of the code. */
static void
s_refuse_as_told(gw_conn_t *conn, int64_t ack, const pr_msg_reply_t *reply, int error)
{
    pr_buf_t *message = pr_buf_new(64);
    if (!message) {
        return;
    }
    const msgpack_object *words = reply ? reply->data.object : NULL;
    if (words && (words->type == MSGPACK_OBJECT_STR || words->type == MSGPACK_OBJECT_ARRAY)) {
        pr_object_write_json(words, message);
    } else {
        pr_buf_append_json(message, pr_str(pr_error_text(error)));
    }
    refusal_t refusal = {s_type_of(error), pr_buf_str(message), PR_STR("unknown")};
    if (reply) {
        refusal.outcome = reply->outcome;
    } else if (error == PR_E_UNAVAILABLE) {
        refusal.outcome = PR_STR("none");
    }
    if (!pr_buf_failed(message)) {
        s_refuse(conn, ack, &refusal);
    }
    pr_buf_destroy(&message);
}

static void
s_answer_saved(gw_conn_t *conn, int64_t ack, const pr_msg_reply_t *reply)
{
    pr_buf_t *json = pr_buf_new(128);
    if (!json) {
        return;
    }
    pr_buf_append_str(json, PR_STR("{\"outcome\":"));
    pr_buf_append_json(json, reply->outcome);
    if (reply->rev.ptr) {
        pr_buf_append_str(json, PR_STR(",\"rev\":"));
        pr_buf_append_json(json, reply->rev);
    }
    if (reply->data.object) {
        pr_buf_append_str(json, PR_STR(",\"id\":"));
        pr_object_write_json(reply->data.object, json);
    }
    if (reply->ballot.object) {
        pr_buf_append_str(json, PR_STR(",\"ballot\":"));
        pr_object_write_json(reply->ballot.object, json);
    }
    pr_buf_append_byte(json, '}');
    if (!pr_buf_failed(json)) {
        gw_conn_answer(conn, ack, pr_buf_str(json));
    }
    pr_buf_destroy(&json);
}

/* --- on the way --- */

static void
s_forget(pending_t *pending)
{
    gw_commands_t *self = pending->owner;
    pending_t **link = &self->first;
    while (*link != pending) {
        link = &(*link)->next;
    }
    *link = pending->next;
    self->count--;
    self->held -= pending->is_held ? 1 : 0;
    free(pending->args);
    free(pending);
}

static void
s_replied(void *arg, const pr_msg_reply_t *reply, int error)
{
    pending_t *pending = arg;
    gw_conn_t *conn = pending->owner->conn;
    int64_t ack = pending->ack;
    s_forget(pending);
    if (reply) {
        error = pr_error_from_name(reply->code);
    } else {
        error = error == PR_E_TIMEOUT ? PR_E_UNKNOWN_OUTCOME : PR_E_UNAVAILABLE;
    }
    if (error != 0) {
        gw_rooms_stats(gw_conn_rooms(conn))->commands_refused++;
        s_refuse_as_told(conn, ack, reply, error);
    } else if (ack >= 0) {
        s_answer_saved(conn, ack, reply);
    }
}

static void
s_send(pending_t *pending)
{
    gw_conn_t *conn = pending->owner->conn;
    gw_id_text_t id = gw_conn_id(conn);
    char command[PR_INCARNATION_LEN + 64];
    (void) snprintf(command, sizeof command, "%s.%s.%lld",
                    gw_rooms_incarnation(gw_conn_rooms(conn)), id.text,
                    (long long) pending->number);
    pr_event_t event = pr_event(PR_MSG_COMMAND, gw_conn_poll(conn));
    event.command.conn = pr_str(id.text);
    event.command.user = gw_conn_user(conn);
    event.command.id = pr_str(command);
    event.command.verb = pr_str(pending->verb);
    if (pending->args) {
        event.command.args.raw = pr_text_str(pending->args);
    }
    if (pending->is_held) {
        pending->is_held = false;
        pending->owner->held--;
    }
    gw_hosts_t *hosts = gw_rooms_hosts(gw_conn_rooms(conn));
    if (gw_hosts_request(hosts, &event, s_replied, pending, &pending->request) != 0) {
        int64_t ack = pending->ack;
        s_forget(pending);
        s_refuse_here(conn, ack, "Unknown", pr_error_text(PR_E_BUSY));
    }
}

void
gw_commands_release(gw_commands_t *self)
{
    pending_t *pending = self ? self->first : NULL;
    while (pending) {
        pending_t *next = pending->next;
        if (pending->is_held) {
            s_send(pending);
        }
        pending = next;
    }
}

void
gw_commands_destroy(gw_commands_t **self_p)
{
    PR_ASSERT(self_p);
    gw_commands_t *self = *self_p;
    if (!self) {
        return;
    }
    while (self->first) {
        if (!self->first->is_held) {
            gw_hosts_cancel(gw_rooms_hosts(gw_conn_rooms(self->conn)), self->first->request);
        }
        s_forget(self->first);
    }
    free(self);
    *self_p = NULL;
}

/* --- in --- */

static const char *
s_verb(pr_str_t name)
{
    for (size_t i = 0; i < sizeof s_verbs / sizeof s_verbs[0]; i++) {
        if (pr_str_equal(name, pr_str(s_verbs[i]))) {
            return s_verbs[i];
        }
    }
    return NULL;
}

bool
gw_commands_knows(pr_str_t verb)
{
    return s_verb(verb) || pr_str_equal(verb, PR_STR("test"));
}

/* A bucket of one second's commands. */
static bool
s_within_rate(gw_commands_t *self)
{
    int64_t per_s = gw_rooms_commands_per_s(gw_conn_rooms(self->conn));
    int64_t now_ms = pr_loop_now_ms(gw_rooms_loop(gw_conn_rooms(self->conn)));
    int64_t passed_ms = now_ms - self->rate_ms;
    self->rate_ms = now_ms;
    self->tokens += (passed_ms < 1000 ? passed_ms : 1000) * per_s;
    if (self->tokens > per_s * 1000) {
        self->tokens = per_s * 1000;
    }
    if (self->tokens < 1000) {
        return false;
    }
    self->tokens -= 1000;
    return true;
}

static gw_commands_t *
s_new(gw_conn_t *conn)
{
    gw_commands_t *self = calloc(1, sizeof *self);
    if (self) {
        self->conn = conn;
        self->rate_ms = pr_loop_now_ms(gw_rooms_loop(gw_conn_rooms(conn)));
        self->tokens = gw_rooms_commands_per_s(gw_conn_rooms(conn)) * 1000;
    }
    return self;
}

static pending_t *
s_append(gw_commands_t *self, const char *verb, const gw_command_t *command)
{
    pending_t *pending = calloc(1, sizeof *pending);
    pr_text_t *args = command->args.ptr ? pr_text_new(command->args) : NULL;
    if (!pending || (command->args.ptr && !args)) {
        free(pending);
        free(args);
        return NULL;
    }
    pending->owner = self;
    pending->is_held = true;
    pending->ack = command->ack;
    pending->number = ++self->numbers;
    pending->verb = verb;
    pending->args = args;
    pending_t **link = &self->first;
    while (*link) {
        link = &(*link)->next;
    }
    *link = pending;
    self->count++;
    self->held++;
    return pending;
}

void
gw_commands_take(gw_commands_t **self_p, gw_conn_t *conn, const gw_command_t *command, bool live)
{
    gw_stats_t *stats = gw_rooms_stats(gw_conn_rooms(conn));
    if (!*self_p) {
        *self_p = s_new(conn);
    }
    gw_commands_t *self = *self_p;
    if (!self || !s_within_rate(self)) {
        stats->commands_limited++;
        s_refuse_here(conn, command->ack, "BadRequest", "Too many events, slow down");
        return;
    }
    const char *verb = s_verb(command->verb);
    if (pr_str_equal(command->verb, PR_STR("test"))) {
        s_refuse_here(conn, command->ack, "BadRequest", "plain ol");
        return;
    }
    if (!verb) {
        stats->unknown_events++;
        return;
    }
    if (command->flaws.ptr) {
        stats->commands_refused++;
        refusal_t refusal = {"BadRequest", command->flaws, PR_STR("none")};
        s_refuse(conn, command->ack, &refusal);
        return;
    }
    bool is_full = self->count == PR_CONN_COMMANDS_MAX || (!live && self->held == PR_CONN_HELD_MAX);
    pending_t *pending = is_full ? NULL : s_append(self, verb, command);
    if (!pending) {
        stats->commands_busy++;
        s_refuse_here(conn, command->ack, "Unknown", pr_error_text(PR_E_BUSY));
        return;
    }
    stats->commands++;
    if (live) {
        s_send(pending);
    }
}
