/* SPDX-License-Identifier: MIT */

/*
 * Of hiredis only the reply reader is used. Its async half (0.14 and 1.2) aborts the process on a
 * reply that nobody asked for, looks up names with the loop standing still, must not be closed from
 * its own connect callback, and moves its whole output at each partial write. A libuv stream does
 * none of that.
 */

#include "actors/redis.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "actors/redis_socket.h"
#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/clock.h"
#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "proto/base/redis_url.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

typedef enum { STATE_DOWN, STATE_CONNECTING, STATE_AUTH, STATE_READY } state_t;

/* How late the loop may run before its own clock is no measure of the server's silence. */
#define LATE_MS 500
/* The same failure of a dial is logged again after so long. */
#define REPEAT_LOG_MS 30000

/* One command that has been sent; answers come in order. */
typedef struct call call_t;
struct call {
    call_t *next;
    ac_redis_answer_t answer;
    void *arg;
};

struct ac_redis {
    pr_timer_t silence; /* first: its address is ours */
    pr_loop_t *loop;
    const ac_redis_ops_t *ops;
    void *arg;
    pr_redis_url_t url;
    state_t state;
    uv_timer_t *dialler;
    ac_redis_socket_t *socket;
    ac_reply_reader_t *reader;
    pr_buf_t *out; /* what this turn has to send; NULL: nothing */
    call_t *first; /* of those that are unanswered */
    call_t **end;
    unsigned dials;     /* in a row that nobody took */
    unsigned flaps;     /* connections in a row without a single answer */
    int64_t heard_ms;   /* last sign of life while an answer was owed */
    const char *doomed; /* to be dropped when the turn ends: why */
    int64_t doomed_pause_ms;
    const char *last_failure; /* logged last, and when */
    int64_t logged_ms;
};

static void
s_dial(ac_redis_t *self);

/* --- sending --- */

static void
s_append_command(pr_buf_t *out, size_t argc, const pr_str_t *argv)
{
    pr_buf_append_byte(out, '*');
    pr_buf_append_int(out, (int64_t) argc);
    for (size_t i = 0; i < argc; i++) {
        pr_buf_append_str(out, PR_STR("\r\n$"));
        pr_buf_append_int(out, (int64_t) argv[i].len);
        pr_buf_append_str(out, PR_STR("\r\n"));
        pr_buf_append_str(out, argv[i]);
    }
    pr_buf_append_str(out, PR_STR("\r\n"));
}

static bool
s_send(ac_redis_t *self, size_t argc, const pr_str_t *argv, ac_redis_answer_t answer, void *arg)
{
    call_t *call = calloc(1, sizeof *call);
    if (!self->out) {
        self->out = pr_buf_new(4096);
    }
    if (!call || !self->out) {
        free(call);
        return false;
    }
    size_t before = pr_buf_len(self->out);
    s_append_command(self->out, argc, argv);
    if (pr_buf_failed(self->out)) {
        /* Half a command would garble all that follow: what was not sent yet goes with it. */
        pr_buf_truncate(self->out, before);
        free(call);
        ac_redis_give_up(self, "out of memory", 0);
        return false;
    }
    call->answer = answer;
    call->arg = arg;
    if (!self->first) {
        self->heard_ms = pr_loop_now_ms(self->loop);
        pr_loop_arm(self->loop, &self->silence, PR_STORE_ANSWER_MS);
    }
    *self->end = call;
    self->end = &call->next;
    return true;
}

bool
ac_redis_send(
    ac_redis_t *self, size_t argc, const pr_str_t *argv, ac_redis_answer_t answer, void *arg)
{
    PR_ASSERT(self && argc > 0 && argv && answer);
    if (self->state != STATE_READY || self->doomed) {
        return false;
    }
    return s_send(self, argc, argv, answer, arg);
}

/* --- ups and downs --- */

static void
s_dial_due(uv_timer_t *timer)
{
    ac_redis_t *self = timer->data;
    if (self->state == STATE_DOWN) {
        s_dial(self);
    }
}

/* Doubles from try to try, less than a quarter of it random, so that many do not come at once. A
 * local server that is away costs nothing to dial; one that takes calls and does not answer is left
 * alone. */
static int64_t
s_pause_ms(const ac_redis_t *self, bool was_open)
{
    unsigned tries = was_open ? self->flaps : self->dials;
    int64_t most_ms =
        self->url.is_local && !was_open ? PR_STORE_DIAL_LOCAL_MS : PR_STORE_DIAL_MAX_MS;
    int64_t pause_ms = PR_STORE_DIAL_MS;
    for (unsigned i = 1; i < tries && pause_ms < most_ms; i++) {
        pause_ms *= 2;
    }
    if (pause_ms > most_ms) {
        pause_ms = most_ms;
    }
    uint16_t chance = 0;
    pr_random_bytes(&chance, sizeof chance);
    return pause_ms - pause_ms * chance / (4 * 65536);
}

/* A server that stays away is worth a line when it goes, then one now and then. */
static void
s_log_loss(ac_redis_t *self, const char *why, bool was_ready)
{
    int64_t now_ms = pr_loop_now_ms(self->loop);
    if (!was_ready && why == self->last_failure && now_ms - self->logged_ms < REPEAT_LOG_MS) {
        return;
    }
    self->last_failure = why;
    self->logged_ms = now_ms;
    pr_log_warn(was_ready ? "redis.lost" : "redis.unreachable", "where=\"%s\" why=\"%s\"",
                self->url.where, why);
}

/* Tells all that wait, in order, that no answer will come. */
static void
s_answer_all_with_none(ac_redis_t *self)
{
    while (self->first) {
        call_t *call = self->first;
        self->first = call->next;
        call->answer(call->arg, NULL);
        free(call);
    }
    self->end = &self->first;
}

/* The one way from any state to DOWN; dials again after `pause_ms` (0: as the back-off says). */
static void
s_drop(ac_redis_t *self, const char *why, int64_t pause_ms)
{
    if (self->state == STATE_DOWN) {
        return;
    }
    bool was_ready = self->state == STATE_READY;
    int64_t wait_ms = s_pause_ms(self, self->state != STATE_CONNECTING);
    self->state = STATE_DOWN;
    if (self->doomed && self->doomed_pause_ms > pause_ms) {
        pause_ms = self->doomed_pause_ms;
    }
    self->doomed = NULL;
    s_log_loss(self, why, was_ready);
    pr_wheel_cancel(&self->silence);
    ac_redis_socket_close(&self->socket);
    ac_reply_reader_destroy(&self->reader);
    pr_buf_destroy(&self->out);
    s_answer_all_with_none(self);
    if (was_ready) {
        self->ops->down(self->arg);
    }
    wait_ms = pause_ms > wait_ms ? pause_ms : wait_ms;
    (void) uv_timer_start(self->dialler, s_dial_due, (uint64_t) wait_ms, 0);
}

void
ac_redis_give_up(ac_redis_t *self, const char *why, int64_t pause_ms)
{
    PR_ASSERT(self && why);
    if (self->state != STATE_DOWN && !self->doomed) {
        self->doomed = why;
        self->doomed_pause_ms = pause_ms;
    }
}

static void
s_silence(pr_timer_t *timer)
{
    ac_redis_t *self = (ac_redis_t *) timer;
    if (self->state != STATE_CONNECTING && !self->first) {
        return;
    }
    int64_t now_ms = pr_loop_now_ms(self->loop);
    if (now_ms - timer->due_ms > LATE_MS) {
        /* We slept, not the server: read first what has come meanwhile. */
        pr_loop_arm(self->loop, timer, LATE_MS);
        return;
    }
    if (now_ms - self->heard_ms < PR_STORE_ANSWER_MS) {
        pr_loop_arm(self->loop, timer, self->heard_ms + PR_STORE_ANSWER_MS - now_ms);
        return;
    }
    s_drop(self, "no answer in time", 0);
}

static void
s_become_ready(ac_redis_t *self)
{
    self->state = STATE_READY;
    self->last_failure = NULL;
    pr_log_info("redis.connected", "where=\"%s\"", self->url.where);
    self->ops->ready(self->arg);
}

static void
s_auth_answer(void *arg, const ac_reply_t *reply)
{
    ac_redis_t *self = arg;
    if (!reply) {
        return;
    }
    if (ac_reply_kind(reply) != AC_REPLY_ERROR) {
        s_become_ready(self);
        return;
    }
    /* Its text may hold the user's name: the code is enough. */
    pr_str_t text = ac_reply_text(reply);
    const char *blank = memchr(text.ptr, ' ', text.len);
    pr_str_t code = {text.ptr, blank ? (size_t) (blank - text.ptr) : text.len};
    pr_log_error("redis.auth_refused", "where=\"%s\" code=%.*s", self->url.where, PR_STR_ARG(code));
    ac_redis_give_up(self, "user or password refused", PR_STORE_DIAL_MAX_MS);
}

static void
s_open(void *arg)
{
    ac_redis_t *self = arg;
    PR_ASSERT(self->state == STATE_CONNECTING);
    self->dials = 0;
    self->flaps++;
    pr_wheel_cancel(&self->silence);
    if (self->url.pass[0] == '\0') {
        s_become_ready(self);
        return;
    }
    self->state = STATE_AUTH;
    pr_str_t argv[3] = {PR_STR("AUTH"), pr_str(self->url.user), pr_str(self->url.pass)};
    size_t argc = 3;
    if (self->url.user[0] == '\0') {
        argv[1] = argv[2];
        argc = 2;
    }
    if (!s_send(self, argc, argv, s_auth_answer, self)) {
        s_drop(self, "out of memory", 0);
    }
}

/* Hands one reply to the first that waits. */
static void
s_deliver(ac_redis_t *self, const ac_reply_t *reply)
{
    call_t *call = self->first;
    if (!call) {
        /* "max number of clients", a server that says too much … */
        ac_redis_give_up(self, "an answer that nobody asked for", 0);
        return;
    }
    self->first = call->next;
    if (!self->first) {
        self->end = &self->first;
    }
    self->heard_ms = pr_loop_now_ms(self->loop);
    if (self->state == STATE_READY) {
        self->flaps = 0;
    }
    call->answer(call->arg, reply);
    free(call);
}

static void
s_data(void *arg, const char *data, size_t len)
{
    ac_redis_t *self = arg;
    ac_reply_t *reply = NULL;
    int error = ac_reply_reader_feed(self->reader, data, len);
    while (error == 0 && !self->doomed) {
        error = ac_reply_reader_next(self->reader, &reply);
        if (!reply) {
            break;
        }
        s_deliver(self, reply);
        ac_reply_destroy(&reply);
    }
    if (error != 0) {
        s_drop(self, pr_error_text(error), 0);
    }
}

static void
s_lost(void *arg, const char *why)
{
    s_drop(arg, why, 0);
}

static const ac_redis_socket_ops_t s_socket_ops = {s_open, s_data, s_lost};

static void
s_dial(ac_redis_t *self)
{
    self->state = STATE_CONNECTING;
    self->dials++;
    self->heard_ms = pr_loop_now_ms(self->loop);
    self->reader = ac_reply_reader_new();
    if (self->reader && !PR_FAULT("redis.dial")) {
        self->socket =
            ac_redis_socket_dial(self->loop, &self->url, self->dials, &s_socket_ops, self);
    }
    if (!self->socket) {
        s_drop(self, "out of resources", 0);
        return;
    }
    pr_loop_arm(self->loop, &self->silence, PR_STORE_ANSWER_MS);
}

/* All that a turn gathered goes out in one write. */
static bool
s_turn(void *arg)
{
    ac_redis_t *self = arg;
    if (self->doomed) {
        s_drop(self, self->doomed, self->doomed_pause_ms);
    } else if (self->out && pr_buf_len(self->out) > 0) {
        ac_redis_socket_write(self->socket, &self->out);
    }
    return false;
}

static void
s_free_timer(uv_handle_t *handle)
{
    free(handle);
}

ac_redis_t *
ac_redis_new(pr_loop_t *loop, const char *url, const ac_redis_ops_t *ops, void *arg)
{
    PR_ASSERT(loop && url && ops && ops->ready && ops->down);
    ac_redis_t *self = calloc(1, sizeof *self);
    uv_timer_t *dialler = calloc(1, sizeof *dialler);
    if (!self || !dialler || !pr_redis_url_parse(url, &self->url)) {
        free(self);
        free(dialler);
        return NULL;
    }
    self->loop = loop;
    self->ops = ops;
    self->arg = arg;
    self->end = &self->first;
    self->silence.fire = s_silence;
    self->dialler = dialler;
    dialler->data = self;
    (void) uv_timer_init(pr_loop_uv(loop), dialler);
    (void) uv_timer_start(dialler, s_dial_due, 0, 0);
    pr_loop_on_turn(loop, PR_TURN_SEND, s_turn, self);
    return self;
}

void
ac_redis_destroy(ac_redis_t **self_p)
{
    PR_ASSERT(self_p);
    ac_redis_t *self = *self_p;
    if (!self) {
        return;
    }
    self->state = STATE_DOWN;
    pr_loop_off_turn(self->loop, s_turn, self);
    pr_wheel_cancel(&self->silence);
    uv_close((uv_handle_t *) self->dialler, s_free_timer);
    ac_redis_socket_close(&self->socket);
    ac_reply_reader_destroy(&self->reader);
    pr_buf_destroy(&self->out);
    s_answer_all_with_none(self);
    free(self);
    *self_p = NULL;
}

bool
ac_redis_is_ready(const ac_redis_t *self)
{
    return self->state == STATE_READY && !self->doomed;
}

const char *
ac_redis_where(const ac_redis_t *self)
{
    return self->url.where;
}
