/* SPDX-License-Identifier: MIT */

#include "actors/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/answer.h"
#include "actors/check.h"
#include "actors/command.h"
#include "actors/redis.h"
#include "proto/base/assert.h"
#include "proto/base/log.h"
#include "proto/wire/limits.h"

/* Bytes of a command beside its body, about: keys, token, revs. */
#define COMMAND_BYTES 512

/* One script with the server. Answers come in order, so these are a ring. */
typedef struct {
    ac_request_t *request; /* NULL: cancelled meanwhile */
    ac_script_t script;
    size_t bytes;
} slot_t;

/* Lists are circles through a request that is no request. */
typedef ac_request_t list_t;

struct ac_store {
    pr_timer_t later_due; /* first: its address is ours */
    pr_loop_t *loop;
    const ac_store_ops_t *ops;
    void *arg;
    ac_redis_t *redis;
    ac_check_t *check;
    bool up;
    char incarnation[40];
    char generation[24];
    int64_t generation_number;
    list_t first; /* were sent before, in that order: they go first */
    list_t queue;
    list_t later; /* refused for now: they go to `first` when the pause is over */
    int64_t pause_ms;
    slot_t slots[PR_STORE_IN_FLIGHT_MAX];
    size_t slot_head;
    size_t slot_count;
    size_t slot_bytes;
    int64_t second; /* the one that `answers` counts */
    uint64_t answers;
    ac_store_stats_t stats;
};

/* --- lists --- */

static void
s_list_init(list_t *list)
{
    list->prev = list;
    list->next = list;
}

static bool
s_list_is_empty(const list_t *list)
{
    return list->next == list;
}

static void
s_list_append(list_t *list, ac_request_t *request)
{
    request->prev = list->prev;
    request->next = list;
    list->prev->next = request;
    list->prev = request;
}

static void
s_list_remove(ac_request_t *request)
{
    PR_ASSERT(request->prev && request->next);
    request->prev->next = request->next;
    request->next->prev = request->prev;
    request->prev = NULL;
    request->next = NULL;
}

static size_t
s_list_count(const list_t *list)
{
    size_t count = 0;
    for (const ac_request_t *each = list->next; each != list; each = each->next) {
        count++;
    }
    return count;
}

/* --- sending --- */

static void
s_script_answer(void *arg, const ac_reply_t *reply);

static size_t
s_bytes(const ac_request_t *request)
{
    return COMMAND_BYTES + (request->body ? pr_buf_len(request->body) : 0);
}

/* The next one that may go now, or NULL. */
static ac_request_t *
s_next(ac_store_t *self)
{
    list_t *list = s_list_is_empty(&self->first) ? &self->queue : &self->first;
    if (!self->up || s_list_is_empty(list) || self->slot_count == PR_STORE_IN_FLIGHT_MAX) {
        return NULL;
    }
    ac_request_t *request = list->next;
    if (self->slot_count > 0 &&
        self->slot_bytes + s_bytes(request) > PR_STORE_IN_FLIGHT_BYTES_MAX) {
        return NULL;
    }
    return request;
}

static void
s_pump(ac_store_t *self)
{
    ac_request_t *request = s_next(self);
    while (request) {
        ac_command_t command;
        const char *sha = ac_check_shas(self->check)->sha[request->script];
        ac_command_build(&command, request, sha, self->generation, self->incarnation);
        if (!ac_redis_send(self->redis, command.argc, command.argv, s_script_answer, self)) {
            /* The connection is about to be given up; it comes back. */
            return;
        }
        s_list_remove(request);
        size_t at = (self->slot_head + self->slot_count) % PR_STORE_IN_FLIGHT_MAX;
        self->slots[at] = (slot_t) {request, request->script, s_bytes(request)};
        self->slot_count++;
        self->slot_bytes += self->slots[at].bytes;
        self->stats.sent++;
        request->tries++;
        request = s_next(self);
    }
}

/* --- answers --- */

static void
s_count_answer(ac_store_t *self, const ac_answer_t *answer)
{
    int64_t second = pr_loop_now_ms(self->loop) / 1000;
    if (second != self->second) {
        self->stats.answers_per_s = second == self->second + 1 ? self->answers : 0;
        self->second = second;
        self->answers = 0;
    }
    self->answers++;
    self->stats.answered++;
    self->stats.already += answer->kind == AC_ANSWER_ALREADY;
}

static void
s_finish(ac_store_t *self, ac_request_t *request, const ac_answer_t *answer)
{
    self->pause_ms = PR_STORE_AGAIN_MS;
    s_count_answer(self, answer);
    request->submitted = false;
    request->done(request, answer);
}

static void
s_put_off(ac_store_t *self, ac_request_t *request)
{
    s_list_append(&self->later, request);
    if (!pr_timer_is_armed(&self->later_due)) {
        pr_loop_arm(self->loop, &self->later_due, self->pause_ms);
        self->pause_ms *= 2;
        if (self->pause_ms > PR_STORE_AGAIN_MAX_MS) {
            self->pause_ms = PR_STORE_AGAIN_MAX_MS;
        }
    }
}

static void
s_later_due(pr_timer_t *timer)
{
    ac_store_t *self = (ac_store_t *) timer;
    while (!s_list_is_empty(&self->later)) {
        ac_request_t *request = self->later.next;
        s_list_remove(request);
        s_list_append(&self->first, request);
    }
    s_pump(self);
}

/* No definite answer: back it goes, to be sent once more. */
static void
s_take_back(ac_store_t *self, ac_request_t *request, ac_verdict_t verdict, pr_str_t error)
{
    self->stats.retried++;
    if (verdict == AC_VERDICT_NOSCRIPT) {
        ac_check_reload(self->check, request->script);
        s_list_append(&self->first, request);
        return;
    }
    pr_log_warn("store.refused", "code=%.*s", PR_STR_ARG(ac_answer_code(error)));
    if (verdict == AC_VERDICT_MOVED) {
        ac_redis_give_up(self->redis, "not a primary any more", PR_STORE_AGAIN_MS);
        s_list_append(&self->first, request);
        return;
    }
    s_put_off(self, request);
}

static void
s_script_answer(void *arg, const ac_reply_t *reply)
{
    ac_store_t *self = arg;
    PR_ASSERT(self->slot_count > 0);
    slot_t slot = self->slots[self->slot_head];
    self->slot_head = (self->slot_head + 1) % PR_STORE_IN_FLIGHT_MAX;
    self->slot_count--;
    self->slot_bytes -= slot.bytes;
    if (!reply) {
        if (slot.request) {
            self->stats.retried++;
            s_list_append(&self->first, slot.request);
        }
        return;
    }
    if (slot.request) {
        ac_answer_t answer;
        ac_verdict_t verdict = ac_answer_read(slot.script, reply, &answer);
        if (verdict == AC_VERDICT_DEFINITE) {
            s_finish(self, slot.request, &answer);
        } else {
            s_take_back(self, slot.request, verdict, ac_reply_text(reply));
        }
    }
    s_pump(self);
}

/* --- ups and downs --- */

static void
s_fit(void *arg)
{
    ac_store_t *self = arg;
    self->up = true;
    self->stats.connects++;
    self->ops->up(self->arg);
    s_pump(self);
}

static void
s_unfit(void *arg, const char *line)
{
    ac_store_t *self = arg;
    if (self->ops->unfit) {
        self->ops->unfit(self->arg, line);
    }
}

static void
s_ready(void *arg)
{
    ac_store_t *self = arg;
    ac_check_start(self->check);
}

static void
s_down(void *arg)
{
    ac_store_t *self = arg;
    ac_check_stop(self->check);
    if (self->up) {
        self->up = false;
        self->ops->down(self->arg);
    }
}

static const ac_redis_ops_t s_redis_ops = {s_ready, s_down};
static const ac_check_ops_t s_check_ops = {s_fit, s_unfit};

/* --- the contract --- */

ac_store_t *
ac_store_new(
    pr_loop_t *loop, const char *url, const char *incarnation, const ac_store_ops_t *ops, void *arg)
{
    PR_ASSERT(loop && url && incarnation && ops && ops->up && ops->down);
    ac_store_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    PR_ASSERT(strlen(incarnation) < sizeof self->incarnation);
    memcpy(self->incarnation, incarnation, strlen(incarnation) + 1);
    self->loop = loop;
    self->ops = ops;
    self->arg = arg;
    self->later_due.fire = s_later_due;
    self->pause_ms = PR_STORE_AGAIN_MS;
    s_list_init(&self->first);
    s_list_init(&self->queue);
    s_list_init(&self->later);
    ac_store_set_generation(self, 0);
    self->redis = ac_redis_new(loop, url, &s_redis_ops, self);
    if (self->redis) {
        self->check = ac_check_new(loop, self->redis, &s_check_ops, self);
    }
    if (!self->check) {
        ac_store_destroy(&self);
    }
    return self;
}

static void
s_forget_all(list_t *list)
{
    while (!s_list_is_empty(list)) {
        ac_request_t *request = list->next;
        s_list_remove(request);
        request->submitted = false;
    }
}

void
ac_store_destroy(ac_store_t **self_p)
{
    PR_ASSERT(self_p);
    ac_store_t *self = *self_p;
    if (!self) {
        return;
    }
    self->up = false;
    /* Answers all that is in flight with nothing: it is in `first` then. */
    ac_redis_destroy(&self->redis);
    ac_check_destroy(&self->check);
    pr_wheel_cancel(&self->later_due);
    s_forget_all(&self->first);
    s_forget_all(&self->queue);
    s_forget_all(&self->later);
    free(self);
    *self_p = NULL;
}

void
ac_store_set_generation(ac_store_t *self, int64_t generation)
{
    PR_ASSERT(self && generation >= 0);
    self->generation_number = generation;
    (void) snprintf(self->generation, sizeof self->generation, "%lld", (long long) generation);
}

void
ac_store_submit(ac_store_t *self, ac_request_t *request)
{
    PR_ASSERT(self && request && request->done);
    PR_ASSERT(!request->submitted && !request->next);
    PR_ASSERT(request->body || request->script == AC_SCRIPT_CLAIM ||
              request->script == AC_SCRIPT_FINISH);
    request->submitted = true;
    request->tries = 0;
    self->stats.submitted++;
    s_list_append(&self->queue, request);
    s_pump(self);
}

static slot_t *
s_slot_of(ac_store_t *self, const ac_request_t *request)
{
    for (size_t i = 0; i < self->slot_count; i++) {
        slot_t *slot = &self->slots[(self->slot_head + i) % PR_STORE_IN_FLIGHT_MAX];
        if (slot->request == request) {
            return slot;
        }
    }
    return NULL;
}

void
ac_store_cancel(ac_store_t *self, ac_request_t *request)
{
    PR_ASSERT(self && request);
    if (!request->submitted) {
        return;
    }
    request->submitted = false;
    self->stats.cancelled++;
    if (request->next) {
        s_list_remove(request);
        return;
    }
    slot_t *slot = s_slot_of(self, request);
    PR_ASSERT(slot);
    slot->request = NULL;
}

bool
ac_store_is_up(const ac_store_t *self)
{
    return self->up;
}

const char *
ac_store_server_version(const ac_store_t *self)
{
    return ac_check_version(self->check);
}

void
ac_store_stats(const ac_store_t *self, ac_store_stats_t *stats)
{
    *stats = self->stats;
    stats->up = self->up;
    stats->in_flight = self->slot_count;
    stats->queued =
        s_list_count(&self->first) + s_list_count(&self->queue) + s_list_count(&self->later);
    int64_t second = pr_loop_now_ms(self->loop) / 1000;
    if (second == self->second + 1) {
        stats->answers_per_s = self->answers;
    } else if (second != self->second) {
        stats->answers_per_s = 0;
    }
}
