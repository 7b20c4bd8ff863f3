/* SPDX-License-Identifier: MIT */

/* A dialler and a listener in one test; what they transmit lies there until it is carried. */

#ifndef T_LINK_PAIR_H
#define T_LINK_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/wire/link.h"

#define T_LINK_POLL PR_STR("ABC123")
#define T_LINK_DIALLER "dddddddddddddddd"
#define T_LINK_LISTENER "1111111111111111"

enum { T_LINK_MESSAGES = 600 };

/* A message as it was transmitted. */
typedef struct {
    pr_str_t *parts; /* one allocation */
    size_t count;
} t_link_message_t;

typedef struct end t_link_end_t;
struct end {
    pr_link_t *link;
    t_link_message_t out[T_LINK_MESSAGES]; /* not yet carried to the other end */
    size_t out_count;
    int refuse; /* what transmit answers */
    int open_with;
    bool send_in_open;
    bool drop_in_lost;
    bool dial_in_lost;
    int opened;
    int lost;
    int lost_error;
    int writable;
    int events;
    pr_message_type_t last_type;
    int64_t last_req;
};

typedef struct {
    t_link_end_t dialler;
    t_link_end_t listener;
    int64_t now_ms;
    pr_unpacked_t *memory;
    pr_buf_t *buf;
} t_link_pair_t;

/* Sends a READ of that number. */
int
t_link_read(t_link_end_t *end, int64_t req);
/* For cmocka: the pair is the state. */
int
t_link_setup(void **state);
/* Loses what was transmitted and not carried yet. */
void
t_link_discard(t_link_end_t *end);
int
t_link_teardown(void **state);
/* Carries what `from` has transmitted so far. */
void
t_link_carry(t_link_pair_t *pair, t_link_end_t *from, t_link_end_t *to);
/* Flushes and carries to and fro until all is said. */
void
t_link_exchange(t_link_pair_t *pair);
/* Dials and opens both sides. */
void
t_link_connect(t_link_pair_t *pair);
/* Lets time pass in steps of 100 ms; carries nothing. */
void
t_link_tick(t_link_pair_t *pair, int64_t by_ms);
pr_header_t
t_link_header_of(t_link_pair_t *pair, const t_link_message_t *message);
pr_event_t
t_link_event_of(t_link_pair_t *pair, const t_link_message_t *message, size_t part);
/* Gives the listener one message that nobody sent. */
void
t_link_forge(t_link_pair_t *pair, const char *from, const char *to, int64_t seq, pr_str_t part);
/* The listener has transmitted one EVENT_REFUSED of that code, and nothing else. */
void
t_link_assert_refused(t_link_pair_t *pair, const char *code);

#endif
