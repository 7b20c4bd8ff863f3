/* SPDX-License-Identifier: MIT */

#include "gateway/session.h"

#include <stdlib.h>

#include "gateway/session_gather.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

#define SID_LEN 20
/* Close codes of WebSocket. */
enum { CODE_POLICY = 1008 };

typedef enum { NEVER_JOINED, LEFT, JOINING, JOINED } state_t;

typedef struct {
    void *member;
    state_t state;
    gw_asks_t asks;
} membership_t;

struct gw_sessions {
    pr_loop_t *loop;
    gw_stats_t *stats;
    int64_t connect_ms;
    gw_namespace_t namespaces[GW_NAMESPACES_MAX];
    size_t count;
    pr_buf_t *scratch; /* to write packets in */
};

struct gw_session {
    pr_timer_t idle; /* first: the pointers are equal. Runs while nothing is joined */
    int64_t idle_due_ms;
    gw_sessions_t *shared;
    gw_engineio_t *engine;
    char *token;         /* the handshake's header, or NULL */
    gw_gather_t *gather; /* a packet whose attachments are to come */
    membership_t memberships[];
};

static void
s_bad(gw_session_t *self, const char *why)
{
    self->shared->stats->bad_packets++;
    pr_log_debug("client.bad", "why=%s", why);
    gw_engineio_close(self->engine, GW_WHY_LEAVE, CODE_POLICY, why);
}

static bool
s_is_in(const membership_t *membership)
{
    return membership->state == JOINING || membership->state == JOINED;
}

/* --- sending --- */

static pr_buf_t *
s_begin(gw_session_t *self, gw_sio_type_t type, size_t nsp, int64_t ack)
{
    pr_buf_t *out = self->shared->scratch;
    pr_buf_clear(out);
    gw_sio_write_head(out, type, self->shared->namespaces[nsp].name, ack);
    return out;
}

static void
s_finish(gw_session_t *self, pr_buf_t *packet)
{
    if (pr_buf_failed(packet)) {
        gw_engineio_close(self->engine, GW_WHY_LOST, 0, "");
        return;
    }
    gw_engineio_send(self->engine, pr_buf_str(packet));
}

/* `data`: more JSON, or absent. */
static void
s_send_refusal(gw_session_t *self, pr_str_t nsp, pr_str_t reason, pr_str_t data)
{
    pr_buf_t *out = self->shared->scratch;
    pr_buf_clear(out);
    gw_sio_write_head(out, GW_SIO_CONNECT_ERROR, nsp, GW_SIO_ACK_NONE);
    pr_buf_append_str(out, PR_STR("{\"message\":"));
    pr_buf_append_json(out, reason);
    if (data.ptr) {
        pr_buf_append_str(out, PR_STR(",\"data\":"));
        pr_buf_append_str(out, data);
    }
    pr_buf_append_byte(out, '}');
    s_finish(self, out);
}

/* --- memberships --- */

static void
s_idle(pr_timer_t *timer)
{
    gw_session_t *self = (gw_session_t *) timer;
    self->shared->stats->connect_timeouts++;
    gw_engineio_close(self->engine, GW_WHY_LEAVE, CODE_POLICY, "nothing joined");
}

static bool
s_has_reason(const gw_session_t *self)
{
    for (size_t nsp = 0; nsp < self->shared->count; nsp++) {
        if (s_is_in(&self->memberships[nsp]) && !self->shared->namespaces[nsp].is_no_reason) {
            return true;
        }
    }
    return false;
}

/* Sets it; the clock of those who joined nothing runs or stops with it. A join that was refused
 * does not set it back. */
static void
s_set(gw_session_t *self, size_t nsp, state_t state, void *member)
{
    membership_t *membership = &self->memberships[nsp];
    bool was_joined = membership->state == JOINED;
    membership->state = state;
    membership->member = member;
    if (s_has_reason(self)) {
        pr_wheel_cancel(&self->idle);
        return;
    }
    if (was_joined && !self->shared->namespaces[nsp].is_no_reason) {
        self->idle_due_ms = pr_clock_mono_ms() + self->shared->connect_ms;
    }
    pr_wheel_arm(pr_loop_wheel(self->shared->loop), &self->idle, self->idle_due_ms);
}

static void
s_forget(gw_session_t *self, size_t nsp)
{
    s_set(self, nsp, LEFT, NULL);
    gw_asks_end(&self->memberships[nsp].asks);
}

static size_t
s_nsp_of(const gw_session_t *self, const void *member)
{
    size_t nsp = 0;
    while (nsp < self->shared->count && self->memberships[nsp].member != member) {
        nsp++;
    }
    PR_ASSERT(nsp < self->shared->count);
    return nsp;
}

static size_t
s_nsp_named(const gw_session_t *self, pr_str_t name)
{
    size_t nsp = 0;
    while (nsp < self->shared->count && !pr_str_equal(self->shared->namespaces[nsp].name, name)) {
        nsp++;
    }
    return nsp;
}

/* --- what the client sends --- */

static void
s_connect(gw_session_t *self, size_t nsp, const gw_sio_packet_t *packet)
{
    if (s_is_in(&self->memberships[nsp])) {
        s_bad(self, "already joined");
        return;
    }
    const gw_namespace_t *namespace = &self->shared->namespaces[nsp];
    gw_joining_t joining =
        namespace->connect(namespace->arg, self, packet->data, pr_str(self->token));
    if (!joining.member) {
        s_set(self, nsp, LEFT, NULL);
        s_send_refusal(self, namespace->name, pr_str(joining.reason), joining.data);
        return;
    }
    s_set(self, nsp, JOINING, joining.member);
    if (joining.joined) {
        gw_session_accept(self, joining.member);
        if (namespace->joined) {
            namespace->joined(joining.member);
        }
    }
}

static void
s_leave(gw_session_t *self, size_t nsp, gw_why_t why)
{
    if (s_is_in(&self->memberships[nsp])) {
        void *member = self->memberships[nsp].member;
        s_forget(self, nsp);
        self->shared->namespaces[nsp].left(member, why);
    }
}

static void
s_disconnect(gw_session_t *self, size_t nsp)
{
    if (self->memberships[nsp].state == NEVER_JOINED) {
        s_bad(self, "not joined");
    } else {
        s_leave(self, nsp, GW_WHY_LEAVE);
    }
}

/* An EVENT or an ACK, with all its attachments. */
static void
s_talk(gw_session_t *self, size_t nsp, const gw_sio_packet_t *packet)
{
    membership_t *membership = &self->memberships[nsp];
    if (membership->state != JOINED) {
        s_bad(self, "not joined");
    } else if (packet->type == GW_SIO_EVENT || packet->type == GW_SIO_BINARY_EVENT) {
        self->shared->namespaces[nsp].event(membership->member, packet);
    } else {
        gw_asks_answer(&membership->asks, packet);
    }
}

static void
s_packet(gw_session_t *self, const gw_sio_packet_t *packet)
{
    size_t nsp = s_nsp_named(self, packet->nsp);
    if (nsp == self->shared->count) {
        if (packet->type != GW_SIO_CONNECT) {
            s_bad(self, "no such namespace");
            return;
        }
        self->shared->stats->unknown_namespaces++;
        s_send_refusal(self, packet->nsp, PR_STR("Invalid namespace"), PR_STR_NONE);
        return;
    }
    switch (packet->type) {
    case GW_SIO_CONNECT:
        s_connect(self, nsp, packet);
        return;
    case GW_SIO_DISCONNECT:
        s_disconnect(self, nsp);
        return;
    case GW_SIO_EVENT:
    case GW_SIO_ACK:
    case GW_SIO_BINARY_EVENT:
    case GW_SIO_BINARY_ACK:
        s_talk(self, nsp, packet);
        return;
    case GW_SIO_CONNECT_ERROR:
        s_bad(self, "unexpected packet");
    }
}

/* --- attachments --- */

static void
s_on_late(void *arg)
{
    s_bad(arg, "attachments too late");
}

static void
s_gather(gw_session_t *self, gw_sio_packet_t *packet)
{
    size_t nsp = s_nsp_named(self, packet->nsp);
    if (nsp == self->shared->count || self->memberships[nsp].state != JOINED) {
        gw_sio_clear(packet);
        s_bad(self, "not joined");
        return;
    }
    /* The text of the packet goes: the namespace's own name is as good. */
    packet->nsp = self->shared->namespaces[nsp].name;
    self->gather = gw_gather_new(self->shared->loop, packet, gw_engineio_message_max(self->engine),
                                 s_on_late, self);
    if (!self->gather) {
        gw_engineio_close(self->engine, GW_WHY_LOST, 0, "");
    }
}

static void
s_attach(gw_session_t *self, pr_str_t bytes)
{
    int error = self->gather ? gw_gather_add(self->gather, bytes) : PR_E_MALFORMED;
    if (error == PR_E_AGAIN) {
        return;
    }
    gw_gather_t *gather = self->gather;
    self->gather = NULL;
    if (error) {
        s_bad(self, "unexpected attachment");
    } else {
        s_packet(self, gw_gather_packet(gather));
    }
    gw_gather_destroy(&gather);
}

static void
s_message(void *user, pr_str_t data, bool binary)
{
    gw_session_t *self = user;
    gw_sio_packet_t packet;
    if (binary) {
        s_attach(self, data);
    } else if (self->gather) {
        s_bad(self, "attachments are missing");
    } else if (gw_sio_parse(data, &packet) != 0) {
        s_bad(self, "parse error");
    } else if (packet.attachments > 0) {
        s_gather(self, &packet);
    } else {
        s_packet(self, &packet);
        gw_sio_clear(&packet);
    }
}

/* --- life --- */

static void *
s_opened(void *arg, gw_engineio_t *engine, pr_str_t token)
{
    gw_sessions_t *shared = arg;
    gw_session_t *self = calloc(1, sizeof *self + shared->count * sizeof self->memberships[0]);
    if (!self) {
        return NULL;
    }
    self->shared = shared;
    self->engine = engine;
    if (token.len) {
        self->token = strndup(token.ptr, token.len);
    }
    self->idle.fire = s_idle;
    self->idle_due_ms = pr_clock_mono_ms() + shared->connect_ms;
    pr_wheel_arm(pr_loop_wheel(shared->loop), &self->idle, self->idle_due_ms);
    return self;
}

static void
s_writable(void *user)
{
    gw_session_t *self = user;
    for (size_t nsp = 0; nsp < self->shared->count; nsp++) {
        if (s_is_in(&self->memberships[nsp])) {
            self->shared->namespaces[nsp].writable(self->memberships[nsp].member);
        }
    }
}

static void
s_closed(void *user, gw_why_t why)
{
    gw_session_t *self = user;
    for (size_t nsp = 0; nsp < self->shared->count; nsp++) {
        s_leave(self, nsp, why);
    }
    pr_wheel_cancel(&self->idle);
    gw_gather_destroy(&self->gather);
    free(self->token);
    free(self);
}

const gw_engineio_ops_t gw_session_engine_ops = {
    .opened = s_opened,
    .message = s_message,
    .writable = s_writable,
    .closed = s_closed,
};

gw_sessions_t *
gw_sessions_new(pr_loop_t *loop, gw_stats_t *stats, int64_t connect_ms)
{
    gw_sessions_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->scratch = pr_buf_new(256);
    if (!self->scratch) {
        free(self);
        return NULL;
    }
    self->loop = loop;
    self->stats = stats;
    self->connect_ms = connect_ms;
    return self;
}

void
gw_sessions_destroy(gw_sessions_t **self_p)
{
    PR_ASSERT(self_p);
    gw_sessions_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_buf_destroy(&self->scratch);
    free(self);
    *self_p = NULL;
}

void
gw_sessions_add(gw_sessions_t *self, const gw_namespace_t *namespace)
{
    PR_ASSERT(self->count < GW_NAMESPACES_MAX);
    self->namespaces[self->count++] = *namespace;
}

/* --- for handlers --- */

void
gw_session_accept(gw_session_t *self, const void *member)
{
    size_t nsp = s_nsp_of(self, member);
    s_set(self, nsp, JOINED, self->memberships[nsp].member);
    char sid[SID_LEN + 1];
    pr_random_text(sid, SID_LEN, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    pr_buf_t *out = s_begin(self, GW_SIO_CONNECT, nsp, GW_SIO_ACK_NONE);
    pr_buf_append_str(out, PR_STR("{\"sid\":\""));
    pr_buf_append_str(out, (pr_str_t) {sid, SID_LEN});
    pr_buf_append_str(out, PR_STR("\"}"));
    s_finish(self, out);
}

void
gw_session_refuse(gw_session_t *self, const void *member, pr_str_t reason)
{
    size_t nsp = s_nsp_of(self, member);
    s_forget(self, nsp);
    s_send_refusal(self, self->shared->namespaces[nsp].name, reason, PR_STR_NONE);
}

void
gw_session_end(gw_session_t *self, const void *member)
{
    size_t nsp = s_nsp_of(self, member);
    s_forget(self, nsp);
    s_finish(self, s_begin(self, GW_SIO_DISCONNECT, nsp, GW_SIO_ACK_NONE));
}

void
gw_session_send(gw_session_t *self, const void *member, int64_t ack, pr_str_t json)
{
    gw_sio_type_t type = ack == GW_SIO_ACK_NONE ? GW_SIO_EVENT : GW_SIO_ACK;
    pr_buf_t *out = s_begin(self, type, s_nsp_of(self, member), ack);
    pr_buf_append_str(out, json);
    s_finish(self, out);
}

void
gw_session_send_binary(gw_session_t *self,
                       const void *member,
                       int64_t ack,
                       pr_str_t json,
                       pr_buf_t *const *attached,
                       int count)
{
    PR_ASSERT(count > 0 && count <= GW_SIO_ATTACHMENTS_MAX);
    gw_sio_type_t type = ack == GW_SIO_ACK_NONE ? GW_SIO_BINARY_EVENT : GW_SIO_BINARY_ACK;
    pr_str_t nsp = self->shared->namespaces[s_nsp_of(self, member)].name;
    pr_buf_t *out = self->shared->scratch;
    pr_buf_clear(out);
    gw_sio_write_binary_head(out, type, count, nsp, ack);
    pr_buf_append_str(out, json);
    s_finish(self, out);
    for (int i = 0; i < count; i++) {
        gw_engineio_send_binary(self->engine, pr_buf_str(attached[i]));
    }
}

int
gw_session_ask(
    gw_session_t *self, const void *member, pr_str_t json, gw_answer_fn_t answer, void *arg)
{
    size_t nsp = s_nsp_of(self, member);
    int64_t id = 0;
    int error = gw_asks_add(&self->memberships[nsp].asks, answer, arg, &id);
    if (error == 0) {
        pr_buf_t *out = s_begin(self, GW_SIO_EVENT, nsp, id);
        pr_buf_append_str(out, json);
        s_finish(self, out);
    }
    return error;
}

void
gw_session_cut(gw_session_t *self, gw_why_t why, int code, const char *reason)
{
    gw_engineio_close(self->engine, why, code, reason);
}

void
gw_session_trust(gw_session_t *self)
{
    gw_engineio_trust(self->engine);
}

gw_socket_t *
gw_session_socket(const gw_session_t *self)
{
    return gw_engineio_socket(self->engine);
}
