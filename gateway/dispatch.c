/* SPDX-License-Identifier: MIT */

/* What the actor of a poll says, handed to the room's feed and conns. */

#include "gateway/conn.h"
#include "gateway/rooms_private.h"
#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "proto/wire/json.h"

static void
s_update_conn(gw_conn_t *conn, const void *arg)
{
    bool *has_stale = (bool *) (uintptr_t) arg;
    gw_conn_updated(conn);
    *has_stale |= gw_conn_state(conn) == GW_CONN_STALE;
}

/* The feed has another document: conns that were cut off from their actor are live again. */
static void
s_revive(gw_room_t *self)
{
    if (self->has_stale) {
        bool has_stale = false;
        gw_room_each_conn(self, s_update_conn, &has_stale);
        self->has_stale = has_stale;
    }
}

static void
s_ask_snapshot(gw_room_t *self)
{
    if (self->resyncing) {
        return;
    }
    self->resyncing = true;
    self->rooms->stats->resyncs++;
    pr_log_info("feed.resync", "poll=%.*s", PR_STR_ARG(gw_room_poll(self)));
    pr_event_t event = pr_event(PR_MSG_RESYNC, gw_room_poll(self));
    pr_rev_text_t rev = pr_rev_format(gw_feed_rev(self->feed));
    if (gw_feed_rev(self->feed).version > 0) {
        event.resync.rev = pr_str(rev.text);
    }
    gw_room_send(self, &event);
}

static void
s_on_snapshot(gw_room_t *self, const pr_msg_poll_snapshot_t *message)
{
    pr_rev_t rev;
    int error = PR_E_MALFORMED;
    if (pr_rev_parse(message->rev, &rev)) {
        error = gw_feed_replace(self->feed, rev, message->document.object);
    }
    if (error != 0) {
        pr_log_error("feed.bad_snapshot", "poll=%.*s error=%s", PR_STR_ARG(gw_room_poll(self)),
                     pr_error_name(error));
        self->unsynced = true;
        gw_rooms_retry_later(self->rooms);
        return;
    }
    self->rooms->stats->snapshots++;
    self->resyncing = false;
    s_revive(self);
}

static void
s_on_updated(gw_room_t *self, const pr_msg_poll_updated_t *message)
{
    pr_rev_t from;
    pr_rev_t to;
    if (self->resyncing) {
        return;
    }
    self->rooms->stats->updates++;
    if (!pr_rev_parse(message->from, &from) || !pr_rev_parse(message->to, &to) ||
        gw_feed_update(self->feed, from, to, message->patch.object) != 0) {
        s_ask_snapshot(self);
        return;
    }
    s_revive(self);
}

/* The conn of that name, if it is in that room. */
static gw_conn_t *
s_conn(const gw_room_t *room, pr_str_t id)
{
    gw_conn_t *conn = gw_ids_find(room->rooms->ids, id);
    if (conn && pr_str_equal(gw_conn_poll(conn), gw_room_poll(room))) {
        return conn;
    }
    room->rooms->stats->strangers++;
    return NULL;
}

static void
s_on_connected(gw_room_t *self, const pr_msg_connected_t *message)
{
    gw_conn_t *conn = s_conn(self, message->conn);
    if (!conn) {
        return;
    }
    pr_buf_t *scratch = self->rooms->scratch;
    pr_str_t ballot = PR_STR_NONE;
    if (message->ballot.object && message->ballot.object->type == MSGPACK_OBJECT_ARRAY) {
        pr_buf_clear(scratch);
        pr_object_write_json(message->ballot.object, scratch);
        ballot = pr_buf_failed(scratch) ? PR_STR_NONE : pr_buf_str(scratch);
    }
    if (!gw_feed_may_show(gw_conn_member(conn))) {
        /* The document that lists it should have come before: the actor takes us for ahead. */
        s_ask_snapshot(self);
    }
    gw_conn_connected(conn, ballot);
}

static void
s_on_refused(gw_room_t *self, const pr_msg_refused_t *message)
{
    gw_conn_t *conn = s_conn(self, message->conn);
    if (conn) {
        int code = pr_error_from_name(message->code);
        gw_conn_refused(conn, code, message->text);
    }
}

static void
s_on_kick(gw_room_t *self, const pr_msg_kick_t *message)
{
    const msgpack_object *list = message->conns.object;
    if (!list || list->type != MSGPACK_OBJECT_ARRAY) {
        return;
    }
    int code = pr_error_from_name(message->code);
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        gw_conn_t *conn = s_conn(self, pr_object_str(&list->via.array.ptr[i]));
        if (conn) {
            gw_conn_kicked(conn, code);
        }
    }
}

static void
s_end_conn(gw_conn_t *conn, const void *arg)
{
    const gw_ending_t *ending = arg;
    gw_conn_ended(conn, *ending);
}

static void
s_on_ended(gw_room_t *self, const pr_msg_poll_ended_t *message)
{
    gw_ending_t ending =
        pr_str_equal(message->why, PR_STR("cancelled")) ? GW_ENDING_CANCELLED : GW_ENDING_EXPIRED;
    gw_room_each_conn(self, s_end_conn, &ending);
}

static void
s_on_moved(gw_room_t *self, const pr_msg_moved_t *message)
{
    pr_log_info("poll.moved", "poll=%.*s generation=%lld ours=%lld", PR_STR_ARG(gw_room_poll(self)),
                (long long) message->generation,
                (long long) gw_hosts_generation(self->rooms->hosts));
    gw_room_reset(self);
    /* The roster that says where it is may still be on its way. */
    self->unsynced = true;
    gw_rooms_retry_later(self->rooms);
}

void
gw_room_dispatch(gw_room_t *room, const pr_event_t *event)
{
    switch ((int) event->type) {
    case PR_MSG_POLL_SNAPSHOT:
        s_on_snapshot(room, &event->poll_snapshot);
        break;
    case PR_MSG_POLL_UPDATED:
        s_on_updated(room, &event->poll_updated);
        break;
    case PR_MSG_CONNECTED:
        s_on_connected(room, &event->connected);
        break;
    case PR_MSG_REFUSED:
        s_on_refused(room, &event->refused);
        break;
    case PR_MSG_KICK:
        s_on_kick(room, &event->kick);
        break;
    case PR_MSG_POLL_ENDED:
        s_on_ended(room, &event->poll_ended);
        break;
    case PR_MSG_MOVED:
        s_on_moved(room, &event->moved);
        break;
    default:
        room->rooms->stats->strangers++;
    }
}
