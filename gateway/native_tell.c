/* SPDX-License-Identifier: MIT */

/* What a native client is told: see native.h. */

#include <stdio.h>
#include <stdlib.h>

#include "gateway/native_private.h"
#include "gateway/native_render.h"
#include "proto/base/clock.h"
#include "proto/wire/error.h"

/* Close codes of WebSocket, as conns use them. */
enum { CODE_GOING_AWAY = 1001, CODE_POLICY = 1008 };

/* --- frames --- */

void
gw_native_close(gw_native_t *self, int code, const char *reason)
{
    if (self->closing) {
        return;
    }
    self->closing = true;
    pr_wheel_cancel(&self->timer);
    gw_socket_close(self->socket, code, reason);
}

void
gw_native_send(gw_native_t *self, pr_str_t event, const gw_native_id_t *id, pr_str_t json)
{
    if (self->closing) {
        return;
    }
    pr_buf_t *frame = gw_native_render_event(self->encoding, event, id, json);
    int error = frame ? gw_socket_send_must(self->socket, frame) : PR_E_NOMEM;
    pr_buf_destroy(&frame);
    if (error != 0 && error != PR_E_CLOSED) {
        self->all->settings.stats->must_send_overflows++;
        gw_native_close(self, GW_NATIVE_TOO_SLOW, "too slow");
    }
}

/* The same with data that is still being written; frees it. */
static void
s_send(gw_native_t *self, const char *event, const gw_native_id_t *id, pr_buf_t **json_p)
{
    if (*json_p && !pr_buf_failed(*json_p)) {
        gw_native_send(self, pr_str(event), id, pr_buf_str(*json_p));
    }
    pr_buf_destroy(json_p);
}

static void
s_append(pr_buf_t *out, const char *before, pr_str_t text)
{
    if (out) {
        pr_buf_append_str(out, pr_str(before));
        pr_buf_append_json(out, text);
    }
}

static const char *
s_type_of(int error)
{
    switch (error) {
    case PR_E_FORBIDDEN:
    case PR_E_REMOVED:
        return "Unauthorized";
    case PR_E_BAD_REQUEST:
    case PR_E_FULL:
        return "BadRequest";
    default:
        return "Unknown";
    }
}

void
gw_native_refuse(gw_native_t *self, const gw_native_id_t *id, int error, pr_str_t text)
{
    pr_buf_t *json = pr_buf_new(128);
    s_append(json, "{\"type\":", pr_str(s_type_of(error)));
    s_append(json, ",\"message\":", text);
    s_append(json, ",\"outcome\":", PR_STR("none"));
    if (json) {
        pr_buf_append_byte(json, '}');
    }
    s_send(self, "error", id, &json);
}

/* --- what the conn says --- */

/* The socket closes, and the conn is gone at once. */
static void
s_finish(gw_native_t *self, int code, const char *reason)
{
    gw_conn_t *conn = self->conn;
    self->conn = NULL;
    gw_native_close(self, code, reason);
    gw_conn_gone(conn, GW_WHY_LEAVE);
}

static void
s_accepted(void *client, gw_conn_t *conn)
{
    gw_native_t *self = client;
    gw_native_id_t id = {.kind = GW_NATIVE_ID_NONE};
    pr_rev_text_t rev = pr_rev_format(gw_feed_rev(gw_conn_member(conn)->feed));
    pr_buf_t *json = pr_buf_new(128);
    (void) gw_native_asks_take(&self->asks, self->join, &id);
    s_append(json, "{\"user\":", gw_conn_user(conn));
    s_append(json, ",\"poll\":", gw_conn_poll(conn));
    s_append(json, ",\"rev\":", pr_str(rev.text));
    if (json) {
        pr_buf_append_byte(json, '}');
    }
    s_send(self, "joined", &id, &json);
}

static int
s_close_code(int error)
{
    switch (error) {
    case PR_E_FORBIDDEN:
    case PR_E_UNAUTHORIZED:
    case PR_E_BAD_REQUEST:
        return GW_NATIVE_FORBIDDEN;
    case PR_E_NOT_FOUND:
        return GW_NATIVE_NO_POLL;
    case PR_E_REMOVED:
        return GW_NATIVE_REMOVED;
    default:
        return GW_NATIVE_BUSY;
    }
}

static void
s_refused(void *client, gw_conn_t *conn, int code, pr_str_t text)
{
    gw_native_t *self = client;
    gw_native_id_t id = {.kind = GW_NATIVE_ID_NONE};
    (void) conn;
    (void) gw_native_asks_take(&self->asks, self->join, &id);
    gw_native_refuse(self, &id, code, text);
    s_finish(self, s_close_code(code), "refused");
}

static void
s_ended(void *client, gw_conn_t *conn, gw_ending_t ending)
{
    static const char *const names[] = {
        [GW_ENDING_KICKED] = "removed",
        [GW_ENDING_CANCELLED] = "cancelled",
        [GW_ENDING_EXPIRED] = "expired",
        [GW_ENDING_NOT_FOUND] = "not_found",
    };
    gw_native_t *self = client;
    (void) conn;
    pr_buf_t *json = pr_buf_new(32);
    s_append(json, "{\"why\":", pr_str(names[ending]));
    if (json) {
        pr_buf_append_byte(json, '}');
    }
    s_send(self, "ended", NULL, &json);
    s_finish(self, ending == GW_ENDING_KICKED ? GW_NATIVE_REMOVED : GW_NATIVE_NO_POLL,
             names[ending]);
}

/* `exception` to which an answer follows: each request has one here. */
static void
s_event(void *client, gw_conn_t *conn, pr_str_t name, pr_str_t json)
{
    (void) client;
    (void) conn;
    (void) name;
    (void) json;
}

/* {"error": {…}, "outcome"} as {…, "outcome"}; NULL when out of memory. */
static char *
s_flatten(pr_str_t json)
{
    json_t *answer = json_loadb(json.ptr, json.len, JSON_ALLOW_NUL, NULL);
    json_t *error = json_object_get(answer, "error");
    char *text = NULL;
    if (error && json_object_set(error, "outcome", json_object_get(answer, "outcome")) == 0) {
        text = json_dumps(error, JSON_COMPACT);
    }
    json_decref(answer);
    return text;
}

static void
s_answer(void *client, gw_conn_t *conn, int64_t ack, pr_str_t json)
{
    gw_native_t *self = client;
    gw_native_id_t id;
    (void) conn;
    if (!gw_native_asks_take(&self->asks, ack, &id)) {
        return;
    }
    if (pr_str_starts(json, PR_STR("{\"error\":"))) {
        char *text = s_flatten(json);
        if (text) {
            gw_native_send(self, PR_STR("error"), &id, pr_str(text));
        }
        free(text);
    } else if (id.kind != GW_NATIVE_ID_NONE) {
        gw_native_send(self, PR_STR("ack"), &id, json);
    }
}

static void
s_ballot(void *client, gw_conn_t *conn, pr_str_t ballot)
{
    (void) conn;
    pr_buf_t *json = pr_buf_new(64);
    if (json) {
        pr_buf_append_str(json, PR_STR("{\"ballot\":"));
        pr_buf_append_str(json, ballot);
        pr_buf_append_byte(json, '}');
    }
    s_send(client, "ballot", NULL, &json);
}

/* When to come again: all at once would be too much. */
static void
s_close_going_away(gw_native_t *self)
{
    uint64_t random;
    char reason[48];
    pr_random_bytes(&random, sizeof random);
    uint64_t retry_ms = random % ((uint64_t) self->all->spread_ms + 1);
    (void) snprintf(reason, sizeof reason, "{\"retry_ms\":%llu}", (unsigned long long) retry_ms);
    gw_native_close(self, GW_NATIVE_GOING_AWAY, reason);
}

static void
s_cut(void *client, gw_conn_t *conn, gw_why_t why, int code, const char *reason)
{
    (void) conn;
    (void) why;
    if (code == CODE_GOING_AWAY) {
        s_close_going_away(client);
    } else if (code == CODE_POLICY) {
        gw_native_close(client, GW_NATIVE_BAD_FRAME, reason);
    } else if (strcmp(reason, pr_error_text(PR_E_UNAVAILABLE)) == 0) {
        gw_native_close(client, GW_NATIVE_NOT_JOINED, reason);
    } else {
        gw_native_close(client, GW_NATIVE_BUSY, reason);
    }
}

const gw_client_ops_t gw_native_client_ops = {
    .accepted = s_accepted,
    .refused = s_refused,
    .ended = s_ended,
    .event = s_event,
    .answer = s_answer,
    .ballot = s_ballot,
    .cut = s_cut,
};
