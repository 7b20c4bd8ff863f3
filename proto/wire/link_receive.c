/* SPDX-License-Identifier: MIT */

/* What the peer's messages are to the state table. */

#include "proto/wire/link_private.h"

bool
pr_link_is_word(pr_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.') {
            return false;
        }
    }
    return text.len > 0;
}

static void
s_malformed(pr_link_t *self, const char *to, int64_t type, int error, int64_t now_ms)
{
    self->counters.malformed++;
    if (self->side == PR_LINK_LISTENER || self->state == PR_LINK_OPEN) {
        pr_link_say_refused(self, to, type, error, now_ms);
    }
}

/* Number 1: a greeting or its answer. */
static void
s_receive_first(pr_link_t *self, pr_link_cause_t cause)
{
    pr_event_t event = {0};
    int error =
        cause.count == 2 ? pr_event_unpack(cause.parts[1], self->memory, &event) : PR_E_MALFORMED;
    if (error) {
        s_malformed(self, cause.sender, event.number, error, cause.now_ms);
        return;
    }
    cause.event = &event;
    cause.error = PR_E_RESET;
    pr_link_input_t input = PR_LINK_ON_OLD;
    if (event.type == PR_MSG_HELLO) {
        bool known = strcmp(cause.sender, self->peer_incarnation) == 0;
        input = known && event.hello.session <= self->session ? PR_LINK_ON_STALE : PR_LINK_ON_HELLO;
    } else if (event.type == PR_MSG_WELCOME) {
        bool mine = event.welcome.session == self->session && event.welcome.proto >= PR_PROTO_MIN &&
                    event.welcome.proto <= PR_PROTO_MAX;
        input = mine ? PR_LINK_ON_WELCOME : PR_LINK_ON_OTHER;
    }
    pr_link_input(self, input, &cause);
}

/* Number 0: a refusal, outside of any session. It is never answered: two sides could go on for
 * ever. */
static void
s_receive_refusal(pr_link_t *self, pr_link_cause_t cause)
{
    pr_event_t event = {0};
    int error =
        cause.count == 2 ? pr_event_unpack(cause.parts[1], self->memory, &event) : PR_E_MALFORMED;
    if (error || event.type != PR_MSG_EVENT_REFUSED) {
        error = error ? error : PR_E_BAD_FIELD;
        s_malformed(self, cause.sender, event.number, error, cause.now_ms);
        return;
    }
    cause.event = &event;
    cause.error = pr_error_from_name(event.event_refused.code);
    pr_link_input(self, cause.error == PR_E_RESET ? PR_LINK_ON_RESET : PR_LINK_ON_REFUSAL, &cause);
}

static void
s_receive_numbered(pr_link_t *self, pr_link_cause_t cause)
{
    int64_t seq = cause.header->seq;
    cause.error = PR_E_RESET;
    if (cause.header->proto < PR_PROTO_MIN || cause.header->proto > PR_PROTO_MAX) {
        s_malformed(self, cause.sender, 0, PR_E_VERSION, cause.now_ms);
    } else if (self->state != PR_LINK_OPEN) {
        pr_link_input(self, PR_LINK_ON_NEXT, &cause);
    } else if (strcmp(cause.sender, self->peer_incarnation) != 0 || seq > self->next_in) {
        self->counters.gaps++;
        pr_link_input(self, PR_LINK_ON_GAP, &cause);
    } else {
        pr_link_input(self, seq == self->next_in ? PR_LINK_ON_NEXT : PR_LINK_ON_OLD, &cause);
    }
}

void
pr_link_receive(pr_link_t *self, const pr_str_t *parts, size_t count, int64_t now_ms)
{
    pr_header_t header = {0};
    pr_incarnation_t sender = "";
    int error = count ? pr_header_unpack(parts[0], self->memory, &header) : PR_E_MALFORMED;
    if (!error && (header.seq < 0 || !pr_link_is_word(header.from_inc) ||
                   header.from_inc.len >= sizeof sender)) {
        error = PR_E_BAD_FIELD;
    }
    if (error) {
        s_malformed(self, "", 0, error, now_ms);
        return;
    }
    /* A copy, as the header's memory is used again. */
    memcpy(sender, header.from_inc.ptr, header.from_inc.len);
    pr_link_cause_t cause = {.now_ms = now_ms, .parts = parts, .count = count, .header = &header};
    cause.sender = sender;
    if (header.to_inc.len && !pr_str_equal(header.to_inc, pr_str(self->incarnation))) {
        self->counters.misdirected++;
        if (self->side == PR_LINK_LISTENER && header.seq > 0) {
            pr_link_say_refused(self, sender, 0, PR_E_RESET, now_ms);
        }
    } else if (header.seq == 0) {
        s_receive_refusal(self, cause);
    } else if (header.seq == 1) {
        s_receive_first(self, cause);
    } else {
        s_receive_numbered(self, cause);
    }
}
