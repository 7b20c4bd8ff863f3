/* SPDX-License-Identifier: MIT */

#include "gateway/native.h"

#include <stdlib.h>

#include "gateway/commands.h"
#include "gateway/native_private.h"
#include "gateway/validate.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "proto/wire/json.h"

/* Close codes of WebSocket (RFC 6455 section 7.4.1). */
enum {
    CODE_NORMAL = 1000,
    CODE_GOING_AWAY = 1001,
    CODE_PROTOCOL = 1002,
    CODE_BAD_KIND = 1003,
    CODE_NONE = 1005,
    CODE_BAD_DATA = 1007,
    CODE_TOO_LARGE = 1009
};

/* A WebSocket ping with a payload: of an empty pong libwebsockets says nothing. */
#define PING "\x89\x01?"

/* --- the end --- */

/* We end it: the poll's actor is told at once. Not from within a conn's own call. */
static void
s_end(gw_native_t *self, gw_why_t why, int code, const char *reason)
{
    gw_conn_t *conn = self->conn;
    self->conn = NULL;
    gw_native_close(self, code, reason);
    if (conn) {
        gw_conn_gone(conn, why);
    }
}

static void
s_bad(gw_native_t *self, const char *why)
{
    self->all->settings.stats->native_bad_frames++;
    pr_log_debug("client.bad", "why=%s", why);
    s_end(self, GW_WHY_LEAVE, GW_NATIVE_BAD_FRAME, why);
}

static gw_why_t
s_why(int code, bool by_us)
{
    switch (code) {
    case CODE_NORMAL:
    case CODE_NONE: /* what close() of a browser's socket sends */
        return GW_WHY_LEAVE;
    case CODE_GOING_AWAY:
        return by_us ? GW_WHY_LOST : GW_WHY_RELOAD;
    case CODE_PROTOCOL:
    case CODE_BAD_KIND:
    case CODE_BAD_DATA:
    case CODE_TOO_LARGE:
        return by_us ? GW_WHY_LEAVE : GW_WHY_LOST;
    default:
        return GW_WHY_LOST;
    }
}

static void
s_closed(void *user, int code, bool by_us)
{
    gw_native_t *self = user;
    gw_natives_t *all = self->all;
    pr_wheel_cancel(&self->timer);
    self->closing = true;
    if (self->conn) {
        gw_conn_gone(self->conn, s_why(code, by_us));
    }
    if (self->prev) {
        self->prev->next = self->next;
    } else {
        all->first = self->next;
    }
    if (self->next) {
        self->next->prev = self->prev;
    }
    all->settings.stats->natives--;
    gw_native_asks_clear(&self->asks);
    free(self);
}

/* --- signs of life --- */

static void
s_await(gw_native_t *self, int64_t ms)
{
    pr_loop_arm(self->all->settings.loop, &self->timer, ms);
}

static void
s_timer(pr_timer_t *timer)
{
    gw_native_t *self = (gw_native_t *) timer;
    if (!self->conn) {
        self->all->settings.stats->connect_timeouts++;
        s_end(self, GW_WHY_LEAVE, GW_NATIVE_NOT_JOINED, "nothing joined");
        return;
    }
    if (self->pong_owed) {
        self->all->settings.stats->ping_timeouts++;
        s_end(self, GW_WHY_LOST, GW_NATIVE_TOO_SLOW, "ping timeout");
        return;
    }
    /* Bytes on their way to it are watched anyway: only a socket with nothing waiting is asked. */
    self->pong_owed = gw_socket_send(self->socket, self->all->ping) == 0;
    s_await(self, self->pong_owed ? self->all->settings.ping_timeout_ms
                                  : self->all->settings.ping_interval_ms);
}

/* The client has said something. */
static void
s_alive(gw_native_t *self)
{
    if (self->conn && !self->closing) {
        self->pong_owed = false;
        s_await(self, self->all->settings.ping_interval_ms);
    }
}

static void
s_pong(void *user)
{
    s_alive(user);
}

/* --- what the client says --- */

static pr_str_t
s_text(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    return (pr_str_t) {json_string_value(value), json_string_length(value)};
}

static void
s_forbid(gw_native_t *self, const gw_native_id_t *id)
{
    self->all->settings.stats->tokens_refused++;
    gw_native_refuse(self, id, PR_E_FORBIDDEN, pr_str(pr_error_text(PR_E_FORBIDDEN)));
    s_end(self, GW_WHY_LEAVE, GW_NATIVE_FORBIDDEN, "forbidden");
}

static void
s_join(gw_native_t *self, const gw_native_frame_t *frame)
{
    const gw_natives_settings_t *settings = &self->all->settings;
    gw_token_t token;
    pr_rev_t rev;
    pr_str_t text = s_text(frame->data, "token");
    if (!text.ptr ||
        gw_token_verify(settings->keys, text, pr_clock_wall_ms() / 1000, &token) != 0) {
        s_forbid(self, &frame->id);
        return;
    }
    self->join = gw_native_asks_add(&self->asks, &frame->id);
    gw_conn_t *conn =
        gw_conn_new(settings->rooms, &gw_native_client_ops, self, self->socket, &token);
    if (!conn) {
        s_end(self, GW_WHY_LOST, GW_NATIVE_BUSY, pr_error_text(PR_E_BUSY));
        return;
    }
    self->conn = conn;
    gw_socket_set_message_max(self->socket, PR_CLIENT_MESSAGE_BYTES_MAX);
    s_alive(self);
    if (pr_rev_parse(s_text(frame->data, "rev"), &rev)) {
        gw_conn_resume(conn, rev);
    }
    gw_conn_join(conn, self->encoding == GW_NATIVE_MSGPACK ? GW_LANE_MSGPACK : GW_LANE_JSON);
}

static void
s_command(gw_native_t *self, const gw_native_frame_t *frame)
{
    if (!gw_commands_knows(frame->event)) {
        self->all->settings.stats->unknown_events++;
        gw_native_refuse(self, &frame->id, PR_E_BAD_REQUEST, PR_STR("Unknown event"));
        return;
    }
    int64_t ack = gw_native_asks_add(&self->asks, &frame->id);
    pr_buf_t *args = frame->data ? pr_buf_new(128) : NULL;
    if (args) {
        pr_json_pack(frame->data, PR_ARGS_DEPTH_MAX, args);
    }
    if (ack < 0 || (frame->data && (!args || pr_buf_failed(args)))) {
        gw_native_refuse(self, &frame->id, PR_E_BUSY, pr_str(pr_error_text(PR_E_BUSY)));
    } else {
        pr_buf_t *flaws = gw_validate_command(frame->event, frame->data);
        gw_command_t command = {
            .verb = frame->event,
            .args = args ? pr_buf_str(args) : PR_STR_NONE,
            .ack = ack,
            .flaws = flaws ? pr_buf_str(flaws) : PR_STR_NONE,
        };
        gw_conn_command(self->conn, &command);
        pr_buf_destroy(&flaws);
    }
    pr_buf_destroy(&args);
}

static void
s_frame(gw_native_t *self, const gw_native_frame_t *frame)
{
    bool is_join = pr_str_equal(frame->event, PR_STR("join"));
    if (!self->conn && is_join) {
        s_join(self, frame);
    } else if (!self->conn) {
        s_bad(self, "join first");
    } else if (is_join) {
        s_bad(self, "already joined");
    } else if (pr_str_equal(frame->event, PR_STR("ping"))) {
        gw_native_send(self, PR_STR("pong"), &frame->id, PR_STR_NONE);
    } else if (pr_str_equal(frame->event, PR_STR("leave"))) {
        s_end(self, GW_WHY_LEAVE, GW_NATIVE_LEFT, "left");
    } else {
        s_command(self, frame);
    }
}

/* Twice a second's worth at once. */
static bool
s_within_rate(gw_native_t *self)
{
    const int64_t most = (int64_t) PR_NATIVE_FRAMES_PER_S * 2 * 1000;
    int64_t now_ms = pr_loop_now_ms(self->all->settings.loop);
    int64_t passed_ms = now_ms - self->rate_ms;
    self->rate_ms = now_ms;
    self->frames += (passed_ms < 2000 ? passed_ms : 2000) * PR_NATIVE_FRAMES_PER_S;
    if (self->frames > most) {
        self->frames = most;
    }
    self->frames -= 1000;
    return self->frames >= 0;
}

static void
s_message(void *user, pr_str_t data, bool binary)
{
    gw_native_t *self = user;
    gw_native_frame_t frame;
    if (self->closing) {
        return;
    }
    if (!s_within_rate(self)) {
        self->all->settings.stats->native_limited++;
        s_end(self, GW_WHY_LOST, GW_NATIVE_RATE, "too many frames");
        return;
    }
    if (binary != (self->encoding == GW_NATIVE_MSGPACK)) {
        s_bad(self, "wrong kind of frame");
        return;
    }
    s_alive(self);
    if (gw_native_parse(self->encoding, data, &frame) == 0) {
        s_frame(self, &frame);
    } else {
        s_bad(self, "bad frame");
    }
    gw_native_clear(&frame);
}

static void
s_writable(void *user)
{
    gw_native_t *self = user;
    if (self->conn) {
        gw_conn_writable(self->conn);
    }
}

static const gw_socket_ops_t s_socket_ops = {
    .message = s_message,
    .writable = s_writable,
    .closed = s_closed,
    .pong = s_pong,
};

/* --- life --- */

int
gw_natives_open(gw_natives_t *all, gw_socket_t *socket, gw_native_encoding_t encoding)
{
    gw_native_t *self = calloc(1, sizeof *self);
    if (!self) {
        return PR_E_NOMEM;
    }
    self->timer.fire = s_timer;
    self->all = all;
    self->socket = socket;
    self->encoding = encoding;
    self->rate_ms = pr_loop_now_ms(all->settings.loop);
    self->frames = (int64_t) PR_NATIVE_FRAMES_PER_S * 2 * 1000;
    self->next = all->first;
    if (all->first) {
        all->first->prev = self;
    }
    all->first = self;
    all->settings.stats->natives++;
    all->settings.stats->natives_opened++;
    gw_socket_attach(socket, &s_socket_ops, self);
    s_await(self, PR_BEFORE_JOIN_MS);
    return 0;
}

gw_natives_t *
gw_natives_new(const gw_natives_settings_t *settings)
{
    gw_natives_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->settings = *settings;
    self->ping = pr_buf_copy(PR_STR(PING));
    if (!self->ping) {
        gw_natives_destroy(&self);
    }
    return self;
}

void
gw_natives_destroy(gw_natives_t **self_p)
{
    PR_ASSERT(self_p);
    gw_natives_t *self = *self_p;
    if (!self) {
        return;
    }
    PR_ASSERT(!self->first);
    pr_buf_destroy(&self->ping);
    free(self);
    *self_p = NULL;
}

size_t
gw_natives_count(const gw_natives_t *self)
{
    return (size_t) self->settings.stats->natives;
}

static void
s_send_away(gw_native_t *self)
{
    if (self->conn) {
        gw_conn_drain(self->conn);
    } else {
        gw_native_client_ops.cut(self, NULL, GW_WHY_LOST, CODE_GOING_AWAY, "");
    }
}

void
gw_natives_close_all(gw_natives_t *self, int64_t spread_ms)
{
    self->spread_ms = spread_ms;
    for (gw_native_t *each = self->first; each; each = each->next) {
        s_send_away(each);
    }
}

void
gw_natives_close_some(gw_natives_t *self, size_t most)
{
    for (gw_native_t *each = self->first; each && most > 0; each = each->next) {
        if (!each->closing) {
            s_send_away(each);
            most--;
        }
    }
}
