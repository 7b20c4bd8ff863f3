/* SPDX-License-Identifier: MIT */

/* Connections to the simulated server: actors/redis.h, and actors/check.h for a server that always
 * fits. */

#include <stdio.h>
#include <stdlib.h>

#include "actors/check.h"
#include "proto/base/assert.h"
#include "proto/wire/limits.h"
#include "tests/sim/loop_model.h"
#include "tests/sim/redis_private.h"

ac_redis_t *sim_redis_list;

/* --- answers --- */

static void
s_push(ac_redis_t *self, ac_redis_answer_t answer, void *arg)
{
    sim_waiting_t *waiting = calloc(1, sizeof *waiting);
    PR_ASSERT(waiting);
    *waiting = (sim_waiting_t) {.answer = answer, .arg = arg};
    if (self->last) {
        self->last->next = waiting;
    } else {
        self->first = waiting;
    }
    self->last = waiting;
}

static void
s_answer(ac_redis_t *self, const ac_reply_t *reply)
{
    sim_waiting_t *waiting = self->first;
    PR_ASSERT(waiting);
    self->first = waiting->next;
    self->last = self->first ? self->last : NULL;
    waiting->answer(waiting->arg, reply);
    free(waiting);
}

static void
s_watch(ac_redis_t *self)
{
    if (self->first) {
        pr_loop_arm(self->loop, &self->silence, PR_STORE_ANSWER_MS);
    } else {
        pr_wheel_cancel(&self->silence);
    }
}

/* Whole answers in the inbox; the model hands them over whole. */
static void
s_read(ac_redis_t *self)
{
    ac_reply_reader_t *reader = ac_reply_reader_new();
    pr_buf_t *inbox = self->inbox;
    self->inbox = pr_buf_new(256);
    PR_ASSERT(reader && self->inbox);
    PR_ASSERT(ac_reply_reader_feed(reader, pr_buf_data(inbox), pr_buf_len(inbox)) == 0);
    ac_reply_t *reply = NULL;
    while (ac_reply_reader_next(reader, &reply) == 0 && reply) {
        s_answer(self, reply);
        ac_reply_destroy(&reply);
    }
    ac_reply_reader_destroy(&reader);
    pr_buf_destroy(&inbox);
    s_watch(self);
}

/* --- ups and downs --- */

static void
s_close(ac_redis_t *self)
{
    sim_redis_forget(self);
    self->state = SIM_REDIS_CLOSED;
    self->tell_ready = false;
    pr_buf_clear(self->inbox);
    pr_wheel_cancel(&self->silence);
    while (self->first) {
        s_answer(self, NULL);
    }
}

static void
s_take(void *arg)
{
    ac_redis_t *self = arg;
    if (self->state == SIM_REDIS_READY && self->tell_ready) {
        self->tell_ready = false;
        self->ops->ready(self->arg);
    }
    if (self->state != SIM_REDIS_CLOSED && pr_buf_len(self->inbox)) {
        s_read(self);
    }
    if (self->state == SIM_REDIS_LOST) {
        bool was_told = !self->tell_ready;
        s_close(self);
        if (was_told) {
            self->ops->down(self->arg);
        }
        sim_after(&self->dial, (self->pause_ms + PR_STORE_DIAL_LOCAL_MS) * SIM_MS);
        self->pause_ms = 0;
    }
}

void
sim_redis_lose(ac_redis_t *self)
{
    if (self->state == SIM_REDIS_READY) {
        sim_redis_forget(self);
        self->state = SIM_REDIS_LOST;
        sim_loop_wake(self->loop);
    }
}

static void
s_dial(sim_alarm_t *alarm)
{
    ac_redis_t *self = (ac_redis_t *) alarm;
    if (!sim_redis_accepts() || sim_loop_is_paused(self->loop)) {
        sim_after(&self->dial, PR_STORE_DIAL_LOCAL_MS * SIM_MS);
        return;
    }
    self->state = SIM_REDIS_READY;
    self->tell_ready = true;
    self->last_up_us = 0;
    self->last_down_us = 0;
    sim_loop_wake(self->loop);
}

static void
s_silent(pr_timer_t *timer)
{
    ac_redis_t *self = (ac_redis_t *) ((char *) timer - offsetof(ac_redis_t, silence));
    sim_trace("  redis is silent: given up");
    sim_redis_lose(self);
}

/* --- the contract of actors/redis.h --- */

ac_redis_t *
ac_redis_new(pr_loop_t *loop, const char *url, const ac_redis_ops_t *ops, void *arg)
{
    (void) url;
    ac_redis_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self);
    self->dial.ring = s_dial;
    self->silence.fire = s_silent;
    self->loop = loop;
    self->ops = ops;
    self->arg = arg;
    self->inbox = pr_buf_new(256);
    self->next = sim_redis_list;
    sim_redis_list = self;
    sim_loop_add_source(loop, s_take, self);
    sim_after(&self->dial, SIM_MS);
    return self;
}

void
ac_redis_destroy(ac_redis_t **self_p)
{
    ac_redis_t *self = *self_p;
    if (!self) {
        return;
    }
    ac_redis_t **link = &sim_redis_list;
    while (*link != self) {
        link = &(*link)->next;
    }
    *link = self->next;
    sim_loop_remove_source(self->loop, s_take, self);
    sim_agenda_cancel(&self->dial);
    s_close(self);
    pr_buf_destroy(&self->inbox);
    free(self);
    *self_p = NULL;
}

bool
ac_redis_send(
    ac_redis_t *self, size_t argc, const pr_str_t *argv, ac_redis_answer_t answer, void *arg)
{
    if (self->state != SIM_REDIS_READY) {
        return false;
    }
    s_push(self, answer, arg);
    sim_redis_take(self, argc, argv);
    if (!pr_timer_is_armed(&self->silence)) {
        s_watch(self);
    }
    return true;
}

void
ac_redis_give_up(ac_redis_t *self, const char *why, int64_t pause_ms)
{
    sim_trace("  redis given up: %s", why);
    self->pause_ms = pause_ms;
    sim_redis_lose(self);
}

bool
ac_redis_is_ready(const ac_redis_t *self)
{
    return self->state == SIM_REDIS_READY;
}

const char *
ac_redis_where(const ac_redis_t *self)
{
    (void) self;
    return "the model";
}

/* --- the contract of actors/check.h --- */

struct ac_check {
    ac_redis_t *redis;
    const ac_check_ops_t *ops;
    void *arg;
    ac_script_shas_t shas;
};

ac_check_t *
ac_check_new(pr_loop_t *loop, ac_redis_t *redis, const ac_check_ops_t *ops, void *arg)
{
    (void) loop;
    ac_check_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self);
    self->redis = redis;
    self->ops = ops;
    self->arg = arg;
    /* Our server knows the scripts by name. */
    for (int i = 0; i < AC_SCRIPT_COUNT; i++) {
        (void) snprintf(self->shas.sha[i], sizeof self->shas.sha[i], "%s", ac_script_name(i));
    }
    return self;
}

void
ac_check_destroy(ac_check_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

static void
s_checked(void *arg, const ac_reply_t *reply)
{
    ac_check_t *self = arg;
    if (reply) {
        self->ops->fit(self->arg);
    }
}

void
ac_check_start(ac_check_t *self)
{
    pr_str_t role[] = {PR_STR("ROLE")};
    PR_ASSERT(ac_redis_send(self->redis, 1, role, s_checked, self));
}

void
ac_check_stop(ac_check_t *self)
{
    (void) self;
}

void
ac_check_reload(ac_check_t *self, ac_script_t script)
{
    (void) self;
    (void) script;
}

const ac_script_shas_t *
ac_check_shas(const ac_check_t *self)
{
    return &self->shas;
}

const char *
ac_check_version(const ac_check_t *self)
{
    (void) self;
    return "7";
}
