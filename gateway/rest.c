/* SPDX-License-Identifier: MIT */

#include "gateway/rest.h"

#include <stdlib.h>
#include <strings.h>

#include "gateway/call.h"
#include "gateway/form.h"
#include "gateway/validate.h"
#include "proto/base/clock.h"
#include "proto/poll/ids.h"

#define RETRY_AFTER "Retry-After: 1\r\n"

struct gw_rest {
    gw_rest_options_t options;
    gw_rest_counters_t counters;
    gw_calls_t calls;
};

gw_rest_t *
gw_rest_new(const gw_rest_options_t *options)
{
    PR_ASSERT(options->loop && options->hosts && options->limit && options->keys);
    gw_rest_t *self = calloc(1, sizeof *self);
    if (self) {
        self->options = *options;
        self->calls = (gw_calls_t) {&self->options, &self->counters};
    }
    return self;
}

void
gw_rest_destroy(gw_rest_t **self_p)
{
    PR_ASSERT(self_p);
    PR_ASSERT(!*self_p || (*self_p)->counters.waiting == 0);
    free(*self_p);
    *self_p = NULL;
}

const gw_rest_counters_t *
gw_rest_counters(const gw_rest_t *self)
{
    return &self->counters;
}

/* --- refusals --- */

/* 400 with a list of messages, JSON strings separated by commas. */
static void
s_invalid(gw_rest_t *self, gw_request_t *request, const pr_buf_t *messages)
{
    self->counters.invalid++;
    pr_buf_t *body = pr_buf_new(256);
    if (!body || pr_buf_failed(messages)) {
        pr_buf_destroy(&body);
        gw_call_unavailable(&self->calls, request);
        return;
    }
    pr_buf_append_str(body, PR_STR("{\"statusCode\":400,\"message\":["));
    pr_buf_append_str(body, pr_buf_str(messages));
    pr_buf_append_str(body, PR_STR("],\"error\":\"Bad Request\"}"));
    gw_http_respond_json(request, 400, pr_buf_str(body), NULL);
    pr_buf_destroy(&body);
}

static void
s_cannot(gw_request_t *request)
{
    static const char hex[] = "0123456789ABCDEF";
    pr_buf_t *message = pr_buf_new(128);
    if (!message) {
        gw_http_respond_error(request, 404, "Not Found", "Not Found", NULL);
        return;
    }
    pr_buf_append_fmt(message, "Cannot %s ", gw_request_method(request));
    pr_str_t path = gw_request_path(request);
    for (size_t i = 0; i < path.len; i++) {
        unsigned char byte = (unsigned char) path.ptr[i];
        if (byte > ' ' && byte < 0x7f) {
            pr_buf_append_byte(message, (char) byte);
        } else {
            char text[3] = {'%', hex[byte >> 4], hex[byte & 15]};
            pr_buf_append(message, text, sizeof text);
        }
    }
    pr_buf_append_byte(message, '\0');
    gw_http_respond_error(request, 404, pr_buf_data(message), "Not Found", NULL);
    pr_buf_destroy(&message);
}

/* --- routes --- */

static bool
s_is_type(pr_str_t type, pr_str_t wanted)
{
    return type.len >= wanted.len && strncasecmp(type.ptr, wanted.ptr, wanted.len) == 0;
}

/* What the body holds, JSON or a form; of another type it counts as none. NULL: answered. */
static json_t *
s_parse(gw_rest_t *self, gw_request_t *request)
{
    pr_str_t type = gw_request_header(request, GW_HEADER_CONTENT_TYPE);
    bool is_json = s_is_type(type, PR_STR("application/json"));
    bool is_form = s_is_type(type, PR_STR("application/x-www-form-urlencoded"));
    pr_buf_t *error = pr_buf_new(64);
    json_t *body = NULL;
    if (error && is_form) {
        body = gw_form_parse(gw_request_body(request));
    } else if (error) {
        body = gw_validate_parse(is_json ? gw_request_body(request) : PR_STR_NONE, error);
    }
    if (!body && error && pr_buf_len(error)) {
        pr_buf_append_byte(error, '\0');
        self->counters.invalid++;
        gw_http_respond_error(request, 400, pr_buf_data(error), "Bad Request", NULL);
    } else if (!body) {
        gw_call_unavailable(&self->calls, request);
    }
    pr_buf_destroy(&error);
    return body;
}

static void
s_create(gw_rest_t *self, gw_request_t *request, json_t *body, pr_buf_t *messages)
{
    gw_create_body_t create = {.votes = 0};
    if (!gw_validate_create(body, &create, messages)) {
        s_invalid(self, request, messages);
        return;
    }
    gw_call_create(&self->calls, request, body, &create);
}

static void
s_join(gw_rest_t *self, gw_request_t *request, json_t *body, pr_buf_t *messages)
{
    gw_join_body_t join;
    if (!gw_validate_join(body, &join, messages)) {
        s_invalid(self, request, messages);
        return;
    }
    int64_t now_ms = pr_loop_now_ms(self->options.loop);
    const gw_address_t *address = gw_request_address(request);
    if (!gw_limit_has(self->options.limit, GW_LIMIT_CODES, address, now_ms)) {
        self->counters.limited++;
        gw_http_respond_error(request, 429, "Too many unknown codes", "Too Many Requests",
                              "Retry-After: 60\r\n");
        return;
    }
    if (!pr_id_is_poll(join.poll)) {
        gw_limit_charge(self->options.limit, GW_LIMIT_CODES, address, now_ms);
        gw_call_not_found(&self->calls, request);
        return;
    }
    gw_call_join(&self->calls, request, join.poll, join.name);
}

/* A READ for the user of a token, which is of `poll` if that is not absent. */
static void
s_read(gw_rest_t *self, gw_request_t *request, gw_call_kind_t kind, pr_str_t text, pr_str_t poll)
{
    gw_token_t token;
    if (gw_token_verify(self->options.keys, text, pr_clock_wall_ms() / 1000, &token) != 0 ||
        (poll.ptr && !pr_str_equal(poll, pr_str(token.poll)))) {
        gw_call_forbidden(&self->calls, request, "Invalid authorization token");
        return;
    }
    gw_call_read(&self->calls, request, kind, &token);
}

static void
s_rejoin(gw_rest_t *self, gw_request_t *request, json_t *body, pr_buf_t *messages)
{
    (void) messages;
    const json_t *text = json_object_get(body, "accessToken");
    pr_str_t token = {json_string_value(text), json_string_length(text)};
    s_read(self, request, GW_CALL_REJOIN, token, PR_STR_NONE);
}

/* The token of `Authorization: Bearer …`, else of the header `token`. */
static pr_str_t
s_header_token(const gw_request_t *request)
{
    pr_str_t bearer = PR_STR("Bearer ");
    pr_str_t text = gw_request_header(request, GW_HEADER_AUTHORIZATION);
    if (text.len > bearer.len && strncasecmp(text.ptr, bearer.ptr, bearer.len) == 0) {
        return (pr_str_t) {text.ptr + bearer.len, text.len - bearer.len};
    }
    return gw_request_header(request, GW_HEADER_TOKEN);
}

static void
s_ready(const gw_rest_t *self, gw_request_t *request)
{
    const char *why = self->options.unready ? self->options.unready(self->options.arg) : NULL;
    if (!why) {
        gw_http_respond_json(request, 200, PR_STR("{\"status\":\"ready\"}"), NULL);
    } else {
        gw_http_respond_error(request, 503, why, "Service Unavailable", RETRY_AFTER);
    }
}

static const struct {
    pr_str_t path;
    void (*run)(gw_rest_t *self, gw_request_t *request, json_t *body, pr_buf_t *messages);
} s_posts[] = {
    {{"/polls", 6}, s_create},
    {{"/polls/join", 11}, s_join},
    {{"/polls/rejoin", 13}, s_rejoin},
};

static bool
s_post(gw_rest_t *self, gw_request_t *request, pr_str_t path)
{
    for (size_t i = 0; i < sizeof s_posts / sizeof s_posts[0]; i++) {
        if (!pr_str_equal(path, s_posts[i].path)) {
            continue;
        }
        json_t *body = s_parse(self, request);
        if (!body) {
            return true;
        }
        pr_buf_t *messages = pr_buf_new(0);
        if (messages) {
            s_posts[i].run(self, request, body, messages);
        } else {
            gw_call_unavailable(&self->calls, request);
        }
        pr_buf_destroy(&messages);
        json_decref(body);
        return true;
    }
    return false;
}

static bool
s_get(gw_rest_t *self, gw_request_t *request, pr_str_t path)
{
    pr_str_t polls = PR_STR("/polls/");
    if (pr_str_equal(path, PR_STR("/healthz"))) {
        gw_http_respond_json(request, 200, PR_STR("{\"status\":\"ok\"}"), NULL);
        return true;
    }
    if (pr_str_equal(path, PR_STR("/readyz"))) {
        s_ready(self, request);
        return true;
    }
    if (!pr_str_starts(path, polls)) {
        return false;
    }
    pr_str_t id = {path.ptr + polls.len, path.len - polls.len};
    if (!pr_id_is_poll(id)) {
        return false;
    }
    s_read(self, request, GW_CALL_READ, s_header_token(request), id);
    return true;
}

void
gw_rest_request(void *arg, gw_request_t *request)
{
    gw_rest_t *self = arg;
    pr_str_t path = gw_request_path(request);
    if (path.len > 1 && path.ptr[path.len - 1] == '/') {
        path.len--;
    }
    bool is_get = strcmp(gw_request_method(request), "GET") == 0;
    bool is_post = strcmp(gw_request_method(request), "POST") == 0;
    bool done = (is_get && s_get(self, request, path)) || (is_post && s_post(self, request, path));
    if (!done) {
        s_cannot(request);
    }
}
