/* SPDX-License-Identifier: MIT */

#include "tests/support/link_model.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/wire/limits.h"
#include "proto/wire/link.h"

#define POLL PR_STR("ABC123")

typedef struct message message_t;
struct message {
    message_t *next;
    int64_t due_ms;
    size_t count;
    pr_str_t parts[]; /* the bytes follow */
};

/* One direction: a FIFO. */
typedef struct {
    message_t *first;
    message_t *last;
    size_t count;
    int64_t delay_ms;
    int64_t due_ms; /* of the last message: later ones do not overtake it */
} pipe_t;

/* A process with one end of the link, and its user. */
typedef struct {
    t_link_model_t *model;
    int index;
    pr_link_t *link;
    pipe_t to_peer;
    int64_t paused_ms; /* until then */
    int64_t refuses_ms;
    int64_t ticked_ms;
    bool dialled;

    bool open;
    int64_t tag; /* of this session, over all ends and sessions */
    int64_t sent;
    int64_t sent_bytes;
    int64_t peer_tag; /* as the peer's first event told; 0: none yet */
    int64_t last_peer_tag;
    int64_t received;
    int64_t received_bytes;
    bool wants_room;
    t_link_tally_t tally;
} end_t;

struct t_link_model {
    uint64_t random;
    t_link_faults_t faults;
    int64_t now_ms;
    int64_t next_tag;
    int next_incarnation;
    bool healed;
    bool idle;
    end_t ends[2];
    char *padding;
    pr_buf_t *scratch;
    char failure[256];
};

enum { PADDING_MAX = 3 << 20 };

static uint64_t
s_random(t_link_model_t *self)
{
    uint64_t x = self->random += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static int64_t
s_below(t_link_model_t *self, int64_t bound)
{
    return (int64_t) (s_random(self) % (uint64_t) bound);
}

static bool
s_chance(t_link_model_t *self, bool may, int64_t one_in)
{
    return may && !self->healed && s_below(self, one_in) == 0;
}

__attribute__((format(printf, 2, 3))) static void
s_fail(t_link_model_t *self, const char *format, ...)
{
    if (self->failure[0]) {
        return;
    }
    va_list args;
    va_start(args, format);
    (void) vsnprintf(self->failure, sizeof self->failure, format, args);
    va_end(args);
}

/* --- the network --- */

static message_t *
s_copy(const pr_str_t *parts, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += parts[i].len;
    }
    message_t *copy = malloc(sizeof *copy + count * sizeof copy->parts[0] + bytes);
    if (!copy) {
        abort();
    }
    char *at = (char *) &copy->parts[count];
    for (size_t i = 0; i < count; i++) {
        memcpy(at, parts[i].ptr, parts[i].len);
        copy->parts[i] = (pr_str_t) {at, parts[i].len};
        at += parts[i].len;
    }
    copy->count = count;
    copy->next = NULL;
    return copy;
}

static void
s_enqueue(t_link_model_t *self, pipe_t *pipe, const pr_str_t *parts, size_t count)
{
    message_t *message = s_copy(parts, count);
    int64_t due_ms = self->now_ms + pipe->delay_ms;
    pipe->due_ms = due_ms > pipe->due_ms ? due_ms : pipe->due_ms;
    message->due_ms = pipe->due_ms;
    if (pipe->last) {
        pipe->last->next = message;
    } else {
        pipe->first = message;
    }
    pipe->last = message;
    pipe->count++;
}

/* Loses all but the first `keep` messages. */
static void
s_cut(pipe_t *pipe, size_t keep)
{
    message_t **at = &pipe->first;
    pipe->last = NULL;
    for (size_t i = 0; i < keep && *at; i++) {
        pipe->last = *at;
        at = &(*at)->next;
    }
    while (*at) {
        message_t *gone = *at;
        *at = gone->next;
        free(gone);
        pipe->count--;
    }
}

static int
s_transmit(void *arg, const pr_str_t *parts, size_t count)
{
    end_t *end = arg;
    t_link_model_t *self = end->model;
    if (self->now_ms < end->refuses_ms) {
        return PR_E_BUSY;
    }
    if (count < 2 || count > PR_LINK_BATCH_EVENTS + 1) {
        s_fail(self, "a message of %zu parts", count);
    }
    end->tally.transmitted++;
    s_enqueue(self, &end->to_peer, parts, count);
    if (s_chance(self, self->faults.duplicate, 12)) {
        s_enqueue(self, &end->to_peer, parts, count);
    }
    return 0;
}

/* --- the users --- */

static void
s_send(end_t *end)
{
    t_link_model_t *self = end->model;
    pr_event_t event = pr_event(PR_MSG_REPLY, POLL);
    char tag[24];
    (void) snprintf(tag, sizeof tag, "%" PRId64, end->tag);
    event.reply.req = end->sent;
    event.reply.code = PR_STR("ok");
    event.reply.outcome = pr_str(tag);
    bool large = self->faults.large && s_below(self, 20) == 0;
    pr_buf_t *data = self->scratch;
    pr_buf_clear(data);
    msgpack_packer packer = pr_packer(data);
    pr_str_t text = {self->padding, (size_t) s_below(self, large ? PADDING_MAX : 60)};
    pr_pack_str(&packer, text);
    event.reply.data.raw = pr_buf_str(data);
    int error = pr_link_send(end->link, &event);
    if (error == 0) {
        end->sent++;
        end->sent_bytes += (int64_t) text.len;
    } else if (error == PR_E_BUSY) {
        end->tally.busy++;
        end->wants_room = true;
    } else {
        s_fail(self, "send in an open session: %s", pr_error_name(error));
    }
    const end_t *peer = &self->ends[!end->index];
    int64_t seen = peer->peer_tag == end->tag ? peer->received_bytes : 0;
    if (end->sent_bytes - seen > PR_LINK_WINDOW_BYTES) {
        s_fail(self, "%" PRId64 " bytes past the peer", end->sent_bytes - seen);
    }
}

static int
s_open(void *arg, const pr_msg_hello_t *hello)
{
    end_t *end = arg;
    t_link_model_t *self = end->model;
    if (end->open) {
        s_fail(self, "opened twice");
    }
    if ((hello != NULL) != (end->index == 1)) {
        s_fail(self, "the wrong side got a hello");
    }
    end->open = true;
    end->wants_room = false;
    end->tag = ++self->next_tag;
    end->sent = end->sent_bytes = 0;
    end->peer_tag = end->received = end->received_bytes = 0;
    end->tally.opened++;
    s_send(end);
    return 0;
}

static void
s_lost(void *arg, int error)
{
    end_t *end = arg;
    if (!end->open || error >= 0) {
        s_fail(end->model, "lost what was not open, or for no reason (%d)", error);
    }
    end->open = false;
    end->wants_room = false;
    end->tally.lost++;
}

static void
s_event(void *arg, const pr_event_t *event)
{
    end_t *end = arg;
    t_link_model_t *self = end->model;
    if (!end->open) {
        s_fail(self, "an event outside of a session");
    }
    if (event->type == PR_MSG_BEAT) {
        return;
    }
    if (event->type != PR_MSG_REPLY) {
        s_fail(self, "an event of type %d", (int) event->type);
        return;
    }
    char text[24];
    (void) snprintf(text, sizeof text, "%.*s", PR_STR_ARG(event->reply.outcome));
    int64_t tag = strtoll(text, NULL, 10);
    if (end->peer_tag == 0) {
        if (tag <= end->last_peer_tag) {
            s_fail(self, "events of an old session in a new one");
        }
        end->peer_tag = end->last_peer_tag = tag;
    }
    if (tag != end->peer_tag || event->reply.req != end->received) {
        s_fail(self, "end %d: event %" PRId64 ".%" PRId64 ", due was %" PRId64 ".%" PRId64,
               end->index, tag, event->reply.req, end->peer_tag, end->received);
    }
    end->received++;
    end->received_bytes += (int64_t) pr_object_str(event->reply.data.object).len;
    end->tally.received++;
    if (s_chance(self, self->faults.drop, 500)) {
        pr_link_drop(end->link, PR_E_CLOSED);
        end->dialled = false;
    }
}

static void
s_writable(void *arg)
{
    end_t *end = arg;
    if (!end->wants_room || !pr_link_is_writable(end->link)) {
        s_fail(end->model, "writable for no reason");
    }
    end->wants_room = false;
    end->tally.writable++;
}

static const pr_link_ops_t s_ops = {
    .transmit = s_transmit,
    .open = s_open,
    .event = s_event,
    .lost = s_lost,
    .writable = s_writable,
};

/* --- the model --- */

static void
s_start(end_t *end)
{
    char incarnation[PR_INCARNATION_LEN + 1];
    (void) snprintf(incarnation, sizeof incarnation, "%016x",
                    (unsigned) ++end->model->next_incarnation);
    pr_link_self_t me = {
        .role = end->index ? "actors" : "gateway",
        .name = end->index ? "a1" : "g1",
        .incarnation = incarnation,
    };
    pr_link_destroy(&end->link);
    pr_link_side_t side = end->index ? PR_LINK_LISTENER : PR_LINK_DIALLER;
    end->link = pr_link_new(side, &me, &s_ops, end);
    if (!end->link) {
        abort();
    }
    end->open = end->dialled = end->wants_room = false;
}

t_link_model_t *
t_link_model_new(uint64_t seed, t_link_faults_t faults)
{
    t_link_model_t *self = calloc(1, sizeof *self);
    if (!self) {
        abort();
    }
    self->random = seed;
    self->faults = faults;
    self->now_ms = 1000;
    self->padding = malloc(PADDING_MAX);
    self->scratch = pr_buf_new(0);
    if (!self->padding || !self->scratch) {
        abort();
    }
    memset(self->padding, 'x', PADDING_MAX);
    for (int i = 0; i < 2; i++) {
        self->ends[i].model = self;
        self->ends[i].index = i;
        s_start(&self->ends[i]);
    }
    return self;
}

void
t_link_model_destroy(t_link_model_t **self_p)
{
    t_link_model_t *self = *self_p;
    if (!self) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        s_cut(&self->ends[i].to_peer, 0);
        pr_link_destroy(&self->ends[i].link);
    }
    pr_buf_destroy(&self->scratch);
    free(self->padding);
    free(self);
    *self_p = NULL;
}

static void
s_misbehave(t_link_model_t *self, end_t *end)
{
    const t_link_faults_t *may = &self->faults;
    if (s_chance(self, may->cut, 60)) {
        s_cut(&end->to_peer, (size_t) s_below(self, (int64_t) end->to_peer.count + 1));
    }
    if (s_chance(self, may->delay, 40)) {
        end->to_peer.delay_ms = s_below(self, s_below(self, 8) == 0 ? 2500 : 80);
    }
    if (s_chance(self, may->pause, 150)) {
        end->paused_ms = self->now_ms + s_below(self, 9000);
    }
    if (s_chance(self, may->refuse, 150)) {
        end->refuses_ms = self->now_ms + s_below(self, 1500);
    }
    if (s_chance(self, may->reset, 300)) {
        s_start(end);
    }
    if (s_chance(self, may->drop, 300)) {
        pr_link_drop(end->link, PR_E_CLOSED);
        end->dialled = false;
    }
}

static void
s_deliver(t_link_model_t *self, end_t *from, end_t *to)
{
    pipe_t *pipe = &from->to_peer;
    while (pipe->first && pipe->first->due_ms <= self->now_ms && to->paused_ms <= self->now_ms) {
        message_t *message = pipe->first;
        pipe->first = message->next;
        pipe->last = pipe->first ? pipe->last : NULL;
        pipe->count--;
        pr_link_receive(to->link, message->parts, message->count, self->now_ms);
        free(message);
        if (pipe->count > PR_LINK_WINDOW_MESSAGES * 2 + 40) {
            s_fail(self, "%zu messages under way", pipe->count);
        }
    }
}

static void
s_live(t_link_model_t *self, end_t *end)
{
    if (self->now_ms < end->paused_ms) {
        return;
    }
    if (end->index == 0 && !end->dialled) {
        end->dialled = true;
        pr_link_dial(end->link, self->now_ms);
    }
    int64_t sends = s_below(self, 64) ? s_below(self, 4) : s_below(self, 1200);
    while (end->open && !self->idle && !end->wants_room && sends-- > 0) {
        s_send(end);
    }
    if (self->now_ms - end->ticked_ms >= 100) {
        end->ticked_ms = self->now_ms;
        pr_link_tick(end->link, self->now_ms);
    }
    pr_link_flush(end->link, self->now_ms);
    if (end->open != pr_link_is_open(end->link)) {
        s_fail(self, "the user of end %d was not told", end->index);
    }
}

static void
s_step(t_link_model_t *self)
{
    self->now_ms += 1 + s_below(self, 40);
    for (int i = 0; i < 2; i++) {
        s_misbehave(self, &self->ends[i]);
        s_deliver(self, &self->ends[!i], &self->ends[i]);
        s_live(self, &self->ends[i]);
    }
}

void
t_link_model_run(t_link_model_t *self, int steps)
{
    self->healed = false;
    self->idle = false;
    for (int i = 0; i < steps && !self->failure[0]; i++) {
        s_step(self);
    }
}

void
t_link_model_quiet(t_link_model_t *self, int64_t ms, bool idle)
{
    self->healed = true;
    self->idle = idle;
    for (int i = 0; i < 2; i++) {
        end_t *end = &self->ends[i];
        end->paused_ms = end->refuses_ms = 0;
        end->to_peer.delay_ms = 5;
    }
    int64_t until_ms = self->now_ms + ms;
    while (self->now_ms < until_ms && !self->failure[0]) {
        s_step(self);
    }
}

void
t_link_model_check_whole(t_link_model_t *self)
{
    for (int i = 0; i < 2; i++) {
        const end_t *end = &self->ends[i];
        const end_t *peer = &self->ends[!i];
        if (!end->open) {
            s_fail(self, "end %d has no session", i);
        } else if (end->peer_tag != peer->tag) {
            s_fail(self, "the ends are in different sessions");
        } else if (end->received != peer->sent) {
            s_fail(self, "%" PRId64 " sent, %" PRId64 " arrived", peer->sent, end->received);
        } else if (end->wants_room) {
            s_fail(self, "end %d still waits for room", i);
        }
    }
}

const char *
t_link_model_failure(const t_link_model_t *self)
{
    return self->failure[0] ? self->failure : NULL;
}

t_link_tally_t
t_link_model_tally(const t_link_model_t *self, int end)
{
    return self->ends[end].tally;
}
