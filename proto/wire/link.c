/* SPDX-License-Identifier: MIT */

/*
 * What happened is turned into an input of link_state.h's table, and s_input carries out the cell.
 * A user's callback may send, drop or dial: `epoch` changes with each begin and end of a session,
 * so whoever called back sees whether what it was about is still there.
 */

#include "proto/wire/link.h"

#include <stdlib.h>

#include "proto/wire/link_private.h"

/* A tick that comes so late means that we slept ourselves. */
#define LATE_MS 1000

/* --- life --- */

static bool
s_copy(char *out, size_t size, pr_str_t text)
{
    if (text.len >= size) {
        return false;
    }
    if (text.len) {
        memcpy(out, text.ptr, text.len);
    }
    out[text.len] = '\0';
    return true;
}

pr_link_t *
pr_link_new(pr_link_side_t side, const pr_link_self_t *me, const pr_link_ops_t *ops, void *arg)
{
    PR_ASSERT(me && ops && ops->transmit && ops->open && ops->event && ops->lost);
    pr_link_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->side = side;
    self->ops = ops;
    self->arg = arg;
    self->generation = PR_INT_NONE;
    bool named = s_copy(self->role, sizeof self->role, pr_str(me->role)) &&
                 s_copy(self->name, sizeof self->name, pr_str(me->name)) &&
                 s_copy(self->incarnation, sizeof self->incarnation, pr_str(me->incarnation));
    PR_ASSERT(named && self->incarnation[0]);
    self->stats = pr_buf_new(0);
    self->out = pr_outbox_new();
    self->header = pr_buf_new(0);
    self->own = pr_buf_new(0);
    self->memory = pr_unpacked_new();
    if (!self->stats || !self->out || !self->header || !self->own || !self->memory) {
        pr_link_destroy(&self);
    }
    return self;
}

void
pr_link_destroy(pr_link_t **self_p)
{
    PR_ASSERT(self_p);
    pr_link_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_buf_destroy(&self->stats);
    pr_outbox_destroy(&self->out);
    pr_buf_destroy(&self->header);
    pr_buf_destroy(&self->own);
    pr_unpacked_destroy(&self->memory);
    free(self);
    *self_p = NULL;
}

/* --- sessions --- */

static void
s_failed(pr_link_t *self, int error, int64_t now_ms)
{
    if (error) {
        pr_link_input(self, PR_LINK_ON_FAILED,
                      &(pr_link_cause_t) {.now_ms = now_ms, .error = error});
    }
}

/* Numbers rise over all links of a process, so that a link made anew is not taken for an old
 * one. */
static void
s_greet(pr_link_t *self, int64_t now_ms)
{
    self->session = self->session + 1 > now_ms ? self->session + 1 : now_ms;
    self->peer_incarnation[0] = '\0';
    self->consumed_bytes = self->consumed_messages = 0;
    self->epoch++;
    self->greeted_ms = now_ms;
    self->greetings++;
    self->hello_due = false;
    s_failed(self, pr_link_say_hello(self), now_ms);
}

/* Both counts start with the greeting that came in, so that "all of this session" is one rule. */
static void
s_begin(pr_link_t *self, const pr_link_cause_t *cause)
{
    PR_ASSERT(cause->parts);
    self->epoch++;
    self->next_in = 2;
    self->consumed_messages = 1;
    self->consumed_bytes = (int64_t) cause->parts[1].len;
    self->unreported_bytes = self->unreported_messages = 0;
    self->heard_ms = self->beat_ms = cause->now_ms;
    self->greetings = 0;
    self->refusal = 0;
    self->counters.sessions++;
    (void) s_copy(self->peer_incarnation, sizeof self->peer_incarnation, pr_str(cause->sender));
}

/* Ends the session; false if the user's callback has begun something else. */
static bool
s_lose(pr_link_t *self, int error)
{
    uint64_t epoch = ++self->epoch;
    pr_outbox_reset(self->out);
    self->ops->lost(self->arg, error);
    return self->epoch == epoch;
}

static void
s_join(pr_link_t *self, const pr_link_cause_t *cause)
{
    PR_ASSERT(cause->event && cause->header);
    self->proto = cause->event->welcome.proto;
    s_begin(self, cause);
    self->peer_role[0] = '\0';
    pr_str_t name = cause->event->welcome.name;
    if (!pr_link_is_word(name) || !s_copy(self->peer_name, sizeof self->peer_name, name)) {
        self->peer_name[0] = '\0';
    }
    (void) pr_outbox_consumed(self->out, cause->header->consumed_bytes,
                              cause->header->consumed_messages);
    (void) self->ops->open(self->arg, NULL);
}

/* What the link itself has against a greeting. */
static int
s_judge_hello(pr_link_t *self, const pr_msg_hello_t *hello)
{
    self->proto = hello->max < PR_PROTO_MAX ? hello->max : PR_PROTO_MAX;
    if (self->proto < hello->min || self->proto < PR_PROTO_MIN) {
        return PR_E_VERSION;
    }
    bool fits = pr_link_is_word(hello->name) && pr_link_is_word(hello->role) &&
                s_copy(self->peer_name, sizeof self->peer_name, hello->name) &&
                s_copy(self->peer_role, sizeof self->peer_role, hello->role);
    return fits ? 0 : PR_E_BAD_FIELD;
}

static void
s_accept(pr_link_t *self, const pr_link_cause_t *cause)
{
    PR_ASSERT(cause->event);
    const pr_msg_hello_t *hello = &cause->event->hello;
    pr_outbox_reset(self->out);
    int error = s_judge_hello(self, hello);
    if (!error) {
        s_begin(self, cause);
        self->session = hello->session;
        uint64_t epoch = self->epoch;
        self->opening = true;
        error = self->ops->open(self->arg, hello);
        self->opening = false;
        if (self->epoch != epoch) {
            return;
        }
    }
    if (error) {
        self->state = PR_LINK_IDLE;
        self->epoch++;
        pr_outbox_reset(self->out);
        pr_link_say_refused(self, cause->sender, PR_MSG_HELLO, error, cause->now_ms);
        return;
    }
    s_failed(self, pr_link_say_welcome(self), cause->now_ms);
}

/* --- events --- */

static void
s_deliver_event(pr_link_t *self, pr_str_t part, const pr_link_cause_t *cause)
{
    pr_event_t event = {0};
    int error = pr_event_unpack(part, self->memory, &event);
    if (!error && (event.type == PR_MSG_HELLO || event.type == PR_MSG_WELCOME)) {
        error = PR_E_BAD_FIELD; /* not in the middle of a session */
    }
    if (!error) {
        if (event.type != PR_MSG_BEAT) {
            if (self->unreported_messages == 0 && self->unreported_bytes == 0) {
                self->unreported_ms = cause->now_ms;
            }
            self->unreported_bytes += (int64_t) part.len;
        }
        self->counters.received_events++;
        self->ops->event(self->arg, &event);
    } else if (error == PR_E_NOMEM) {
        /* Skipping it would be a gap that nobody sees. */
        s_failed(self, error, cause->now_ms);
    } else {
        self->counters.unknown_types += error == PR_E_UNKNOWN_TYPE;
        self->counters.malformed += error != PR_E_UNKNOWN_TYPE;
        pr_link_say_refused(self, self->peer_incarnation, event.number, error, cause->now_ms);
    }
}

static void
s_deliver(pr_link_t *self, const pr_link_cause_t *cause)
{
    PR_ASSERT(cause->header);
    uint64_t epoch = self->epoch;
    int64_t bytes = 0;
    self->next_in++;
    self->heard_ms = cause->now_ms;
    self->counters.received_messages++;
    if (!pr_outbox_consumed(self->out, cause->header->consumed_bytes,
                            cause->header->consumed_messages)) {
        self->counters.malformed++;
        pr_link_say_refused(self, cause->sender, 0, PR_E_BAD_FIELD, cause->now_ms);
    }
    int64_t unreported = self->unreported_bytes;
    for (size_t i = 1; i < cause->count; i++) {
        bytes += (int64_t) cause->parts[i].len;
        s_deliver_event(self, cause->parts[i], cause);
        if (self->epoch != epoch) {
            return;
        }
    }
    self->consumed_messages++;
    self->consumed_bytes += bytes;
    self->unreported_messages += self->unreported_bytes != unreported;
    if (pr_outbox_has_reopened(self->out) && self->ops->writable) {
        self->ops->writable(self->arg);
    }
}

/* --- the table's actions --- */

static void
s_act(pr_link_t *self, pr_link_action_t action, const pr_link_cause_t *cause)
{
    switch (action) {
    case PR_LINK_DO_IGNORE:
        break;
    case PR_LINK_DO_REPEAT:
        self->counters.duplicates++;
        break;
    case PR_LINK_DO_REFUSE:
    case PR_LINK_DO_LOSE_REFUSE:
        pr_link_say_refused(self, cause->sender, 0, PR_E_RESET, cause->now_ms);
        break;
    case PR_LINK_DO_GREET:
    case PR_LINK_DO_LOSE_GREET:
        s_greet(self, cause->now_ms);
        break;
    case PR_LINK_DO_AGAIN:
        self->hello_due = true;
        break;
    case PR_LINK_DO_JOIN:
        s_join(self, cause);
        break;
    case PR_LINK_DO_ACCEPT:
    case PR_LINK_DO_LOSE_ACCEPT:
        s_accept(self, cause);
        break;
    case PR_LINK_DO_DELIVER:
        s_deliver(self, cause);
        break;
    case PR_LINK_DO_TELL:
        self->ops->event(self->arg, cause->event);
        break;
    case PR_LINK_DO_NOTE:
        self->refusal = cause->error;
        break;
    case PR_LINK_DO_LOSE:
        break;
    case PR_LINK_DO_BUG:
    case PR_LINK_ACTION_COUNT:
        PR_ASSERT(!"a cell of the table that can not be reached");
    }
}

static bool
s_loses(pr_link_action_t action)
{
    return action == PR_LINK_DO_LOSE || action == PR_LINK_DO_LOSE_GREET ||
           action == PR_LINK_DO_LOSE_ACCEPT || action == PR_LINK_DO_LOSE_REFUSE;
}

void
pr_link_input(pr_link_t *self, pr_link_input_t input, const pr_link_cause_t *cause)
{
    pr_link_step_t step = pr_link_step(self->side, self->state, input);
    self->state = s_loses(step.action) ? PR_LINK_IDLE : step.next;
    if (s_loses(step.action)) {
        if (!s_lose(self, cause->error)) {
            return;
        }
        self->state = step.next;
    }
    s_act(self, step.action, cause);
}

/* --- time --- */

static bool
s_owes_report(const pr_link_t *self, int64_t now_ms)
{
    return self->unreported_bytes >= PR_LINK_REPORT_BYTES ||
           self->unreported_messages >= PR_LINK_REPORT_MESSAGES ||
           (self->unreported_messages > 0 && now_ms - self->unreported_ms >= PR_LINK_REPORT_MS / 2);
}

void
pr_link_flush(pr_link_t *self, int64_t now_ms)
{
    if (self->hello_due && self->state == PR_LINK_GREETING) {
        self->hello_due = false;
        s_failed(self, pr_link_say_hello(self), now_ms);
    }
    if (self->state != PR_LINK_OPEN || self->opening) {
        return;
    }
    uint64_t epoch = self->epoch;
    pr_str_t parts[1 + PR_LINK_BATCH_EVENTS];
    int64_t seq = 0;
    int error = pr_outbox_is_broken(self->out) ? PR_E_NOMEM : 0;
    while (!error) {
        size_t count = pr_outbox_take(self->out, parts + 1, &seq);
        if (count == 0) {
            break;
        }
        self->counters.sent_events += count;
        error = pr_link_transmit(self, self->peer_incarnation, seq, parts, count + 1);
    }
    s_failed(self, error, now_ms);
    if (self->epoch == epoch && (self->beat_due || s_owes_report(self, now_ms))) {
        s_failed(self, pr_link_say_beat(self, now_ms, self->beat_due), now_ms);
    }
}

/* Greets again after 1, 2, 3, 3 … seconds: a peer that needs longer to answer is not worth
 * having. */
static int64_t
s_patience_ms(const pr_link_t *self)
{
    int64_t ms = (int64_t) self->greetings * PR_LINK_BEAT_MS;
    return ms < PR_LINK_DEAD_MS ? ms : PR_LINK_DEAD_MS;
}

void
pr_link_tick(pr_link_t *self, int64_t now_ms)
{
    /* While we slept (stopped, or the machine was) the peer's messages could not be seen. */
    int64_t slept_ms = self->ticked_ms ? now_ms - self->ticked_ms : 0;
    self->ticked_ms = now_ms;
    if (slept_ms >= LATE_MS) {
        self->heard_ms += slept_ms;
        self->greeted_ms += slept_ms;
    }
    bool greeting = self->state == PR_LINK_GREETING;
    if ((greeting && !self->hello_due && now_ms - self->greeted_ms >= s_patience_ms(self)) ||
        (self->state == PR_LINK_OPEN && now_ms - self->heard_ms >= PR_LINK_DEAD_MS)) {
        pr_link_cause_t cause = {.now_ms = now_ms, .error = PR_E_TIMEOUT};
        pr_link_input(self, PR_LINK_ON_SILENCE, &cause);
    }
    if (self->state == PR_LINK_OPEN && now_ms - self->beat_ms >= PR_LINK_BEAT_MS) {
        self->beat_due = true;
    }
    pr_link_flush(self, now_ms);
}

/* --- the user's side --- */

void
pr_link_dial(pr_link_t *self, int64_t now_ms)
{
    PR_ASSERT(self->side == PR_LINK_DIALLER);
    pr_link_input(self, PR_LINK_ON_DIAL,
                  &(pr_link_cause_t) {.now_ms = now_ms, .error = PR_E_RESET});
}

void
pr_link_drop(pr_link_t *self, int error)
{
    pr_link_input(self, PR_LINK_ON_DROP, &(pr_link_cause_t) {.error = error});
    self->epoch++; /* also when called from within `lost`: then no greeting follows */
}

int
pr_link_send(pr_link_t *self, const pr_event_t *event)
{
    if (self->state != PR_LINK_OPEN) {
        return PR_E_UNREACHABLE;
    }
    int error = pr_outbox_put(self->out, event);
    self->counters.refused_busy += error == PR_E_BUSY;
    return error;
}

int
pr_link_send_packed(pr_link_t *self, pr_str_t packed)
{
    if (self->state != PR_LINK_OPEN) {
        return PR_E_UNREACHABLE;
    }
    int error = pr_outbox_put_packed(self->out, packed);
    self->counters.refused_busy += error == PR_E_BUSY;
    return error;
}

void
pr_link_set_beat(pr_link_t *self, int64_t generation, pr_str_t stats)
{
    self->beat_due |= self->generation != generation;
    self->generation = generation;
    pr_buf_clear(self->stats);
    pr_buf_append_str(self->stats, stats);
    if (pr_buf_failed(self->stats)) {
        pr_buf_clear(self->stats); /* half a value is none */
    }
}

bool
pr_link_is_open(const pr_link_t *self)
{
    return self->state == PR_LINK_OPEN;
}

bool
pr_link_is_writable(const pr_link_t *self)
{
    return self->state == PR_LINK_OPEN && pr_outbox_is_writable(self->out);
}

const char *
pr_link_peer_incarnation(const pr_link_t *self)
{
    return self->peer_incarnation;
}

const char *
pr_link_peer_name(const pr_link_t *self)
{
    return self->peer_name;
}

const char *
pr_link_peer_role(const pr_link_t *self)
{
    return self->peer_role;
}

int
pr_link_refusal(const pr_link_t *self)
{
    return self->refusal;
}

int
pr_link_greetings(const pr_link_t *self)
{
    return self->greetings;
}

const pr_link_counters_t *
pr_link_counters(const pr_link_t *self)
{
    return &self->counters;
}
