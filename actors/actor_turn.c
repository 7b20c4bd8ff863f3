/* SPDX-License-Identifier: MIT */

/* The turn: what has gathered goes through the core into one batch; what is saved is shown. */

#include <stdio.h>
#include <stdlib.h>

#include "actors/actor_body.h"
#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

/* Calls that change nothing do not fill a batch: so many a turn, that the other polls get
 * theirs. */
#define CALLS_PER_TURN 1024

/* All conns of a user that may not be here. */
static void
s_refuse_user(ac_actor_t *self, ac_user_t *user, int code)
{
    for (ac_conn_t *conn = user->conns; conn; conn = conn->user_next) {
        ac_actor_refuse_conn(self, conn->gateway, pr_str(conn->id), code);
    }
    ac_actor_dismiss(self, user);
}

static void
s_decide_presence(ac_actor_t *self)
{
    ac_env_t *env = self->env;
    while (!ac_batch_is_full(self->batch)) {
        ac_user_t *user = ac_presence_next_change(self->presence, env->now_ms);
        if (!user) {
            return;
        }
        bool is_here = user->conn_count > 0;
        ac_event_t event = {
            .kind = is_here ? AC_EVENT_JOIN : AC_EVENT_LEAVE,
            .user = pr_str(user->id),
            .name = {user->name, user->name_len},
        };
        int rc = ac_poll_decide(self->poll, &event, env->wall_ms, self->batch);
        if (rc != 0 && is_here) {
            s_refuse_user(self, user, rc == PR_E_NOMEM ? PR_E_BUSY : rc);
        }
    }
}

/* For tests: a command of one poll is too much for us. */
static void
s_break(const ac_actor_t *self)
{
#ifdef PR_FAULTS
    char name[32];
    (void) snprintf(name, sizeof name, "core.abort.%s", self->id);
    if (PR_FAULT(name)) {
        abort();
    }
    (void) snprintf(name, sizeof name, "core.hang.%s", self->id);
    while (PR_FAULT(name)) {
    }
#else
    (void) self;
#endif
}

/* The code that a COMMAND gets. */
static int
s_decide_command(ac_actor_t *self, ac_call_t *call)
{
    ac_conn_t *conn = ac_presence_conn(self->presence, call->gateway, call->conn);
    if (conn && conn->commands) {
        conn->commands--;
    }
    if (!conn || !pr_str_equal(pr_str(conn->user->id), call->user) ||
        call->verb == AC_EVENT_COUNT) {
        return PR_E_BAD_REQUEST;
    }
    ac_poison_enter(self->env->poison, ac_actor_id(self), ac_event_verb(call->verb));
    s_break(self);
    pr_buf_clear(self->env->scratch);
    ac_event_t event = {
        .kind = call->verb,
        .user = call->user,
        .id = call->id,
        .args = call->args,
        .memory = self->env->memory,
        .words = self->env->scratch,
    };
    int rc = ac_poll_decide(self->poll, &event, self->env->wall_ms, self->batch);
    if (pr_buf_len(self->env->scratch)) {
        call->words = pr_buf_copy(pr_buf_str(self->env->scratch));
    }
    return rc;
}

/* The end of a poll takes everything with it: what came before is saved and answered first. */
static bool
s_has_to_wait(const ac_actor_t *self)
{
    const ac_call_t *next = ac_mailbox_first(self->mailbox);
    return next && next->kind == AC_CALL_COMMAND && next->verb == AC_EVENT_CANCEL_POLL &&
           (ac_batch_count(self->batch) || ac_mailbox_count(self->decided));
}

static void
s_decide_calls(ac_actor_t *self)
{
    for (int i = 0; i < CALLS_PER_TURN && !ac_batch_is_full(self->batch); i++) {
        if (ac_poll_is_cancelled(self->poll) || s_has_to_wait(self)) {
            return;
        }
        ac_call_t *call = ac_mailbox_pop(self->mailbox);
        if (!call) {
            return;
        }
        switch (call->kind) {
        case AC_CALL_READ:
            ac_actor_reply_document(self, call);
            ac_call_destroy(&call);
            break;
        case AC_CALL_CREATE:
            if (pr_str_equal(call->nonce, ac_poll_nonce(self->poll))) {
                ac_actor_reply_document(self, call);
            } else {
                ac_actor_reply(self, call, PR_E_TAKEN, "none");
            }
            ac_call_destroy(&call);
            break;
        case AC_CALL_COMMAND:
            call->code = s_decide_command(self, call);
            ac_mailbox_push(self->decided, &call);
            break;
        }
    }
}

void
ac_actor_answer_decided(ac_actor_t *self)
{
    for (ac_call_t *call = ac_mailbox_pop(self->decided); call;
         call = ac_mailbox_pop(self->decided)) {
        ac_actor_reply(self, call, call->code, call->code == 0 ? "saved" : "none");
        ac_call_destroy(&call);
    }
}

static bool
s_is_ours(const ac_actor_t *self)
{
    const ac_env_t *env = self->env;
    return env->ops->is_ours && env->ops->is_ours(env->arg, ac_actor_id(self));
}

/*
 * The newest roster says that the poll is ours, and our claim is older: until it is renewed, a
 * process that has not heard of that roster yet could take the poll without our noticing.
 */
static bool
s_has_to_renew(const ac_actor_t *self)
{
    return self->token_generation < self->env->generation && s_is_ours(self);
}

bool
ac_actor_is_sure(const ac_actor_t *self)
{
    int64_t generation = self->env->generation;
    return self->token_generation >= generation && (generation == 0 || s_is_ours(self));
}

bool
ac_actor_has_to_ask(const ac_actor_t *self)
{
    return self->is_doubted || self->has_to_ask || s_has_to_renew(self);
}

/* The claim's answer goes on with a question whether what we have is what is stored. */
static ac_state_t
s_renew(ac_actor_t *self)
{
    self->to = self->saved;
    ac_actor_submit(self, AC_SCRIPT_CLAIM, AC_AIM_KEEP, NULL);
    return AC_STATE_SAVING;
}

AC_CELL(think)
{
    if (self->env->wall_ms >= ac_poll_ends_at(self->poll)) {
        return ac_cell_expired(self, input);
    }
    if (s_has_to_renew(self)) {
        return s_renew(self);
    }
    s_decide_presence(self);
    s_decide_calls(self);
    if (ac_poll_is_cancelled(self->poll)) {
        return ac_cell_cancelled(self, input);
    }
    if (ac_batch_count(self->batch) == 0) {
        ac_actor_answer_decided(self);
        return ac_actor_has_to_ask(self) ? ac_cell_verify(self, input) : AC_STATE_READY;
    }
    if (ac_batch_rev(self->batch, self->saved, pr_str(self->token), &self->to) != 0 ||
        !ac_actor_submit_batch(self)) {
        /* The core is ahead of what can be written: begin anew from what is saved. */
        return ac_cell_reload(self, input);
    }
    if (PR_FAULT("actor.ack_early")) {
        ac_actor_answer_decided(self);
    }
    return self->env->store_up ? AC_STATE_SAVING : AC_STATE_UNSURE;
}

AC_CELL(verify)
{
    (void) input;
    self->to = self->saved;
    if (!ac_actor_submit_batch(self)) {
        return AC_STATE_READY;
    }
    return AC_STATE_SAVING;
}

/* Brings the public document to `to` and tells the gateways. False when out of memory. */
static bool
s_show(ac_actor_t *self)
{
    pr_buf_t *patch = pr_buf_new(256);
    const msgpack_object *object = NULL;
    if (!patch) {
        return false;
    }
    ac_batch_write_published(self->batch, self->to, patch);
    bool shown = !pr_buf_failed(patch);
    if (shown && (pr_value_unpack(pr_buf_str(patch), self->env->memory, &object) != 0 ||
                  pr_document_patch(self->document, object) != 0)) {
        shown = ac_actor_build_document(self);
    }
    pr_rev_t from = self->saved;
    self->saved = self->to;
    if (shown) {
        ac_actor_publish_update(self, from, self->to, pr_buf_str(patch));
    }
    pr_buf_destroy(&patch);
    return shown;
}

AC_CELL(saved)
{
    if (self->request.script == AC_SCRIPT_CREATE &&
        !ac_actor_take_token(self, input->answer->text)) {
        return ac_cell_shut(self, input);
    }
    if (!pr_rev_equal(self->to, self->saved)) {
        self->last_write_ms = self->env->now_ms;
        self->env->counters.batches_saved++;
        self->env->counters.changes_saved += (int64_t) ac_batch_count(self->batch);
        if (!s_show(self)) {
            return ac_cell_reload(self, input);
        }
    }
    ac_actor_kick_removed(self);
    ac_actor_tell_voters(self);
    ac_batch_clear(self->batch);
    self->has_to_ask = false;
    self->confirmed_ms = self->env->now_ms;
    if (self->is_doubted) {
        self->is_doubted = false;
        ac_actor_catch_up_all(self);
    }
    ac_actor_answer_all_waiting(self);
    ac_actor_answer_decided(self);
    return AC_STATE_READY;
}
