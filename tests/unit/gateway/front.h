/* SPDX-License-Identifier: MIT */

/*
 * The front half of a gateway (accept, http, ws, write) on a real listening socket. Its clients
 * (client.h) are in the same thread: each wait turns the loop until something has happened, with
 * a deadline.
 */

#ifndef T_FRONT_H
#define T_FRONT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/accept.h"
#include "gateway/http.h"
#include "gateway/peer.h"
#include "gateway/write.h"
#include "gateway/ws.h"
#include "proto/base/clock.h"
#include "proto/wire/limits.h"

#define FRONT_WAIT_MS 5000
#define FRONT_SOCKETS_MAX 64

/* What the protocol layer of the tests knows of one WebSocket. */
typedef struct front front_t;
typedef struct {
    front_t *front;
    gw_socket_t *socket; /* NULL once closed */
    gw_slot_t slot;
    int messages;
    pr_buf_t *last; /* of the messages */
    bool last_binary;
    int writable;
    int missed;
    int closed;
    int code;
    bool by_us;
    char token[128];
    pr_buf_t *again; /* sent whenever the socket is writable, `again_left` times */
    int again_left;
} front_ws_t;

struct front {
    pr_loop_t *loop;
    gw_limit_t *limit;
    gw_origin_t *origin;
    gw_writer_t writer;
    gw_ws_t *ws;
    gw_http_t *http;
    gw_accept_t *accept;
    int listen_fd;
    int port;
    front_ws_t sockets[FRONT_SOCKETS_MAX];
    size_t socket_count;
    /* HTTP */
    void (*request)(front_t *self, gw_request_t *request); /* NULL: front_answer */
    gw_request_t *pending;
    int requests;
    int cancelled;
};

/* --- the protocol layer --- */

static void
front_on_message(void *user, pr_str_t data, bool binary)
{
    front_ws_t *ws = user;
    ws->messages++;
    ws->last_binary = binary;
    pr_buf_destroy(&ws->last);
    ws->last = pr_buf_copy(data);
}

static void
front_on_writable(void *user)
{
    front_ws_t *ws = user;
    ws->writable++;
    if (ws->again && ws->again_left > 0 && gw_socket_send(ws->socket, ws->again) == 0) {
        ws->again_left--;
    }
}

static void
front_on_closed(void *user, int code, bool by_us)
{
    front_ws_t *ws = user;
    ws->closed++;
    ws->code = code;
    ws->by_us = by_us;
    ws->socket = NULL;
}

static const gw_socket_ops_t front_ops = {
    .message = front_on_message,
    .writable = front_on_writable,
    .closed = front_on_closed,
};

static int
front_accept(void *arg, gw_socket_t *socket, pr_str_t token)
{
    front_t *self = arg;
    assert_true(self->socket_count < FRONT_SOCKETS_MAX);
    front_ws_t *ws = &self->sockets[self->socket_count++];
    ws->front = self;
    ws->socket = socket;
    if (token.ptr) {
        (void) snprintf(ws->token, sizeof ws->token, "%.*s", PR_STR_ARG(token));
    }
    ws->slot.owner = ws;
    gw_socket_attach(socket, &front_ops, ws);
    gw_socket_bind_slot(socket, &ws->slot);
    return 0;
}

/* --- requests --- */

static void
front_on_cancelled(void *arg)
{
    front_t *self = arg;
    self->cancelled++;
    self->pending = NULL;
}

/* /wait waits, everything else is answered with what was asked. */
static void
front_answer(front_t *self, gw_request_t *request)
{
    pr_str_t path = gw_request_path(request);
    if (pr_str_equal(path, PR_STR("/wait"))) {
        self->pending = request;
        gw_request_on_cancelled(request, front_on_cancelled, self);
        return;
    }
    if (pr_str_equal(path, PR_STR("/large"))) {
        size_t len = 3 << 20;
        char *body = malloc(len);
        assert_non_null(body);
        memset(body, 'x', len);
        gw_http_respond(request, 200, "text/plain", (pr_str_t) {body, len}, NULL);
        free(body);
        return;
    }
    pr_buf_t *out = pr_buf_new(256);
    pr_buf_append_fmt(out, "%s %.*s token=%.*s type=%.*s q=%.*s body=", gw_request_method(request),
                      PR_STR_ARG(path), PR_STR_ARG(gw_request_header(request, GW_HEADER_TOKEN)),
                      PR_STR_ARG(gw_request_header(request, GW_HEADER_CONTENT_TYPE)),
                      PR_STR_ARG(gw_request_query(request, PR_STR("q"))));
    pr_buf_append_str(out, gw_request_body(request));
    gw_http_respond(request, 200, "text/plain", pr_buf_str(out), NULL);
    pr_buf_destroy(&out);
}

static void
front_on_request(void *arg, gw_request_t *request)
{
    front_t *self = arg;
    self->requests++;
    (self->request ? self->request : front_answer)(self, request);
}

/* --- life --- */

static int
front_listen(front_t *self)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    assert_int_equal(bind(fd, (struct sockaddr *) &at, len), 0);
    assert_int_equal(listen(fd, 512), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &at, &len), 0);
    self->port = ntohs(at.sin_port);
    return fd;
}

typedef struct {
    gw_write_mode_t mode;
    int64_t stalled_ms;
    int64_t burst;
    int64_t sockets_max;
} front_settings_t;

static front_t *
front_new_with(front_settings_t settings)
{
    front_t *self = calloc(1, sizeof *self);
    assert_non_null(self);
    gw_limit_rate_t rates[GW_LIMIT_KINDS] = {
        [GW_LIMIT_CONNECTS] = {settings.burst ? settings.burst : 2000, 1, 1000},
        [GW_LIMIT_CODES] = {30, 30, 60000},
    };
    self->loop = pr_loop_new();
    self->limit = gw_limit_new(rates, 100);
    self->origin = gw_origin_new(8080, "http://friend.example");
    self->writer = (gw_writer_t) {
        .loop = self->loop,
        .mode = settings.mode,
        .stalled_ms = settings.stalled_ms ? settings.stalled_ms : PR_STALLED_MS,
    };
    static const gw_ws_ops_t ops = {.accept = front_accept};
    self->ws = gw_ws_new(&self->writer, self->origin, &ops, self);
    gw_http_options_t http = {
        .loop = self->loop,
        .origin = self->origin,
        .ws = self->ws,
        .request = front_on_request,
        .arg = self,
    };
    self->http = gw_http_new(&http);
    assert_non_null(self->http);
    self->listen_fd = front_listen(self);
    gw_accept_options_t accept = {
        .loop = self->loop,
        .http = self->http,
        .limit = self->limit,
        .listen_fd = self->listen_fd,
        .sockets_max = settings.sockets_max,
    };
    self->accept = gw_accept_new(&accept);
    assert_non_null(self->accept);
    return self;
}

/* For tests that are run in both ways of writing: BOTH(test) in the list. */
static int front_orthodox = 1;

#define BOTH(test) cmocka_unit_test(test), cmocka_unit_test_prestate(test, &front_orthodox)

static inline gw_write_mode_t
front_mode(void **state)
{
    return *state == &front_orthodox ? GW_WRITE_ORTHODOX : GW_WRITE_DIRECT;
}

static inline front_t *
front_new_for(void **state)
{
    return front_new_with((front_settings_t) {.mode = front_mode(state)});
}

static inline front_t *
front_new(void)
{
    return front_new_with((front_settings_t) {.mode = GW_WRITE_DIRECT});
}

static void
front_destroy(front_t **self_p)
{
    front_t *self = *self_p;
    gw_accept_destroy(&self->accept);
    gw_http_destroy(&self->http);
    for (size_t i = 0; i < self->socket_count; i++) {
        assert_int_equal(self->sockets[i].closed, 1);
        pr_buf_destroy(&self->sockets[i].last);
    }
    gw_ws_destroy(&self->ws);
    gw_origin_destroy(&self->origin);
    gw_limit_destroy(&self->limit);
    pr_loop_destroy(&self->loop);
    (void) close(self->listen_fd);
    free(self);
    *self_p = NULL;
}

/* Turns the loop until `*count` has reached `want`. */
typedef struct {
    const int *count;
    int want;
} front_wait_t;

static bool
front_has_counted(void *arg)
{
    const front_wait_t *wait = arg;
    return *wait->count >= wait->want;
}

/* Counts turns of the loop. */
static inline bool
front_on_turn(void *arg)
{
    int *turns = arg;
    (*turns)++;
    return false;
}

static inline bool
front_waits(front_t *self, const int *count, int want)
{
    front_wait_t wait = {count, want};
    return pr_loop_run_until(self->loop, front_has_counted, &wait, FRONT_WAIT_MS);
}

#endif
