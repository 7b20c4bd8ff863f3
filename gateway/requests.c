/* SPDX-License-Identifier: MIT */

#include "gateway/requests.h"

#include <stdlib.h>

#include "proto/wire/limits.h"

/* A request's number is serial · PR_REQUESTS_MAX + its index: found without a search, never the
   same. */
typedef struct request request_t;
struct request {
    pr_timer_t deadline; /* first: the pointers are equal */
    gw_requests_t *owner;
    request_t *prev; /* all requests, in order of arrival */
    request_t *next;
    int64_t number;
    int slot;        /* where it is in flight; -1: it waits */
    bool was_sent;   /* at any time */
    bool sent_again; /* it is not sent a third time */
    bool in_doubt;   /* the process it was with may have done it */
    gw_reply_t done;
    void *arg;
    pr_buf_t *packed;
    size_t poll_len;
    char poll[PR_POLL_ID_LEN];
};

struct gw_requests {
    pr_loop_t *loop;
    gw_transmit_t transmit;
    void *arg;
    request_t *first;
    request_t *last;
    size_t count;
    size_t waiting;
    int64_t serial;
    size_t free_from; /* no free index below */
    request_t *table[PR_REQUESTS_MAX];
};

gw_requests_t *
gw_requests_new(pr_loop_t *loop, gw_transmit_t transmit, void *arg)
{
    gw_requests_t *self = calloc(1, sizeof *self);
    if (self) {
        self->loop = loop;
        self->transmit = transmit;
        self->arg = arg;
    }
    return self;
}

static void
s_append(gw_requests_t *self, request_t *request)
{
    request->prev = self->last;
    if (self->last) {
        self->last->next = request;
    } else {
        self->first = request;
    }
    self->last = request;
    self->count++;
    self->waiting++;
}

static void
s_remove(gw_requests_t *self, request_t *request)
{
    PR_ASSERT((self->first == request) == !request->prev);
    if (request->prev) {
        request->prev->next = request->next;
    } else {
        self->first = request->next;
    }
    if (request->next) {
        request->next->prev = request->prev;
    } else {
        self->last = request->prev;
    }
    self->count--;
    self->waiting -= request->slot < 0 ? 1 : 0;
    size_t index = (size_t) (request->number % PR_REQUESTS_MAX);
    self->table[index] = NULL;
    if (index < self->free_from) {
        self->free_from = index;
    }
    pr_wheel_cancel(&request->deadline);
}

static void
s_free(request_t *request)
{
    pr_buf_destroy(&request->packed);
    free(request);
}

void
gw_requests_destroy(gw_requests_t **self_p)
{
    PR_ASSERT(self_p);
    gw_requests_t *self = *self_p;
    if (!self) {
        return;
    }
    request_t *request = self->first;
    while (request) {
        request_t *next = request->next;
        pr_wheel_cancel(&request->deadline);
        s_free(request);
        request = next;
    }
    free(self);
    *self_p = NULL;
}

/* Answers for good. The callback may make and cancel requests. */
static void
s_finish(request_t *request, const pr_msg_reply_t *reply, int error)
{
    s_remove(request->owner, request);
    request->done(request->arg, reply, error);
    s_free(request);
}

static void
s_give_up(request_t *request)
{
    s_finish(request, NULL, request->was_sent ? PR_E_TIMEOUT : PR_E_UNREACHABLE);
}

static void
s_deadline(pr_timer_t *timer)
{
    s_give_up((request_t *) timer);
}

static int64_t
s_new_number(gw_requests_t *self)
{
    size_t index = self->free_from;
    while (self->table[index]) {
        index++;
    }
    self->free_from = index + 1;
    return ++self->serial * PR_REQUESTS_MAX + (int64_t) index;
}

static pr_buf_t *
s_pack(const pr_event_t *event, int64_t number)
{
    pr_event_t copy = *event;
    if (event->type == PR_MSG_CREATE) {
        copy.create.req = number;
    } else if (event->type == PR_MSG_READ) {
        copy.read.req = number;
    } else {
        PR_ASSERT(event->type == PR_MSG_COMMAND);
        copy.command.req = number;
    }
    pr_buf_t *packed = pr_buf_new(256);
    if (packed) {
        pr_event_pack(&copy, packed);
        if (pr_buf_failed(packed)) {
            pr_buf_destroy(&packed);
        }
    }
    return packed;
}

/* Sends one that waits; whether it went. */
static bool
s_send(gw_requests_t *self, request_t *request)
{
    pr_str_t poll = {request->poll, request->poll_len};
    int slot = -1;
    if (self->transmit(self->arg, poll, pr_buf_str(request->packed), &slot) != 0) {
        return false;
    }
    request->slot = slot;
    request->was_sent = true;
    self->waiting--;
    return true;
}

int
gw_requests_add(
    gw_requests_t *self, const pr_event_t *event, gw_reply_t done, void *arg, int64_t *handle)
{
    PR_ASSERT(event->poll.len <= PR_POLL_ID_LEN);
    if (self->count == PR_REQUESTS_MAX) {
        return PR_E_BUSY;
    }
    request_t *request = calloc(1, sizeof *request);
    if (!request) {
        return PR_E_NOMEM;
    }
    request->number = s_new_number(self);
    request->packed = s_pack(event, request->number);
    if (!request->packed) {
        self->free_from = (size_t) (request->number % PR_REQUESTS_MAX);
        free(request);
        return PR_E_NOMEM;
    }
    request->deadline.fire = s_deadline;
    request->owner = self;
    request->slot = -1;
    request->done = done;
    request->arg = arg;
    request->poll_len = event->poll.len;
    if (event->poll.len) {
        memcpy(request->poll, event->poll.ptr, event->poll.len);
    }
    self->table[request->number % PR_REQUESTS_MAX] = request;
    s_append(self, request);
    pr_loop_arm(self->loop, &request->deadline, PR_REQUEST_DEADLINE_MS);
    if (handle) {
        *handle = request->number;
    }
    gw_requests_flush(self);
    return 0;
}

static request_t *
s_find(const gw_requests_t *self, int64_t number)
{
    if (number < 0) {
        return NULL;
    }
    request_t *request = self->table[number % PR_REQUESTS_MAX];
    return request && request->number == number ? request : NULL;
}

void
gw_requests_cancel(gw_requests_t *self, int64_t handle)
{
    request_t *request = s_find(self, handle);
    if (request) {
        s_remove(self, request);
        s_free(request);
    }
}

/* Refused the second time, by what the first time may have brought about: it was done then, and
 * undone since, or the poll has ended. Only who may never do it has not done it. */
static bool
s_is_no_proof(const pr_msg_reply_t *reply)
{
    int code = pr_error_from_name(reply->code);
    return code != 0 && code != PR_E_UNAUTHORIZED && pr_str_equal(reply->outcome, PR_STR("none"));
}

bool
gw_requests_reply(gw_requests_t *self, const pr_msg_reply_t *reply)
{
    request_t *request = s_find(self, reply->req);
    if (!request || request->slot < 0) {
        return false;
    }
    if (pr_error_from_name(reply->code) == PR_E_MOVED && !request->sent_again) {
        /* The next flush finds the poll's new place. It did nothing there, or it says so. */
        request->sent_again = true;
        request->in_doubt = !pr_str_equal(reply->outcome, PR_STR("none"));
        request->slot = -1;
        self->waiting++;
        return true;
    }
    pr_msg_reply_t honest = *reply;
    if (request->in_doubt && s_is_no_proof(reply)) {
        honest.outcome = PR_STR("unknown");
    }
    s_finish(request, &honest, 0);
    return true;
}

void
gw_requests_lost(gw_requests_t *self, int slot)
{
    /* Whoever is told of the end may make and cancel requests: those do not matter here. */
    for (size_t i = 0; i < PR_REQUESTS_MAX; i++) {
        request_t *request = self->table[i];
        if (!request || request->slot != slot) {
            continue;
        }
        if (request->sent_again) {
            s_give_up(request);
        } else {
            request->sent_again = true;
            request->in_doubt = true;
            request->slot = -1;
            self->waiting++;
        }
    }
}

void
gw_requests_flush(gw_requests_t *self)
{
    /* Nobody is called back from here, so the list stands still. */
    request_t *request = self->first;
    for (; request && self->waiting; request = request->next) {
        if (request->slot < 0) {
            (void) s_send(self, request);
        }
    }
}

size_t
gw_requests_count(const gw_requests_t *self)
{
    return self->count;
}
