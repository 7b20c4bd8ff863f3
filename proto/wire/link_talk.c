/* SPDX-License-Identifier: MIT */

#include "proto/wire/link_private.h"

int
pr_link_transmit(pr_link_t *self, const char *to, int64_t seq, pr_str_t *parts, size_t count)
{
    pr_header_t header = {
        .proto = self->state == PR_LINK_OPEN ? self->proto : PR_PROTO_MIN,
        .from_inc = pr_str(self->incarnation),
        .to_inc = pr_str(to),
        .seq = seq,
        .consumed_bytes = seq ? self->consumed_bytes : 0,
        .consumed_messages = seq ? self->consumed_messages : 0,
    };
    pr_buf_clear(self->header);
    pr_header_pack(&header, self->header);
    if (pr_buf_failed(self->header)) {
        return PR_E_NOMEM;
    }
    parts[0] = pr_buf_str(self->header);
    int error = self->ops->transmit(self->arg, parts, count);
    if (error) {
        self->counters.transmit_failures += self->state == PR_LINK_OPEN;
        return error;
    }
    self->counters.sent_messages++;
    if (seq) {
        self->unreported_bytes = self->unreported_messages = 0;
    }
    return 0;
}

/* Sends one event as a message of its own. */
static int
s_say(pr_link_t *self, const pr_event_t *event, const char *to, bool numbered)
{
    pr_str_t parts[2];
    pr_buf_clear(self->own);
    pr_event_pack(event, self->own);
    if (pr_buf_failed(self->own)) {
        return PR_E_NOMEM;
    }
    parts[1] = pr_buf_str(self->own);
    int64_t seq = numbered ? pr_outbox_own(self->out, parts[1].len) : 0;
    return pr_link_transmit(self, to, seq, parts, 2);
}

int
pr_link_say_hello(pr_link_t *self)
{
    pr_outbox_reset(self->out);
    pr_event_t event = pr_event(PR_MSG_HELLO, PR_STR(""));
    event.hello.min = PR_PROTO_MIN;
    event.hello.max = PR_PROTO_MAX;
    event.hello.role = pr_str(self->role);
    event.hello.name = pr_str(self->name);
    event.hello.session = self->session;
    event.hello.build = PR_STR(ROLLCALL_VERSION);
    event.hello.generation = self->generation;
    return s_say(self, &event, "", true);
}

int
pr_link_say_welcome(pr_link_t *self)
{
    pr_event_t event = pr_event(PR_MSG_WELCOME, PR_STR(""));
    event.welcome.proto = self->proto;
    event.welcome.name = pr_str(self->name);
    event.welcome.session = self->session;
    return s_say(self, &event, self->peer_incarnation, true);
}

int
pr_link_say_beat(pr_link_t *self, int64_t now_ms, bool whole)
{
    pr_event_t event = pr_event(PR_MSG_BEAT, PR_STR(""));
    if (whole) {
        self->beat_ms = now_ms;
        self->beat_due = false;
        event.beat.generation = self->generation;
        event.beat.stats.raw = pr_buf_len(self->stats) ? pr_buf_str(self->stats) : PR_STR_NONE;
    }
    return s_say(self, &event, self->peer_incarnation, true);
}

void
pr_link_say_refused(pr_link_t *self, const char *to, int64_t type, int error, int64_t now_ms)
{
    if (now_ms - self->refused_ms >= 1000) {
        self->refused_ms = now_ms;
        self->refused_count = 0;
    }
    if (self->refused_count >= PR_LINK_REFUSALS_PER_S) {
        return;
    }
    self->refused_count++;
    pr_event_t event = pr_event(PR_MSG_EVENT_REFUSED, PR_STR(""));
    event.event_refused.type = type;
    event.event_refused.code = pr_str(pr_error_name(error));
    event.event_refused.text = pr_str(pr_error_text(error));
    /* Not taken: the next thing that the peer sends is refused too. */
    (void) s_say(self, &event, to, false);
}
