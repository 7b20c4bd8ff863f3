/* SPDX-License-Identifier: MIT */

/* What gateways are sent, and in which order. */

#include "actors/actor_body.h"
#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "proto/wire/error.h"

/* --- sending --- */

void
ac_actor_starve(ac_actor_t *self, ac_receiver_t *receiver)
{
    if (!receiver->dirty) {
        receiver->dirty = true;
        receiver->known = false;
        self->env->counters.windows_full++;
    }
    self->env->ops->starved(self->env->arg, receiver->gateway, self);
}

static void
s_hold(ac_actor_t *self, ac_receiver_t *receiver, pr_str_t packed)
{
    if (ac_receiver_hold(receiver, packed) != 0) {
        pr_log_warn("actor.held_too_much", "poll=%s gateway=%u", self->id, receiver->gateway);
        self->env->ops->give_up(self->env->arg, receiver->gateway);
    }
}

/* The event, packed; holds until the next one. */
static pr_str_t
s_pack(ac_actor_t *self, const pr_event_t *event)
{
    pr_buf_clear(self->env->scratch);
    pr_event_pack(event, self->env->scratch);
    return pr_buf_failed(self->env->scratch) ? PR_STR_NONE : pr_buf_str(self->env->scratch);
}

void
ac_actor_tell(ac_actor_t *self, uint32_t gateway, const pr_event_t *event)
{
    pr_str_t packed = s_pack(self, event);
    ac_receiver_t *receiver = ac_receivers_get(self->receivers, gateway);
    if (!packed.ptr) {
        self->env->ops->give_up(self->env->arg, gateway);
        return;
    }
    if (receiver && (receiver->dirty || receiver->first)) {
        s_hold(self, receiver, packed);
        return;
    }
    if (self->env->ops->send(self->env->arg, gateway, packed) != PR_E_BUSY) {
        return;
    }
    receiver = ac_receivers_need(self->receivers, gateway);
    if (!receiver) {
        self->env->ops->give_up(self->env->arg, gateway);
        return;
    }
    ac_actor_starve(self, receiver);
    s_hold(self, receiver, packed);
}

void
ac_actor_tell_all(ac_actor_t *self, const pr_event_t *event)
{
    for (size_t i = 0; i < ac_presence_gateway_count(self->presence); i++) {
        ac_actor_tell(self, ac_presence_gateway_at(self->presence, i), event);
    }
}

void
ac_actor_refuse_conn(ac_actor_t *self, uint32_t gateway, pr_str_t conn, int code)
{
    pr_event_t event = pr_event(PR_MSG_REFUSED, ac_actor_id(self));
    event.refused.conn = conn;
    event.refused.code = pr_str(pr_error_name(code));
    event.refused.text = pr_str(pr_error_text(code));
    ac_actor_tell(self, gateway, &event);
}

void
ac_actor_publish_update(ac_actor_t *self, pr_rev_t from, pr_rev_t to, pr_str_t patch)
{
    pr_rev_text_t from_text = pr_rev_format(from);
    pr_rev_text_t to_text = pr_rev_format(to);
    pr_event_t event = pr_event(PR_MSG_POLL_UPDATED, ac_actor_id(self));
    event.poll_updated.from = pr_str(from_text.text);
    event.poll_updated.to = pr_str(to_text.text);
    event.poll_updated.patch.raw = patch;
    pr_str_t packed = s_pack(self, &event);
    for (size_t i = 0; i < ac_receivers_count(self->receivers); i++) {
        ac_receiver_t *receiver = ac_receivers_at(self->receivers, i);
        if (!receiver->known) {
            continue;
        }
        self->env->counters.updates++;
        if (!packed.ptr ||
            self->env->ops->send(self->env->arg, receiver->gateway, packed) == PR_E_BUSY) {
            ac_actor_starve(self, receiver);
        }
    }
    if (packed.ptr) {
        self->env->ops->publish(self->env->arg, ac_actor_id(self), packed);
    }
}

/* POLL_SNAPSHOT. 0, or what kept it back. */
static int
s_send_snapshot(ac_actor_t *self, uint32_t gateway)
{
    pr_buf_t *document = pr_buf_new(1024);
    if (!document) {
        return PR_E_BUSY;
    }
    pr_document_write_msgpack(self->document, document);
    pr_rev_text_t rev = pr_rev_format(self->saved);
    pr_event_t event = pr_event(PR_MSG_POLL_SNAPSHOT, ac_actor_id(self));
    event.poll_snapshot.rev = pr_str(rev.text);
    event.poll_snapshot.document.raw = pr_buf_str(document);
    pr_str_t packed = pr_buf_failed(document) ? PR_STR_NONE : s_pack(self, &event);
    int rc = packed.ptr ? self->env->ops->send(self->env->arg, gateway, packed) : PR_E_BUSY;
    pr_buf_destroy(&document);
    if (rc == 0) {
        self->env->counters.snapshots++;
    }
    return rc;
}

void
ac_actor_catch_up(ac_actor_t *self, ac_receiver_t *receiver)
{
    bool wants = receiver->wants;
    if (receiver->known || receiver->dirty ||
        (!wants && !ac_presence_has_gateway(self->presence, receiver->gateway))) {
        return;
    }
    receiver->wants = false;
    bool is_equal = pr_rev_equal(receiver->rev, self->saved) ||
                    (receiver->rev.version > 0 && PR_FAULT("update.any_rev"));
    if (!wants && is_equal) {
        receiver->known = true;
    } else if (s_send_snapshot(self, receiver->gateway) == PR_E_BUSY) {
        ac_actor_starve(self, receiver);
    } else {
        receiver->known = true;
    }
}

void
ac_actor_catch_up_all(ac_actor_t *self)
{
    for (size_t i = 0; i < ac_receivers_count(self->receivers); i++) {
        ac_actor_catch_up(self, ac_receivers_at(self->receivers, i));
    }
}

/* The user's ballot as it is saved; NULL if there is none, or a newer one is in the batch that is
 * out: the conn hears of that when it is saved. */
static pr_buf_t *
s_saved_ballot(const ac_actor_t *self, pr_str_t user)
{
    bool is_out = ac_batch_votes(self->batch, user);
    pr_buf_t *ballot =
        is_out || !pr_document_has_voted(self->document, user) ? NULL : pr_buf_new(64);
    if (ballot && !ac_poll_pack_ballot(self->poll, user, ballot)) {
        pr_buf_destroy(&ballot);
    }
    return ballot;
}

/* Its texts are borrowed, that of `rev` too. */
static pr_event_t
s_connected(const ac_actor_t *self,
            const ac_conn_t *conn,
            const pr_rev_text_t *rev,
            const pr_buf_t *ballot)
{
    pr_event_t event = pr_event(PR_MSG_CONNECTED, ac_actor_id(self));
    event.connected.conn = pr_str(conn->id);
    event.connected.rev = pr_str(rev->text);
    if (ballot) {
        event.connected.ballot.raw = pr_buf_str(ballot);
    }
    return event;
}

void
ac_actor_answer_conn(ac_actor_t *self, ac_receiver_t *receiver, ac_conn_t *conn)
{
    pr_str_t user = pr_str(conn->user->id);
    bool is_in = pr_document_lists(self->document, user) && !ac_batch_removes(self->batch, user);
    if (!receiver->known || !(is_in || PR_FAULT("actor.answer_unlisted"))) {
        return;
    }
    pr_buf_t *ballot = s_saved_ballot(self, user);
    pr_rev_text_t rev = pr_rev_format(self->saved);
    pr_event_t event = s_connected(self, conn, &rev, ballot);
    pr_str_t packed = s_pack(self, &event);
    pr_buf_destroy(&ballot);
    if (!packed.ptr ||
        self->env->ops->send(self->env->arg, receiver->gateway, packed) == PR_E_BUSY) {
        ac_actor_starve(self, receiver);
        return;
    }
    ac_presence_answered(self->presence, conn);
}

/* A conn that waits hears of it with its first CONNECTED. */
static void
s_tell_voter(ac_actor_t *self, pr_str_t voter)
{
    const ac_user_t *user = ac_presence_user(self->presence, voter);
    pr_buf_t *ballot = user && user->conns ? pr_buf_new(64) : NULL;
    pr_rev_text_t rev = pr_rev_format(self->saved);
    if (ballot && ac_poll_pack_ballot(self->poll, voter, ballot)) {
        for (const ac_conn_t *conn = user->conns; conn; conn = conn->user_next) {
            if (!conn->waiting) {
                pr_event_t event = s_connected(self, conn, &rev, ballot);
                ac_actor_tell(self, conn->gateway, &event);
            }
        }
    }
    pr_buf_destroy(&ballot);
}

void
ac_actor_tell_voters(ac_actor_t *self)
{
    for (size_t i = 0; i < ac_batch_voter_count(self->batch); i++) {
        s_tell_voter(self, ac_batch_voter_at(self->batch, i));
    }
}

static void
s_kick(ac_actor_t *self, const ac_conn_t *conn)
{
    ac_receiver_t *receiver = ac_receivers_get(self->receivers, conn->gateway);
    if (receiver && receiver->dirty) {
        /* The document without it goes first, though it may have been the last conn there. */
        receiver->wants = true;
    }
    pr_buf_t *conns = pr_buf_new(32);
    if (!conns) {
        self->env->ops->give_up(self->env->arg, conn->gateway);
        return;
    }
    msgpack_packer packer = pr_packer(conns);
    (void) msgpack_pack_array(&packer, 1);
    pr_pack_str(&packer, pr_str(conn->id));
    pr_event_t event = pr_event(PR_MSG_KICK, ac_actor_id(self));
    event.kick.conns.raw = pr_buf_str(conns);
    event.kick.code = pr_str(pr_error_name(PR_E_REMOVED));
    ac_actor_tell(self, conn->gateway, &event);
    pr_buf_destroy(&conns);
}

void
ac_actor_kick_removed(ac_actor_t *self)
{
    for (size_t i = 0; i < ac_batch_removed_count(self->batch); i++) {
        ac_user_t *user = ac_presence_user(self->presence, ac_batch_removed_at(self->batch, i));
        for (const ac_conn_t *conn = user ? user->conns : NULL; conn; conn = conn->user_next) {
            s_kick(self, conn);
        }
        if (user) {
            ac_actor_dismiss(self, user);
        }
    }
}

void
ac_actor_answer_waiting(ac_actor_t *self, uint32_t gateway)
{
    ac_receiver_t *receiver = ac_receivers_get(self->receivers, gateway);
    ac_conn_t *conn = ac_presence_waiting(self->presence, gateway);
    while (receiver && receiver->known && conn) {
        ac_conn_t *next = conn->waiting_next;
        ac_actor_answer_conn(self, receiver, conn);
        conn = next;
    }
}

void
ac_actor_answer_all_waiting(ac_actor_t *self)
{
    for (size_t i = 0; i < ac_presence_gateway_count(self->presence); i++) {
        ac_actor_answer_waiting(self, ac_presence_gateway_at(self->presence, i));
    }
}

void
ac_actor_last_words(ac_actor_t *self)
{
    for (size_t i = 0; i < ac_receivers_count(self->receivers); i++) {
        ac_receiver_t *receiver = ac_receivers_at(self->receivers, i);
        while (receiver->first) {
            self->env->ops->send_last(self->env->arg, receiver->gateway,
                                      ac_receiver_held(receiver));
            ac_receiver_unhold(receiver);
        }
    }
}
