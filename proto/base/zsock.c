/* SPDX-License-Identifier: MIT */

/*
 * Two hooks a turn: one drains before anybody thinks, one looks once more after everybody has sent.
 * ZeroMQ may take note of new messages while it sends; its descriptor then stays silent about them.
 */

#include "proto/base/zsock.h"

#include <errno.h>
#include <stdlib.h>

#include <czmq.h>
#include <uv.h>
#include <zmq.h>

#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

/* A connection that is lost is tried again after so long, then longer and longer. */
#define RECONNECT_MS 20
#define RECONNECT_MAX_MS 1000
/* Over TCP ZeroMQ itself finds out that a peer is gone. */
#define HEARTBEAT_MS 1000
#define HEARTBEAT_TIMEOUT_MS 3000
/* After the hooks that send. */
#define AFTER_SEND (PR_TURN_SEND + 10)

#define IPC PR_STR("ipc://")
#define TCP PR_STR("tcp://")

struct pr_zsock {
    pr_loop_t *loop;
    zsock_t *zsock;
    void *handle;    /* the same, as libzmq sees it */
    uv_poll_t *poll; /* of its own, as closing takes a turn */
    pr_zsock_receive_t receive;
    void *arg;
    bool sent; /* in this turn */
    bool receiving;
    pr_zsock_counters_t counters;
    zmq_msg_t in[PR_MESSAGE_PARTS_MAX];
    zmq_msg_t out[PR_MESSAGE_PARTS_MAX];
};

/* czmq must not take signals from libuv: both ways of telling it, as either alone has gaps. */
static void
s_start_czmq(void)
{
    static bool started;
    if (!started) {
        started = true;
        (void) setenv("ZSYS_SIGHANDLER", "false", 1);
        (void) zsys_init();
        zsys_handler_set(NULL);
    }
}

static bool
s_events(const pr_zsock_t *self, int wanted)
{
    int events = 0;
    size_t size = sizeof events;
    return zmq_getsockopt(self->handle, ZMQ_EVENTS, &events, &size) == 0 && (events & wanted);
}

/* --- receiving --- */

static void
s_close_parts(zmq_msg_t *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void) zmq_msg_close(&parts[i]);
    }
}

/* Takes one message, keeping as many parts as we have places for. How many it had, 0: none is
 * there. */
static size_t
s_take(pr_zsock_t *self)
{
    zmq_msg_t extra;
    size_t count = 0;
    bool more = true;
    while (more) {
        zmq_msg_t *part = count < PR_MESSAGE_PARTS_MAX ? &self->in[count] : &extra;
        (void) zmq_msg_init(part);
        /* Only the first can be missing: ZeroMQ hands out whole messages. */
        if (zmq_msg_recv(part, self->handle, ZMQ_DONTWAIT) < 0) {
            (void) zmq_msg_close(part);
            break;
        }
        more = zmq_msg_more(part) != 0;
        if (part == &extra) {
            (void) zmq_msg_close(part);
        }
        count++;
    }
    return count;
}

static void
s_hand_over(pr_zsock_t *self, size_t count)
{
    pr_str_t parts[PR_MESSAGE_PARTS_MAX];
    size_t kept = count < PR_MESSAGE_PARTS_MAX ? count : PR_MESSAGE_PARTS_MAX;
    size_t bytes = 0;
    for (size_t i = 0; i < kept; i++) {
        parts[i] = (pr_str_t) {zmq_msg_data(&self->in[i]), zmq_msg_size(&self->in[i])};
        bytes += parts[i].len;
    }
    if (count > kept || bytes > PR_MESSAGE_BYTES_MAX) {
        self->counters.dropped++;
        pr_log_warn("zsock.dropped", "parts=%zu bytes=%zu", count, bytes);
    } else {
        self->counters.received++;
        if (self->receive) {
            self->receiving = true;
            self->receive(self->arg, parts, count);
            self->receiving = false;
        }
    }
    s_close_parts(self->in, kept);
}

static bool
s_drain(void *arg)
{
    pr_zsock_t *self = arg;
    for (int i = 0; i < PR_ZSOCK_TURN_MESSAGES; i++) {
        size_t count = s_take(self);
        if (count == 0) {
            /* Also for a PUB, which has nothing to receive but subscriptions to take note of. */
            return s_events(self, ZMQ_POLLIN);
        }
        s_hand_over(self, count);
    }
    return true;
}

static bool
s_look_again(void *arg)
{
    pr_zsock_t *self = arg;
    bool look = self->sent;
    self->sent = false;
    return look && s_events(self, ZMQ_POLLIN);
}

static void
s_wake(uv_poll_t *poll, int status, int events)
{
    /* A turn is all that is needed. */
    (void) poll;
    (void) status;
    (void) events;
}

/* --- life --- */

static int
s_type(pr_zsock_kind_t kind)
{
    switch (kind) {
    case PR_ZSOCK_ROUTER:
        return ZMQ_ROUTER;
    case PR_ZSOCK_DEALER:
        return ZMQ_DEALER;
    case PR_ZSOCK_PUB:
        return ZMQ_PUB;
    case PR_ZSOCK_SUB:
        return ZMQ_SUB;
    }
    PR_ASSERT(!"a kind of socket");
}

static void
s_set_options(pr_zsock_t *self, pr_zsock_kind_t kind, const char *identity)
{
    zsock_set_linger(self->zsock, PR_ZSOCK_LINGER_MS);
    zsock_set_sndhwm(self->zsock, PR_ZSOCK_HWM);
    zsock_set_rcvhwm(self->zsock, PR_ZSOCK_HWM);
    zsock_set_maxmsgsize(self->zsock, PR_MESSAGE_BYTES_MAX);
    zsock_set_reconnect_ivl(self->zsock, RECONNECT_MS);
    zsock_set_reconnect_ivl_max(self->zsock, RECONNECT_MAX_MS);
    if (kind == PR_ZSOCK_ROUTER) {
        zsock_set_router_mandatory(self->zsock, 1);
    }
    if (kind == PR_ZSOCK_DEALER) {
        zsock_set_immediate(self->zsock, 1);
        if (identity) {
            zsock_set_identity(self->zsock, identity);
        }
    }
}

static void
s_free_poll(uv_handle_t *handle)
{
    free(handle);
}

static int
s_start_poll(pr_zsock_t *self)
{
    int fd = -1;
    size_t size = sizeof fd;
    self->poll = calloc(1, sizeof *self->poll);
    if (!self->poll) {
        return PR_E_NOMEM;
    }
    if (zmq_getsockopt(self->handle, ZMQ_FD, &fd, &size) != 0 ||
        uv_poll_init(pr_loop_uv(self->loop), self->poll, fd) != 0) {
        free(self->poll);
        self->poll = NULL;
        return PR_E_SYSTEM;
    }
    return uv_poll_start(self->poll, UV_READABLE, s_wake) == 0 ? 0 : PR_E_SYSTEM;
}

pr_zsock_t *
pr_zsock_new(pr_loop_t *loop,
             pr_zsock_kind_t kind,
             const char *identity,
             pr_zsock_receive_t receive,
             void *arg)
{
    PR_ASSERT(loop && (receive || kind == PR_ZSOCK_PUB));
    s_start_czmq();
    pr_zsock_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->receive = receive;
    self->arg = arg;
    self->zsock = zsock_new(s_type(kind));
    if (!self->zsock) {
        free(self);
        return NULL;
    }
    self->handle = zsock_resolve(self->zsock);
    s_set_options(self, kind, identity);
    if (s_start_poll(self) != 0) {
        pr_zsock_destroy(&self);
        return NULL;
    }
    pr_loop_on_turn(loop, PR_TURN_RECEIVE, s_drain, self);
    pr_loop_on_turn(loop, AFTER_SEND, s_look_again, self);
    return self;
}

void
pr_zsock_destroy(pr_zsock_t **self_p)
{
    PR_ASSERT(self_p);
    pr_zsock_t *self = *self_p;
    if (!self) {
        return;
    }
    PR_ASSERT(!self->receiving);
    pr_loop_off_turn(self->loop, s_drain, self);
    pr_loop_off_turn(self->loop, s_look_again, self);
    if (self->poll) {
        /* Before ZeroMQ closes the descriptor. */
        uv_close((uv_handle_t *) self->poll, s_free_poll);
    }
    zsock_destroy(&self->zsock);
    free(self);
    *self_p = NULL;
}

/* --- endpoints --- */

static int
s_check(pr_zsock_t *self, const char *endpoint)
{
    pr_str_t text = pr_str(endpoint);
    if (pr_str_starts(text, IPC)) {
        size_t path = text.len - IPC.len;
        if (path == 0 || path > PR_IPC_PATH_MAX) {
            pr_log_error("zsock.path", "bytes=%zu most=%d", path, PR_IPC_PATH_MAX);
            return PR_E_CONFIG;
        }
        return 0;
    }
    if (!pr_str_starts(text, TCP)) {
        pr_log_error("zsock.endpoint", "transport=unknown");
        return PR_E_CONFIG;
    }
    int every_ms = HEARTBEAT_MS;
    int timeout_ms = HEARTBEAT_TIMEOUT_MS;
    (void) zmq_setsockopt(self->handle, ZMQ_HEARTBEAT_IVL, &every_ms, sizeof every_ms);
    (void) zmq_setsockopt(self->handle, ZMQ_HEARTBEAT_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    return 0;
}

static int
s_attach(pr_zsock_t *self, const char *endpoint, int (*attach)(void *handle, const char *endpoint))
{
    int error = s_check(self, endpoint);
    if (error) {
        return error;
    }
    if (attach(self->handle, endpoint) != 0) {
        pr_log_error("zsock.refused", "endpoint=%s why=\"%s\"", endpoint, zmq_strerror(errno));
        return PR_E_SYSTEM;
    }
    return 0;
}

int
pr_zsock_bind(pr_zsock_t *self, const char *endpoint)
{
    return s_attach(self, endpoint, zmq_bind);
}

int
pr_zsock_connect(pr_zsock_t *self, const char *endpoint)
{
    return s_attach(self, endpoint, zmq_connect);
}

int
pr_zsock_subscribe(pr_zsock_t *self, pr_str_t prefix)
{
    int result =
        zmq_setsockopt(self->handle, ZMQ_SUBSCRIBE, prefix.ptr ? prefix.ptr : "", prefix.len);
    return result == 0 ? 0 : PR_E_SYSTEM;
}

/* --- sending --- */

static int
s_copy_parts(pr_zsock_t *self, const pr_str_t *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (zmq_msg_init_size(&self->out[i], parts[i].len) != 0) {
            s_close_parts(self->out, i);
            return PR_E_NOMEM;
        }
        if (parts[i].len) {
            memcpy(zmq_msg_data(&self->out[i]), parts[i].ptr, parts[i].len);
        }
    }
    return 0;
}

int
pr_zsock_send(pr_zsock_t *self, const pr_str_t *parts, size_t count)
{
    PR_ASSERT(count > 0 && count <= PR_MESSAGE_PARTS_MAX);
    int error = s_copy_parts(self, parts, count);
    if (error) {
        return error;
    }
    self->sent = true;
    for (size_t i = 0; i < count; i++) {
        int flags = ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0);
        if (zmq_msg_send(&self->out[i], self->handle, flags) >= 0) {
            continue;
        }
        if (i == 0) {
            error = errno == EAGAIN ? PR_E_BUSY : PR_E_UNREACHABLE;
            self->counters.busy += error == PR_E_BUSY;
            s_close_parts(self->out, count);
            return error;
        }
        /* The connection broke in the middle: ZeroMQ has taken the first parts back and wants to be
         * given the rest, to drop it. */
        error = PR_E_UNREACHABLE;
        (void) zmq_msg_close(&self->out[i]);
    }
    self->counters.sent += error == 0;
    return error;
}

const pr_zsock_counters_t *
pr_zsock_counters(const pr_zsock_t *self)
{
    return &self->counters;
}
