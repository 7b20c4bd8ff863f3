/* SPDX-License-Identifier: MIT */

/* The inside of pr_link, shared by link.c (what happens), link_receive.c (what was heard) and
 * link_talk.c (what is said). */

#ifndef PR_LINK_PRIVATE_H
#define PR_LINK_PRIVATE_H

#include "proto/wire/limits.h"
#include "proto/wire/link.h"
#include "proto/wire/outbox.h"

typedef char pr_link_name_t[PR_LINK_NAME_LEN_MAX + 1];
typedef char pr_incarnation_t[PR_INCARNATION_LEN + 1];

struct pr_link {
    pr_link_side_t side;
    pr_link_state_t state;
    const pr_link_ops_t *ops;
    void *arg;
    pr_link_name_t role;
    pr_link_name_t name;
    pr_incarnation_t incarnation;
    pr_link_name_t peer_role;
    pr_link_name_t peer_name;
    pr_incarnation_t peer_incarnation;
    int64_t proto;   /* agreed on */
    int64_t session; /* the dialler's number for it */
    uint64_t epoch;
    bool opening; /* inside ops->open: WELCOME has to go first */

    bool hello_due; /* the transport did not take it yet */
    int greetings;  /* since the last session */
    int refusal;    /* why the last greeting was refused, 0 if it was not */
    int64_t greeted_ms;
    int64_t heard_ms;
    int64_t ticked_ms;
    int64_t beat_ms;

    int64_t next_in;
    int64_t consumed_bytes;
    int64_t consumed_messages;
    int64_t unreported_bytes; /* of those, what the peer does not know yet; beats do not count */
    int64_t unreported_messages;
    int64_t unreported_ms; /* since when */

    int64_t refused_ms; /* begin of the second in which `refused_count` were sent */
    int refused_count;

    int64_t generation; /* for BEATs */
    pr_buf_t *stats;
    bool beat_due;

    pr_outbox_t *out;
    pr_buf_t *header; /* of the message being sent */
    pr_buf_t *own;    /* event of the link itself being sent */
    pr_unpacked_t *memory;
    pr_link_counters_t counters;
};

/* What came with an input; which members are set depends on it. */
typedef struct {
    int64_t now_ms;
    int error;
    const pr_str_t *parts;
    size_t count;
    const pr_event_t *event;
    const pr_header_t *header;
    const char *sender; /* incarnation */
} pr_link_cause_t;

/* Whether it is a word of letters, digits and "-_.": what goes into logs and maps as it came. */
bool
pr_link_is_word(pr_str_t text);

/* Something happened: carries out the cell of the state table. */
void
pr_link_input(pr_link_t *self, pr_link_input_t input, const pr_link_cause_t *cause);

/* Puts the header before parts[1..] and hands the message to the transport. `seq` 0: outside of any
 * session. */
PR_MUST_CHECK int
pr_link_transmit(pr_link_t *self, const char *to, int64_t seq, pr_str_t *parts, size_t count);

/* HELLO of the session self->session, as its first message. */
PR_MUST_CHECK int
pr_link_say_hello(pr_link_t *self);
PR_MUST_CHECK int
pr_link_say_welcome(pr_link_t *self);
/* An empty BEAT reports what was consumed; a whole one has the generation and the statistics. */
PR_MUST_CHECK int
pr_link_say_beat(pr_link_t *self, int64_t now_ms, bool whole);
/* EVENT_REFUSED to the incarnation `to`, outside of any session, at most PR_LINK_REFUSALS_PER_S. */
void
pr_link_say_refused(pr_link_t *self, const char *to, int64_t type, int error, int64_t now_ms);

#endif
