/* SPDX-License-Identifier: MIT */

#include "gateway/engineio.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/base/clock.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

/* 132 random bits. */
#define SID_RANDOM 22
#define OWNER_MAX 32

/* Close codes of WebSocket. */
enum { CODE_NORMAL = 1000, CODE_GOING_AWAY = 1001, CODE_NONE = 1005, CODE_POLICY = 1008 };

static const char s_sid_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct gw_engineio_hub {
    pr_loop_t *loop;
    gw_stats_t *stats;
    const gw_engineio_ops_t *ops;
    void *arg;
    int64_t ping_interval_ms;
    int64_t ping_timeout_ms;
    pr_buf_t *ping;
    gw_engineio_t *first;   /* all sessions */
    gw_engineio_t *closing; /* those whose user has to be told so */
    char owner[OWNER_MAX + 1];
};

struct gw_engineio {
    pr_timer_t heartbeat; /* first: the pointers are equal. The next ping, or the end of the wait */
    gw_engineio_hub_t *hub;
    gw_engineio_t *prev;
    gw_engineio_t *next;
    gw_engineio_t *next_closing;
    gw_socket_t *socket;
    void *user; /* NULL: it was told that it is over */
    gw_why_t why;
    bool closing;
    bool pong_owed;
    bool extended; /* the wait for this pong has been extended */
};

/* --- the wire: a WebSocket --- */

static int
s_wire_send(gw_engineio_t *self, pr_buf_t *frame)
{
    return gw_socket_send_must(self->socket, frame);
}

static void
s_wire_close(gw_engineio_t *self, int code, const char *reason)
{
    gw_socket_close(self->socket, code, reason);
}

static gw_why_t
s_wire_why(int code, bool by_us)
{
    if (by_us) {
        return GW_WHY_LOST;
    }
    switch (code) {
    case CODE_NORMAL:
    case CODE_NONE: /* what close() of a browser's socket sends */
        return GW_WHY_LEAVE;
    case CODE_GOING_AWAY:
        return GW_WHY_RELOAD;
    default:
        return GW_WHY_LOST;
    }
}

/* --- heartbeat --- */

static void
s_arm_ping(gw_engineio_t *self)
{
    self->pong_owed = false;
    pr_loop_arm(self->hub->loop, &self->heartbeat, self->hub->ping_interval_ms);
}

static void
s_heartbeat(pr_timer_t *timer)
{
    gw_engineio_t *self = (gw_engineio_t *) timer;
    if (self->pong_owed) {
        self->hub->stats->ping_timeouts++;
        gw_engineio_close(self, GW_WHY_LOST, CODE_GOING_AWAY, "ping timeout");
        return;
    }
    self->pong_owed = true;
    self->extended = false;
    pr_loop_arm(self->hub->loop, timer, self->hub->ping_timeout_ms);
    gw_engineio_send_frame(self, self->hub->ping);
}

/* A client that talks is alive: while its pong is owed, that is worth one more wait. */
static void
s_alive(gw_engineio_t *self)
{
    if (self->pong_owed && !self->extended) {
        self->extended = true;
        pr_loop_arm(self->hub->loop, &self->heartbeat, self->hub->ping_timeout_ms);
    }
}

/* --- what the client sends --- */

static void
s_bad(gw_engineio_t *self)
{
    self->hub->stats->bad_packets++;
    gw_engineio_close(self, GW_WHY_LEAVE, CODE_POLICY, "bad packet");
}

static void
s_packet(gw_engineio_t *self, pr_str_t packet)
{
    switch (packet.len ? packet.ptr[0] : '\0') {
    case '4':
        s_alive(self);
        self->hub->ops->message(self->user, (pr_str_t) {packet.ptr + 1, packet.len - 1});
        break;
    case '3':
        s_arm_ping(self);
        break;
    case '1':
        gw_engineio_close(self, GW_WHY_LEAVE, CODE_NORMAL, "");
        break;
    case '0':
    case '5':
    case '6':
        s_alive(self); /* of no meaning here, and harmless */
        break;
    default: /* nothing, a ping (it is ours to send), base64 (its place), an unknown type */
        s_bad(self);
    }
}

static void
s_message(void *user, pr_str_t data, bool binary)
{
    gw_engineio_t *self = user;
    if (self->closing) {
        return;
    }
    if (binary) {
        self->hub->stats->binary_refused++;
        s_bad(self);
        return;
    }
    s_packet(self, data);
}

static void
s_writable(void *user)
{
    gw_engineio_t *self = user;
    if (!self->closing) {
        self->hub->ops->writable(self->user);
    }
}

/* --- the end --- */

static void
s_tell_closed(gw_engineio_t *self, gw_why_t why)
{
    void *user = self->user;
    self->user = NULL;
    if (user) {
        self->hub->ops->closed(user, why);
    }
}

void
gw_engineio_close(gw_engineio_t *self, gw_why_t why, int code, const char *reason)
{
    if (self->closing) {
        return;
    }
    self->closing = true;
    self->why = why;
    pr_wheel_cancel(&self->heartbeat);
    /* The caller may be deep in the user's own code: it is told at the end of the turn. */
    self->next_closing = self->hub->closing;
    self->hub->closing = self;
    s_wire_close(self, code, reason);
}

static bool
s_turn(void *arg)
{
    gw_engineio_hub_t *hub = arg;
    while (hub->closing) {
        gw_engineio_t *self = hub->closing;
        hub->closing = self->next_closing;
        s_tell_closed(self, self->why);
    }
    return false;
}

static void
s_forget_closing(gw_engineio_t *self)
{
    gw_engineio_t **link = &self->hub->closing;
    while (*link && *link != self) {
        link = &(*link)->next_closing;
    }
    if (*link) {
        *link = self->next_closing;
    }
}

static void
s_unlink(gw_engineio_t *self)
{
    if (self->prev) {
        self->prev->next = self->next;
    } else {
        self->hub->first = self->next;
    }
    if (self->next) {
        self->next->prev = self->prev;
    }
    self->hub->stats->sessions--;
}

static void
s_closed(void *user, int code, bool by_us)
{
    gw_engineio_t *self = user;
    if (self->closing) {
        s_forget_closing(self);
    } else {
        self->closing = true;
        self->why = s_wire_why(code, by_us);
        pr_wheel_cancel(&self->heartbeat);
    }
    s_tell_closed(self, self->why);
    s_unlink(self);
    free(self);
}

static const gw_socket_ops_t s_socket_ops = {
    .message = s_message,
    .writable = s_writable,
    .closed = s_closed,
};

/* --- sending --- */

void
gw_engineio_send_frame(gw_engineio_t *self, pr_buf_t *frame)
{
    if (self->closing) {
        return;
    }
    int error = frame ? s_wire_send(self, frame) : PR_E_NOMEM;
    if (error != 0 && error != PR_E_CLOSED) {
        self->hub->stats->must_send_overflows++;
        gw_engineio_close(self, GW_WHY_LOST, CODE_POLICY, "too slow");
    }
}

void
gw_engineio_send(gw_engineio_t *self, pr_str_t text)
{
    pr_buf_t *frame = gw_frame_text2(PR_STR("4"), text);
    gw_engineio_send_frame(self, frame);
    pr_buf_destroy(&frame);
}

static pr_buf_t *
s_open_packet(const gw_engineio_hub_t *hub)
{
    char sid[SID_RANDOM + 1];
    pr_random_text(sid, SID_RANDOM, s_sid_letters);
    char text[256];
    int len = snprintf(text, sizeof text,
                       "0{\"sid\":\"%s%s\",\"upgrades\":[],\"pingInterval\":%lld,"
                       "\"pingTimeout\":%lld,\"maxPayload\":%d}",
                       sid, hub->owner, (long long) hub->ping_interval_ms,
                       (long long) hub->ping_timeout_ms, PR_CLIENT_MESSAGE_BYTES_MAX);
    PR_ASSERT(len > 0 && (size_t) len < sizeof text);
    return gw_frame_text((pr_str_t) {text, (size_t) len});
}

int
gw_engineio_open(gw_engineio_hub_t *hub, gw_socket_t *socket, pr_str_t token)
{
    pr_buf_t *packet = s_open_packet(hub);
    gw_engineio_t *self = calloc(1, sizeof *self);
    if (!packet || !self) {
        pr_buf_destroy(&packet);
        free(self);
        return PR_E_NOMEM;
    }
    self->heartbeat.fire = s_heartbeat;
    self->hub = hub;
    self->socket = socket;
    self->user = hub->ops->opened(hub->arg, self, token);
    if (!self->user) {
        pr_buf_destroy(&packet);
        free(self);
        return PR_E_NOMEM;
    }
    self->next = hub->first;
    if (hub->first) {
        hub->first->prev = self;
    }
    hub->first = self;
    hub->stats->sessions++;
    hub->stats->sessions_opened++;
    gw_socket_attach(socket, &s_socket_ops, self);
    s_arm_ping(self);
    gw_engineio_send_frame(self, packet);
    pr_buf_destroy(&packet);
    return 0;
}

void
gw_engineio_trust(gw_engineio_t *self)
{
    gw_socket_set_message_max(self->socket, PR_CLIENT_MESSAGE_BYTES_MAX);
}

gw_socket_t *
gw_engineio_socket(const gw_engineio_t *self)
{
    return self->socket;
}

/* --- all of them --- */

gw_engineio_hub_t *
gw_engineio_hub_new(pr_loop_t *loop,
                    const gw_engineio_settings_t *settings,
                    gw_stats_t *stats,
                    const gw_engineio_ops_t *ops,
                    void *arg)
{
    gw_engineio_hub_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->ping = gw_frame_text(PR_STR("2"));
    if (!self->ping) {
        free(self);
        return NULL;
    }
    self->loop = loop;
    self->stats = stats;
    self->ops = ops;
    self->arg = arg;
    self->ping_interval_ms = settings->ping_interval_ms;
    self->ping_timeout_ms = settings->ping_timeout_ms;
    (void) snprintf(self->owner, sizeof self->owner, "%s", settings->owner);
    pr_loop_on_turn(loop, PR_TURN_THINK, s_turn, self);
    return self;
}

void
gw_engineio_hub_destroy(gw_engineio_hub_t **self_p)
{
    PR_ASSERT(self_p);
    gw_engineio_hub_t *self = *self_p;
    if (!self) {
        return;
    }
    PR_ASSERT(!self->first);
    pr_loop_off_turn(self->loop, s_turn, self);
    pr_buf_destroy(&self->ping);
    free(self);
    *self_p = NULL;
}

size_t
gw_engineio_hub_count(const gw_engineio_hub_t *self)
{
    return (size_t) self->stats->sessions;
}

void
gw_engineio_hub_close_all(gw_engineio_hub_t *self, const char *reason)
{
    for (gw_engineio_t *each = self->first; each; each = each->next) {
        gw_engineio_close(each, GW_WHY_LOST, CODE_GOING_AWAY, reason);
    }
}
