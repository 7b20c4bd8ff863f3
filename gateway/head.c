/* SPDX-License-Identifier: MIT */

#include "gateway/head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libwebsockets.h>

#include "gateway/request.h"
#include "proto/base/clock.h"
#include "proto/base/digits.h"
#include "proto/wire/limits.h"

static const char *const s_methods[] = {
    [LWSHUMETH_GET] = "GET",         [LWSHUMETH_POST] = "POST",   [LWSHUMETH_OPTIONS] = "OPTIONS",
    [LWSHUMETH_PUT] = "PUT",         [LWSHUMETH_PATCH] = "PATCH", [LWSHUMETH_DELETE] = "DELETE",
    [LWSHUMETH_CONNECT] = "CONNECT", [LWSHUMETH_HEAD] = "HEAD",
};

/* libwebsockets looks at its timers so often. */
#define SECOND_MS 1000

/* Of a Content-Length. */
#define LENGTH_DIGITS_MAX 15

/* Longest X-Forwarded-For that is looked at. */
#define FORWARDED_MAX 1024

#define METHOD_COUNT ((int) (sizeof s_methods / sizeof s_methods[0]))

/* Where libwebsockets keeps a header; `custom` is for those that it has no number for. */
static const struct {
    enum lws_token_indexes token;
    const char *custom;
} s_headers[GW_HEADER_COUNT] = {
    [GW_HEADER_AUTHORIZATION] = {.token = WSI_TOKEN_HTTP_AUTHORIZATION},
    [GW_HEADER_TOKEN] = {.custom = "token:"},
    [GW_HEADER_CONTENT_TYPE] = {.token = WSI_TOKEN_HTTP_CONTENT_TYPE},
    [GW_HEADER_ORIGIN] = {.token = WSI_TOKEN_ORIGIN},
    [GW_HEADER_HOST] = {.token = WSI_TOKEN_HOST},
    [GW_HEADER_ASKED_HEADERS] = {.token = WSI_TOKEN_HTTP_AC_REQUEST_HEADERS},
};

static pr_str_t
s_copy_header(gw_request_t *request, gw_header_t header)
{
    struct lws *wsi = request->wsi;
    const char *custom = s_headers[header].custom;
    int name_len = custom ? (int) strlen(custom) : 0;
    int len = custom ? lws_hdr_custom_length(wsi, custom, name_len)
                     : lws_hdr_total_length(wsi, s_headers[header].token);
    bool known = custom ? len >= 0 : len > 0;
    char *to = known ? gw_request_reserve(request, (size_t) len) : NULL;
    if (!to) {
        return PR_STR_NONE;
    }
    int got = custom ? lws_hdr_custom_copy(wsi, to, len + 1, custom, name_len)
                     : lws_hdr_copy(wsi, to, len + 1, s_headers[header].token);
    return got < 0 ? PR_STR_NONE : gw_request_keep(request, (size_t) got);
}

static pr_str_t
s_copy_query(gw_request_t *request)
{
    pr_str_t query = {request->text + request->text_len, 0};
    size_t start = request->text_len;
    for (int i = 0;; i++) {
        int room = (int) (GW_REQUEST_TEXT_MAX - request->text_len);
        char *to = request->text + request->text_len;
        int len = lws_hdr_copy_fragment(request->wsi, to, room, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (len < 0 || len >= room) {
            break;
        }
        (void) gw_request_keep(request, (size_t) len);
    }
    query.len = request->text_len - start;
    return query;
}

/* As libwebsockets decides it. */
static bool
s_ends_connection(struct lws *wsi)
{
    char text[25] = "";
    (void) lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP);
    bool close = strcmp(text, "HTTP/1.1") != 0;
    text[0] = '\0';
    (void) lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_CONNECTION);
    if (strcasecmp(text, "close") == 0) {
        return true;
    }
    return close && strcasecmp(text, "keep-alive") != 0;
}

/* The announced length of the body. */
static int64_t
s_content_length(struct lws *wsi)
{
    char text[20];
    int len = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    if (len <= 0) {
        return GW_LENGTH_NONE;
    }
    if (lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_LENGTH) != len) {
        return GW_LENGTH_BAD;
    }
    int64_t value = 0;
    pr_str_t digits = {text, (size_t) len};
    bool good = len <= LENGTH_DIGITS_MAX && pr_digits_parse(digits, PR_INTEGER_MAX, &value);
    return good ? value : GW_LENGTH_BAD;
}

gw_request_t *
gw_head_read(gw_peer_t *peer, struct lws *wsi, pr_str_t path)
{
    char *uri = NULL;
    int uri_len = 0;
    int method = lws_http_get_uri_and_method(wsi, &uri, &uri_len);
    if (method < 0 || method >= METHOD_COUNT || !s_methods[method]) {
        return NULL;
    }
    gw_request_t *self = malloc(sizeof *self);
    if (!self) {
        return NULL;
    }
    memset(self, 0, offsetof(gw_request_t, text));
    self->wsi = wsi;
    self->peer = peer;
    self->head = method == LWSHUMETH_HEAD;
    self->method = self->head ? "GET" : s_methods[method];
    self->close = s_ends_connection(wsi);
    self->chunked = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
    self->content_length = s_content_length(wsi);
    char *to = gw_request_reserve(self, path.len);
    if (to) {
        memcpy(to, path.ptr, path.len);
        self->path = gw_request_keep(self, path.len);
    }
    for (int i = 0; i < GW_HEADER_COUNT; i++) {
        self->headers[i] = s_copy_header(self, (gw_header_t) i);
    }
    self->query = s_copy_query(self);
    return self;
}

bool
gw_head_is_more(struct lws *wsi)
{
    char mark[2] = "x";
    (void) lws_hdr_custom_copy(wsi, mark, 1, "~", 1);
    return mark[0] == '\0';
}

void
gw_head_gone(const gw_peer_t *peer, gw_http_counters_t *counters)
{
    const gw_tap_t *tap = &peer->tap;
    if (tap->is_over || tap->framed || peer->in_request || peer->stranger.is_evicted) {
        return;
    }
    bool is_awaited = tap->head_len > 0 || !tap->is_taken;
    if (tap->head_len >= PR_HEADER_BYTES_MAX) {
        counters->large_heads++;
    } else if (is_awaited && pr_clock_mono_ms() - tap->head_ms >= PR_HEADER_MS - SECOND_MS) {
        counters->late_heads++;
    }
}

bool
gw_head_name_client(gw_peer_t *peer, struct lws *wsi, const gw_trust_t *trust)
{
    char text[FORWARDED_MAX];
    if (!trust || !pr_networks_have(trust, &peer->from)) {
        return false;
    }
    int len = lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR);
    bool known = len > 0 && lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_X_FORWARDED_FOR) >= 0;
    pr_str_t chain = known ? pr_str(text) : PR_STR_NONE;
    peer->address = gw_trust_client(trust, &peer->from, chain);
    return true;
}
