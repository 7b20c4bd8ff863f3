/* SPDX-License-Identifier: MIT */

#include "supervisor/control.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "supervisor/file.h"

/* What we know of one member's link, at the same index as in the crew. */
typedef struct {
    pr_peer_t *peer; /* NULL: no session */
    int64_t acknowledged;
    int64_t sent_ms; /* when the present roster went out; INT64_MIN: not yet */
} line_t;

struct sv_control {
    pr_loop_t *loop;
    pr_router_t *router;
    sv_roster_t *roster;
    sv_crew_t *crew;
    const sv_control_ops_t *ops;
    void *arg;
    line_t lines[PR_CHILDREN_MAX];
    pr_buf_t *stats;
    uint64_t strangers; /* HELLOs refused */
};

static bool
s_turn(void *arg);
static int
s_open(void *arg, pr_peer_t *peer, const pr_msg_hello_t *hello);
static void
s_event(void *arg, pr_peer_t *peer, const pr_event_t *event);
static void
s_lost(void *arg, pr_peer_t *peer, int error);

static const pr_router_ops_t s_router_ops = {
    .open = s_open,
    .event = s_event,
    .lost = s_lost,
};

sv_control_t *
sv_control_new(pr_loop_t *loop,
               const char *endpoint,
               sv_roster_t *roster,
               const sv_control_ops_t *ops,
               void *arg)
{
    sv_control_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->roster = roster;
    self->ops = ops;
    self->arg = arg;
    self->stats = pr_buf_new(0);
    char incarnation[PR_INCARNATION_LEN + 1];
    sv_file_random_hex(incarnation, PR_INCARNATION_LEN / 2);
    pr_link_self_t me = {"supervisor", "supervisor", incarnation};
    self->router = pr_router_new(loop, endpoint, &me, &s_router_ops, self);
    pr_loop_on_turn(loop, PR_TURN_THINK + 1, s_turn, self);
    if (!self->router || !self->stats) {
        sv_control_destroy(&self);
    }
    return self;
}

void
sv_control_destroy(sv_control_t **self_p)
{
    PR_ASSERT(self_p);
    sv_control_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_loop_off_turn(self->loop, s_turn, self);
    pr_router_destroy(&self->router);
    pr_buf_destroy(&self->stats);
    free(self);
    *self_p = NULL;
}

void
sv_control_set_crew(sv_control_t *self, sv_crew_t *crew)
{
    self->crew = crew;
}

/* --- who is who --- */

static line_t *
s_line_of(sv_control_t *self, const sv_member_t *member)
{
    for (size_t i = 0; self->crew && i < sv_crew_count(self->crew); i++) {
        if (sv_crew_at(self->crew, i) == member) {
            return &self->lines[i];
        }
    }
    return NULL;
}

/* The member that speaks by this peer, or NULL: a caller. */
static sv_member_t *
s_member_of(const sv_control_t *self, pr_peer_t *peer)
{
    const line_t *line = pr_peer_data(peer);
    return line ? sv_crew_at(self->crew, (size_t) (line - self->lines)) : NULL;
}

static bool
s_is_ours(const sv_member_t *member, pr_peer_t *peer, const pr_msg_hello_t *hello)
{
    const char *incarnation = pr_link_peer_incarnation(pr_peer_link(peer));
    return member && sv_member_pid(member) != 0 &&
           pr_str_equal(hello->role, pr_str(sv_role_name(sv_member_spec(member)->role))) &&
           strcmp(incarnation, sv_member_incarnation(member)) == 0;
}

/* One process has one line; an older session of it, under another identity, is closed. */
static void
s_take_line(line_t *line, pr_peer_t *peer)
{
    pr_peer_t *older = line->peer;
    if (older && older != peer) {
        pr_peer_set_data(older, NULL);
        pr_link_drop(pr_peer_link(older), PR_E_CLOSED);
    }
    line->peer = peer;
    line->acknowledged = 0;
    line->sent_ms = INT64_MIN;
    pr_peer_set_data(peer, line);
}

static int
s_open(void *arg, pr_peer_t *peer, const pr_msg_hello_t *hello)
{
    sv_control_t *self = arg;
    if (!self->crew) {
        return PR_E_NOT_READY;
    }
    if (pr_str_equal(hello->role, PR_STR("ctl"))) {
        return 0;
    }
    sv_member_t *member = sv_crew_find(self->crew, hello->name);
    if (!s_is_ours(member, peer, hello)) {
        self->strangers++;
        pr_log_warn("control.stranger", "count=%llu", (unsigned long long) self->strangers);
        return PR_E_FORBIDDEN;
    }
    if (hello->generation != PR_INT_NONE) {
        sv_roster_saw(self->roster, hello->generation);
    }
    s_take_line(s_line_of(self, member), peer);
    sv_member_heard(member);
    return 0;
}

static void
s_lost(void *arg, pr_peer_t *peer, int error)
{
    sv_control_t *self = arg;
    line_t *line = pr_peer_data(peer);
    if (!line) {
        self->ops->caller_lost(self->arg, peer);
        return;
    }
    pr_log_info("control.lost", "child=%s error=%s", sv_member_spec(s_member_of(self, peer))->name,
                pr_error_name(error));
    pr_peer_set_data(peer, NULL);
    line->peer = NULL;
}

/* --- what they say --- */

static void
s_take_stats(sv_control_t *self, sv_member_t *member, const msgpack_object *stats)
{
    pr_buf_clear(self->stats);
    msgpack_packer packer = pr_packer(self->stats);
    if (msgpack_pack_object(&packer, *stats) == 0 && !pr_buf_failed(self->stats)) {
        sv_member_set_stats(member, pr_buf_str(self->stats));
    }
}

/* Actors find out by the owner records whether a newer roster was in force here. */
static void
s_take_generation(sv_control_t *self, const msgpack_object *stats)
{
    int64_t seen = 0;
    const msgpack_object *found = pr_object_member(stats, PR_STR("generation_seen"));
    if (found && pr_object_int(found, &seen) && seen > sv_roster_generation(self->roster)) {
        pr_log_warn("roster.behind", "seen=%lld", (long long) seen);
        sv_roster_saw(self->roster, seen);
    }
}

static void
s_beat(sv_control_t *self, sv_member_t *member, line_t *line, const pr_msg_beat_t *beat)
{
    if (beat->generation != PR_INT_NONE) {
        line->acknowledged = beat->generation;
    }
    if (beat->stats.object && beat->stats.object->type == MSGPACK_OBJECT_MAP) {
        s_take_stats(self, member, beat->stats.object);
        s_take_generation(self, beat->stats.object);
    }
}

static void
s_child_event(sv_control_t *self, pr_peer_t *peer, const pr_event_t *event)
{
    sv_member_t *member = s_member_of(self, peer);
    sv_member_heard(member);
    if (event->type == PR_MSG_BEAT) {
        s_beat(self, member, pr_peer_data(peer), &event->beat);
    } else if (event->type == PR_MSG_READY) {
        sv_member_ready(member, event->ready.endpoint, event->ready.tap);
    } else {
        pr_peer_refuse(peer, event);
    }
}

static void
s_event(void *arg, pr_peer_t *peer, const pr_event_t *event)
{
    sv_control_t *self = arg;
    if (pr_peer_data(peer)) {
        s_child_event(self, peer, event);
    } else if (event->type == PR_MSG_CALL) {
        self->ops->call(self->arg, peer, &event->call);
    } else if (event->type != PR_MSG_BEAT && event->type != PR_MSG_EVENT_REFUSED) {
        pr_peer_refuse(peer, event);
    }
}

/* --- what we say --- */

bool
sv_control_ask_stop(sv_control_t *self, const sv_member_t *member)
{
    line_t *line = s_line_of(self, member);
    if (!line || !line->peer || !pr_link_is_open(pr_peer_link(line->peer))) {
        return false;
    }
    int64_t drain_ms = sv_member_drain_ms(member);
    pr_event_t event = pr_event(drain_ms >= 0 ? PR_MSG_DRAIN : PR_MSG_STOP, PR_STR(""));
    if (drain_ms >= 0) {
        event.drain.within_ms = drain_ms;
    } else {
        event.stop.within_ms = sv_member_spec(member)->stop_within_ms;
    }
    return pr_link_send(pr_peer_link(line->peer), &event) == 0;
}

void
sv_control_forget(sv_control_t *self, const sv_member_t *member)
{
    line_t *line = s_line_of(self, member);
    if (line && line->peer) {
        pr_peer_t *peer = line->peer;
        line->peer = NULL;
        pr_peer_set_data(peer, NULL);
        pr_link_drop(pr_peer_link(peer), PR_E_CLOSED);
    }
}

void
sv_control_send_roster(sv_control_t *self)
{
    for (size_t i = 0; i < PR_CHILDREN_MAX; i++) {
        self->lines[i].sent_ms = INT64_MIN;
    }
}

static void
s_send_roster_to(sv_control_t *self, line_t *line)
{
    int64_t now_ms = pr_loop_now_ms(self->loop);
    pr_str_t packed = sv_roster_packed(self->roster);
    bool current = line->acknowledged >= sv_roster_generation(self->roster);
    bool sent = line->sent_ms != INT64_MIN && now_ms - line->sent_ms < PR_ROSTER_RESEND_MS;
    if (current || sent || packed.len == 0) {
        return;
    }
    if (pr_link_is_open(pr_peer_link(line->peer)) &&
        pr_link_send_packed(pr_peer_link(line->peer), packed) == 0) {
        line->sent_ms = now_ms;
    }
}

static bool
s_turn(void *arg)
{
    sv_control_t *self = arg;
    for (size_t i = 0; i < PR_CHILDREN_MAX; i++) {
        if (self->lines[i].peer) {
            s_send_roster_to(self, &self->lines[i]);
        }
    }
    return false;
}

void
sv_control_answer(sv_control_t *self, pr_peer_t *peer, int64_t id, int error, pr_str_t data)
{
    (void) self;
    pr_event_t event = pr_event(PR_MSG_RESULT, PR_STR(""));
    event.result.id = id;
    event.result.code = pr_str(pr_error_name(error));
    event.result.data.raw = data;
    if (pr_link_send(pr_peer_link(peer), &event) != 0) {
        pr_log_warn("control.answer", "id=%lld", (long long) id);
    }
}
