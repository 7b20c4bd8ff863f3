/* SPDX-License-Identifier: MIT */

#include "gateway/ws.h"

#include <stdlib.h>
#include <string.h>

#include <libwebsockets.h>

#include "gateway/answer.h"
#include "gateway/native_offer.h"
#include "gateway/strict.h"
#include "gateway/ws_pass.h"
#include "proto/base/utf8.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

/* Close codes (RFC 6455 section 7.4.1). */
enum { CODE_LOST = 1006, CODE_BAD_DATA = 1007, CODE_POLICY = 1008, CODE_TOO_LARGE = 1009 };

#define PATH "/socket.io/"
#define NATIVE_PATH "/ws"
/* libwebsockets drops a client with a longer list of subprotocols without a word. */
#define OFFER_MAX 126
/* Longest text that we look at in the head of an upgrade. */
#define HEADER_TEXT_MAX 512
#define TOKEN_HEADER "token:"

struct gw_ws {
    const gw_writer_t *writer;
    const gw_origin_t *origin;
    gw_ws_mount_t mounts[GW_WS_MOUNTS_MAX];
    size_t mount_count;
    gw_ws_counters_t counters;
};

gw_ws_t *
gw_ws_new(const gw_writer_t *writer, const gw_origin_t *origin, const gw_ws_ops_t *ops, void *arg)
{
    PR_ASSERT(writer && writer->loop && origin && ops->accept);
    gw_ws_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->writer = writer;
    self->origin = origin;
    gw_ws_mount(self, PATH, ops, arg);
    return self;
}

void
gw_ws_mount(gw_ws_t *self, const char *path, const gw_ws_ops_t *ops, void *arg)
{
    PR_ASSERT(self->mount_count < GW_WS_MOUNTS_MAX);
    self->mounts[self->mount_count++] = (gw_ws_mount_t) {pr_str(path), *ops, arg};
}

void
gw_ws_destroy(gw_ws_t **self_p)
{
    PR_ASSERT(self_p);
    free(*self_p);
    *self_p = NULL;
}

const gw_ws_counters_t *
gw_ws_counters(const gw_ws_t *self)
{
    return &self->counters;
}

/* --- upgrades --- */

typedef struct {
    char text[HEADER_TEXT_MAX];
} text_t;

/* The header's text in `out`, or an absent one. */
static pr_str_t
s_header(struct lws *wsi, enum lws_token_indexes token, text_t *out)
{
    int len = lws_hdr_total_length(wsi, token);
    if (len <= 0 || lws_hdr_copy(wsi, out->text, sizeof out->text, token) < 0) {
        return PR_STR_NONE;
    }
    return (pr_str_t) {out->text, (size_t) len};
}

/* The parameter `name` (with its `=`) of the query, in `out`. */
static pr_str_t
s_parameter(struct lws *wsi, pr_str_t name, text_t *out)
{
    for (int i = 0;; i++) {
        int len =
            lws_hdr_copy_fragment(wsi, out->text, sizeof out->text, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (len < 0) {
            return PR_STR_NONE;
        }
        pr_str_t part = {out->text, (size_t) len};
        if (pr_str_starts(part, name)) {
            return (pr_str_t) {part.ptr + name.len, part.len - name.len};
        }
    }
}

static int
s_refuse(gw_ws_t *self, struct lws *wsi, int status, const char *headers, pr_str_t body)
{
    self->counters.refused++;
    gw_answer_t answer = {
        .status = status,
        .content_type = "application/json",
        .body = body,
        .headers = headers,
        .close = true,
    };
    pr_buf_t *out = gw_answer_format(&answer);
    if (!out) {
        return -1;
    }
    unsigned char *data = (unsigned char *) (uintptr_t) pr_buf_data(out);
    int written = lws_write(wsi, data, pr_buf_len(out), LWS_WRITE_HTTP);
    pr_buf_destroy(&out);
    return written < 0 ? -1 : 1;
}

static bool
s_origin_allowed(gw_ws_t *self, struct lws *wsi)
{
    text_t origin;
    text_t host;
    /* An origin too long to be looked at is nobody's. */
    return lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) < HEADER_TEXT_MAX &&
           gw_origin_allows(self->origin, s_header(wsi, WSI_TOKEN_ORIGIN, &origin),
                            s_header(wsi, WSI_TOKEN_HOST, &host));
}

static gw_refusal_t
s_check_upgrade(gw_ws_t *self, struct lws *wsi, gw_peer_t *peer)
{
    const gw_ws_mount_t *mount = peer->mount;
    text_t transport;
    text_t eio;
    text_t sid;
    gw_handshake_t asked = {
        .transport = s_parameter(wsi, PR_STR("transport="), &transport),
        .eio = s_parameter(wsi, PR_STR("EIO="), &eio),
        .sid = s_parameter(wsi, PR_STR("sid="), &sid),
        .session = GW_REFUSAL_SESSION,
        .is_get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0,
        .is_upgrade = true,
        .origin_allowed = s_origin_allowed(self, wsi),
    };
    if (asked.sid.ptr && mount->ops.check) {
        asked.session = mount->ops.check(mount->arg, asked.sid);
    }
    gw_refusal_t refusal = gw_refusal_check(&asked);
    if (gw_ws_pass(wsi, pr_loop_uv(self->writer->loop), peer, &asked)) {
        peer->passed = true;
    }
    free(peer->sid);
    peer->sid = asked.sid.ptr ? strndup(asked.sid.ptr, asked.sid.len) : NULL;
    return asked.sid.ptr && !peer->sid ? GW_REFUSAL_REQUEST : refusal;
}

static void
s_keep_token(struct lws *wsi, gw_peer_t *peer)
{
    int len = lws_hdr_custom_length(wsi, TOKEN_HEADER, (int) strlen(TOKEN_HEADER));
    free(peer->header_token);
    peer->header_token = len > 0 ? malloc((size_t) len + 1) : NULL;
    if (peer->header_token && lws_hdr_custom_copy(wsi, peer->header_token, len + 1, TOKEN_HEADER,
                                                  (int) strlen(TOKEN_HEADER)) < 0) {
        peer->header_token[0] = '\0';
    }
}

static pr_str_t
s_path(struct lws *wsi)
{
    char *path = NULL;
    int len = 0;
    if (lws_http_get_uri_and_method(wsi, &path, &len) < 0 || !path || len < 0) {
        return PR_STR_NONE;
    }
    return (pr_str_t) {path, (size_t) len};
}

/* What every upgrade needs besides its version. */
static bool
s_is_whole(struct lws *wsi)
{
    text_t http;
    text_t key;
    return pr_str_equal(s_header(wsi, WSI_TOKEN_HTTP, &http), PR_STR("HTTP/1.1")) &&
           gw_framing_key_is_good(s_header(wsi, WSI_TOKEN_KEY, &key)) &&
           lws_hdr_total_length(wsi, WSI_TOKEN_HOST) > 0;
}

/* Of other subprotocols alone libwebsockets would drop the client without a word. */
static bool
s_offers_ours(struct lws *wsi)
{
    text_t offer;
    return lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) <= OFFER_MAX &&
           gw_native_speaks(s_header(wsi, WSI_TOKEN_PROTOCOL, &offer));
}

/* As gw_ws_confirm, of a native client. */
static int
s_confirm_native(gw_ws_t *self, struct lws *wsi)
{
    text_t version;
    if (!s_origin_allowed(self, wsi)) {
        return s_refuse(self, wsi, 403, NULL, PR_STR("{\"message\":\"Forbidden\"}"));
    }
    if (!pr_str_equal(s_header(wsi, WSI_TOKEN_VERSION, &version), PR_STR("13"))) {
        return s_refuse(self, wsi, 426, "Sec-WebSocket-Version: 13\r\n", PR_STR("{}"));
    }
    if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) <= 0 || !s_is_whole(wsi)) {
        return s_refuse(self, wsi, 400, NULL, PR_STR("{\"message\":\"Bad request\"}"));
    }
    if (!s_offers_ours(wsi)) {
        return s_refuse(self, wsi, 400, NULL, PR_STR("{\"message\":\"Unknown subprotocol\"}"));
    }
    return 0;
}

/* The mount of a path, with or without its last slash. */
static const gw_ws_mount_t *
s_mount_at(const gw_ws_t *self, pr_str_t path)
{
    for (size_t i = 0; i < self->mount_count; i++) {
        pr_str_t full = self->mounts[i].path;
        pr_str_t bare = {full.ptr, full.len - 1};
        if (pr_str_equal(path, full) || pr_str_equal(path, bare)) {
            return &self->mounts[i];
        }
    }
    return NULL;
}

int
gw_ws_confirm(gw_ws_t *self, struct lws *wsi, gw_peer_t *peer, const char *upgrade)
{
    text_t version;
    if (strcasecmp(upgrade, "websocket") != 0) {
        return -1;
    }
    if (peer->tap.has_nul) {
        return s_refuse(self, wsi, 400, NULL, gw_refusal_body(GW_REFUSAL_REQUEST));
    }
    pr_str_t path = s_path(wsi);
    peer->is_native = self->mounts[0].ops.accept_native && pr_str_equal(path, PR_STR(NATIVE_PATH));
    if (peer->is_native) {
        return s_confirm_native(self, wsi);
    }
    peer->mount = s_mount_at(self, path);
    if (!peer->mount) {
        return s_refuse(self, wsi, 404, NULL,
                        PR_STR("{\"statusCode\":404,\"message\":\"Not Found\"}"));
    }
    gw_refusal_t refusal = s_check_upgrade(self, wsi, peer);
    if (peer->passed) {
        return -1;
    }
    if (refusal != GW_REFUSAL_NONE) {
        return s_refuse(self, wsi, gw_refusal_status(refusal), NULL, gw_refusal_body(refusal));
    }
    if (!pr_str_equal(s_header(wsi, WSI_TOKEN_VERSION, &version), PR_STR("13"))) {
        return s_refuse(self, wsi, 426, "Sec-WebSocket-Version: 13\r\n", PR_STR("{}"));
    }
    if (!s_is_whole(wsi) || !s_offers_ours(wsi)) {
        return s_refuse(self, wsi, 400, NULL, gw_refusal_body(GW_REFUSAL_REQUEST));
    }
    s_keep_token(wsi, peer);
    return 0;
}

/* --- life --- */

/* The socket's timer: the earliest of all its deadlines. */
static void
s_on_timer(pr_timer_t *timer)
{
    gw_socket_t *socket = (gw_socket_t *) ((char *) timer - offsetof(gw_socket_t, timer));
    int64_t now_ms = pr_loop_now_ms(socket->writer->loop);
    gw_strict_look(socket);
    if (socket->message_due_ms && now_ms >= socket->message_due_ms) {
        socket->message_due_ms = 0;
        gw_socket_close(socket, CODE_POLICY, "message too slow");
    } else if (socket->message_due_ms) {
        gw_write_look_at(socket, socket->message_due_ms);
    }
    gw_write_look(socket, now_ms);
}

static int
s_hand_over(gw_ws_t *self, struct lws *wsi, gw_peer_t *peer)
{
    if (!peer->is_native) {
        const gw_ws_mount_t *mount = peer->mount;
        return peer->sid ? mount->ops.upgrade(mount->arg, peer->socket, pr_str(peer->sid))
                         : mount->ops.accept(mount->arg, peer->socket, pr_str(peer->header_token));
    }
    bool packed = strcmp(lws_get_protocol(wsi)->name, GW_NATIVE_SUBPROTOCOL_MSGPACK) == 0;
    const gw_ws_mount_t *mount = &self->mounts[0];
    return mount->ops.accept_native(mount->arg, peer->socket,
                                    packed ? GW_NATIVE_MSGPACK : GW_NATIVE_JSON);
}

static int
s_on_established(gw_ws_t *self, struct lws *wsi, gw_peer_t *peer)
{
    gw_socket_t *socket = calloc(1, sizeof *socket);
    if (!socket) {
        return -1;
    }
    socket->writer = self->writer;
    socket->outbox.bytes_max = self->writer->must_bytes_max;
    socket->wsi = wsi;
    socket->peer = peer;
    socket->fd = lws_get_socket_fd(wsi);
    socket->timer.fire = s_on_timer;
    socket->message_max = PR_BEFORE_JOIN_BYTES_MAX;
    socket->close_code = CODE_LOST;
    peer->socket = socket;
    gw_strict_begin(socket, &self->counters.faults);
    lws_set_wsi_user(wsi, socket); /* or we are not told that it ends (s_on_ending) */
    self->counters.upgraded++;
    self->counters.sockets++;
    int error = s_hand_over(self, wsi, peer);
    free(peer->header_token);
    peer->header_token = NULL;
    free(peer->sid);
    peer->sid = NULL;
    if (error) {
        gw_socket_kill(socket);
    }
    return 0;
}

void
gw_ws_gone(gw_ws_t *self, gw_peer_t *peer)
{
    gw_socket_t *socket = peer->socket;
    if (!socket) {
        return;
    }
    peer->socket = NULL;
    gw_tap_close(&peer->tap);
    gw_write_fini(socket);
    pr_buf_destroy(&socket->message);
    self->counters.sockets--;
    if (socket->ops) {
        socket->ops->closed(socket->user, socket->close_code, socket->by_us);
    }
    free(socket);
}

/* libwebsockets ends the connection. Before a close frame of its own, for what is no WebSocket
 * frame, that is the only word of it; its code is in that frame. */
static void
s_on_ending(struct lws *wsi, gw_socket_t *socket)
{
    if (!socket->closing && !socket->killed && lws_get_close_length(wsi) >= 2) {
        const unsigned char *byte = lws_get_close_payload(wsi);
        gw_write_ending(socket, byte[0] << 8 | byte[1], true);
    }
}

static int
s_on_peer_close(gw_socket_t *socket, pr_str_t payload)
{
    if (socket->closing) {
        return -1; /* the answer to our close frame, or nearly so: done */
    }
    /* libwebsockets answers with the payload as it is then. */
    bool is_refused = false;
    unsigned char *data = (unsigned char *) (uintptr_t) payload.ptr;
    int code = gw_strict_answer_close(data, payload.len, &is_refused);
    gw_write_ending(socket, code, is_refused);
    return 0;
}

/* --- messages --- */

static void
s_refuse_message(gw_socket_t *socket, int code, const char *reason)
{
    pr_buf_destroy(&socket->message);
    socket->message_due_ms = 0;
    gw_socket_close(socket, code, reason);
}

/* A message is whole. */
static void
s_deliver(gw_ws_t *self, gw_socket_t *socket, pr_str_t data, bool binary)
{
    socket->message_due_ms = 0;
    if (!binary && !pr_utf8_is_valid(data)) {
        self->counters.bad_utf8++;
        s_refuse_message(socket, CODE_BAD_DATA, "invalid UTF-8");
        return;
    }
    if (!socket->ops) {
        self->counters.unattached++;
        return;
    }
    self->counters.messages++;
    socket->ops->message(socket->user, data, binary);
}

static void
s_gather(gw_socket_t *socket, pr_str_t piece)
{
    if (!socket->message) {
        socket->message = pr_buf_new(piece.len);
        socket->message_due_ms = pr_loop_now_ms(socket->writer->loop) + PR_CLIENT_MESSAGE_MS;
        gw_write_look_at(socket, socket->message_due_ms);
    }
    if (socket->message) {
        pr_buf_append_str(socket->message, piece);
    }
    if (!socket->message || pr_buf_failed(socket->message)) {
        gw_socket_kill(socket);
    }
}

static int
s_on_receive(gw_ws_t *self, struct lws *wsi, gw_socket_t *socket, pr_str_t piece)
{
    if (socket->closing || socket->killed) {
        return 0;
    }
    size_t gathered = socket->message ? pr_buf_len(socket->message) : 0;
    size_t rest = lws_remaining_packet_payload(wsi);
    size_t room = socket->message_max > gathered ? socket->message_max - gathered : 0;
    if (piece.len > room || rest > room - piece.len) {
        self->counters.faults.too_large++;
        s_refuse_message(socket, CODE_TOO_LARGE, "message too large");
        return 0;
    }
    bool binary = lws_frame_is_binary(wsi) != 0;
    bool whole = lws_is_final_fragment(wsi) && rest == 0;
    if (whole && !socket->message) {
        s_deliver(self, socket, piece, binary);
        return 0;
    }
    s_gather(socket, piece);
    if (whole && !socket->killed) {
        pr_buf_t *message = socket->message;
        socket->message = NULL;
        s_deliver(self, socket, pr_buf_str(message), binary);
        pr_buf_destroy(&message);
    }
    return 0;
}

static int
s_on_writable(gw_socket_t *socket)
{
    int result = gw_write_ready(socket);
    gw_strict_written(socket);
    return result;
}

int
gw_ws_event(gw_ws_t *self, struct lws *wsi, gw_peer_t *peer, int reason, pr_str_t data)
{
    if (reason == LWS_CALLBACK_ESTABLISHED) {
        return s_on_established(self, wsi, peer);
    }
    gw_socket_t *socket = peer->socket;
    PR_ASSERT(socket);
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        return s_on_receive(self, wsi, socket, data);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return s_on_writable(socket);
    case LWS_CALLBACK_RECEIVE_PONG:
        if (socket->ops && socket->ops->pong) {
            socket->ops->pong(socket->user);
        }
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return s_on_peer_close(socket, data);
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
        s_on_ending(wsi, socket);
        return 0;
    case LWS_CALLBACK_CLOSED:
        gw_ws_gone(self, peer);
        return 0;
    default:
        return 0;
    }
}
