/* SPDX-License-Identifier: MIT */

#include "gateway/conn.h"

#include <stdlib.h>

#include "gateway/commands.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

/* Close codes of WebSocket. */
enum { CODE_GOING_AWAY = 1001, CODE_POLICY = 1008, CODE_TRY_LATER = 1013 };

struct gw_conn {
    gw_member_t member; /* first: the pointers are equal */
    pr_timer_t timer;   /* of OPEN, JOINING, CLOSING */
    gw_rooms_t *rooms;
    gw_room_t *room; /* while JOINING, LIVE, STALE */
    const gw_client_ops_t *ops;
    void *client;
    gw_commands_t *commands; /* NULL before the first one */
    uint64_t number;
    pr_rev_t has; /* of the document that the client says it has */
    uint8_t state;
    uint8_t name_len;
    char poll[PR_POLL_ID_LEN];
    char name[]; /* not ended by a NUL, and it may hold some */
};

static_assert(PR_NAME_CHARS_MAX * 4 <= UINT8_MAX, "a name's length fits");

/* What comes with an event. */
typedef struct {
    pr_str_t text; /* CONNECTED: the ballot; REFUSED: why */
    int code;      /* REFUSED, KICK */
    gw_ending_t ending;
    gw_why_t why;
    gw_lane_kind_t lane;
    const gw_command_t *command;
} input_t;

/* --- steps --- */

static void
s_go(gw_conn_t *self, gw_conn_state_t state)
{
    static const int64_t timeouts_ms[] = {
        [GW_CONN_OPEN] = PR_BEFORE_JOIN_MS,
        [GW_CONN_JOINING] = PR_JOINING_MS,
        [GW_CONN_LIVE] = 0,
        [GW_CONN_STALE] = 0,
        [GW_CONN_CLOSING] = PR_CLOSING_MS,
    };
    self->state = (uint8_t) state;
    pr_wheel_cancel(&self->timer);
    if (timeouts_ms[state]) {
        pr_loop_arm(gw_rooms_loop(self->rooms), &self->timer, timeouts_ms[state]);
    }
}

/* Out of the room; `why` NULL if the actor knows already. */
static void
s_leave_room(gw_conn_t *self, const char *why)
{
    gw_room_t *room = self->room;
    self->room = NULL;
    if (room) {
        gw_room_leave(room, self, self->number, why);
    }
}

static void
s_free(gw_conn_t *self)
{
    gw_commands_destroy(&self->commands);
    pr_wheel_cancel(&self->timer);
    gw_rooms_stats(self->rooms)->conns--;
    free(self);
}

/* We close the transport; the client's own end of it follows as GONE. */
static void
s_cut(gw_conn_t *self, gw_why_t why, int code, const char *reason)
{
    s_leave_room(self, gw_why_name(why));
    s_go(self, GW_CONN_CLOSING);
    self->ops->cut(self->client, self, why, code, reason);
}

/* Refusals that pass: the client shall come again, so its transport is closed, nothing refused. */
static bool
s_is_passing(int code)
{
    return code != PR_E_NOT_FOUND && code != PR_E_REMOVED && code != PR_E_FULL &&
           code != PR_E_FORBIDDEN && code != PR_E_BAD_REQUEST;
}

static void
s_refuse_with(gw_conn_t *self, int code, pr_str_t text)
{
    gw_rooms_stats(self->rooms)->joins_refused++;
    s_leave_room(self, NULL);
    s_go(self, GW_CONN_CLOSING);
    self->ops->refused(self->client, self, code, text);
}

static void
s_end_with(gw_conn_t *self, gw_ending_t ending)
{
    s_leave_room(self, NULL);
    s_go(self, GW_CONN_CLOSING);
    self->ops->ended(self->client, self, ending);
}

/* --- cells: what an event does in a state --- */

typedef void (*cell_t)(gw_conn_t *self, const input_t *input);

static void
s_nothing(gw_conn_t *self, const input_t *input)
{
    (void) self;
    (void) input;
}

static void
s_join(gw_conn_t *self, const input_t *input)
{
    pr_str_t poll = {self->poll, sizeof self->poll};
    s_go(self, GW_CONN_JOINING);
    if (gw_rooms_enter(self->rooms, poll, self, input->lane, &self->number, &self->room) != 0) {
        s_cut(self, GW_WHY_LOST, CODE_TRY_LATER, pr_error_text(PR_E_BUSY));
    }
}

static void
s_rejoin(gw_conn_t *self, const input_t *input)
{
    (void) input;
    s_cut(self, GW_WHY_LEAVE, CODE_POLICY, "already joined");
}

static void
s_accept(gw_conn_t *self, const input_t *input)
{
    s_go(self, GW_CONN_LIVE);
    self->ops->accepted(self->client, self);
    if (self->has.version > 0 && gw_feed_resume(&self->member, self->has)) {
        gw_rooms_stats(self->rooms)->resumed++;
    }
    if (!gw_feed_show(&self->member, input->text) && input->text.ptr && self->ops->ballot) {
        self->ops->ballot(self->client, self, input->text);
    }
    gw_commands_release(self->commands);
}

/* The user has voted, here or elsewhere. */
static void
s_show_own(gw_conn_t *self, const input_t *input)
{
    if (input->text.ptr && self->ops->ballot) {
        self->ops->ballot(self->client, self, input->text);
    } else if (input->text.ptr) {
        gw_feed_show_own(&self->member, input->text);
    }
}

static void
s_revive(gw_conn_t *self, const input_t *input)
{
    (void) input;
    s_go(self, GW_CONN_LIVE);
    gw_commands_release(self->commands);
}

static void
s_recheck(gw_conn_t *self, const input_t *input)
{
    if (gw_feed_may_show(&self->member)) {
        s_revive(self, input);
    }
}

static void
s_command(gw_conn_t *self, const input_t *input)
{
    gw_commands_take(&self->commands, self, input->command, true);
}

static void
s_hold(gw_conn_t *self, const input_t *input)
{
    gw_commands_take(&self->commands, self, input->command, false);
}

static void
s_misplaced(gw_conn_t *self, const input_t *input)
{
    (void) input;
    s_cut(self, GW_WHY_LEAVE, CODE_POLICY, "not joined");
}

static void
s_go_stale(gw_conn_t *self, const input_t *input)
{
    (void) input;
    s_go(self, GW_CONN_STALE);
}

static void
s_refused(gw_conn_t *self, const input_t *input)
{
    if (s_is_passing(input->code)) {
        s_leave_room(self, NULL);
        s_cut(self, GW_WHY_LOST, CODE_TRY_LATER, pr_error_text(input->code));
        return;
    }
    s_refuse_with(self, input->code, input->text);
}

/* As s_refused, of one who was in. */
static void
s_dismissed(gw_conn_t *self, const input_t *input)
{
    if (s_is_passing(input->code)) {
        s_refused(self, input);
        return;
    }
    s_end_with(self, input->code == PR_E_REMOVED ? GW_ENDING_KICKED : GW_ENDING_NOT_FOUND);
}

static void
s_shut_out(gw_conn_t *self, const input_t *input)
{
    s_refuse_with(self, input->code, pr_str(pr_error_text(input->code)));
}

static void
s_kicked(gw_conn_t *self, const input_t *input)
{
    (void) input;
    gw_feed_show_last(&self->member);
    s_end_with(self, GW_ENDING_KICKED);
}

static void
s_ended(gw_conn_t *self, const input_t *input)
{
    s_end_with(self, input->ending);
}

static void
s_gone(gw_conn_t *self, const input_t *input)
{
    s_leave_room(self, gw_why_name(input->why));
    s_free(self);
}

static void
s_drain(gw_conn_t *self, const input_t *input)
{
    (void) input;
    s_cut(self, GW_WHY_LOST, CODE_GOING_AWAY, "going away");
}

static void
s_not_joined(gw_conn_t *self, const input_t *input)
{
    (void) input;
    s_cut(self, GW_WHY_LEAVE, CODE_POLICY, "nothing joined");
}

/* No answer from the actor: refusing would stop the client from coming again. */
static void
s_unanswered(gw_conn_t *self, const input_t *input)
{
    (void) input;
    gw_rooms_stats(self->rooms)->join_timeouts++;
    s_cut(self, GW_WHY_LOST, CODE_TRY_LATER, pr_error_text(PR_E_UNAVAILABLE));
}

static void
s_cut_again(gw_conn_t *self, const input_t *input)
{
    (void) input;
    self->ops->cut(self->client, self, GW_WHY_LOST, CODE_GOING_AWAY, "going away");
}

#define ON(event) [GW_CONN_ON_##event]
/* clang-format off */
static const cell_t s_table[GW_CONN_EVENT_COUNT][GW_CONN_STATE_COUNT] = {
    /*                OPEN          JOINING        LIVE         STALE        CLOSING */
    ON(JOIN)      = {s_join      , s_rejoin     , s_rejoin   , s_rejoin   , s_nothing},
    ON(CONNECTED) = {s_nothing   , s_accept     , s_show_own , s_revive   , s_nothing},
    ON(UPDATE)    = {s_nothing   , s_nothing    , s_nothing  , s_recheck  , s_nothing},
    ON(COMMAND)   = {s_misplaced , s_hold       , s_command  , s_hold     , s_nothing},
    ON(RESET)     = {s_nothing   , s_nothing    , s_go_stale , s_nothing  , s_nothing},
    ON(REFUSED)   = {s_nothing   , s_refused    , s_dismissed, s_dismissed, s_nothing},
    ON(KICK)      = {s_nothing   , s_shut_out   , s_kicked   , s_kicked   , s_nothing},
    ON(ENDED)     = {s_nothing   , s_shut_out   , s_ended    , s_ended    , s_nothing},
    ON(GONE)      = {s_gone      , s_gone       , s_gone     , s_gone     , s_gone},
    ON(DRAIN)     = {s_drain     , s_drain      , s_drain    , s_drain    , s_cut_again},
    ON(TIMER)     = {s_not_joined, s_unanswered , s_nothing  , s_nothing  , s_cut_again},
};
/* clang-format on */
#undef ON

/* The conn may be freed when this returns. */
static void
s_apply(gw_conn_t *self, gw_conn_event_t event, const input_t *input)
{
    cell_t cell = s_table[event][self->state];
    PR_ASSERT(cell);
    cell(self, input);
}

/* --- events --- */

void
gw_conn_join(gw_conn_t *self, gw_lane_kind_t lane)
{
    s_apply(self, GW_CONN_ON_JOIN, &(input_t) {.lane = lane});
}

void
gw_conn_resume(gw_conn_t *self, pr_rev_t rev)
{
    self->has = rev;
}

void
gw_conn_command(gw_conn_t *self, const gw_command_t *command)
{
    s_apply(self, GW_CONN_ON_COMMAND, &(input_t) {.command = command});
}

void
gw_conn_writable(gw_conn_t *self)
{
    if (self->room) {
        gw_feed_writable(&self->member);
    }
}

void
gw_conn_gone(gw_conn_t *self, gw_why_t why)
{
    s_apply(self, GW_CONN_ON_GONE, &(input_t) {.why = why});
}

void
gw_conn_drain(gw_conn_t *self)
{
    s_apply(self, GW_CONN_ON_DRAIN, &(input_t) {0});
}

void
gw_conn_connected(gw_conn_t *self, pr_str_t ballot)
{
    s_apply(self, GW_CONN_ON_CONNECTED, &(input_t) {.text = ballot});
}

void
gw_conn_refused(gw_conn_t *self, int code, pr_str_t text)
{
    s_apply(self, GW_CONN_ON_REFUSED, &(input_t) {.code = code, .text = text});
}

void
gw_conn_kicked(gw_conn_t *self, int code)
{
    s_apply(self, GW_CONN_ON_KICK, &(input_t) {.code = code});
}

void
gw_conn_ended(gw_conn_t *self, gw_ending_t ending)
{
    s_apply(self, GW_CONN_ON_ENDED, &(input_t) {.ending = ending, .code = PR_E_NOT_FOUND});
}

void
gw_conn_updated(gw_conn_t *self)
{
    s_apply(self, GW_CONN_ON_UPDATE, &(input_t) {0});
}

void
gw_conn_reset(gw_conn_t *self)
{
    s_apply(self, GW_CONN_ON_RESET, &(input_t) {0});
}

static void
s_timer(pr_timer_t *timer)
{
    gw_conn_t *self = (gw_conn_t *) ((char *) timer - offsetof(gw_conn_t, timer));
    s_apply(self, GW_CONN_ON_TIMER, &(input_t) {0});
}

/* --- life --- */

gw_conn_t *
gw_conn_new(gw_rooms_t *rooms,
            const gw_client_ops_t *ops,
            void *client,
            gw_socket_t *socket,
            const gw_token_t *token)
{
    gw_conn_t *self = calloc(1, sizeof *self + token->name_len);
    if (!self) {
        return NULL;
    }
    self->member.socket = socket;
    memcpy(self->member.user, token->user, sizeof self->member.user);
    self->timer.fire = s_timer;
    self->rooms = rooms;
    self->ops = ops;
    self->client = client;
    memcpy(self->poll, token->poll, sizeof self->poll);
    self->name_len = (uint8_t) token->name_len;
    memcpy(self->name, token->name, token->name_len);
    gw_rooms_stats(rooms)->conns++;
    s_go(self, GW_CONN_OPEN);
    return self;
}

/* --- looking at it --- */

gw_conn_state_t
gw_conn_state(const gw_conn_t *self)
{
    return (gw_conn_state_t) self->state;
}

gw_id_text_t
gw_conn_id(const gw_conn_t *self)
{
    return gw_ids_text(self->number);
}

pr_str_t
gw_conn_user(const gw_conn_t *self)
{
    return pr_str(self->member.user);
}

pr_str_t
gw_conn_name(const gw_conn_t *self)
{
    return (pr_str_t) {self->name, self->name_len};
}

pr_str_t
gw_conn_poll(const gw_conn_t *self)
{
    return (pr_str_t) {self->poll, sizeof self->poll};
}

gw_rooms_t *
gw_conn_rooms(const gw_conn_t *self)
{
    return self->rooms;
}

gw_conn_t *
gw_conn_of(gw_member_t *member)
{
    return (gw_conn_t *) member;
}

gw_member_t *
gw_conn_member(gw_conn_t *self)
{
    return &self->member;
}

void
gw_conn_tell(gw_conn_t *self, pr_str_t event, pr_str_t json)
{
    self->ops->event(self->client, self, event, json);
}

void
gw_conn_answer(gw_conn_t *self, int64_t ack, pr_str_t json)
{
    self->ops->answer(self->client, self, ack, json);
}
