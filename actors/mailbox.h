/* SPDX-License-Identifier: MIT */

/*
 * Requests of gateways that wait: for their turn, or for the batch that they are in. A queue with
 * bounds (PR_MAILBOX_COMMANDS_MAX, PR_MAILBOX_BYTES_MAX). All wait equally long, so the first is
 * always the first whose time is up.
 */

#ifndef AC_MAILBOX_H
#define AC_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "actors/poll.h"
#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"

typedef struct ac_mailbox ac_mailbox_t;
typedef struct ac_call ac_call_t;

typedef enum { AC_CALL_READ, AC_CALL_CREATE, AC_CALL_COMMAND } ac_call_kind_t;

/* Texts are the call's own. Absent where the kind has none. */
struct ac_call {
    ac_call_kind_t kind;
    uint32_t gateway;
    int64_t req;
    int64_t deadline_ms;
    ac_event_kind_t verb; /* COMMAND; AC_EVENT_COUNT: unknown */
    int code;             /* once decided */
    pr_buf_t *words; /* once decided: why it was refused, or the id it made; msgpack, or NULL */
    pr_str_t conn;   /* COMMAND */
    pr_str_t user;   /* COMMAND, READ */
    pr_str_t id;     /* COMMAND */
    pr_str_t args;   /* COMMAND: msgpack */
    pr_str_t nonce;  /* CREATE */
    size_t bytes;
    ac_call_t *next;
    char text[];
};

/* A copy of `like` with texts of its own, or NULL when out of memory. */
ac_call_t *
ac_call_new(const ac_call_t *like);
void
ac_call_destroy(ac_call_t **self_p);

/* An empty one, or NULL when out of memory. */
ac_mailbox_t *
ac_mailbox_new(void);
void
ac_mailbox_destroy(ac_mailbox_t **self_p);

/* Whether one more call of so many bytes would be too much. */
bool
ac_mailbox_is_full(const ac_mailbox_t *self, size_t bytes);
/* Appends the call, bounds or not; consumed. */
void
ac_mailbox_push(ac_mailbox_t *self, ac_call_t **call_p);
/* The first call, the caller's now; NULL if it is empty. */
ac_call_t *
ac_mailbox_pop(ac_mailbox_t *self);
/* It stays there; NULL if it is empty. */
const ac_call_t *
ac_mailbox_first(const ac_mailbox_t *self);
/* Frees the calls of that gateway. */
void
ac_mailbox_drop_gateway(ac_mailbox_t *self, uint32_t gateway);

size_t
ac_mailbox_count(const ac_mailbox_t *self);
/* When the first call's time is up; INT64_MAX if it is empty. */
int64_t
ac_mailbox_due_ms(const ac_mailbox_t *self);

#endif
