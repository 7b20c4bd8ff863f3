/* SPDX-License-Identifier: MIT */

/* How an actor comes to its poll, and how it goes. */

#include <stdio.h>
#include <string.h>

#include "actors/actor_body.h"
#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

static void
s_send_on(ac_actor_t *self, const ac_answer_t *answer);

/* --- coming --- */

static ac_creation_t
s_creation(const ac_actor_t *self, const pr_msg_create_t *create)
{
    return (ac_creation_t) {
        .id = ac_actor_id(self),
        .topic = create->topic,
        .admin = create->admin,
        .nonce = create->nonce,
        .votes = create->votes,
        .ends_at = create->ends_at,
        .ballots_open = pr_str_equal(create->ballots, PR_STR("open")),
    };
}

/* The core, its first rev and the document to store; NULL when out of memory. */
static pr_buf_t *
s_make(ac_actor_t *self, const pr_msg_create_t *create)
{
    /* The token that the script is going to make. */
    char token[sizeof self->token];
    (void) snprintf(token, sizeof token, "%lld:1:%s", (long long) self->env->generation,
                    self->env->incarnation);
    ac_creation_t creation = s_creation(self, create);
    self->poll = ac_poll_new_created(&creation, &self->env->rules);
    pr_buf_t *body = pr_buf_new(1024);
    if (self->poll && body && ac_poll_first_rev(self->poll, pr_str(token), &self->to) == 0) {
        ac_poll_write_stored(self->poll, &self->to, body);
        if (!pr_buf_failed(body)) {
            return body;
        }
    }
    pr_buf_destroy(&body);
    return NULL;
}

AC_CELL(create_new)
{
    const pr_msg_create_t *create = &input->event->create;
    bool is_past = create->ends_at <= self->env->wall_ms;
    pr_buf_t *body = is_past ? NULL : s_make(self, create);
    if (!body) {
        ac_call_t call = {.gateway = input->gateway, .req = create->req};
        ac_actor_reply(self, &call, is_past ? PR_E_BAD_REQUEST : PR_E_BUSY, "none");
        return AC_STATE_FREE;
    }
    (void) ac_cell_queue(self, input);
    ac_actor_submit(self, AC_SCRIPT_CREATE, AC_AIM_OPEN, body);
    return AC_STATE_CREATING;
}

AC_CELL(load_new)
{
    (void) input;
    ac_actor_submit(self, AC_SCRIPT_CLAIM, AC_AIM_OPEN, NULL);
    return AC_STATE_LOADING;
}

AC_CELL(claim_it)
{
    (void) input;
    ac_actor_forget(self);
    ac_actor_submit(self, AC_SCRIPT_CLAIM, AC_AIM_OPEN, NULL);
    return self->state;
}

/* The first roster, for a claim that was refused without one. */
AC_CELL(ask_again)
{
    (void) input;
    const ac_env_t *env = self->env;
    if (!self->request.submitted && env->ops->is_ours &&
        !env->ops->is_ours(env->arg, ac_actor_id(self))) {
        s_send_on(self, NULL);
        return AC_STATE_FREE;
    }
    if (!self->request.submitted) {
        ac_actor_submit(self, AC_SCRIPT_CLAIM, AC_AIM_OPEN, NULL);
    }
    return self->state;
}

bool
ac_actor_build_document(ac_actor_t *self)
{
    pr_buf_t *public = pr_buf_new(1024);
    const msgpack_object *map = NULL;
    bool built = false;
    pr_document_destroy(&self->document);
    if (public) {
        ac_poll_write_public(self->poll, self->to, public);
        built = !pr_buf_failed(public) &&
                pr_value_unpack(pr_buf_str(public), self->env->memory, &map) == 0 &&
                pr_document_from_msgpack(map, &self->document) == 0;
    }
    pr_buf_destroy(&public);
    return built;
}

static bool
s_watch_listed(ac_actor_t *self)
{
    size_t count = PR_FAULT("actor.forget_grace") ? 0 : ac_poll_participant_count(self->poll);
    for (size_t i = 0; i < count; i++) {
        pr_str_t user = ac_poll_participant_at(self->poll, i);
        if (ac_presence_listed(self->presence, user, self->env->now_ms) != 0) {
            return false;
        }
    }
    ac_presence_recheck(self->presence);
    return true;
}

/* The core is there, its rev in `to`: serve whoever came in the meantime. */
static ac_state_t
s_serve(ac_actor_t *self)
{
    self->saved = self->to;
    self->confirmed_ms = self->env->now_ms;
    if (self->env->wall_ms >= ac_poll_ends_at(self->poll)) {
        return ac_cell_expired(self, NULL);
    }
    if (!ac_actor_build_document(self) || !s_watch_listed(self)) {
        return ac_cell_shut(self, NULL);
    }
    ac_actor_catch_up_all(self);
    ac_actor_answer_all_waiting(self);
    return AC_STATE_READY;
}

AC_CELL(loaded)
{
    ac_actor_forget(self);
    int rc = ac_actor_take_token(self, input->answer->text)
                 ? ac_poll_from_json(input->answer->document, ac_actor_id(self), &self->env->rules,
                                     &self->poll)
                 : PR_E_MALFORMED;
    if (rc != 0) {
        pr_log_error("actor.load", "poll=%s error=%s", self->id, pr_error_name(rc));
        return ac_cell_shut(self, input);
    }
    self->to = ac_poll_loaded_rev(self->poll);
    self->env->counters.polls_loaded++;
    return s_serve(self);
}

AC_CELL(created)
{
    if (self->request.script == AC_SCRIPT_CLAIM) {
        return ac_cell_loaded(self, input);
    }
    if (!ac_actor_take_token(self, input->answer->text)) {
        return ac_cell_shut(self, input);
    }
    self->env->counters.polls_created++;
    self->last_write_ms = self->env->now_ms;
    return s_serve(self);
}

/* --- going --- */

void
ac_actor_forget(ac_actor_t *self)
{
    ac_poll_destroy(&self->poll);
    pr_document_destroy(&self->document);
    if (self->batch) {
        ac_batch_clear(self->batch);
    }
    self->saved = self->to = (pr_rev_t) {0};
    self->is_doubted = self->has_to_ask = false;
}

AC_CELL(taken)
{
    (void) input;
    ac_actor_refuse_calls(self, PR_E_TAKEN);
    return AC_STATE_FREE;
}

/* REFUSED to all conns of the gateway that wait; they are none any more. May drop the gateway. */
static void
s_refuse_waiting(ac_actor_t *self, uint32_t gateway, int code)
{
    ac_conn_t *conn = ac_presence_waiting(self->presence, gateway);
    while (conn) {
        ac_conn_t *next = conn->waiting_next;
        ac_actor_refuse_conn(self, gateway, pr_str(conn->id), code);
        ac_presence_disconnect(self->presence, gateway, pr_str(conn->id), AC_WHY_LEAVE,
                               self->env->now_ms);
        conn = next;
    }
}

/* A poll that somebody ended before its time was cancelled. */
static pr_event_t
s_ended(const ac_actor_t *self, bool is_cancelled)
{
    pr_event_t event = pr_event(PR_MSG_POLL_ENDED, ac_actor_id(self));
    event.poll_ended.why = is_cancelled ? PR_STR("cancelled") : PR_STR("expired");
    return event;
}

/* Whoever announced its sockets again knows the poll and is told of its end; the others hear that
 * there is no such poll. */
AC_CELL(not_found)
{
    bool is_cancelled = input->answer && input->answer->kind == AC_ANSWER_NODOC_ENDED;
    pr_event_t ended = s_ended(self, is_cancelled);
    self->env->counters.polls_not_found++;
    ac_actor_refuse_calls(self, PR_E_NOT_FOUND);
    for (size_t i = ac_presence_gateway_count(self->presence); i-- > 0;) {
        uint32_t gateway = ac_presence_gateway_at(self->presence, i);
        if (ac_presence_was_synced(self->presence, gateway)) {
            ac_actor_tell(self, gateway, &ended);
        } else {
            s_refuse_waiting(self, gateway, PR_E_NOT_FOUND);
        }
    }
    return AC_STATE_FREE;
}

/* The end: no newcomers, and the script that takes the document away. */
static ac_state_t
s_end(ac_actor_t *self)
{
    for (size_t i = ac_presence_gateway_count(self->presence); i-- > 0;) {
        uint32_t gateway = ac_presence_gateway_at(self->presence, i);
        if (!ac_presence_was_synced(self->presence, gateway)) {
            s_refuse_waiting(self, gateway, PR_E_NOT_FOUND);
        }
    }
    ac_actor_submit(self, AC_SCRIPT_FINISH, AC_AIM_END, NULL);
    return AC_STATE_ENDING;
}

AC_CELL(expired)
{
    (void) input;
    ac_actor_refuse_calls(self, PR_E_NOT_FOUND);
    return s_end(self);
}

/* Its command waits in `decided` until the store has done it. */
AC_CELL(cancelled)
{
    (void) input;
    ac_actor_refuse_waiting_calls(self, PR_E_NOT_FOUND);
    return s_end(self);
}

AC_CELL(gone)
{
    (void) input;
    bool is_cancelled = self->env->wall_ms < ac_poll_ends_at(self->poll);
    self->env->counters.polls_ended++;
    pr_log_info("actor.ended", "poll=%s why=%s", self->id, is_cancelled ? "cancelled" : "expired");
    if (ac_poll_is_cancelled(self->poll)) {
        ac_actor_answer_decided(self);
    }
    ac_actor_refuse_calls(self, PR_E_NOT_FOUND);
    pr_event_t event = s_ended(self, is_cancelled);
    ac_actor_tell_all(self, &event);
    pr_buf_clear(self->env->scratch);
    pr_event_pack(&event, self->env->scratch);
    self->env->ops->publish(self->env->arg, ac_actor_id(self), pr_buf_str(self->env->scratch));
    return AC_STATE_FREE;
}

/* The generation in an owner record, or ours. */
static int64_t
s_record_generation(const ac_actor_t *self, const ac_answer_t *answer)
{
    int64_t generation = 0;
    size_t i = 0;
    pr_str_t text = answer ? answer->text : PR_STR_NONE;
    while (i < text.len && i < 16 && text.ptr[i] >= '0' && text.ptr[i] <= '9') {
        generation = generation * 10 + (text.ptr[i++] - '0');
    }
    return generation > self->env->generation ? generation : self->env->generation;
}

/* Sends everybody to the owner that a newer roster names. */
static void
s_send_on(ac_actor_t *self, const ac_answer_t *answer)
{
    self->moved_to = s_record_generation(self, answer);
    if (self->moved_to > self->env->generation_seen) {
        self->env->generation_seen = self->moved_to;
    }
    ac_actor_refuse_calls(self, PR_E_MOVED);
    pr_event_t event = pr_event(PR_MSG_MOVED, ac_actor_id(self));
    event.moved.generation = self->moved_to;
    ac_actor_tell_all(self, &event);
}

AC_CELL(moved)
{
    if (self->env->generation == 0) {
        /* We have not seen any roster yet: ours may be the newest. */
        return self->state;
    }
    s_send_on(self, input->answer);
    return AC_STATE_FREE;
}

/* Our roster says that the poll is ours, and who took it has no newer one: a stray event made
 * another process load it. Then it may be taken back. */
static bool
s_is_stray(const ac_actor_t *self, const ac_answer_t *answer)
{
    const ac_env_t *env = self->env;
    return s_record_generation(self, answer) == env->generation && env->ops->is_ours &&
           env->ops->is_ours(env->arg, ac_actor_id(self));
}

AC_CELL(give_in)
{
    bool is_stray = s_is_stray(self, input->answer);
    int64_t since_ms = self->env->now_ms - self->taken_back_ms;
    if (is_stray && (self->taken_back_ms == 0 || since_ms >= PR_ACTOR_TAKE_BACK_MS)) {
        self->taken_back_ms = self->env->now_ms;
        return ac_cell_reload(self, input);
    }
    self->env->counters.polls_lost++;
    pr_log_warn("actor.lost", "poll=%s", self->id);
    s_send_on(self, input->answer);
    ac_actor_forget(self);
    if (is_stray) {
        /* Not for ever to and fro: gateways come again in a while, and no newer roster need
         * come. */
        return AC_STATE_FREE;
    }
    self->lost_generation = self->env->generation;
    ac_presence_t *empty = ac_presence_new(&self->env->grace);
    if (!empty) {
        return AC_STATE_FREE;
    }
    ac_presence_destroy(&self->presence);
    self->presence = empty;
    return AC_STATE_LOST;
}

AC_CELL(shut)
{
    (void) input;
    self->env->counters.polls_quarantined++;
    pr_log_error("actor.quarantined", "poll=%s state=%s", self->id, ac_state_name(self->state));
    ac_actor_refuse_calls(self, PR_E_UNAVAILABLE);
    for (size_t i = ac_presence_gateway_count(self->presence); i-- > 0;) {
        uint32_t gateway = ac_presence_gateway_at(self->presence, i);
        s_refuse_waiting(self, gateway, PR_E_UNAVAILABLE);
    }
    ac_actor_forget(self);
    return AC_STATE_QUARANTINED;
}
