/* SPDX-License-Identifier: MIT */

#include "gateway/neighbours_http.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/engineio_refusal.h"
#include "gateway/polling_http.h"

typedef struct {
    gw_polling_get_t get; /* first: the pointers are equal */
    gw_neighbours_t *neighbours;
    gw_request_t *request;
    int64_t number;
} forwarded_t;

static void
s_answer(gw_polling_get_t *get, int status, pr_str_t body)
{
    forwarded_t *forwarded = (forwarded_t *) get;
    if (status != 200) {
        gw_request_doubt(forwarded->request);
    }
    gw_polling_http_answer(forwarded->request, status, body);
    free(forwarded);
}

static void
s_on_cancelled(void *arg)
{
    forwarded_t *forwarded = arg;
    gw_neighbours_abort(forwarded->neighbours, forwarded->number);
    free(forwarded);
}

static bool
s_is(const gw_request_t *request, const char *method)
{
    return strcmp(gw_request_method(request), method) == 0;
}

/* What the owner would refuse without a look at the session, which it may well know. */
static gw_refusal_t
s_check(const gw_request_t *request, pr_str_t sid)
{
    const gw_handshake_t asked = {
        .transport = gw_request_query(request, PR_STR("transport")),
        .eio = gw_request_query(request, PR_STR("EIO")),
        .sid = sid,
        .session = GW_REFUSAL_NONE,
        .origin_allowed = gw_request_origin_allowed(request),
    };
    gw_refusal_t refusal = gw_refusal_check(&asked);
    bool jsonp = gw_request_query(request, PR_STR("j")).ptr != NULL;
    return refusal == GW_REFUSAL_NONE && jsonp ? GW_REFUSAL_REQUEST : refusal;
}

/* The body of a POST; absent for a GET. What is no payload ends the session, as an empty one. */
static pr_str_t
s_body(const gw_request_t *request)
{
    pr_str_t type = gw_request_header(request, GW_HEADER_CONTENT_TYPE);
    if (!s_is(request, "POST")) {
        return PR_STR_NONE;
    }
    pr_str_t body = gw_request_body(request);
    bool octets = pr_str_starts(type, PR_STR("application/octet-stream"));
    return octets || !body.ptr ? PR_STR("") : body;
}

static void
s_ask(gw_neighbours_t *self, gw_request_t *request, pr_str_t sid, pr_str_t owner)
{
    forwarded_t *forwarded = calloc(1, sizeof *forwarded);
    if (!forwarded) {
        gw_polling_http_answer(request, 400, PR_STR(""));
        return;
    }
    /* Only the owner knows whether it has joined, and gives it no more than its time to. */
    gw_request_know(request);
    forwarded->get.answer = s_answer;
    forwarded->neighbours = self;
    forwarded->request = request;
    gw_request_on_cancelled(request, s_on_cancelled, forwarded);
    int64_t number = gw_neighbours_ask(self, owner, sid, s_body(request), &forwarded->get);
    if (number != 0) {
        forwarded->number = number;
    }
}

bool
gw_neighbours_http_forward(gw_neighbours_t *self,
                           gw_request_t *request,
                           pr_str_t sid,
                           pr_str_t owner)
{
    if (!gw_neighbours_incarnation(self, owner)) {
        return false;
    }
    gw_refusal_t refusal = s_check(request, sid);
    bool known = (s_is(request, "GET") && !gw_request_is_head(request)) || s_is(request, "POST");
    if (refusal != GW_REFUSAL_NONE) {
        gw_polling_http_answer(request, gw_refusal_status(refusal), gw_refusal_body(refusal));
    } else if (!known) {
        gw_polling_http_answer(request, 405, PR_STR(""));
    } else if (gw_request_is_too_large(request)) {
        gw_polling_http_answer(request, 413, PR_STR(""));
    } else {
        s_ask(self, request, sid, owner);
    }
    return true;
}
