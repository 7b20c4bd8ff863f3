/* SPDX-License-Identifier: MIT */

/* What gateways say: who is there, how far their feeds are, that there is room again. */

#include "actors/actor_body.h"
#include "proto/wire/error.h"

/* Forgets a gateway that nothing holds here any more. */
static void
s_prune(ac_actor_t *self, uint32_t gateway)
{
    const ac_receiver_t *receiver = ac_receivers_get(self->receivers, gateway);
    if (receiver && !receiver->first && !receiver->syncing && !receiver->wants &&
        !ac_presence_has_gateway(self->presence, gateway)) {
        ac_receivers_drop(self->receivers, gateway);
    }
}

void
ac_actor_dismiss(ac_actor_t *self, ac_user_t *user)
{
    ac_presence_dismiss(self->presence, user);
    for (size_t i = ac_receivers_count(self->receivers); i-- > 0;) {
        s_prune(self, ac_receivers_at(self->receivers, i)->gateway);
    }
}

/* --- cells --- */

/* Whether there is a document that may be shown. */
static bool
s_serves(const ac_actor_t *self)
{
    return !self->is_doubted && (self->state == AC_STATE_READY || self->state == AC_STATE_SAVING ||
                                 self->state == AC_STATE_UNSURE);
}

/*
 * The gateway's feed is at `rev` (absent: it has none). It is sent a document if it needs one: one
 * that is known gets all updates in order, whatever it said before it had them.
 *
 * Our document may not be the newest: a rev that we have not come to yet was given by somebody who
 * had the poll while we were not looking, and while our claim is not as new as our roster (or the
 * roster names another) that is possible all the same. Then a gateway with another document is
 * shown ours only when the store has said that it counts.
 */
static void
s_heard_rev(ac_actor_t *self, ac_receiver_t *receiver, pr_str_t rev)
{
    if (!pr_rev_parse(rev, &receiver->rev)) {
        receiver->rev = (pr_rev_t) {0};
    }
    bool is_ours = receiver->known || pr_rev_equal(receiver->rev, self->saved);
    if (s_serves(self) && !is_ours &&
        (receiver->rev.version >= self->saved.version || !ac_actor_is_sure(self))) {
        self->is_doubted = true;
    }
    if (s_serves(self)) {
        ac_actor_catch_up(self, receiver);
    }
}

AC_CELL(connect)
{
    const pr_msg_connect_t *connect = &input->event->connect;
    ac_conn_t *conn = NULL;
    int rc = ac_presence_connect(self->presence, input->gateway, connect->conn, connect->user,
                                 connect->name, &conn);
    ac_receiver_t *receiver = ac_receivers_need(self->receivers, input->gateway);
    if (rc != 0 || !receiver) {
        ac_presence_disconnect(self->presence, input->gateway, connect->conn, AC_WHY_LEAVE,
                               self->env->now_ms);
        ac_actor_refuse_conn(self, input->gateway, connect->conn,
                             rc == PR_E_FULL ? PR_E_FULL : PR_E_BUSY);
        s_prune(self, input->gateway);
        return self->state;
    }
    s_heard_rev(self, receiver, connect->rev);
    if (s_serves(self)) {
        ac_actor_answer_conn(self, receiver, conn);
    }
    return self->state;
}

static ac_why_t
s_why(pr_str_t text)
{
    if (pr_str_equal(text, PR_STR("leave"))) {
        return AC_WHY_LEAVE;
    }
    return pr_str_equal(text, PR_STR("reload")) ? AC_WHY_RELOAD : AC_WHY_LOST;
}

AC_CELL(drop)
{
    const pr_msg_disconnect_t *disconnect = &input->event->disconnect;
    ac_presence_disconnect(self->presence, input->gateway, disconnect->conn, s_why(disconnect->why),
                           self->env->now_ms);
    s_prune(self, input->gateway);
    return self->state;
}

static void
s_sync_conns(ac_actor_t *self, uint32_t gateway, const msgpack_object *list)
{
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        const msgpack_object *row = list->via.array.ptr[i].via.array.ptr;
        pr_str_t id = pr_object_str(&row[0]);
        ac_conn_t *conn = NULL;
        int rc = ac_presence_connect(self->presence, gateway, id, pr_object_str(&row[1]),
                                     pr_object_str(&row[2]), &conn);
        if (rc != 0) {
            ac_actor_refuse_conn(self, gateway, id, rc == PR_E_FULL ? PR_E_FULL : PR_E_BUSY);
        }
    }
}

AC_CELL(sync)
{
    const pr_msg_sync_t *sync = &input->event->sync;
    uint32_t gateway = input->gateway;
    ac_receiver_t *receiver = ac_receivers_need(self->receivers, gateway);
    if (!receiver) {
        self->env->ops->give_up(self->env->arg, gateway);
        return self->state;
    }
    if (!receiver->syncing) {
        receiver->syncing = true;
        receiver->known = false;
        ac_presence_sync_begin(self->presence, gateway);
    }
    s_sync_conns(self, gateway, sync->conns.object);
    if (sync->last == 0) {
        return self->state;
    }
    receiver = ac_receivers_get(self->receivers, gateway);
    receiver->syncing = false;
    ac_presence_sync_end(self->presence, gateway, self->env->now_ms);
    s_heard_rev(self, receiver, sync->rev);
    if (s_serves(self)) {
        /* The poll may have been elsewhere meanwhile, and whoever had it may have written last. */
        self->has_to_ask = true;
        ac_actor_answer_waiting(self, gateway);
    }
    s_prune(self, gateway);
    return self->state;
}

AC_CELL(resync)
{
    ac_receiver_t *receiver = ac_receivers_need(self->receivers, input->gateway);
    if (!receiver) {
        self->env->ops->give_up(self->env->arg, input->gateway);
        return self->state;
    }
    receiver->known = false;
    receiver->wants = true;
    s_heard_rev(self, receiver, input->event->resync.rev);
    if (s_serves(self)) {
        ac_actor_answer_waiting(self, input->gateway);
        s_prune(self, input->gateway);
    }
    return self->state;
}

AC_CELL(peer_gone)
{
    ac_presence_gateway_lost(self->presence, input->gateway, self->env->now_ms);
    ac_receivers_drop(self->receivers, input->gateway);
    ac_mailbox_drop_gateway(self->mailbox, input->gateway);
    ac_mailbox_drop_gateway(self->decided, input->gateway);
    return self->state;
}

AC_CELL(writable)
{
    ac_receiver_t *receiver = ac_receivers_get(self->receivers, input->gateway);
    if (!receiver) {
        return self->state;
    }
    receiver->dirty = false;
    if (s_serves(self)) {
        ac_actor_catch_up(self, receiver);
        ac_actor_answer_waiting(self, input->gateway);
    }
    /* Answers go after the document that shows what they are about. */
    while (!receiver->dirty && receiver->first) {
        if (self->env->ops->send(self->env->arg, input->gateway, ac_receiver_held(receiver)) ==
            PR_E_BUSY) {
            ac_actor_starve(self, receiver);
        } else {
            ac_receiver_unhold(receiver);
        }
    }
    s_prune(self, input->gateway);
    return self->state;
}

AC_CELL(too_late)
{
    ac_actor_refuse_conn(self, input->gateway, input->event->connect.conn, PR_E_NOT_FOUND);
    return self->state;
}

AC_CELL(point_on)
{
    pr_event_t event = pr_event(PR_MSG_MOVED, ac_actor_id(self));
    event.moved.generation = self->moved_to;
    ac_actor_tell(self, input->gateway, &event);
    return self->state;
}

AC_CELL(shut_conn)
{
    const pr_event_t *event = input->event;
    if (event->type == PR_MSG_CONNECT) {
        ac_actor_refuse_conn(self, input->gateway, event->connect.conn, PR_E_UNAVAILABLE);
        return self->state;
    }
    const msgpack_object *list = event->sync.conns.object;
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        pr_str_t conn = pr_object_str(&list->via.array.ptr[i].via.array.ptr[0]);
        ac_actor_refuse_conn(self, input->gateway, conn, PR_E_UNAVAILABLE);
    }
    return self->state;
}
