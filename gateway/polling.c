/* SPDX-License-Identifier: MIT */

#include "gateway/polling.h"

#include <stdlib.h>

#include "gateway/engineio_payload.h"
#include "gateway/outbox.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

/* Sessions are asked for documents before the feeds write, and answered after that. */
#define TURN_ASK (PR_TURN_WRITE - 1)
#define TURN_ANSWER (PR_TURN_WRITE + 1)

#define NOOP PR_STR("6")
#define CLOSE PR_STR("1")

struct gw_pollings {
    pr_loop_t *loop;
    const gw_polling_ops_t *ops;
    int64_t *parked;
    gw_polling_t *due; /* those that may have something to do in this turn */
    bool ended;        /* one has ended in this turn: its owner has something to do in the next */
};

struct gw_polling {
    gw_pollings_t *shared;
    void *user;
    gw_polling_get_t *get; /* the one that waits */
    gw_polling_t *prev;    /* in the list of those due */
    gw_polling_t *next;
    const char *last; /* packet of a session that ends */
    gw_outbox_t outbox;
    size_t bytes_max;
    bool has_document : 1; /* the queue has one, which is not counted */
    bool is_due : 1;
    bool owes_writable : 1;
};

/* --- those due --- */

static void
s_set_due(gw_polling_t *self)
{
    if (self->is_due || !self->get) {
        return;
    }
    gw_pollings_t *shared = self->shared;
    self->is_due = true;
    self->prev = NULL;
    self->next = shared->due;
    if (shared->due) {
        shared->due->prev = self;
    }
    shared->due = self;
}

static void
s_clear_due(gw_polling_t *self)
{
    if (!self->is_due) {
        return;
    }
    self->is_due = false;
    if (self->prev) {
        self->prev->next = self->next;
    } else {
        self->shared->due = self->next;
    }
    if (self->next) {
        self->next->prev = self->prev;
    }
}

static void
s_unpark(gw_polling_t *self)
{
    self->get = NULL;
    --*self->shared->parked;
    s_clear_due(self);
}

/* --- answers --- */

static void
s_answer(gw_polling_t *self, int status, pr_str_t body)
{
    gw_polling_get_t *get = self->get;
    s_unpark(self);
    get->answer(get, status, body);
}

/* Whether one more packet goes into this body. */
static bool
s_has_room(const gw_polling_t *self, const pr_buf_t *body)
{
    size_t more = gw_payload_frames_max(gw_outbox_next(&self->outbox));
    return pr_buf_len(body) == 0 || pr_buf_len(body) + more <= PR_POLLING_BODY_BYTES_MAX;
}

/* Moves what is queued into a body, as far as it may be long. */
static void
s_fill(gw_polling_t *self, pr_buf_t *body)
{
    while (self->outbox.head && s_has_room(self, body)) {
        pr_buf_t *frame = gw_polling_take(self);
        gw_payload_append_frames(body, pr_buf_str(frame));
        pr_buf_destroy(&frame);
    }
    if (!self->outbox.head && self->last) {
        gw_payload_append(body, pr_str(self->last));
    }
}

/* Answers the GET that waits, if there is something to say. */
static void
s_answer_queued(gw_polling_t *self)
{
    if (!self->get || (!self->outbox.head && !self->last)) {
        return;
    }
    pr_buf_t *body = pr_buf_new(256);
    if (body) {
        s_fill(self, body);
    }
    bool failed = !body || pr_buf_failed(body);
    /* A client that is refused starts over: better than to lose packets in silence. */
    s_answer(self, failed ? 400 : 200, failed ? PR_STR("") : pr_buf_str(body));
    pr_buf_destroy(&body);
    if (self->last && !self->outbox.head) {
        self->shared->ended = true;
        self->shared->ops->ended(self->user);
    }
}

/* --- turns --- */

static bool
s_ask(void *arg)
{
    gw_pollings_t *self = arg;
    gw_polling_t *next = NULL;
    for (gw_polling_t *each = self->due; each; each = next) {
        next = each->next;
        if (each->owes_writable && !each->has_document) {
            each->owes_writable = false;
            self->ops->writable(each->user);
        }
    }
    return false;
}

/* A document that passed somebody by in this turn is asked for in the next, at once. */
static bool
s_answer_due(void *arg)
{
    gw_pollings_t *self = arg;
    bool more = false;
    self->ended = false;
    gw_polling_t *next = NULL;
    for (gw_polling_t *each = self->due; each; each = next) {
        next = each->next;
        if (each->outbox.head || each->last) {
            s_answer_queued(each);
        } else if (each->owes_writable) {
            more = true;
        } else {
            s_clear_due(each);
        }
    }
    return more || self->ended;
}

/* --- life --- */

gw_pollings_t *
gw_pollings_new(pr_loop_t *loop, const gw_polling_ops_t *ops, int64_t *parked)
{
    gw_pollings_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->ops = ops;
    self->parked = parked;
    pr_loop_on_turn(loop, TURN_ASK, s_ask, self);
    pr_loop_on_turn(loop, TURN_ANSWER, s_answer_due, self);
    return self;
}

void
gw_pollings_destroy(gw_pollings_t **self_p)
{
    PR_ASSERT(self_p);
    gw_pollings_t *self = *self_p;
    if (!self) {
        return;
    }
    PR_ASSERT(!self->due);
    pr_loop_off_turn(self->loop, s_ask, self);
    pr_loop_off_turn(self->loop, s_answer_due, self);
    free(self);
    *self_p = NULL;
}

gw_polling_t *
gw_polling_new(gw_pollings_t *shared, size_t bytes_max, void *user)
{
    gw_polling_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->shared = shared;
    self->user = user;
    self->bytes_max = bytes_max;
    self->outbox.bytes_max = bytes_max;
    return self;
}

void
gw_polling_destroy(gw_polling_t **self_p)
{
    PR_ASSERT(self_p);
    gw_polling_t *self = *self_p;
    if (!self) {
        return;
    }
    if (self->get) {
        s_answer(self, 400, PR_STR(""));
    }
    for (pr_buf_t *frame = gw_polling_take(self); frame; frame = gw_polling_take(self)) {
        pr_buf_destroy(&frame);
    }
    free(self);
    *self_p = NULL;
}

/* --- GETs --- */

bool
gw_polling_get(gw_polling_t *self, gw_polling_get_t *get)
{
    if (self->get) {
        s_answer(self, 200, CLOSE);
        get->answer(get, 400, PR_STR(""));
        return false;
    }
    self->get = get;
    ++*self->shared->parked;
    if (self->outbox.head || self->last || self->owes_writable) {
        s_set_due(self);
    }
    return true;
}

bool
gw_polling_abort(gw_polling_t *self, const gw_polling_get_t *get)
{
    if (self->get != get) {
        return false;
    }
    s_unpark(self);
    return true;
}

void
gw_polling_know(gw_polling_t *self)
{
    if (self->get && self->get->known) {
        self->get->known(self->get);
    }
}

bool
gw_polling_is_parked(const gw_polling_t *self)
{
    return self->get != NULL;
}

void
gw_polling_release(gw_polling_t *self)
{
    if (self->get && !self->outbox.head && !self->last) {
        s_answer(self, 200, NOOP);
    }
}

/* --- sending --- */

int
gw_polling_send(gw_polling_t *self, pr_buf_t *frame)
{
    if (self->last) {
        return PR_E_CLOSED;
    }
    if (!self->get || self->has_document) {
        gw_polling_missed(self);
        return PR_E_BUSY;
    }
    int error = gw_outbox_push(&self->outbox, frame);
    if (error == 0) {
        self->has_document = true;
        self->outbox.bytes_max = self->bytes_max + pr_buf_len(frame);
        s_set_due(self);
    }
    return error;
}

int
gw_polling_send_must(gw_polling_t *self, pr_buf_t *frame)
{
    if (self->last) {
        return PR_E_CLOSED;
    }
    if (!gw_outbox_has_room(&self->outbox, frame)) {
        return PR_E_FULL;
    }
    int error = gw_outbox_push(&self->outbox, frame);
    if (error == 0) {
        s_set_due(self);
    }
    return error;
}

void
gw_polling_missed(gw_polling_t *self)
{
    self->owes_writable = true;
    s_set_due(self);
}

pr_buf_t *
gw_polling_take(gw_polling_t *self)
{
    pr_buf_t *frame = gw_outbox_pop(&self->outbox);
    if (!self->outbox.head) {
        self->has_document = false;
        self->outbox.bytes_max = self->bytes_max;
    }
    return frame;
}

void
gw_polling_end(gw_polling_t *self, const char *last)
{
    self->last = last;
    s_set_due(self);
}
