/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <stdlib.h>

#include <uv.h>

#include "gateway/conn.h"
#include "gateway/rooms_private.h"
#include "gateway/sync.h"
#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

/* --- rooms --- */

pr_str_t
gw_room_poll(const gw_room_t *self)
{
    return (pr_str_t) {self->poll, sizeof self->poll};
}

static void
s_free_room(gw_room_t *self)
{
    gw_rooms_t *rooms = self->rooms;
    (void) pr_map_remove(rooms->map, gw_room_poll(self));
    gw_feed_destroy(&self->feed);
    rooms->stats->rooms--;
    free(self);
}

/* A room goes with its last conn, once its actor knows that. */
static void
s_free_if_empty(gw_room_t *self)
{
    if (self->held == 0 && !self->unsynced && gw_feed_count(self->feed) == 0) {
        s_free_room(self);
    }
}

static gw_room_t *
s_new_room(gw_rooms_t *rooms, pr_str_t poll)
{
    PR_ASSERT(poll.len == PR_POLL_ID_LEN);
    gw_room_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->rooms = rooms;
    memcpy(self->poll, poll.ptr, poll.len);
    self->feed = gw_feed_new(&rooms->feeds);
    if (!self->feed || pr_map_set(rooms->map, poll, self) != 0) {
        gw_feed_destroy(&self->feed);
        free(self);
        return NULL;
    }
    self->slot = gw_hosts_slot_of(rooms->hosts, poll);
    rooms->stats->rooms++;
    return self;
}

/* Calls `visit` for each conn; any of them may go meanwhile. */
void
gw_room_each_conn(gw_room_t *self, void (*visit)(gw_conn_t *conn, const void *arg), const void *arg)
{
    self->held++;
    for (size_t i = gw_feed_count(self->feed); i-- > 0;) {
        visit(gw_conn_of(gw_feed_at(self->feed, i)), arg);
    }
    self->held--;
}

/* --- telling the actor --- */

void
gw_rooms_retry_later(gw_rooms_t *self)
{
    if (!pr_timer_is_armed(&self->retry)) {
        pr_loop_arm(self->loop, &self->retry, PR_ROOM_RETRY_MS);
    }
}

void
gw_room_send(gw_room_t *self, const pr_event_t *event)
{
    int error = gw_hosts_send(self->rooms->hosts, event);
    /* Not reached: the SYNC that opens the next session says it. */
    if (error != 0 && error != PR_E_UNREACHABLE) {
        self->unsynced = true;
        gw_rooms_retry_later(self->rooms);
    }
}

static void
s_sync(gw_room_t *self)
{
    gw_rooms_t *rooms = self->rooms;
    int error = gw_sync_send(rooms->hosts, gw_room_poll(self), self->feed);
    self->unsynced = error != 0 && error != PR_E_UNREACHABLE;
    self->resyncing = false;
    rooms->stats->syncs++;
    if (self->unsynced) {
        rooms->stats->sync_busy++;
        gw_rooms_retry_later(rooms);
    } else {
        gw_hosts_told(rooms->hosts);
    }
    s_free_if_empty(self);
}

static void
s_reset_conn(gw_conn_t *conn, const void *arg)
{
    (void) arg;
    gw_conn_reset(conn);
}

/* The actor knows nothing of us any more. */
void
gw_room_reset(gw_room_t *self)
{
    self->resyncing = false;
    self->has_stale = true;
    gw_room_each_conn(self, s_reset_conn, NULL);
}

static void
s_sync_unsynced(gw_rooms_t *self, int slot)
{
    for (size_t i = pr_map_count(self->map); i-- > 0;) {
        gw_room_t *room = pr_map_value_at(self->map, i);
        if (room->unsynced && (slot < 0 || room->slot == slot)) {
            s_sync(room);
        }
    }
}

static void
s_retry(pr_timer_t *timer)
{
    gw_rooms_t *self = (gw_rooms_t *) ((char *) timer - offsetof(gw_rooms_t, retry));
    s_sync_unsynced(self, -1);
}

/* --- what the hosts say --- */

static void
s_opened(void *arg, int slot)
{
    gw_rooms_t *self = arg;
    for (size_t i = pr_map_count(self->map); i-- > 0;) {
        gw_room_t *room = pr_map_value_at(self->map, i);
        if (room->slot == slot) {
            s_sync(room);
        }
    }
}

static void
s_lost(void *arg, int slot)
{
    gw_rooms_t *self = arg;
    for (size_t i = pr_map_count(self->map); i-- > 0;) {
        gw_room_t *room = pr_map_value_at(self->map, i);
        if (room->slot == slot) {
            room->unsynced = false;
            gw_room_reset(room);
            s_free_if_empty(room);
        }
    }
}

static void
s_moved(void *arg)
{
    gw_rooms_t *self = arg;
    for (size_t i = pr_map_count(self->map); i-- > 0;) {
        gw_room_t *room = pr_map_value_at(self->map, i);
        int slot = gw_hosts_slot_of(self->hosts, gw_room_poll(room));
        if (slot != room->slot) {
            room->slot = slot;
            gw_room_reset(room);
            room->unsynced = true;
        }
        if (room->unsynced) {
            s_sync(room);
        }
    }
}

static void
s_writable(void *arg, int slot)
{
    s_sync_unsynced(arg, slot);
}

static void
s_event(void *arg, int slot, const pr_event_t *event)
{
    gw_rooms_t *self = arg;
    if (event->type == PR_MSG_EVENT_REFUSED) {
        self->stats->events_refused++;
        pr_log_warn("actors.refused", "slot=%d type=%s code=%.*s", slot,
                    pr_message_name(event->event_refused.type),
                    PR_STR_ARG(event->event_refused.code));
        return;
    }
    gw_room_t *room = pr_map_get(self->map, event->poll);
    if (!room || room->slot != slot) {
        /* Nobody is here any more, or it is no longer that one's poll. */
        self->stats->strangers++;
        return;
    }
    room->held++;
    gw_room_dispatch(room, event);
    room->held--;
    s_free_if_empty(room);
}

static bool
s_is_told(void *arg, pr_str_t poll)
{
    const gw_rooms_t *self = arg;
    const gw_room_t *room = pr_map_get(self->map, poll);
    return !room || !room->unsynced;
}

const gw_hosts_ops_t gw_rooms_hosts_ops = {
    .opened = s_opened,
    .lost = s_lost,
    .event = s_event,
    .writable = s_writable,
    .moved = s_moved,
    .is_told = s_is_told,
};

/* --- for conns --- */

int
gw_rooms_enter(gw_rooms_t *self,
               pr_str_t poll,
               gw_conn_t *conn,
               gw_lane_kind_t lane,
               uint64_t *number,
               gw_room_t **room_p)
{
    gw_room_t *room = pr_map_get(self->map, poll);
    if (!room) {
        room = s_new_room(self, poll);
    }
    if (!room) {
        return PR_E_NOMEM;
    }
    int error = gw_ids_add(self->ids, conn, number);
    if (error == 0) {
        error = gw_feed_add(room->feed, gw_conn_member(conn), lane);
        if (error != 0) {
            gw_ids_remove(self->ids, *number);
        }
    }
    if (error != 0) {
        s_free_if_empty(room);
        return error;
    }
    *room_p = room;
    gw_id_text_t id = gw_conn_id(conn);
    pr_rev_text_t rev = pr_rev_format(gw_feed_rev(room->feed));
    pr_event_t event = pr_event(PR_MSG_CONNECT, gw_room_poll(room));
    event.connect.conn = pr_str(id.text);
    event.connect.user = gw_conn_user(conn);
    event.connect.name = gw_conn_name(conn);
    if (gw_feed_rev(room->feed).version > 0) {
        event.connect.rev = pr_str(rev.text);
    }
    gw_room_send(room, &event);
    return 0;
}

void
gw_room_leave(gw_room_t *self, gw_conn_t *conn, uint64_t number, const char *why)
{
    gw_feed_remove(gw_conn_member(conn));
    if (why) {
        gw_id_text_t id = gw_ids_text(number);
        pr_event_t event = pr_event(PR_MSG_DISCONNECT, gw_room_poll(self));
        event.disconnect.conn = pr_str(id.text);
        event.disconnect.why = pr_str(why);
        gw_room_send(self, &event);
    }
    gw_ids_remove(self->rooms->ids, number);
    s_free_if_empty(self);
}

/* --- life --- */

static void
s_wake(uv_timer_t *timer)
{
    (void) timer; /* the loop has turned: that is all */
}

static bool
s_turn(void *arg)
{
    gw_rooms_t *self = arg;
    int64_t wait_ms = gw_feeds_flush(&self->feeds, pr_loop_now_ms(self->loop));
    if (wait_ms >= 0) {
        (void) uv_timer_start(self->wake, s_wake, wait_ms > 0 ? (uint64_t) wait_ms : 1, 0);
    }
    return false;
}

static void
s_free_timer(uv_handle_t *handle)
{
    free(handle);
}

static bool
s_init(gw_rooms_t *self, const gw_rooms_settings_t *settings)
{
    self->map = pr_map_new(NULL);
    self->ids = gw_ids_new();
    self->scratch = pr_buf_new(256);
    self->feeds.stats = settings->stats;
    self->feeds.pace = gw_pace_new(settings->pace_bytes_per_s, pr_loop_now_ms(settings->loop));
    self->wake = calloc(1, sizeof *self->wake);
    if (!self->map || !self->ids || !self->scratch || !self->feeds.pace || !self->wake) {
        free(self->wake);
        self->wake = NULL;
        return false;
    }
    (void) uv_timer_init(pr_loop_uv(settings->loop), self->wake);
    pr_loop_on_turn(settings->loop, PR_TURN_WRITE, s_turn, self);
    return true;
}

gw_rooms_t *
gw_rooms_new(const gw_rooms_settings_t *settings)
{
    gw_rooms_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = settings->loop;
    self->stats = settings->stats;
    self->commands_per_s = settings->commands_per_s;
    self->retry.fire = s_retry;
    (void) snprintf(self->incarnation, sizeof self->incarnation, "%s", settings->incarnation);
    if (!s_init(self, settings)) {
        gw_rooms_destroy(&self);
    }
    return self;
}

void
gw_rooms_destroy(gw_rooms_t **self_p)
{
    PR_ASSERT(self_p);
    gw_rooms_t *self = *self_p;
    if (!self) {
        return;
    }
    for (size_t i = self->map ? pr_map_count(self->map) : 0; i-- > 0;) {
        s_free_room(pr_map_value_at(self->map, i));
    }
    if (self->wake) {
        pr_loop_off_turn(self->loop, s_turn, self);
        uv_close((uv_handle_t *) self->wake, s_free_timer);
    }
    pr_wheel_cancel(&self->retry);
    gw_pace_destroy(&self->feeds.pace);
    gw_ids_destroy(&self->ids);
    pr_buf_destroy(&self->scratch);
    pr_map_destroy(&self->map);
    free(self);
    *self_p = NULL;
}

void
gw_rooms_use(gw_rooms_t *self, gw_hosts_t *hosts)
{
    self->hosts = hosts;
}

gw_hosts_t *
gw_rooms_hosts(const gw_rooms_t *self)
{
    return self->hosts;
}

pr_loop_t *
gw_rooms_loop(const gw_rooms_t *self)
{
    return self->loop;
}

gw_stats_t *
gw_rooms_stats(const gw_rooms_t *self)
{
    return self->stats;
}

int64_t
gw_rooms_commands_per_s(const gw_rooms_t *self)
{
    return self->commands_per_s;
}

const char *
gw_rooms_incarnation(const gw_rooms_t *self)
{
    return self->incarnation;
}
