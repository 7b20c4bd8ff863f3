/* SPDX-License-Identifier: MIT */

#include "gateway/polling_http.h"

#include <stdlib.h>

#include "proto/wire/limits.h"

#define RETRY "Retry-After: 1\r\n"
#define HEADERS "Cache-Control: no-store\r\nAccess-Control-Allow-Credentials: true\r\n"

/* A GET of a session: waits for its answer. */
typedef struct {
    gw_polling_get_t get; /* first: the pointers are equal */
    gw_engineio_hub_t *hub;
    gw_request_t *request;
} parked_t;

/* A POST whose body is on its way. */
typedef struct {
    gw_engineio_post_t post; /* first: the pointers are equal */
    gw_request_t *request;
} coming_t;

static pr_str_t
s_sid(const gw_request_t *request)
{
    return gw_request_query(request, PR_STR("sid"));
}

static bool
s_is(const gw_request_t *request, const char *method)
{
    return strcmp(gw_request_method(request), method) == 0;
}

static bool
s_is_foreign(const gw_polling_door_t *self, pr_str_t sid)
{
    pr_str_t owner = gw_sid_owner(sid);
    return self->forward && owner.ptr &&
           !pr_str_equal(owner, pr_str(gw_engineio_hub_owner(self->hub)));
}

/* The connection of who has joined is no stranger's. */
static void
s_know(const gw_polling_door_t *self, gw_request_t *request)
{
    if (gw_engineio_knows(self->hub, s_sid(request))) {
        gw_request_know(request);
    }
}

/* --- answers --- */

/* As the stock server: text for what is read, HTML for what was written, JSON for errors. */
static const char *
s_content_type(const gw_request_t *request, int status, pr_str_t body)
{
    if (status != 200) {
        return body.len ? "application/json" : NULL;
    }
    return s_is(request, "POST") ? "text/html" : "text/plain; charset=UTF-8";
}

void
gw_polling_http_answer(gw_request_t *request, int status, pr_str_t body)
{
    gw_http_respond(request, status, s_content_type(request, status, body), body, HEADERS);
}

static void
s_refuse(gw_request_t *request, gw_refusal_t refusal)
{
    gw_polling_http_answer(request, gw_refusal_status(refusal), gw_refusal_body(refusal));
}

/* --- a new session --- */

static void
s_open(const gw_polling_door_t *self, gw_request_t *request)
{
    bool admitted = !self->admit || self->admit(self->arg, gw_request_address(request));
    pr_buf_t *body =
        admitted ? gw_engineio_open_polling(self->hub, gw_request_header(request, GW_HEADER_TOKEN))
                 : NULL;
    if (body) {
        gw_polling_http_answer(request, 200, pr_buf_str(body));
    } else {
        gw_http_respond(request, 503, NULL, PR_STR(""), RETRY HEADERS);
    }
    pr_buf_destroy(&body);
}

/* --- GET --- */

static void
s_on_known(gw_polling_get_t *get)
{
    gw_request_know(((parked_t *) get)->request);
}

static void
s_on_answer_lost(void *arg, gw_request_t *request)
{
    gw_engineio_lose(arg, s_sid(request));
}

static void
s_answer_get(gw_polling_get_t *get, int status, pr_str_t body)
{
    parked_t *parked = (parked_t *) get;
    gw_request_on_lost(parked->request, s_on_answer_lost, parked->hub);
    gw_polling_http_answer(parked->request, status, body);
    free(parked);
}

static void
s_on_get_cancelled(void *arg)
{
    parked_t *parked = arg;
    gw_engineio_abort(parked->hub, s_sid(parked->request), &parked->get);
    free(parked);
}

static void
s_get(const gw_polling_door_t *self, gw_request_t *request)
{
    parked_t *parked = calloc(1, sizeof *parked);
    if (!parked) {
        gw_polling_http_answer(request, 400, PR_STR(""));
        return;
    }
    parked->get.answer = s_answer_get;
    parked->get.known = s_on_known;
    parked->hub = self->hub;
    parked->request = request;
    gw_request_on_cancelled(request, s_on_get_cancelled, parked);
    s_know(self, request);
    gw_engineio_get(self->hub, s_sid(request), &parked->get);
}

/* --- POST --- */

static void
s_on_post_cancelled(void *arg)
{
    coming_t *coming = arg;
    gw_engineio_post_fail(&coming->post);
    free(coming);
}

static void
s_cut_post(gw_engineio_post_t *post)
{
    coming_t *coming = (coming_t *) post;
    gw_request_cut(coming->request);
}

size_t
gw_polling_http_head(const gw_polling_door_t *self, gw_request_t *request)
{
    coming_t *coming = calloc(1, sizeof *coming);
    if (!coming) {
        return 1; /* too small for any: it is read, and refused */
    }
    coming->post.cut = s_cut_post;
    coming->request = request;
    gw_request_on_cancelled(request, s_on_post_cancelled, coming);
    pr_str_t sid = s_sid(request);
    size_t most = gw_engineio_post_begin(self->hub, sid, &coming->post);
    s_know(self, request);
    /* Only its owner knows how much it may be. */
    return s_is_foreign(self, sid) ? PR_CLIENT_MESSAGE_BYTES_MAX : most;
}

/* Its body is here, or was never to come. */
static void
s_end_coming(gw_request_t *request)
{
    coming_t *coming = gw_request_arg(request);
    if (coming) {
        gw_engineio_post_end(&coming->post);
        gw_request_on_cancelled(request, NULL, NULL);
        free(coming);
    }
}

static bool
s_is_octets(const gw_request_t *request)
{
    return pr_str_starts(gw_request_header(request, GW_HEADER_CONTENT_TYPE),
                         PR_STR("application/octet-stream"));
}

static void
s_post(const gw_polling_door_t *self, gw_request_t *request)
{
    pr_str_t answer = PR_STR("");
    int status = 413;
    if (s_is_octets(request)) {
        /* No payload of this protocol: as an empty one, it ends the session. */
        status = gw_engineio_post(self->hub, s_sid(request), PR_STR(""), &answer);
    } else if (!gw_request_is_too_large(request)) {
        status = gw_engineio_post(self->hub, s_sid(request), gw_request_body(request), &answer);
    }
    s_know(self, request); /* it may just have joined */
    gw_polling_http_answer(request, status, answer);
}

/* --- all of them --- */

bool
gw_polling_http_is_ours(const gw_polling_door_t *self, const gw_request_t *request)
{
    return pr_str_equal(gw_request_path(request), pr_str(self->path));
}

/* Whether the owner of the session, another gateway, will answer. */
static bool
s_is_forwarded(const gw_polling_door_t *self, gw_request_t *request)
{
    pr_str_t sid = s_sid(request);
    return s_is_foreign(self, sid) && self->forward(self->arg, request, sid, gw_sid_owner(sid));
}

void
gw_polling_http_request(const gw_polling_door_t *self, gw_request_t *request)
{
    gw_handshake_t asked = {
        .transport = gw_request_query(request, PR_STR("transport")),
        .eio = gw_request_query(request, PR_STR("EIO")),
        .sid = s_sid(request),
        .is_get = s_is(request, "GET") && !gw_request_is_head(request),
        .origin_allowed = gw_request_origin_allowed(request),
    };
    s_end_coming(request);
    if (asked.sid.ptr && asked.origin_allowed && s_is_forwarded(self, request)) {
        return;
    }
    asked.session =
        asked.sid.ptr ? gw_engineio_check(self->hub, asked.sid, false) : GW_REFUSAL_NONE;
    gw_refusal_t refusal = gw_refusal_check(&asked);
    if (refusal == GW_REFUSAL_NONE && gw_request_query(request, PR_STR("j")).ptr) {
        refusal = GW_REFUSAL_REQUEST; /* JSONP: no client of this protocol asks for it */
    }
    if (refusal != GW_REFUSAL_NONE) {
        s_refuse(request, refusal);
    } else if (!asked.sid.ptr) {
        s_open(self, request);
    } else if (asked.is_get) {
        s_get(self, request);
    } else if (s_is(request, "POST")) {
        s_post(self, request);
    } else {
        gw_polling_http_answer(request, 405, PR_STR(""));
    }
}
