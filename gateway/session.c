/* SPDX-License-Identifier: MIT */

#include "gateway/session.h"

#include <stdlib.h>

#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/wire/limits.h"

#define SID_LEN 20
/* Close codes of WebSocket. */
enum { CODE_POLICY = 1008 };

typedef enum { NOT_JOINED, JOINING, JOINED } membership_t;

/* The namespaces there are. */
enum { NSP_ROOT, NSP_POLLS, NSP_COUNT };

struct gw_sessions {
    pr_loop_t *loop;
    gw_stats_t *stats;
    gw_namespace_t namespaces[NSP_COUNT];
    pr_buf_t *scratch; /* to write packets in */
};

struct gw_session {
    pr_timer_t idle; /* first: the pointers are equal. Runs while nothing is joined */
    gw_sessions_t *shared;
    gw_engineio_t *engine;
    char *token; /* the handshake's header, or NULL */
    void *members[NSP_COUNT];
    unsigned char memberships[NSP_COUNT];
};

static void
s_bad(gw_session_t *self, const char *why)
{
    self->shared->stats->bad_packets++;
    pr_log_debug("client.bad", "why=%s", why);
    gw_engineio_close(self->engine, GW_WHY_LEAVE, CODE_POLICY, why);
}

/* --- the root namespace: everybody may be in it, nothing happens there --- */

static gw_joining_t
s_root_connect(void *arg, gw_session_t *session, const json_t *auth, pr_str_t token)
{
    (void) arg;
    (void) auth;
    (void) token;
    return (gw_joining_t) {.member = session};
}

static void
s_root_event(void *member, const gw_sio_packet_t *packet)
{
    (void) member;
    (void) packet;
}

static void
s_root_writable(void *member)
{
    (void) member;
}

static void
s_root_left(void *member, gw_why_t why)
{
    (void) member;
    (void) why;
}

static const gw_namespace_t s_root = {
    .name = {"/", 1},
    .connect = s_root_connect,
    .event = s_root_event,
    .writable = s_root_writable,
    .left = s_root_left,
};

/* --- sending --- */

static pr_buf_t *
s_begin(gw_session_t *self, gw_sio_type_t type, pr_str_t nsp, int64_t ack)
{
    pr_buf_t *out = self->shared->scratch;
    pr_buf_clear(out);
    gw_sio_write_head(out, type, nsp, ack);
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

static void
s_send_refusal(gw_session_t *self, pr_str_t nsp, pr_str_t reason)
{
    pr_buf_t *out = s_begin(self, GW_SIO_CONNECT_ERROR, nsp, GW_SIO_ACK_NONE);
    pr_buf_append_str(out, PR_STR("{\"message\":"));
    pr_buf_append_json(out, reason);
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

/* Sets it; the clock of those who joined nothing runs or stops with it. */
static void
s_set(gw_session_t *self, size_t nsp, membership_t membership, void *member)
{
    self->memberships[nsp] = (unsigned char) membership;
    self->members[nsp] = member;
    if (nsp != NSP_POLLS) {
        return;
    }
    if (membership == NOT_JOINED) {
        pr_loop_arm(self->shared->loop, &self->idle, PR_BEFORE_JOIN_MS);
    } else {
        pr_wheel_cancel(&self->idle);
    }
}

static size_t
s_nsp_of(const gw_session_t *self, const void *member)
{
    size_t nsp = 0;
    while (nsp < NSP_COUNT && self->members[nsp] != member) {
        nsp++;
    }
    PR_ASSERT(nsp < NSP_COUNT);
    return nsp;
}

static size_t
s_nsp_named(const gw_session_t *self, pr_str_t name)
{
    size_t nsp = 0;
    while (nsp < NSP_COUNT && !pr_str_equal(self->shared->namespaces[nsp].name, name)) {
        nsp++;
    }
    return nsp;
}

/* --- what the client sends --- */

static void
s_connect(gw_session_t *self, size_t nsp, const gw_sio_packet_t *packet)
{
    if (self->memberships[nsp] != NOT_JOINED) {
        s_bad(self, "already joined");
        return;
    }
    const gw_namespace_t *namespace = &self->shared->namespaces[nsp];
    gw_joining_t joining =
        namespace->connect(namespace->arg, self, packet->data, pr_str(self->token));
    if (!joining.member) {
        s_send_refusal(self, namespace->name, pr_str(joining.reason));
        return;
    }
    s_set(self, nsp, JOINING, joining.member);
    if (nsp == NSP_ROOT) {
        gw_session_accept(self, joining.member);
    }
}

static void
s_leave(gw_session_t *self, size_t nsp, gw_why_t why)
{
    if (self->memberships[nsp] == NOT_JOINED) {
        return;
    }
    void *member = self->members[nsp];
    s_set(self, nsp, NOT_JOINED, NULL);
    self->shared->namespaces[nsp].left(member, why);
}

static void
s_packet(gw_session_t *self, const gw_sio_packet_t *packet)
{
    size_t nsp = s_nsp_named(self, packet->nsp);
    if (nsp == NSP_COUNT) {
        if (packet->type != GW_SIO_CONNECT) {
            s_bad(self, "no such namespace");
            return;
        }
        self->shared->stats->unknown_namespaces++;
        s_send_refusal(self, packet->nsp, PR_STR("Invalid namespace"));
        return;
    }
    switch (packet->type) {
    case GW_SIO_CONNECT:
        s_connect(self, nsp, packet);
        return;
    case GW_SIO_DISCONNECT:
        s_leave(self, nsp, GW_WHY_LEAVE);
        return;
    case GW_SIO_EVENT:
    case GW_SIO_ACK:
        if (self->memberships[nsp] != JOINED) {
            s_bad(self, "not joined");
        } else if (packet->type == GW_SIO_EVENT) {
            self->shared->namespaces[nsp].event(self->members[nsp], packet);
        }
        return;
    case GW_SIO_CONNECT_ERROR:
    case GW_SIO_BINARY_EVENT: /* their place: gather the attachments that follow */
    case GW_SIO_BINARY_ACK:
        s_bad(self, "unexpected packet");
    }
}

static void
s_message(void *user, pr_str_t text, bool binary)
{
    gw_session_t *self = user;
    gw_sio_packet_t packet;
    if (binary) {
        self->shared->stats->binary_refused++;
        s_bad(self, "binary");
        return;
    }
    if (gw_sio_parse(text, &packet) != 0) {
        s_bad(self, "parse error");
        return;
    }
    s_packet(self, &packet);
    gw_sio_clear(&packet);
}

/* --- life --- */

static void *
s_opened(void *arg, gw_engineio_t *engine, pr_str_t token)
{
    gw_session_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->shared = arg;
    self->engine = engine;
    if (token.len) {
        self->token = strndup(token.ptr, token.len);
    }
    self->idle.fire = s_idle;
    s_set(self, NSP_POLLS, NOT_JOINED, NULL);
    return self;
}

static void
s_writable(void *user)
{
    gw_session_t *self = user;
    for (size_t nsp = 0; nsp < NSP_COUNT; nsp++) {
        if (self->memberships[nsp] != NOT_JOINED) {
            self->shared->namespaces[nsp].writable(self->members[nsp]);
        }
    }
}

static void
s_closed(void *user, gw_why_t why)
{
    gw_session_t *self = user;
    for (size_t nsp = 0; nsp < NSP_COUNT; nsp++) {
        s_leave(self, nsp, why);
    }
    pr_wheel_cancel(&self->idle);
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
gw_sessions_new(pr_loop_t *loop, gw_stats_t *stats, const gw_namespace_t *polls)
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
    self->namespaces[NSP_ROOT] = s_root;
    self->namespaces[NSP_POLLS] = *polls;
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

/* --- for handlers --- */

void
gw_session_accept(gw_session_t *self, const void *member)
{
    size_t nsp = s_nsp_of(self, member);
    s_set(self, nsp, JOINED, self->members[nsp]);
    char sid[SID_LEN + 1];
    pr_random_text(sid, SID_LEN, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    pr_buf_t *out =
        s_begin(self, GW_SIO_CONNECT, self->shared->namespaces[nsp].name, GW_SIO_ACK_NONE);
    pr_buf_append_str(out, PR_STR("{\"sid\":\""));
    pr_buf_append_str(out, (pr_str_t) {sid, SID_LEN});
    pr_buf_append_str(out, PR_STR("\"}"));
    s_finish(self, out);
}

void
gw_session_refuse(gw_session_t *self, const void *member, pr_str_t reason)
{
    size_t nsp = s_nsp_of(self, member);
    s_set(self, nsp, NOT_JOINED, NULL);
    s_send_refusal(self, self->shared->namespaces[nsp].name, reason);
}

void
gw_session_end(gw_session_t *self, const void *member)
{
    size_t nsp = s_nsp_of(self, member);
    s_set(self, nsp, NOT_JOINED, NULL);
    s_finish(self,
             s_begin(self, GW_SIO_DISCONNECT, self->shared->namespaces[nsp].name, GW_SIO_ACK_NONE));
}

void
gw_session_send(gw_session_t *self, const void *member, int64_t ack, pr_str_t json)
{
    size_t nsp = s_nsp_of(self, member);
    gw_sio_type_t type = ack == GW_SIO_ACK_NONE ? GW_SIO_EVENT : GW_SIO_ACK;
    pr_buf_t *out = s_begin(self, type, self->shared->namespaces[nsp].name, ack);
    pr_buf_append_str(out, json);
    s_finish(self, out);
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
