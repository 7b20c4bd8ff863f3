/* SPDX-License-Identifier: MIT */

/* One answer of Redis, and the reader that makes answers out of bytes: hiredis, behind names of
 * ours. */

#ifndef AC_REDIS_REPLY_H
#define AC_REDIS_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/bytes.h"

/* Borrowed for the call that brings it. */
typedef struct redisReply ac_reply_t;

typedef enum {
    AC_REPLY_NIL,
    AC_REPLY_INTEGER,
    AC_REPLY_TEXT, /* a status or a bulk string */
    AC_REPLY_ERROR,
    AC_REPLY_ARRAY
} ac_reply_kind_t;

ac_reply_kind_t
ac_reply_kind(const ac_reply_t *self);
/* Of TEXT and ERROR; else absent. */
pr_str_t
ac_reply_text(const ac_reply_t *self);
/* Of INTEGER; else 0. */
int64_t
ac_reply_integer(const ac_reply_t *self);
/* Of ARRAY; else 0. */
size_t
ac_reply_count(const ac_reply_t *self);
/* NULL past the end. */
const ac_reply_t *
ac_reply_at(const ac_reply_t *self, size_t index);

/* --- the reader --- */

typedef struct redisReader ac_reply_reader_t;

/* NULL when out of memory. */
ac_reply_reader_t *
ac_reply_reader_new(void);
/* NULL is fine. */
void
ac_reply_reader_destroy(ac_reply_reader_t **self_p);

/* Adds bytes as they came; PR_E_NOMEM, or PR_E_TOO_LARGE for an answer that never ends. */
int
ac_reply_reader_feed(ac_reply_reader_t *self, const char *data, size_t len);

/* The next whole answer in `reply`, or NULL if there is none yet. PR_E_MALFORMED, for ever, if this
 * is not the protocol of Redis or an answer has more than PR_STORE_REPLY_ELEMENTS_MAX parts. */
int
ac_reply_reader_next(ac_reply_reader_t *self, ac_reply_t **reply);

/* NULL is fine. */
void
ac_reply_destroy(ac_reply_t **self_p);

#endif
