/* SPDX-License-Identifier: MIT */

#include "gateway/request.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/answer.h"
#include "gateway/reply.h"
#include "proto/base/assert.h"
#include "proto/wire/error.h"

#define JSON_TYPE "application/json; charset=utf-8"
#define TOO_LARGE "request entity too large"
#define VARY "Vary: Origin\r\n"

char *
gw_request_reserve(gw_request_t *self, size_t len)
{
    if (len >= GW_REQUEST_TEXT_MAX - self->text_len) {
        return NULL;
    }
    return self->text + self->text_len;
}

pr_str_t
gw_request_keep(gw_request_t *self, size_t len)
{
    PR_ASSERT(len < GW_REQUEST_TEXT_MAX - self->text_len);
    pr_str_t text = {self->text + self->text_len, len};
    self->text[self->text_len + len] = '\0';
    self->text_len += len + 1;
    return text;
}

const char *
gw_request_method(const gw_request_t *self)
{
    return self->method;
}

pr_str_t
gw_request_path(const gw_request_t *self)
{
    return self->path;
}

pr_str_t
gw_request_query(const gw_request_t *self, pr_str_t name)
{
    size_t at = 0;
    while (at < self->query.len) {
        pr_str_t part = pr_str(self->query.ptr + at);
        if (pr_str_starts(part, name) && part.len > name.len && part.ptr[name.len] == '=') {
            return (pr_str_t) {part.ptr + name.len + 1, part.len - name.len - 1};
        }
        at += part.len + 1;
    }
    return PR_STR_NONE;
}

pr_str_t
gw_request_header(const gw_request_t *self, gw_header_t header)
{
    return self->headers[header];
}

pr_str_t
gw_request_body(const gw_request_t *self)
{
    return self->body ? pr_buf_str(self->body) : (pr_str_t) {"", 0};
}

bool
gw_request_is_head(const gw_request_t *self)
{
    return self->head;
}

bool
gw_request_is_too_large(const gw_request_t *self)
{
    return self->too_large;
}

const gw_address_t *
gw_request_address(const gw_request_t *self)
{
    return &self->peer->address;
}

void
gw_request_on_cancelled(gw_request_t *self, void (*cancelled)(void *arg), void *arg)
{
    self->cancelled = cancelled;
    self->arg = arg;
}

void
gw_request_on_lost(gw_request_t *self, void (*lost)(void *arg, gw_request_t *self), void *arg)
{
    self->lost = lost;
    self->lost_arg = arg;
}

void
gw_request_know(gw_request_t *self)
{
    gw_strangers_know(&self->peer->stranger);
}

void
gw_request_doubt(gw_request_t *self)
{
    gw_strangers_add(gw_http_strangers(self->peer->http), &self->peer->stranger);
}

void *
gw_request_arg(const gw_request_t *self)
{
    return self->arg;
}

void
gw_request_cut(gw_request_t *self)
{
    gw_http_cut(self);
}

/* --- answers --- */

/* Builds the answer with its CORS headers. */
static int
s_format(
    gw_request_t *self, int status, const char *content_type, pr_str_t body, const char *headers)
{
    pr_str_t origin = self->headers[GW_HEADER_ORIGIN];
    pr_buf_t *lines = pr_buf_copy(PR_STR(VARY));
    if (!lines) {
        return PR_E_NOMEM;
    }
    pr_buf_append_str(lines, pr_str(headers ? headers : ""));
    pr_buf_append_byte(lines, '\0');
    gw_answer_t answer = {
        .status = status,
        .content_type = content_type,
        .body = body,
        .headers = pr_buf_data(lines),
        .origin = origin.ptr && gw_request_origin_allowed(self) ? origin : PR_STR_NONE,
        .close = self->close,
        .head = self->head,
    };
    self->response = pr_buf_failed(lines) ? NULL : gw_answer_format(&answer);
    pr_buf_destroy(&lines);
    return self->response ? 0 : PR_E_NOMEM;
}

void
gw_http_respond(
    gw_request_t *request, int status, const char *content_type, pr_str_t body, const char *headers)
{
    PR_ASSERT(!request->response && !request->answered);
    request->cancelled = NULL;
    request->complete = true;
    request->close = request->close || body.len > GW_REQUEST_KEEP_MAX;
    request->counters->answers[status / 100 < 6 ? status / 100 : 0]++;
    if (s_format(request, status, content_type, body, headers) == 0) {
        gw_reply_begin(request);
    } else {
        gw_http_cut(request);
    }
}

void
gw_http_respond_json(gw_request_t *request, int status, pr_str_t body, const char *headers)
{
    gw_http_respond(request, status, JSON_TYPE, body, headers);
}

void
gw_http_respond_error(
    gw_request_t *request, int status, const char *message, const char *error, const char *headers)
{
    pr_buf_t *body = pr_buf_new(128);
    if (body) {
        gw_answer_write_error(body, status, message, error);
    }
    bool failed = !body || pr_buf_failed(body);
    gw_http_respond_json(request, status, failed ? PR_STR("{}") : pr_buf_str(body), headers);
    pr_buf_destroy(&body);
}

/* --- the course of a request --- */

static bool
s_needs_length(const gw_request_t *self)
{
    return self->method[0] == 'P'; /* POST, PUT, PATCH */
}

/* Refuses a request before its body has come; the connection ends with it. */
static void
s_refuse(gw_request_t *self, int status, const char *message)
{
    self->close = true;
    /* Reads on for a while, so that the answer is not lost in a reset. libwebsockets does that only
     * where it believes in a body. */
    self->linger = self->content_length > 0 ||
                   (s_needs_length(self) && self->content_length == GW_LENGTH_NONE);
    gw_http_respond_error(self, status, message, NULL, NULL);
    pr_loop_arm(self->loop, &self->timer, GW_REQUEST_LINGER_MS);
}

static void
s_on_late(pr_timer_t *timer)
{
    gw_request_t *self = (gw_request_t *) ((char *) timer - offsetof(gw_request_t, timer));
    self->counters->body_timeouts++;
    gw_http_cut(self);
}

static void
s_preflight(gw_request_t *self)
{
    pr_str_t asked = self->headers[GW_HEADER_ASKED_HEADERS];
    pr_buf_t *lines =
        pr_buf_copy(PR_STR("Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n"
                           "Access-Control-Allow-Credentials: true\r\n"
                           "Access-Control-Max-Age: 600\r\n"));
    if (lines && asked.len > 0) {
        pr_buf_append_str(lines, PR_STR("Vary: Access-Control-Request-Headers\r\n"
                                        "Access-Control-Allow-Headers: "));
        pr_buf_append_str(lines, asked);
        pr_buf_append_str(lines, PR_STR("\r\n"));
    }
    if (lines) {
        pr_buf_append_byte(lines, '\0');
    }
    bool failed = !lines || pr_buf_failed(lines);
    gw_http_respond(self, 204, NULL, (pr_str_t) {"", 0}, failed ? NULL : pr_buf_data(lines));
    pr_buf_destroy(&lines);
}

static void
s_refuse_body(gw_request_t *self, int status, const char *message)
{
    self->counters->refused_bodies++;
    s_refuse(self, status, message);
}

/* It is whole: hands it over. */
static void
s_complete(gw_request_t *self)
{
    gw_peer_t *peer = self->peer;
    self->complete = true;
    pr_wheel_cancel(&self->timer);
    if (strcmp(self->method, "OPTIONS") == 0) {
        s_preflight(self);
    } else {
        gw_http_hand_over(self);
    }
    if (peer->request == self && !self->response && !self->answered && !self->cut) {
        gw_http_park(self, true);
    }
}

void
gw_request_begin(gw_request_t *self)
{
    self->timer.fire = s_on_late;
    self->peer->tap.in_body = self->content_length > 0;
    if (self->peer->tap.has_nul) {
        self->counters->bad_heads++;
        s_refuse(self, 400, "Bad Request");
    } else if (self->content_length == GW_LENGTH_BAD) {
        s_refuse_body(self, 400, "Bad Content-Length");
    } else if (self->chunked || (s_needs_length(self) && self->content_length == GW_LENGTH_NONE)) {
        s_refuse_body(self, 411, "Length Required");
    } else if (self->content_length > GW_REQUEST_SKIP_MAX) {
        s_refuse_body(self, 413, TOO_LARGE);
    } else if (self->content_length <= 0) {
        self->body_read = true;
        s_complete(self);
    } else {
        self->body_max = gw_http_ask_head(self);
        size_t max = self->body_max ? self->body_max : PR_BODY_BYTES_MAX;
        self->too_large = (size_t) self->content_length > max;
        self->body_left = (size_t) self->content_length;
        pr_loop_arm(self->loop, &self->timer, GW_REQUEST_BODY_MS);
    }
}

/* Keeps a piece of the body. Nonzero: close the connection. */
static int
s_keep_body(gw_request_t *self, pr_str_t piece)
{
    if (!self->body) {
        self->body = pr_buf_new(piece.len);
    }
    if (!self->body) {
        return -1;
    }
    pr_buf_append_str(self->body, piece);
    return pr_buf_failed(self->body) ? -1 : 0;
}

int
gw_request_add_body(gw_request_t *self, pr_str_t piece)
{
    size_t left = self->body_left;
    if (piece.len > left) {
        /* libwebsockets 4.3 takes what is behind a body for more of it: a request is lost. */
        self->close = true;
        piece.len = left;
    }
    self->body_left -= piece.len;
    if (!self->complete && !self->too_large && piece.len > 0 && s_keep_body(self, piece) != 0) {
        return -1;
    }
    if (left > 0 && self->body_left == 0) {
        self->peer->tap.in_body = false;
        gw_request_end_body(self);
    }
    return 0;
}

void
gw_request_end_body(gw_request_t *self)
{
    if (self->body_read || self->complete) {
        return;
    }
    self->body_read = true;
    if (self->too_large && self->body_max == 0) {
        self->counters->refused_bodies++;
        pr_wheel_cancel(&self->timer);
        gw_http_respond_error(self, 413, TOO_LARGE, NULL, NULL);
    } else {
        s_complete(self);
    }
}

void
gw_request_gone(gw_request_t *self)
{
    if (self->cancelled) {
        self->counters->cancelled++;
        self->cancelled(self->arg);
    } else if (self->lost && !self->delivered) {
        self->counters->lost++;
        self->lost(self->lost_arg, self);
    }
}
