/* SPDX-License-Identifier: MIT */

/* Life of an actor, its one timer, and its doors to the outside. */

#include "actors/actor.h"

#include <stdlib.h>
#include <string.h>

#include "actors/actor_body.h"
#include "proto/base/log.h"
#include "proto/wire/error.h"

static void
s_on_timer(pr_timer_t *timer);

ac_actor_t *
ac_actor_new(ac_env_t *env, pr_str_t poll)
{
    PR_ASSERT(env && poll.len == PR_POLL_ID_LEN);
    ac_actor_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->env = env;
    memcpy(self->id, poll.ptr, poll.len);
    self->timer.fire = s_on_timer;
    self->armed_ms = INT64_MAX;
    self->alone_since_ms = env->now_ms;
    self->last_write_ms = env->now_ms - PR_ACTOR_AFTER_WRITE_MS;
    self->batch = ac_batch_new();
    self->presence = ac_presence_new(&env->grace);
    self->receivers = ac_receivers_new();
    self->mailbox = ac_mailbox_new();
    self->decided = ac_mailbox_new();
    if (!self->batch || !self->presence || !self->receivers || !self->mailbox || !self->decided) {
        ac_actor_destroy(&self);
    }
    return self;
}

void
ac_actor_destroy(ac_actor_t **self_p)
{
    PR_ASSERT(self_p);
    ac_actor_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_wheel_cancel(&self->timer);
    if (self->request.submitted) {
        self->env->ops->cancel(self->env->arg, &self->request);
    }
    self->env->counters.conns -= (int64_t) self->conns_counted;
    pr_buf_destroy(&self->request.body);
    ac_actor_forget(self);
    ac_batch_destroy(&self->batch);
    ac_presence_destroy(&self->presence);
    ac_receivers_destroy(&self->receivers);
    ac_mailbox_destroy(&self->mailbox);
    ac_mailbox_destroy(&self->decided);
    free(self);
    *self_p = NULL;
}

/* --- time --- */

static int64_t
s_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When nobody needs it any more; INT64_MAX while somebody does. */
static int64_t
s_idle_ms(const ac_actor_t *self)
{
    if (ac_actor_conn_count(self) || ac_mailbox_count(self->mailbox)) {
        return INT64_MAX;
    }
    int64_t idle_ms = self->alone_since_ms + PR_ACTOR_IDLE_MS;
    if (self->state == AC_STATE_LOADING) {
        return self->env->now_ms;
    }
    if (self->state == AC_STATE_QUARANTINED) {
        return idle_ms;
    }
    if (self->state != AC_STATE_READY || ac_presence_due_ms(self->presence) != INT64_MAX) {
        return INT64_MAX;
    }
    int64_t written_ms = self->last_write_ms + PR_ACTOR_AFTER_WRITE_MS;
    return idle_ms > written_ms ? idle_ms : written_ms;
}

/* When the store is to be asked whether the poll is still ours, as clients are shown it. */
static int64_t
s_confirm_ms(const ac_actor_t *self)
{
    bool is_shown = ac_actor_conn_count(self) > 0 && self->env->store_up;
    return is_shown ? self->confirmed_ms + PR_ACTOR_CONFIRM_MS : INT64_MAX;
}

static int64_t
s_due_ms(const ac_actor_t *self)
{
    if (self->state == AC_STATE_FREE) {
        return INT64_MAX;
    }
    int64_t due_ms = s_least(ac_mailbox_due_ms(self->mailbox), ac_mailbox_due_ms(self->decided));
    if (self->state == AC_STATE_READY) {
        int64_t left_ms = ac_poll_ends_at(self->poll) - self->env->wall_ms;
        due_ms = s_least(due_ms, self->env->now_ms + left_ms);
        due_ms = s_least(due_ms, ac_presence_due_ms(self->presence));
        due_ms = s_least(due_ms, s_confirm_ms(self));
    }
    return s_least(due_ms, s_idle_ms(self));
}

static void
s_arm(ac_actor_t *self)
{
    int64_t due_ms = s_due_ms(self);
    if (due_ms == self->armed_ms && (due_ms == INT64_MAX || pr_timer_is_armed(&self->timer))) {
        return;
    }
    self->armed_ms = due_ms;
    if (due_ms == INT64_MAX) {
        pr_wheel_cancel(&self->timer);
    } else {
        pr_wheel_arm(self->env->wheel, &self->timer, due_ms);
    }
}

static void
s_refresh(const ac_actor_t *self)
{
    if (self->env->ops->refresh) {
        self->env->ops->refresh(self->env->arg);
    }
}

static void
s_on_timer(pr_timer_t *timer)
{
    ac_actor_t *self = (ac_actor_t *) ((char *) timer - offsetof(ac_actor_t, timer));
    s_refresh(self);
    self->armed_ms = INT64_MAX;
    int64_t now_ms = self->env->now_ms;
    if (ac_mailbox_due_ms(self->mailbox) <= now_ms || ac_mailbox_due_ms(self->decided) <= now_ms) {
        ac_actor_dispatch(self, AC_ON_DEADLINE, NULL);
    }
    if (self->state == AC_STATE_READY && self->env->wall_ms >= ac_poll_ends_at(self->poll)) {
        ac_actor_dispatch(self, AC_ON_EXPIRED, NULL);
    } else if (s_idle_ms(self) <= now_ms) {
        ac_actor_dispatch(self, AC_ON_IDLE, NULL);
    } else {
        self->has_to_ask |= self->state == AC_STATE_READY && s_confirm_ms(self) <= now_ms;
        ac_actor_wake(self);
        s_arm(self);
    }
}

/* --- state --- */

/* Gauges that follow from what an event did. */
static void
s_account(ac_actor_t *self)
{
    size_t conns = ac_actor_conn_count(self);
    if (conns == 0 && self->conns_counted) {
        self->alone_since_ms = self->env->now_ms;
    }
    self->env->counters.conns += (int64_t) conns - (int64_t) self->conns_counted;
    self->conns_counted = conns;
}

static void
s_enter(ac_actor_t *self, ac_state_t next, ac_on_t on)
{
    pr_log_debug("actor.state", "poll=%s from=%s to=%s on=%s", self->id, ac_state_name(self->state),
                 ac_state_name(next), ac_on_name(on));
    self->state = next;
    if (next == AC_STATE_FREE) {
        if (self->request.submitted) {
            self->env->ops->cancel(self->env->arg, &self->request);
        }
        ac_actor_last_words(self);
        pr_wheel_cancel(&self->timer);
        self->env->ops->finished(self->env->arg, self);
    }
}

void
ac_actor_dispatch(ac_actor_t *self, ac_on_t on, const ac_input_t *input)
{
    static const ac_input_t none;
    ac_poison_enter(self->env->poison, ac_actor_id(self), ac_on_name(on));
    ac_state_t next = ac_actor_cell(on, self->state)(self, input ? input : &none);
    ac_poison_leave(self->env->poison);
    if (next != self->state) {
        s_enter(self, next, on);
    }
    if (self->state == AC_STATE_FREE) {
        return;
    }
    ac_actor_wake(self);
    s_account(self);
    s_arm(self);
}

void
ac_actor_wake(ac_actor_t *self)
{
    if (self->state == AC_STATE_READY && !self->awake &&
        (ac_actor_has_to_ask(self) || ac_mailbox_count(self->mailbox) ||
         ac_presence_has_change(self->presence, self->env->now_ms))) {
        self->awake = true;
        self->env->ops->wake(self->env->arg, self);
    }
}

/* --- doors --- */

static const ac_on_t s_on_message[] = {
    [PR_MSG_SYNC] = AC_ON_SYNC,
    [PR_MSG_CONNECT] = AC_ON_CONNECT,
    [PR_MSG_DISCONNECT] = AC_ON_DISCONNECT,
    [PR_MSG_COMMAND] = AC_ON_COMMAND,
    [PR_MSG_CREATE] = AC_ON_CREATE,
    [PR_MSG_READ] = AC_ON_READ,
    [PR_MSG_RESYNC] = AC_ON_RESYNC,
};

void
ac_actor_event(ac_actor_t *self, uint32_t gateway, const pr_event_t *event)
{
    PR_ASSERT(event->type >= PR_MSG_SYNC && event->type <= PR_MSG_RESYNC);
    s_refresh(self);
    ac_on_t on = s_on_message[event->type];
    ac_input_t input = {.gateway = gateway, .event = event};
    if (self->state == AC_STATE_NEW && on != AC_ON_CREATE && on != AC_ON_DISCONNECT) {
        ac_state_t next = ac_actor_cell(AC_ON_OPEN, self->state)(self, &input);
        s_enter(self, next, AC_ON_OPEN);
    }
    ac_actor_dispatch(self, on, &input);
}

void
ac_actor_gateway_lost(ac_actor_t *self, uint32_t gateway)
{
    s_refresh(self);
    ac_actor_dispatch(self, AC_ON_GATEWAY_LOST, &(ac_input_t) {.gateway = gateway});
}

void
ac_actor_writable(ac_actor_t *self, uint32_t gateway)
{
    s_refresh(self);
    ac_actor_dispatch(self, AC_ON_WRITABLE, &(ac_input_t) {.gateway = gateway});
}

void
ac_actor_think(ac_actor_t *self)
{
    s_refresh(self);
    self->awake = false;
    ac_actor_dispatch(self, AC_ON_THINK, NULL);
}

void
ac_actor_store_down(ac_actor_t *self)
{
    s_refresh(self);
    ac_actor_dispatch(self, AC_ON_STORE_DOWN, NULL);
}

bool
ac_actor_verify(ac_actor_t *self)
{
    s_refresh(self);
    bool was_out = ac_actor_is_out(self);
    ac_actor_dispatch(self, AC_ON_VERIFY, NULL);
    return !was_out && ac_actor_is_out(self);
}

void
ac_actor_roster(ac_actor_t *self)
{
    s_refresh(self);
    ac_actor_dispatch(self, AC_ON_ROSTER, NULL);
}

void
ac_actor_quarantine(ac_actor_t *self)
{
    s_refresh(self);
    if (self->request.submitted) {
        self->env->ops->cancel(self->env->arg, &self->request);
    }
    ac_actor_dispatch(self, AC_ON_QUARANTINE, NULL);
}

/* --- questions --- */

void *
ac_actor_data(const ac_actor_t *self)
{
    return self->data;
}

void
ac_actor_set_data(ac_actor_t *self, void *data)
{
    self->data = data;
}

pr_str_t
ac_actor_poll(const ac_actor_t *self)
{
    return ac_actor_id(self);
}

const char *
ac_actor_state_name(const ac_actor_t *self)
{
    return ac_state_name(self->state);
}

bool
ac_actor_is_out(const ac_actor_t *self)
{
    return self->request.submitted;
}

size_t
ac_actor_conn_count(const ac_actor_t *self)
{
    return ac_presence_conn_count(self->presence);
}
