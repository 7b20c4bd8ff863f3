/* SPDX-License-Identifier: MIT */

/* Requests of gateways: COMMAND, CREATE, READ. Each gets exactly one REPLY. */

#include "actors/actor_body.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

/* The call that an event makes; texts still borrowed. */
static ac_call_t
s_call(const ac_actor_t *self, const ac_input_t *input)
{
    const pr_event_t *event = input->event;
    ac_call_t call = {
        .gateway = input->gateway,
        .deadline_ms = self->env->now_ms + PR_REQUEST_DEADLINE_MS,
        .verb = AC_EVENT_COUNT,
    };
    if (event->type == PR_MSG_COMMAND) {
        call.kind = AC_CALL_COMMAND;
        call.req = event->command.req;
        call.verb = ac_event_from_verb(event->command.verb);
        call.conn = event->command.conn;
        call.user = event->command.user;
        call.id = event->command.id;
    } else if (event->type == PR_MSG_CREATE) {
        call.kind = AC_CALL_CREATE;
        call.req = event->create.req;
        call.nonce = event->create.nonce;
    } else {
        PR_ASSERT(event->type == PR_MSG_READ);
        call.kind = AC_CALL_READ;
        call.req = event->read.req;
        call.user = event->read.user;
    }
    return call;
}

/* A saved ballot goes back to its voter with the answer. */
static pr_buf_t *
s_ballot(const ac_actor_t *self, const ac_call_t *call, int code)
{
    bool voted = code == 0 && call->kind == AC_CALL_COMMAND &&
                 call->verb == AC_EVENT_SUBMIT_RANKINGS && self->poll;
    pr_buf_t *ballot = voted ? pr_buf_new(64) : NULL;
    if (ballot && !ac_poll_pack_ballot(self->poll, call->user, ballot)) {
        pr_buf_destroy(&ballot);
    }
    return ballot;
}

static void
s_reply_with(
    ac_actor_t *self, const ac_call_t *call, int code, const char *outcome, const pr_buf_t *data)
{
    pr_event_t event = pr_event(PR_MSG_REPLY, ac_actor_id(self));
    event.reply.req = call->req;
    event.reply.code = pr_str(pr_error_name(code));
    event.reply.outcome = pr_str(outcome);
    pr_rev_text_t rev = pr_rev_format(self->saved);
    if (code == 0) {
        event.reply.rev = pr_str(rev.text);
    }
    if (data) {
        event.reply.data.raw = pr_buf_str(data);
    }
    pr_buf_t *ballot = s_ballot(self, call, code);
    if (ballot) {
        event.reply.ballot.raw = pr_buf_str(ballot);
    }
    ac_actor_tell(self, call->gateway, &event);
    pr_buf_destroy(&ballot);
}

void
ac_actor_reply(ac_actor_t *self, const ac_call_t *call, int code, const char *outcome)
{
    s_reply_with(self, call, code, outcome, code == call->code ? call->words : NULL);
}

/* Removed for good: the batch that is out may only be about to say so. */
static bool
s_is_removed(const ac_actor_t *self, pr_str_t user)
{
    return ac_poll_has_removed(self->poll, user) && !ac_batch_removes(self->batch, user);
}

void
ac_actor_reply_document(ac_actor_t *self, const ac_call_t *call)
{
    const char *outcome = call->kind == AC_CALL_CREATE ? "saved" : "none";
    const ac_receiver_t *receiver = ac_receivers_get(self->receivers, call->gateway);
    if (call->kind == AC_CALL_READ && receiver && (receiver->dirty || receiver->first)) {
        /* Its window is full: a document would only lie here. */
        ac_actor_reply(self, call, PR_E_BUSY, outcome);
        return;
    }
    pr_buf_t *data = pr_buf_new(1024);
    if (!data) {
        ac_actor_reply(self, call, PR_E_BUSY, outcome);
        return;
    }
    msgpack_packer packer = pr_packer(data);
    msgpack_pack_map(&packer, call->user.ptr ? 2 : 1);
    pr_pack_str(&packer, PR_STR("document"));
    pr_document_write_msgpack(self->document, data);
    if (call->user.ptr) {
        pr_pack_str(&packer, PR_STR("removed"));
        if (s_is_removed(self, call->user)) {
            msgpack_pack_true(&packer);
        } else {
            msgpack_pack_false(&packer);
        }
    }
    if (pr_buf_failed(data)) {
        ac_actor_reply(self, call, PR_E_BUSY, outcome);
    } else {
        s_reply_with(self, call, 0, outcome, data);
    }
    pr_buf_destroy(&data);
}

AC_CELL(read)
{
    ac_call_t call = s_call(self, input);
    ac_actor_reply_document(self, &call);
    return self->state;
}

/* --- the mailbox --- */

/* A conn of too many commands, or a full mailbox. */
static bool
s_is_too_much(ac_actor_t *self, const ac_call_t *call, ac_conn_t *conn)
{
    return (conn && conn->commands >= PR_MAILBOX_PER_CONN_MAX) ||
           ac_mailbox_is_full(self->mailbox, sizeof *call + call->args.len);
}

AC_CELL(queue)
{
    ac_call_t call = s_call(self, input);
    pr_buf_t *args = NULL;
    if (call.kind == AC_CALL_COMMAND && input->event->command.args.object) {
        args = pr_buf_new(256);
        if (args) {
            msgpack_packer packer = pr_packer(args);
            msgpack_pack_object(&packer, *input->event->command.args.object);
            call.args = pr_buf_str(args);
        }
    }
    ac_conn_t *conn = call.kind == AC_CALL_COMMAND
                          ? ac_presence_conn(self->presence, call.gateway, call.conn)
                          : NULL;
    ac_call_t *copy = s_is_too_much(self, &call, conn) ? NULL : ac_call_new(&call);
    if (copy) {
        ac_mailbox_push(self->mailbox, &copy);
        if (conn) {
            conn->commands++;
        }
    } else {
        self->env->counters.calls_refused_busy++;
        ac_actor_reply(self, &call, PR_E_BUSY, "none");
    }
    pr_buf_destroy(&args);
    return self->state;
}

/* Takes the first call out of the mailbox, undecided. */
static ac_call_t *
s_take(ac_actor_t *self)
{
    ac_call_t *call = ac_mailbox_pop(self->mailbox);
    if (call && call->kind == AC_CALL_COMMAND) {
        ac_conn_t *conn = ac_presence_conn(self->presence, call->gateway, call->conn);
        if (conn && conn->commands) {
            conn->commands--;
        }
    }
    return call;
}

AC_CELL(deadline)
{
    (void) input;
    int64_t now_ms = self->env->now_ms;
    while (ac_mailbox_due_ms(self->decided) <= now_ms) {
        ac_call_t *call = ac_mailbox_pop(self->decided);
        self->env->counters.calls_timed_out++;
        ac_actor_reply(self, call, PR_E_UNKNOWN_OUTCOME, "unknown");
        ac_call_destroy(&call);
    }
    while (ac_mailbox_due_ms(self->mailbox) <= now_ms) {
        ac_call_t *call = s_take(self);
        self->env->counters.calls_timed_out++;
        /* Of all that waits only a poll being created may be in the store already. */
        bool is_sent = self->state == AC_STATE_CREATING && call->kind == AC_CALL_CREATE;
        ac_actor_reply(self, call, is_sent ? PR_E_UNKNOWN_OUTCOME : PR_E_UNAVAILABLE,
                       is_sent ? "unknown" : "none");
        ac_call_destroy(&call);
    }
    return self->state;
}

void
ac_actor_refuse_waiting_calls(ac_actor_t *self, int code)
{
    for (ac_call_t *call = s_take(self); call; call = s_take(self)) {
        ac_actor_reply(self, call, code, "none");
        ac_call_destroy(&call);
    }
}

void
ac_actor_refuse_calls(ac_actor_t *self, int code)
{
    for (ac_call_t *call = ac_mailbox_pop(self->decided); call;
         call = ac_mailbox_pop(self->decided)) {
        ac_actor_reply(self, call, call->code == 0 ? code : call->code,
                       call->code == 0 ? "unknown" : "none");
        ac_call_destroy(&call);
    }
    ac_actor_refuse_waiting_calls(self, code);
}

static ac_state_t
s_refuse(ac_actor_t *self, const ac_input_t *input, int code)
{
    ac_call_t call = s_call(self, input);
    ac_actor_reply(self, &call, code, "none");
    return self->state;
}

AC_CELL(no_poll)
{
    return s_refuse(self, input, PR_E_NOT_FOUND);
}

AC_CELL(no_owner)
{
    return s_refuse(self, input, PR_E_MOVED);
}

AC_CELL(shut_call)
{
    return s_refuse(self, input, PR_E_UNAVAILABLE);
}
