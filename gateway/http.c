/* SPDX-License-Identifier: MIT */

#include "gateway/http.h"

#include <stdlib.h>
#include <string.h>

#include <libwebsockets.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "gateway/deafen.h"
#include "gateway/hangup.h"
#include "gateway/head.h"
#include "gateway/native_offer.h"
#include "gateway/peer.h"
#include "gateway/reply.h"
#include "gateway/request.h"
#include "gateway/ws.h"
#include "proto/base/log.h"
#include "proto/wire/error.h"

/* Seconds a connection may idle between two requests. */
#define KEEP_ALIVE_S 5
/* Read at most so much of a WebSocket at once, held for each; and write without cutting. */
#define RX_BUFFER_BYTES 1024
#define TX_PACKET_BYTES (4 << 20)
/* Turns of the loop that libwebsockets may need to let go of it. */
#define DESTROY_TURNS 50

struct gw_http {
    gw_http_options_t options;
    gw_hangup_t *hangup;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct lws_protocols protocols[4]; /* the last one is empty */
    gw_strangers_t strangers;
    void (*closed)(void *arg);
    void *closed_arg;
    gw_http_counters_t counters;
    gw_peer_t *adopting; /* libwebsockets is about to begin with it */
    bool ending;
};

/* No validity pings: libwebsockets would keep a sorted list of one timer for each socket. */
static const lws_retry_bo_t s_no_pings = {0};

/* --- answers --- */

static void
s_free_request(gw_peer_t *peer)
{
    gw_request_t *request = peer->request;
    peer->request = NULL;
    if (!request) {
        return;
    }
    pr_wheel_cancel(&request->timer);
    pr_buf_destroy(&request->body);
    pr_buf_destroy(&request->response);
    free(request);
}

bool
gw_request_origin_allowed(const gw_request_t *self)
{
    return gw_origin_allows(self->peer->http->options.origin, self->headers[GW_HEADER_ORIGIN],
                            self->headers[GW_HEADER_HOST]);
}

/* --- what request.c asks --- */

void
gw_http_cut(gw_request_t *request)
{
    request->cut = true;
    gw_tap_hold(&request->peer->tap, false);
    (void) shutdown(lws_get_socket_fd(request->wsi), SHUT_RDWR);
    gw_http_park(request, false);
}

static void
s_watch(gw_request_t *request, bool bytes)
{
    gw_http_t *self = request->peer->http;
    int fd = lws_get_socket_fd(request->wsi);
    self->counters.unwatched += gw_hangup_watch(self->hangup, fd, request->peer, bytes) != 0;
}

void
gw_http_guard(gw_request_t *request)
{
    s_watch(request, true);
}

void
gw_http_park(gw_request_t *request, bool park)
{
    if (request->parked == park) {
        return;
    }
    request->parked = park;
    (void) lws_rx_flow_control(request->wsi, park ? 0 : 1);
    if (park) {
        s_watch(request, false);
        /* All that is needed of the head was copied. */
        (void) lws_http_headers_detach(request->wsi);
    }
}

/* Nobody waits for the answer any more, or takes it and sends more meanwhile. */
static void
s_on_hangup(void *user)
{
    gw_peer_t *peer = user;
    gw_request_t *request = peer->request;
    if (!request || request->delivered || !(request->parked || request->answered)) {
        return;
    }
    if (request->answered && !lws_partial_buffered(request->wsi)) {
        request->delivered = true; /* only we have not been told yet */
    } else {
        peer->http->counters.hangups++;
    }
    gw_reply_kill(request->wsi);
}

size_t
gw_http_ask_head(gw_request_t *request)
{
    const gw_http_options_t *options = &request->peer->http->options;
    return options->head ? options->head(options->arg, request) : 0;
}

void
gw_http_hand_over(gw_request_t *request)
{
    gw_http_t *self = request->peer->http;
    lws_set_timeout(request->wsi, NO_PENDING_TIMEOUT, 0);
    self->options.request(self->options.arg, request);
}

/* --- the course of a request --- */

static int
s_on_request(gw_peer_t *peer, struct lws *wsi, pr_str_t path)
{
    if (peer->request) {
        return -1;
    }
    peer->http->counters.requests++;
    gw_strangers_add(&peer->http->strangers, &peer->stranger);
    (void) gw_head_name_client(peer, wsi, peer->http->options.trust);
    peer->request = gw_head_read(peer, wsi, path);
    if (!peer->request) {
        return -1;
    }
    peer->request->loop = peer->http->options.loop;
    peer->request->counters = &peer->http->counters;
    /* Bytes behind the head may be its body. */
    peer->request->ahead = peer->request->content_length <= 0 && gw_tap_is_ahead(&peer->tap);
    peer->request->close |= peer->http->ending || peer->request->ahead;
    gw_request_begin(peer->request);
    return 0;
}

/* --- connections --- */

/*
 * libwebsockets begins or ends a transaction. It also answers an unknown Upgrade by itself, and
 * would go on in headers that it has freed: a transaction that is none of ours ends the
 * connection.
 */
static int
s_on_bind(gw_peer_t *peer)
{
    if (peer->request && peer->request->answered) {
        s_free_request(peer);
        peer->in_request = false;
        return 0;
    }
    return peer->in_request ? 0 : -1;
}

static void
s_on_http_closed(gw_peer_t *peer)
{
    if (peer->request) {
        gw_request_gone(peer->request);
    }
    s_free_request(peer);
}

static void
s_on_destroyed(gw_peer_t *peer)
{
    gw_http_t *self = peer->http;
    s_on_http_closed(peer);
    if (peer->socket) {
        gw_ws_gone(self->options.ws, peer);
    }
    gw_head_gone(peer, &self->counters);
    gw_tap_close(&peer->tap);
    gw_strangers_remove(&peer->stranger);
    free(peer->header_token);
    free(peer->sid);
    free(peer);
    self->counters.connections--;
    if (self->closed) {
        self->closed(self->closed_arg);
    }
}

static int
s_on_upgrade(gw_peer_t *peer, struct lws *wsi, char *protocol)
{
    gw_http_t *self = peer->http;
    if (strcasecmp(protocol, "h2c") == 0) {
        /* Not offered: spoilt, libwebsockets ignores it and the request is served as HTTP/1.1. */
        protocol[0] = 'x';
        return 0;
    }
    if (gw_head_name_client(peer, wsi, self->options.trust) &&
        !self->options.admit(self->options.arg, &peer->address)) {
        return -1;
    }
    peer->in_request = true;
    gw_tap_take_head(&peer->tap);
    gw_strangers_add(&self->strangers, &peer->stranger);
    return self->options.ws ? gw_ws_confirm(self->options.ws, wsi, peer, protocol) : -1;
}

static int
s_http_event(gw_peer_t *peer, struct lws *wsi, enum lws_callback_reasons reason, pr_str_t data)
{
    switch ((int) reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return s_on_upgrade(peer, wsi, (char *) (uintptr_t) data.ptr);
    case LWS_CALLBACK_FILTER_HTTP_CONNECTION:
        peer->in_request = true;
        gw_tap_take_head(&peer->tap);
        return 0;
    case LWS_CALLBACK_HTTP_BIND_PROTOCOL:
        return s_on_bind(peer);
    case LWS_CALLBACK_HTTP:
        return s_on_request(peer, wsi, data);
    case LWS_CALLBACK_HTTP_BODY:
        return peer->request ? gw_request_add_body(peer->request, data) : 0;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        if (peer->request) {
            gw_request_end_body(peer->request);
        }
        return 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return peer->request ? gw_reply_write(peer->request) : 0;
    case LWS_CALLBACK_CLOSED_HTTP:
        s_on_http_closed(peer);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        lws_set_opaque_user_data(wsi, NULL);
        s_on_destroyed(peer);
        return 0;
    case LWS_CALLBACK_RAW_ADOPT: /* a CONNECT request */
    case LWS_CALLBACK_RAW_RX:
        return -1;
    default:
        return 0;
    }
}

/* Whose connection it is, libwebsockets is told at the latest when its first request comes: what
 * was read already it serves before it has returned, and may even have closed the connection then.
 */
static void
s_claim(gw_peer_t *peer, struct lws *wsi)
{
    gw_http_t *self = peer->http;
    self->adopting = NULL;
    gw_strangers_add(&self->strangers, &peer->stranger);
    gw_tap_open(&peer->tap, lws_get_socket_fd(wsi));
    lws_set_opaque_user_data(wsi, peer);
    self->counters.adopted++;
    self->counters.connections++;
}

static gw_peer_t *
s_peer_of(struct lws *wsi, enum lws_callback_reasons reason)
{
    gw_http_t *self = lws_context_user(lws_get_context(wsi));
    bool begins = reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE ||
                  reason == LWS_CALLBACK_FILTER_HTTP_CONNECTION;
    if (begins && self->adopting && !lws_get_opaque_user_data(wsi)) {
        s_claim(self->adopting, wsi);
    }
    return lws_get_opaque_user_data(wsi);
}

static int
s_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    (void) user;
    gw_peer_t *peer = wsi ? s_peer_of(wsi, reason) : NULL;
    if (!peer) {
        return 0;
    }
    pr_str_t data = {in, len};
    bool upgraded = peer->socket && reason != LWS_CALLBACK_WSI_DESTROY;
    if (upgraded || reason == LWS_CALLBACK_ESTABLISHED) {
        return gw_ws_event(peer->http->options.ws, wsi, peer, (int) reason, data);
    }
    return s_http_event(peer, wsi, reason, data);
}

/* --- life --- */

static int
s_start(gw_http_t *self)
{
    void *loops[] = {pr_loop_uv(self->options.loop)};
    /* The first stands for none: no client can ask for a name with a slash. */
    static const char *const names[] = {"/", GW_NATIVE_SUBPROTOCOL_JSON,
                                        GW_NATIVE_SUBPROTOCOL_MSGPACK};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        self->protocols[i] = (struct lws_protocols) {
            .name = names[i],
            .callback = s_callback,
            .rx_buffer_size = RX_BUFFER_BYTES,
            .tx_packet_size = TX_PACKET_BYTES,
        };
    }
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
        .foreign_loops = loops,
        .protocols = self->protocols,
        .retry_and_idle_policy = &s_no_pings,
        .max_http_header_data = PR_HEADER_BYTES_MAX,
        .timeout_secs = PR_HEADER_MS / 1000,
        .timeout_secs_ah_idle = PR_HEADER_MS / 1000,
        .keepalive_timeout = KEEP_ALIVE_S,
        .user = self,
    };
    bool is_tls = self->options.tls_cert && self->options.tls_cert[0];
    if (is_tls) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    }
    self->context = lws_create_context(&info);
    if (!self->context) {
        return PR_E_SYSTEM;
    }
    gw_deafen();
    if (is_tls) {
        /* HTTP/2 and what is older than TLS 1.2 are not offered. */
        info.ssl_cert_filepath = self->options.tls_cert;
        info.ssl_private_key_filepath = self->options.tls_key;
        info.alpn = "http/1.1";
        info.ssl_options_set = SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1;
    }
    self->vhost = lws_create_vhost(self->context, &info);
    return self->vhost ? 0 : PR_E_SYSTEM;
}

gw_http_t *
gw_http_new(const gw_http_options_t *options)
{
    PR_ASSERT(options->loop && options->origin && options->request);
    gw_http_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->options = *options;
    self->hangup = gw_hangup_new(options->loop, s_on_hangup);
    gw_strangers_init(&self->strangers, options->loop);
    lws_set_log_level(0, NULL); /* it would print what clients send */
    if (!self->hangup || s_start(self) != 0) {
        gw_http_destroy(&self);
    }
    return self;
}

void
gw_http_destroy(gw_http_t **self_p)
{
    PR_ASSERT(self_p);
    gw_http_t *self = *self_p;
    if (!self) {
        return;
    }
    self->closed = NULL;
    if (self->context) {
        /* On a loop that is not its own it is destroyed twice: the first closes its handles, which
         * takes turns of the loop. */
        lws_context_destroy(self->context);
        for (int i = 0; i < DESTROY_TURNS; i++) {
            (void) uv_run(pr_loop_uv(self->options.loop), UV_RUN_NOWAIT);
        }
        lws_context_destroy(self->context);
    }
    gw_hangup_destroy(&self->hangup);
    free(self);
    *self_p = NULL;
}

int
gw_http_adopt_read(gw_http_t *self, int fd, const gw_address_t *address, pr_str_t head)
{
    gw_peer_t *peer = calloc(1, sizeof *peer);
    if (!peer) {
        (void) close(fd);
        return PR_E_SYSTEM;
    }
    peer->http = self;
    peer->from = peer->address = *address;
    self->adopting = peer;
    struct lws *wsi = head.len ? lws_adopt_socket_vhost_readbuf(self->vhost, fd, head.ptr, head.len)
                               : lws_adopt_socket_vhost(self->vhost, fd);
    if (self->adopting && wsi) {
        s_claim(peer, wsi);
    } else if (self->adopting) {
        free(peer);
    }
    self->adopting = NULL;
    return wsi ? 0 : PR_E_SYSTEM;
}

void
gw_http_let_go(gw_peer_t *peer, int fd)
{
    gw_hangup_forget(peer->http->hangup, fd);
}

void
gw_http_end_connections(gw_http_t *self)
{
    self->ending = true;
}

void
gw_http_on_closed(gw_http_t *self, void (*closed)(void *arg), void *arg)
{
    self->closed = closed;
    self->closed_arg = arg;
}

gw_strangers_t *
gw_http_strangers(gw_http_t *self)
{
    return &self->strangers;
}

const gw_http_counters_t *
gw_http_counters(const gw_http_t *self)
{
    return &self->counters;
}
