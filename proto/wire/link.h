/* SPDX-License-Identifier: MIT */

/*
 * One side of a link: a FIFO of events to one peer and back, over a transport that may lose, delay
 * or repeat whole messages, stop for a while, or reach a process that has forgotten everything.
 *
 * Pure: bytes in, bytes out, time as an argument. pr_dealer and pr_router put it on ZeroMQ; the
 * tests and the simulator put it on a model.
 *
 * The dialler says HELLO with seq 1 and a session number of its own, and ignores everything until
 * the WELCOME that names this session. From then on each message carries the next seq. A gap, or a
 * peer that had given us up, ends the session on both sides: the listener answers EVENT_REFUSED
 * `reset` (seq 0), the dialler says HELLO again on the same socket with the next session number. A
 * repeated message is dropped. Nothing is ever sent twice: after a reset the users of the link tell
 * each other their state anew (SYNC).
 *
 * Window: at most PR_LINK_WINDOW_BYTES and PR_LINK_WINDOW_MESSAGES unconsumed at the peer, the
 * unflushed ones included. Past it pr_link_send answers PR_E_BUSY and queues nothing; `writable` is
 * called once when half of it is free again. BEAT, HELLO, WELCOME and refusals may pass it. The
 * consumed counts of a header are of the whole session, from its message 1 on, and of all its
 * messages.
 *
 * |          | IDLE              | GREETING (dialler)  | OPEN                                    |
 * | HELLO    | ACCEPT -> OPEN    | -                   | lost, ACCEPT; of an old session: drop   |
 * | WELCOME  | -                 | mine: JOIN -> OPEN  | drop                                    |
 * | next seq | reset (listener)  | -                   | deliver                                 |
 * | old seq  | reset (listener)  | -                   | drop                                    |
 * | gap      | reset (listener)  | -                   | lost; listener: reset, dialler: HELLO   |
 * | reset    | -                 | - (meant the last)  | lost; dialler: HELLO                    |
 * | silence  | -                 | HELLO, next session | lost; dialler: HELLO                    |
 * | not sent | -                 | HELLO, the same     | lost; dialler: HELLO                    |
 * (link_state.h has every cell.)
 */

#ifndef PR_LINK_H
#define PR_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/bytes.h"
#include "proto/wire/link_state.h"
#include "proto/wire/message.h"

typedef struct pr_link pr_link_t;

typedef struct {
    /* Sends one message of these parts (the header first). An error means: not sent, the link will
     * treat the session as lost. */
    int (*transmit)(void *arg, const pr_str_t *parts, size_t count);
    /* A session began. A listener gets the peer's hello and may refuse by an error code other than
     * 0 (the peer gets EVENT_REFUSED with it); a dialler gets NULL. The peer's incarnation is
     * known. */
    int (*open)(void *arg, const pr_msg_hello_t *hello);
    /* An event of the present session, in order. HELLO, WELCOME and refusals `reset` are the link's
     * own; a BEAT is delivered after the link took its part of it. */
    void (*event)(void *arg, const pr_event_t *event);
    /* The session ended: everything unconsumed is lost. */
    void (*lost)(void *arg, int error);
    /* There is room again after a PR_E_BUSY. May be NULL. */
    void (*writable)(void *arg);
} pr_link_ops_t;

/* What a HELLO tells of the dialler, and a WELCOME of the listener. Texts are copied. */
typedef struct {
    const char *role; /* "gateway", "actors", "redis", "ctl" */
    const char *name; /* "g1" */
    const char *incarnation;
} pr_link_self_t;

typedef struct {
    uint64_t sent_messages;
    uint64_t sent_events;
    uint64_t received_messages;
    uint64_t received_events;
    uint64_t duplicates;
    uint64_t gaps;
    uint64_t malformed;
    uint64_t misdirected; /* meant for another incarnation */
    uint64_t unknown_types;
    uint64_t refused_busy; /* pr_link_send answered PR_E_BUSY */
    uint64_t sessions;
    uint64_t transmit_failures; /* of an open session: a broken connection, or a bug */
} pr_link_counters_t;

/* NULL when out of memory. `ops` and `arg` are borrowed for the link's life. */
pr_link_t *
pr_link_new(pr_link_side_t side, const pr_link_self_t *me, const pr_link_ops_t *ops, void *arg);
void
pr_link_destroy(pr_link_t **self_p);

/* Dialler: begins (or begins anew) a session. */
void
pr_link_dial(pr_link_t *self, int64_t now_ms);

/*
 * Queues an event for the next flush. 0; PR_E_BUSY past the window; PR_E_UNREACHABLE while no
 * session is open; PR_E_NOMEM; PR_E_TOO_LARGE for an event over PR_MESSAGE_BYTES_MAX / 2.
 */
PR_MUST_CHECK int
pr_link_send(pr_link_t *self, const pr_event_t *event);
/* The same with bytes of pr_event_pack, so that one encoding serves many peers. */
PR_MUST_CHECK int
pr_link_send_packed(pr_link_t *self, pr_str_t packed);

/* Sends what is queued, in as many messages as it takes. Call at the end of a turn. */
void
pr_link_flush(pr_link_t *self, int64_t now_ms);

/* One message from the peer: header part and event parts. Never keeps the bytes. */
void
pr_link_receive(pr_link_t *self, const pr_str_t *parts, size_t count, int64_t now_ms);

/* Beats, reports and deadlines. Call at least every 100 ms. */
void
pr_link_tick(pr_link_t *self, int64_t now_ms);

/* Puts these into every BEAT from now on; `stats` are bytes of one msgpack value, copied, or
 * absent. */
void
pr_link_set_beat(pr_link_t *self, int64_t generation, pr_str_t stats);

/* Ends the session from our side, silently: the peer finds out by itself. Calls `lost` if one was
 * open. */
void
pr_link_drop(pr_link_t *self, int error);

bool
pr_link_is_open(const pr_link_t *self);
/* Whether pr_link_send would take an event now. */
bool
pr_link_is_writable(const pr_link_t *self);
/* Incarnation of the peer; "" while not known. */
const char *
pr_link_peer_incarnation(const pr_link_t *self);
/* Name and role that the peer's HELLO or WELCOME gave (a WELCOME has no role: ""). */
const char *
pr_link_peer_name(const pr_link_t *self);
const char *
pr_link_peer_role(const pr_link_t *self);
/* Dialler: the error code by which the peer refused the last greeting, 0 if it did not. */
int
pr_link_refusal(const pr_link_t *self);
/* Dialler: greetings that went unanswered since the last session. */
int
pr_link_greetings(const pr_link_t *self);
const pr_link_counters_t *
pr_link_counters(const pr_link_t *self);

#endif
