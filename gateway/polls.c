/* SPDX-License-Identifier: MIT */

#include "gateway/polls.h"

#include <stdlib.h>

#include "gateway/conn.h"
#include "gateway/validate.h"
#include "proto/base/clock.h"
#include "proto/wire/error.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"

/* --- what the client is told; a conn's client is its session --- */

static void
s_send(gw_session_t *session, gw_conn_t *conn, int64_t ack, pr_str_t name, pr_str_t json)
{
    pr_buf_t *array = pr_buf_new(128);
    if (!array) {
        return;
    }
    pr_buf_append_byte(array, '[');
    if (name.ptr) {
        pr_buf_append_json(array, name);
        pr_buf_append(array, ",", json.len ? 1 : 0);
    }
    pr_buf_append_str(array, json);
    pr_buf_append_byte(array, ']');
    if (!pr_buf_failed(array)) {
        gw_session_send(session, conn, ack, pr_buf_str(array));
    }
    pr_buf_destroy(&array);
}

static void
s_tell(void *client, gw_conn_t *conn, pr_str_t name, pr_str_t json)
{
    s_send(client, conn, GW_SIO_ACK_NONE, name, json);
}

static void
s_answer(void *client, gw_conn_t *conn, int64_t ack, pr_str_t json)
{
    s_send(client, conn, ack, PR_STR_NONE, json);
}

static void
s_accepted(void *client, gw_conn_t *conn)
{
    gw_session_accept(client, conn);
}

static void
s_refused(void *client, gw_conn_t *conn, int code, pr_str_t text)
{
    (void) code;
    gw_session_refuse(client, conn, text);
    gw_conn_gone(conn, GW_WHY_LEAVE);
}

static void
s_ended(void *client, gw_conn_t *conn, gw_ending_t ending)
{
    switch (ending) {
    case GW_ENDING_KICKED:
        break;
    case GW_ENDING_EXPIRED:
        s_tell(client, conn, PR_STR("exception"),
               PR_STR("{\"type\":\"Unknown\",\"message\":\"The poll has ended\"}"));
        s_tell(client, conn, PR_STR("poll_cancelled"), PR_STR(""));
        break;
    case GW_ENDING_NOT_FOUND:
        s_tell(client, conn, PR_STR("exception"),
               PR_STR("{\"type\":\"Unknown\",\"message\":\"Poll not found\"}"));
        s_tell(client, conn, PR_STR("poll_cancelled"), PR_STR(""));
        break;
    case GW_ENDING_CANCELLED:
        s_tell(client, conn, PR_STR("poll_cancelled"), PR_STR(""));
        break;
    }
    gw_session_end(client, conn);
    gw_conn_gone(conn, GW_WHY_LEAVE);
}

static void
s_cut(void *client, gw_conn_t *conn, gw_why_t why, int code, const char *reason)
{
    (void) conn;
    gw_session_cut(client, why, code, reason);
}

static const gw_client_ops_t s_client_ops = {
    .accepted = s_accepted,
    .refused = s_refused,
    .ended = s_ended,
    .event = s_tell,
    .answer = s_answer,
    .cut = s_cut,
};

/* --- what the client says --- */

/* Whether JavaScript takes the value for false. */
static bool
s_is_falsy(const json_t *value)
{
    return !value || json_is_null(value) || json_is_false(value) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_number(value) && json_number_value(value) == 0);
}

static pr_str_t
s_token_text(const json_t *auth, pr_str_t header)
{
    const json_t *token = json_object_get(auth, "token");
    if (s_is_falsy(token)) {
        return header;
    }
    if (!json_is_string(token)) {
        return PR_STR_NONE;
    }
    return (pr_str_t) {json_string_value(token), json_string_length(token)};
}

static gw_lane_kind_t
s_lane(const json_t *auth)
{
    const char *updates = json_string_value(json_object_get(auth, "updates"));
    return updates && strcmp(updates, "patch") == 0 ? GW_LANE_PATCH : GW_LANE_FULL;
}

static gw_joining_t
s_connect(void *arg, gw_session_t *session, const json_t *auth, pr_str_t header)
{
    gw_polls_t *self = arg;
    gw_token_t token;
    pr_str_t text = s_token_text(auth, header);
    if (!text.ptr || gw_token_verify(self->keys, text, pr_clock_wall_ms() / 1000, &token) != 0) {
        gw_rooms_stats(self->rooms)->tokens_refused++;
        return (gw_joining_t) {.reason = pr_error_text(PR_E_FORBIDDEN)};
    }
    gw_conn_t *conn =
        gw_conn_new(self->rooms, &s_client_ops, session, gw_session_socket(session), &token);
    if (!conn) {
        return (gw_joining_t) {.reason = pr_error_text(PR_E_BUSY)};
    }
    gw_session_trust(session);
    gw_conn_join(conn, s_lane(auth));
    return (gw_joining_t) {.member = conn};
}

/* The one argument, or an array of them if there are more, as msgpack; NULL: none, or out of
   memory. */
static pr_buf_t *
s_pack_args(const gw_sio_packet_t *packet)
{
    size_t count = gw_sio_event_args(packet);
    if (count == 0) {
        return NULL;
    }
    json_t *all = count > 1 ? json_copy(packet->data) : NULL;
    (void) json_array_remove(all, 0);
    pr_buf_t *packed = pr_buf_new(128);
    if (packed) {
        pr_json_pack(all ? all : gw_sio_event_arg(packet, 0), PR_ARGS_DEPTH_MAX, packed);
    }
    if (packed && (pr_buf_failed(packed) || (count > 1 && !all))) {
        pr_buf_destroy(&packed);
    }
    json_decref(all);
    return packed;
}

static void
s_event(void *member, const gw_sio_packet_t *packet)
{
    pr_buf_t *args = s_pack_args(packet);
    pr_str_t verb = gw_sio_event_name(packet);
    /* Of more than one argument the original's handlers get a list, which has no text. */
    bool one = gw_sio_event_args(packet) == 1;
    pr_buf_t *flaws = gw_validate_command(verb, one ? gw_sio_event_arg(packet, 0) : NULL);
    gw_command_t command = {
        .verb = verb,
        .args = args ? pr_buf_str(args) : PR_STR_NONE,
        .ack = packet->ack,
        .flaws = flaws ? pr_buf_str(flaws) : PR_STR_NONE,
    };
    gw_conn_command(member, &command);
    pr_buf_destroy(&args);
    pr_buf_destroy(&flaws);
}

static void
s_writable(void *member)
{
    gw_conn_writable(member);
}

static void
s_left(void *member, gw_why_t why)
{
    gw_conn_gone(member, why);
}

gw_namespace_t
gw_polls_namespace(gw_polls_t *self)
{
    return (gw_namespace_t) {
        .name = PR_STR("/polls"),
        .connect = s_connect,
        .event = s_event,
        .writable = s_writable,
        .left = s_left,
        .arg = self,
    };
}
