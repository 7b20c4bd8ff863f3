/* SPDX-License-Identifier: MIT */

/* One session: its packets, its heartbeat, its end. */

#include "gateway/engineio.h"

#include "gateway/engineio_payload.h"
#include "gateway/engineio_private.h"
#include "proto/base/clock.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

/* A ping this late means that we stood still, not the client: its wait begins anew. */
#define PING_LATE_MS 1000
/* A request that comes so little before the end of the wait comes after it: clocks differ. */
#define EXPIRY_SLACK_MS 2

/* --- heartbeat --- */

static void
s_arm(gw_engineio_t *self, int64_t due_ms)
{
    pr_wheel_arm(pr_loop_wheel(self->hub->loop), &self->heartbeat, due_ms);
}

static void
s_arm_ping(gw_engineio_t *self)
{
    self->pong_owed = false;
    self->ping_due_ms = pr_clock_mono_ms() + self->hub->settings.ping_interval_ms;
    s_arm(self, self->ping_due_ms);
}

static void
s_time_out(gw_engineio_t *self)
{
    self->hub->stats->ping_timeouts++;
    if (self->polling) {
        self->closing = true;
        self->why = GW_WHY_LOST;
        gw_engineio_end_polling(self, "1", false);
    } else {
        gw_engineio_close(self, GW_WHY_LOST, GW_CODE_GOING_AWAY, "ping timeout");
    }
}

static void
s_heartbeat(pr_timer_t *timer)
{
    gw_engineio_t *self = (gw_engineio_t *) timer;
    if (self->lingers) {
        gw_engineio_forget_polling(self);
        return;
    }
    if (self->pong_owed) {
        s_time_out(self);
        return;
    }
    int64_t now_ms = pr_clock_mono_ms();
    bool late = now_ms - self->ping_due_ms > PING_LATE_MS;
    self->pong_owed = true;
    self->extended = false;
    self->pong_due_ms = (late ? now_ms : self->ping_due_ms) + self->hub->settings.ping_timeout_ms;
    s_arm(self, self->pong_due_ms);
    gw_engineio_send_frame(self, self->hub->ping);
}

/* A client that talks is alive: while its pong is owed, that is worth one more wait. */
static void
s_alive(gw_engineio_t *self)
{
    if (self->pong_owed && !self->extended) {
        self->extended = true;
        self->pong_due_ms = pr_clock_mono_ms() + self->hub->settings.ping_timeout_ms;
        s_arm(self, self->pong_due_ms);
    }
}

bool
gw_engineio_expire(gw_engineio_t *self)
{
    if (self->closing || !self->pong_owed ||
        pr_clock_mono_ms() < self->pong_due_ms - EXPIRY_SLACK_MS) {
        return false;
    }
    s_time_out(self);
    return true;
}

/* --- what the client sends --- */

static void
s_bad(gw_engineio_t *self)
{
    self->hub->stats->bad_packets++;
    gw_engineio_close(self, GW_WHY_LEAVE, GW_CODE_POLICY, "bad packet");
}

static void
s_base64(gw_engineio_t *self, pr_str_t base64)
{
    pr_buf_t *bytes = gw_payload_decode(base64);
    if (bytes) {
        gw_engineio_packet(self, pr_buf_str(bytes), true);
    } else {
        s_bad(self);
    }
    pr_buf_destroy(&bytes);
}

static void
s_leave(gw_engineio_t *self)
{
    if (self->polling) {
        self->closing = true;
        self->why = GW_WHY_LEAVE;
        gw_engineio_end_polling(self, "6", false);
    } else {
        gw_engineio_close(self, GW_WHY_LEAVE, GW_CODE_NORMAL, "");
    }
}

void
gw_engineio_packet(gw_engineio_t *self, pr_str_t packet, bool binary)
{
    if (binary) {
        s_alive(self);
        self->hub->ops->message(self->user, packet, true);
        return;
    }
    if (packet.len == 0) {
        s_bad(self);
        return;
    }
    pr_str_t rest = {packet.ptr + 1, packet.len - 1};
    switch (packet.ptr[0]) {
    case '4':
        s_alive(self);
        self->hub->ops->message(self->user, rest, false);
        break;
    case '3':
        s_arm_ping(self);
        break;
    case '1':
        s_leave(self);
        break;
    case 'b':
        s_base64(self, rest);
        break;
    case '0':
    case '5':
    case '6':
        s_alive(self); /* of no meaning here, and harmless */
        break;
    default: /* a ping (it is ours to send), an unknown type */
        s_bad(self);
    }
}

/* --- a WebSocket --- */

static gw_why_t
s_why(int code, bool by_us)
{
    if (by_us) {
        bool bad_input =
            code == GW_CODE_PROTOCOL || code == GW_CODE_BAD_DATA || code == GW_CODE_TOO_LARGE;
        return bad_input ? GW_WHY_LEAVE : GW_WHY_LOST;
    }
    switch (code) {
    case GW_CODE_NORMAL:
    case GW_CODE_NONE: /* what close() of a browser's socket sends */
        return GW_WHY_LEAVE;
    case GW_CODE_GOING_AWAY:
        return GW_WHY_RELOAD;
    default:
        return GW_WHY_LOST;
    }
}

static void
s_message(void *user, pr_str_t data, bool binary)
{
    gw_engineio_t *self = user;
    if (!self->closing) {
        gw_engineio_packet(self, data, binary);
    }
}

static void
s_writable(void *user)
{
    gw_engineio_t *self = user;
    if (!self->closing) {
        self->hub->ops->writable(self->user);
    }
}

static void
s_tell_closed(gw_engineio_t *self)
{
    void *user = self->user;
    self->user = NULL;
    if (user) {
        self->hub->ops->closed(user, self->why);
    }
}

static void
s_closed(void *user, int code, bool by_us)
{
    gw_engineio_t *self = user;
    if (!self->closing) {
        self->closing = true;
        self->why = s_why(code, by_us);
    }
    s_tell_closed(self);
    gw_engineio_free(self);
}

static const gw_socket_ops_t s_socket_ops = {
    .message = s_message,
    .writable = s_writable,
    .closed = s_closed,
};

void
gw_engineio_attach(gw_engineio_t *self, gw_socket_t *socket)
{
    self->socket = socket;
    gw_socket_set_message_max(socket, self->message_max);
    gw_socket_attach(socket, &s_socket_ops, self);
}

/* --- the end --- */

void
gw_engineio_later(gw_engineio_t *self)
{
    if (!self->in_closing) {
        self->in_closing = true;
        self->next_closing = self->hub->closing;
        self->hub->closing = self;
    }
}

void
gw_engineio_close(gw_engineio_t *self, gw_why_t why, int code, const char *reason)
{
    if (self->closing) {
        return;
    }
    self->closing = true;
    self->broke_rule = code == GW_CODE_POLICY;
    self->why = why;
    if (self->polling) {
        gw_engineio_end_polling(self, "1", code != GW_CODE_POLICY);
        return;
    }
    pr_wheel_cancel(&self->heartbeat);
    /* The caller may be deep in the user's own code: it is told at the end of the turn. */
    gw_engineio_later(self);
    gw_socket_close(self->socket, code, reason);
}

/* Tells the users of those that ended, and frees those of them that are done. */
bool
gw_engineio_turn(void *arg)
{
    gw_engineio_hub_t *hub = arg;
    while (hub->closing) {
        gw_engineio_t *self = hub->closing;
        hub->closing = self->next_closing;
        self->in_closing = false;
        s_tell_closed(self);
        if (!self->socket && !self->lingers) {
            gw_engineio_free(self);
        }
    }
    return false;
}

bool
gw_engineio_begin(gw_engineio_t *self, pr_str_t token)
{
    self->heartbeat.fire = s_heartbeat;
    self->user = self->hub->ops->opened(self->hub->arg, self, token);
    if (!self->user) {
        return false;
    }
    s_arm_ping(self);
    return true;
}

/* --- sending --- */

static int
s_send(gw_engineio_t *self, pr_buf_t *frame)
{
    if (!frame) {
        return PR_E_NOMEM;
    }
    return self->polling ? gw_polling_send_must(self->polling, frame)
                         : gw_socket_send_must(self->socket, frame);
}

void
gw_engineio_send_frame(gw_engineio_t *self, pr_buf_t *frame)
{
    if (self->closing) {
        return;
    }
    int error = s_send(self, frame);
    if (error != 0 && error != PR_E_CLOSED) {
        self->hub->stats->must_send_overflows++;
        gw_engineio_close(self, GW_WHY_LOST, GW_CODE_POLICY, "too slow");
    }
}

void
gw_engineio_send(gw_engineio_t *self, pr_str_t text)
{
    pr_buf_t *frame = gw_frame_text2(PR_STR("4"), text);
    gw_engineio_send_frame(self, frame);
    pr_buf_destroy(&frame);
}

void
gw_engineio_send_binary(gw_engineio_t *self, pr_str_t bytes)
{
    pr_buf_t *frame = gw_frame_binary(bytes);
    gw_engineio_send_frame(self, frame);
    pr_buf_destroy(&frame);
}

/* --- the rest --- */

void
gw_engineio_trust(gw_engineio_t *self)
{
    self->message_max = self->hub->settings.message_max;
    self->known = true;
    if (self->socket) {
        gw_socket_set_message_max(self->socket, self->message_max);
    } else if (self->polling) {
        gw_polling_know(self->polling);
    }
}

gw_socket_t *
gw_engineio_socket(const gw_engineio_t *self)
{
    return self->stand_in ? self->stand_in : self->socket;
}

size_t
gw_engineio_message_max(const gw_engineio_t *self)
{
    return self->hub->settings.message_max;
}
