/* SPDX-License-Identifier: MIT */

#include "gateway/call.h"

#include <stdlib.h>

#include "proto/base/clock.h"
#include "proto/poll/document.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"

/* New poll ids have nothing that is confused when read aloud. */
#define POLL_ALPHABET "23456789ABCDEFGHJKMNPQRSTVWXYZ"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define USER_ALPHABET LETTERS "0123456789_-"
#define NONCE_LEN 16
/* Ids that a create draws before it gives up. */
#define DRAWS_MAX 5

#define RETRY_AFTER "Retry-After: 1\r\n"

/* A request that waits for the actors. */
typedef struct {
    const gw_calls_t *calls;
    gw_request_t *request;
    gw_call_kind_t kind;
    int64_t handle;
    int draws;
    gw_token_t token; /* of the answer, or that came with the request */
    /* create */
    json_t *body;
    gw_create_body_t create;
    int64_t ends_at_ms;
    char nonce[NONCE_LEN + 1];
} call_t;

/* --- refusals --- */

void
gw_call_unavailable(const gw_calls_t *self, gw_request_t *request)
{
    self->counters->unavailable++;
    gw_http_respond_error(request, 503, "Service Unavailable", NULL, RETRY_AFTER);
}

void
gw_call_not_found(const gw_calls_t *self, gw_request_t *request)
{
    self->counters->unknown_polls++;
    gw_http_respond_error(request, 404, "Poll not found", "Not Found", NULL);
}

void
gw_call_forbidden(const gw_calls_t *self, gw_request_t *request, const char *message)
{
    self->counters->forbidden++;
    gw_http_respond_error(request, 403, message, "Forbidden", NULL);
}

/* --- answers of actors --- */

static void
s_end_call(call_t *call)
{
    call->calls->counters->waiting--;
    json_decref(call->body);
    free(call);
}

static void
s_on_cancelled(void *arg)
{
    call_t *call = arg;
    gw_hosts_cancel(call->calls->options->hosts, call->handle);
    s_end_call(call);
}

static pr_document_t *
s_document(const pr_msg_reply_t *reply)
{
    pr_document_t *document = NULL;
    const msgpack_object *map = pr_object_member(reply->data.object, PR_STR("document"));
    if (!map || pr_document_from_msgpack(map, &document) != 0) {
        return NULL;
    }
    return document;
}

static bool
s_is_removed(const pr_msg_reply_t *reply)
{
    const msgpack_object *removed = pr_object_member(reply->data.object, PR_STR("removed"));
    return removed && removed->type == MSGPACK_OBJECT_BOOLEAN && removed->via.boolean;
}

static void
s_write_document(const call_t *call,
                 const pr_msg_reply_t *reply,
                 const pr_document_t *document,
                 pr_buf_t *out)
{
    pr_str_t user = PR_STR_NONE;
    pr_str_t ballot = PR_STR_NONE;
    pr_buf_t *own = reply->ballot.object ? pr_buf_new(64) : NULL;
    if (own) {
        pr_object_write_json(reply->ballot.object, own);
        user = pr_str(call->token.user);
        ballot = pr_buf_str(own);
    }
    pr_document_write_json(document, out, user, ballot);
    pr_buf_destroy(&own);
}

/* {"poll":…,"accessToken":…} or the bare poll. 0 or PR_E_NOMEM. */
static int
s_write_answer(call_t *call,
               const pr_msg_reply_t *reply,
               const pr_document_t *document,
               pr_buf_t *out)
{
    bool wrapped = call->kind == GW_CALL_CREATE || call->kind == GW_CALL_JOIN;
    if (wrapped) {
        pr_buf_append_str(out, PR_STR("{\"poll\":"));
    }
    s_write_document(call, reply, document, out);
    if (wrapped) {
        call->token.expires_s = pr_document_ends_at(document) / 1000;
        pr_buf_append_str(out, PR_STR(",\"accessToken\":\""));
        int error =
            gw_token_sign(call->calls->options->keys, &call->token, pr_clock_wall_ms() / 1000, out);
        if (error) {
            return error;
        }
        pr_buf_append_str(out, PR_STR("\"}"));
    }
    return pr_buf_failed(out) ? PR_E_NOMEM : 0;
}

static void
s_count_success(gw_rest_counters_t *counters, gw_call_kind_t kind)
{
    counters->created += kind == GW_CALL_CREATE;
    counters->joined += kind == GW_CALL_JOIN;
    counters->rejoined += kind == GW_CALL_REJOIN;
    counters->read += kind == GW_CALL_READ;
}

static void
s_succeed(call_t *call, const pr_msg_reply_t *reply)
{
    const gw_calls_t *self = call->calls;
    if (s_is_removed(reply)) {
        gw_call_forbidden(self, call->request, "Removed from the poll");
        return;
    }
    pr_document_t *document = s_document(reply);
    pr_buf_t *body = document ? pr_buf_new(1024) : NULL;
    if (body && s_write_answer(call, reply, document, body) == 0) {
        s_count_success(self->counters, call->kind);
        gw_http_respond_json(call->request, call->kind == GW_CALL_READ ? 200 : 201,
                             pr_buf_str(body), NULL);
    } else {
        gw_call_unavailable(self, call->request);
    }
    pr_buf_destroy(&body);
    pr_document_destroy(&document);
}

static void
s_unknown_poll(call_t *call)
{
    const gw_calls_t *self = call->calls;
    if (call->kind == GW_CALL_JOIN) {
        /* Codes can be guessed. */
        gw_limit_charge(self->options->limit, GW_LIMIT_CODES, gw_request_address(call->request),
                        pr_loop_now_ms(self->options->loop));
    }
    gw_call_not_found(self, call->request);
}

static int
s_send(call_t *call);

static void
s_on_reply(void *arg, const pr_msg_reply_t *reply, int error)
{
    call_t *call = arg;
    const gw_calls_t *self = call->calls;
    int code = reply ? pr_error_from_name(reply->code) : error;
    if (code == PR_E_TAKEN && call->kind == GW_CALL_CREATE && call->draws < DRAWS_MAX) {
        self->counters->redrawn++;
        if (s_send(call) == 0) {
            return;
        }
    }
    if (reply && code == 0) {
        s_succeed(call, reply);
    } else if (code == PR_E_NOT_FOUND) {
        s_unknown_poll(call);
    } else if (code == PR_E_REMOVED) {
        gw_call_forbidden(self, call->request, "Removed from the poll");
    } else {
        gw_call_unavailable(self, call->request);
    }
    s_end_call(call);
}

/* --- calls to actors --- */

static int
s_send_create(call_t *call)
{
    call->draws++;
    pr_random_text(call->token.poll, PR_POLL_ID_LEN, POLL_ALPHABET);
    pr_random_text(call->nonce, NONCE_LEN, USER_ALPHABET);
    pr_event_t event = pr_event(PR_MSG_CREATE, pr_str(call->token.poll));
    event.create.topic = call->create.topic;
    event.create.votes = call->create.votes;
    event.create.admin = pr_str(call->token.user);
    event.create.ends_at = call->ends_at_ms;
    event.create.nonce = pr_str(call->nonce);
    if (call->create.open_ballots) {
        event.create.ballots = PR_STR("open");
    }
    return gw_hosts_request(call->calls->options->hosts, &event, s_on_reply, call, &call->handle);
}

static int
s_send(call_t *call)
{
    if (call->kind == GW_CALL_CREATE) {
        return s_send_create(call);
    }
    pr_event_t event = pr_event(PR_MSG_READ, pr_str(call->token.poll));
    if (call->kind != GW_CALL_JOIN) {
        event.read.user = pr_str(call->token.user);
    }
    return gw_hosts_request(call->calls->options->hosts, &event, s_on_reply, call, &call->handle);
}

/* Asks the actors; takes `call`, which may be NULL for out of memory. */
static void
s_begin(const gw_calls_t *self, gw_request_t *request, call_t *call)
{
    if (!call) {
        gw_call_unavailable(self, request);
        return;
    }
    self->counters->waiting++;
    gw_request_on_cancelled(request, s_on_cancelled, call);
    if (s_send(call) != 0) {
        gw_call_unavailable(self, request);
        s_end_call(call);
    }
}

static call_t *
s_new_call(const gw_calls_t *self, gw_request_t *request, gw_call_kind_t kind)
{
    call_t *call = calloc(1, sizeof *call);
    if (call) {
        call->calls = self;
        call->request = request;
        call->kind = kind;
    }
    return call;
}

/* A new user of that name in the call's token. */
static void
s_draw_user(gw_token_t *token, pr_str_t name)
{
    pr_random_text(token->user, 1, LETTERS);
    pr_random_text(token->user + 1, PR_USER_ID_LEN - 1, USER_ALPHABET);
    PR_ASSERT(name.len < sizeof token->name);
    memcpy(token->name, name.ptr, name.len);
    token->name_len = name.len;
}

/* --- what rest.c calls --- */

void
gw_call_create(const gw_calls_t *self,
               gw_request_t *request,
               json_t *body,
               const gw_create_body_t *create)
{
    call_t *call = s_new_call(self, request, GW_CALL_CREATE);
    if (call) {
        call->body = json_incref(body);
        call->create = *create;
        call->ends_at_ms = pr_clock_wall_ms() + self->options->poll_duration_s * 1000;
        s_draw_user(&call->token, create->name);
    }
    s_begin(self, request, call);
}

void
gw_call_join(const gw_calls_t *self, gw_request_t *request, pr_str_t poll, pr_str_t name)
{
    call_t *call = s_new_call(self, request, GW_CALL_JOIN);
    if (call) {
        PR_ASSERT(poll.len < sizeof call->token.poll);
        memcpy(call->token.poll, poll.ptr, poll.len);
        s_draw_user(&call->token, name);
    }
    s_begin(self, request, call);
}

void
gw_call_read(const gw_calls_t *self,
             gw_request_t *request,
             gw_call_kind_t kind,
             const gw_token_t *token)
{
    call_t *call = s_new_call(self, request, kind);
    if (call) {
        call->token = *token;
    }
    s_begin(self, request, call);
}
