/* SPDX-License-Identifier: MIT */

/*
 * A server of nothing but our Engine.IO and Socket.IO, as the protocols' public test suites want
 * one: at /engine.io/ it echoes every message; at /socket.io/, in the namespaces / and /custom, it
 * emits `auth` with what the client joined with, answers `message` with `message-back`, and
 * `message-with-ack` with its arguments. At /ws is what the cost of both is measured against
 * (sio_echo_native.h).
 *
 * For our own tests besides: `ask` emits `question` and then `answered` with its acknowledgement,
 * `leave` sends DISCONNECT, `close` closes the transport, all of them with 1000 ms to think if
 * `later` is the argument; who joins with {"refuse":true} is refused. At /parked is how many GETs
 * wait.
 */

#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/accept.h"
#include "gateway/polling_http.h"
#include "gateway/session.h"
#include "gateway/ws.h"
#include "proto/wire/limits.h"
#include "tests/support/sio_echo_namespace.h"
#include "tests/support/sio_echo_native.h"

typedef struct {
    int port;
    int64_t ping_interval_ms;
    int64_t ping_timeout_ms;
    size_t max_payload;
    int64_t connect_timeout_ms;
} options_t;

/* One path: a hub and the layer above it. */
typedef struct {
    gw_engineio_hub_t *hub;
    gw_polling_door_t door;
    size_t message_max;
} place_t;

typedef struct {
    options_t options;
    pr_loop_t *loop;
    gw_stats_t stats;
    gw_limit_t *limit;
    gw_origin_t *origin;
    gw_writer_t writer;
    gw_sessions_t *sessions;
    place_t engine;
    place_t socket;
    gw_ws_t *ws;
    gw_http_t *http;
    gw_accept_t *accept;
} server_t;

/* --- /engine.io/: echo --- */

static void *
s_echo_opened(void *arg, gw_engineio_t *engine, pr_str_t token)
{
    (void) arg;
    (void) token;
    gw_engineio_trust(engine);
    return engine;
}

static void
s_echo_message(void *user, pr_str_t data, bool binary)
{
    if (binary) {
        gw_engineio_send_binary(user, data);
    } else {
        gw_engineio_send(user, data);
    }
}

static void
s_echo_writable(void *user)
{
    (void) user;
}

static void
s_echo_closed(void *user, gw_why_t why)
{
    (void) user;
    (void) why;
}

static const gw_engineio_ops_t s_echo_ops = {
    .opened = s_echo_opened,
    .message = s_echo_message,
    .writable = s_echo_writable,
    .closed = s_echo_closed,
};

/* --- a path --- */

static int
s_accept(void *arg, gw_socket_t *socket, pr_str_t token)
{
    const place_t *place = arg;
    return gw_engineio_open(place->hub, socket, token);
}

static gw_refusal_t
s_check(void *arg, pr_str_t sid)
{
    const place_t *place = arg;
    return gw_engineio_check(place->hub, sid, true);
}

static int
s_upgrade(void *arg, gw_socket_t *socket, pr_str_t sid)
{
    const place_t *place = arg;
    return gw_engineio_upgrade(place->hub, socket, sid);
}

static int
s_accept_native(void *arg, gw_socket_t *socket, gw_native_encoding_t encoding)
{
    const place_t *place = arg;
    (void) encoding;
    t_echo_native(socket, place->message_max);
    return 0;
}

static const gw_ws_ops_t s_ws_ops = {
    .accept = s_accept,
    .check = s_check,
    .upgrade = s_upgrade,
    .accept_native = s_accept_native,
};

static bool
s_make_place(
    server_t *self, place_t *place, const char *path, const gw_engineio_ops_t *ops, void *arg)
{
    const gw_engineio_settings_t settings = {
        .ping_interval_ms = self->options.ping_interval_ms,
        .ping_timeout_ms = self->options.ping_timeout_ms,
        .owner = "e1-00000000",
        .message_max = self->options.max_payload,
        .queue_bytes_max = 4 * self->options.max_payload,
    };
    place->hub = gw_engineio_hub_new(self->loop, &settings, &self->stats, ops, arg);
    place->message_max = self->options.max_payload;
    place->door = (gw_polling_door_t) {.path = path, .hub = place->hub};
    return place->hub != NULL;
}

/* --- HTTP --- */

static const gw_polling_door_t *
s_door(const server_t *self, const gw_request_t *request)
{
    const gw_polling_door_t *doors[] = {&self->engine.door, &self->socket.door};
    for (size_t i = 0; i < 2; i++) {
        if (gw_polling_http_is_ours(doors[i], request)) {
            return doors[i];
        }
    }
    return NULL;
}

static size_t
s_head(void *arg, gw_request_t *request)
{
    const gw_polling_door_t *door = s_door(arg, request);
    return door ? gw_polling_http_head(door, request) : 0;
}

static void
s_request(void *arg, gw_request_t *request)
{
    const server_t *self = arg;
    const gw_polling_door_t *door = s_door(self, request);
    char count[32];
    if (door) {
        gw_polling_http_request(door, request);
    } else if (pr_str_equal(gw_request_path(request), PR_STR("/parked"))) {
        (void) snprintf(count, sizeof count, "%lld", (long long) self->stats.polling_parked);
        gw_http_respond_json(request, 200, pr_str(count), NULL);
    } else {
        gw_http_respond_error(request, 404, "Not Found", NULL, NULL);
    }
}

/* --- life --- */

/* All addresses, of both kinds if there are both. */
static int
s_listen(int port)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in6 at6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t) port)};
    struct sockaddr_in at4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    const struct sockaddr *at = (const struct sockaddr *) &at6;
    socklen_t len = sizeof at6;
    int off = 0;
    int on = 1;
    if (fd < 0) {
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        at = (const struct sockaddr *) &at4;
        len = sizeof at4;
    } else {
        (void) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return fd >= 0 && bind(fd, at, len) == 0 && listen(fd, 4096) == 0 ? fd : -1;
}

static int
s_port(int fd)
{
    struct sockaddr_in6 at = {0};
    socklen_t len = sizeof at;
    (void) getsockname(fd, (struct sockaddr *) &at, &len);
    return ntohs(at.sin6_port);
}

static bool
s_make_protocols(server_t *self)
{
    self->sessions = gw_sessions_new(self->loop, &self->stats, self->options.connect_timeout_ms);
    if (!self->sessions) {
        return false;
    }
    gw_namespace_t root = t_echo_namespace(self->loop, PR_STR("/"));
    gw_namespace_t custom = t_echo_namespace(self->loop, PR_STR("/custom"));
    gw_sessions_add(self->sessions, &root);
    gw_sessions_add(self->sessions, &custom);
    return s_make_place(self, &self->engine, "/engine.io/", &s_echo_ops, self) &&
           s_make_place(self, &self->socket, "/socket.io/", &gw_session_engine_ops, self->sessions);
}

static bool
s_make_front(server_t *self, int listen_fd)
{
    const gw_limit_rate_t rates[GW_LIMIT_KINDS] = {{1000000, 1000000, 1000}, {100, 100, 1000}};
    self->limit = gw_limit_new(rates, 100);
    self->origin = gw_origin_new(8080, "");
    self->writer = (gw_writer_t) {
        .loop = self->loop,
        .mode = GW_WRITE_DIRECT,
        .stalled_ms = PR_STALLED_MS,
        .must_bytes_max = 4 * self->options.max_payload,
    };
    self->ws = gw_ws_new(&self->writer, self->origin, &s_ws_ops, &self->socket);
    if (!self->limit || !self->origin || !self->ws) {
        return false;
    }
    gw_ws_mount(self->ws, "/engine.io/", &s_ws_ops, &self->engine);
    const gw_http_options_t http = {
        .loop = self->loop,
        .origin = self->origin,
        .ws = self->ws,
        .head = s_head,
        .request = s_request,
        .arg = self,
    };
    self->http = gw_http_new(&http);
    const gw_accept_options_t accept = {
        .loop = self->loop,
        .http = self->http,
        .limit = self->limit,
        .listen_fd = listen_fd,
    };
    self->accept = self->http ? gw_accept_new(&accept) : NULL;
    return self->accept != NULL;
}

static void
s_destroy(server_t *self)
{
    gw_accept_destroy(&self->accept);
    gw_http_destroy(&self->http);
    gw_ws_destroy(&self->ws);
    gw_engineio_hub_destroy(&self->engine.hub);
    gw_engineio_hub_destroy(&self->socket.hub);
    gw_sessions_destroy(&self->sessions);
    gw_limit_destroy(&self->limit);
    gw_origin_destroy(&self->origin);
    pr_loop_destroy(&self->loop);
}

static void
s_on_signal(void *arg, int signum)
{
    (void) signum;
    pr_loop_stop(arg);
}

static bool
s_read_options(int argc, char **argv, options_t *options)
{
    static const struct option known[] = {
        {"port", required_argument, NULL, 'p'},
        {"ping-interval-ms", required_argument, NULL, 'i'},
        {"ping-timeout-ms", required_argument, NULL, 't'},
        {"max-payload", required_argument, NULL, 'm'},
        {"connect-timeout-ms", required_argument, NULL, 'c'},
        {NULL, 0, NULL, 0},
    };
    for (int name = 0; (name = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        char *end = NULL;
        long value = name == '?' ? -1 : strtol(optarg, &end, 10);
        if (value < 0 || *end) {
            return false;
        }
        switch (name) {
        case 'p':
            options->port = (int) value;
            break;
        case 'i':
            options->ping_interval_ms = value;
            break;
        case 't':
            options->ping_timeout_ms = value;
            break;
        case 'm':
            options->max_payload = (size_t) value;
            break;
        default:
            options->connect_timeout_ms = value;
        }
    }
    return optind == argc;
}

int
main(int argc, char **argv)
{
    server_t server = {.options = {3000, 300, 200, 1000000, 1000}};
    if (!s_read_options(argc, argv, &server.options)) {
        (void) fprintf(stderr, "sio_echo [--port N] [--ping-interval-ms N] [--ping-timeout-ms N] "
                               "[--max-payload N] [--connect-timeout-ms N]\n");
        return 100;
    }
    int fd = s_listen(server.options.port);
    server.loop = fd >= 0 ? pr_loop_new() : NULL;
    bool made = server.loop && s_make_protocols(&server) && s_make_front(&server, fd);
    if (made && pr_loop_on_signal(server.loop, SIGTERM, s_on_signal, server.loop) == 0 &&
        pr_loop_on_signal(server.loop, SIGINT, s_on_signal, server.loop) == 0) {
        (void) printf("sio_echo is ready: http://localhost:%d\n", s_port(fd));
        (void) fflush(stdout);
        pr_loop_run(server.loop);
    }
    s_destroy(&server);
    if (fd >= 0) {
        (void) close(fd);
    }
    return made ? 0 : 111;
}
