/* SPDX-License-Identifier: MIT */

#include "actors/redis_reply.h"

#include <hiredis/hiredis.h>

#include "proto/base/assert.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

ac_reply_kind_t
ac_reply_kind(const ac_reply_t *self)
{
    switch (self->type) {
    case REDIS_REPLY_INTEGER:
        return AC_REPLY_INTEGER;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        return AC_REPLY_TEXT;
    case REDIS_REPLY_ERROR:
        return AC_REPLY_ERROR;
    case REDIS_REPLY_ARRAY:
        return AC_REPLY_ARRAY;
    default:
        /* RESP3 kinds: never asked for. */
        return AC_REPLY_NIL;
    }
}

pr_str_t
ac_reply_text(const ac_reply_t *self)
{
    ac_reply_kind_t kind = ac_reply_kind(self);
    if (kind != AC_REPLY_TEXT && kind != AC_REPLY_ERROR) {
        return PR_STR_NONE;
    }
    /* An int in 0.14. */
    return (pr_str_t) {self->str, (size_t) self->len};
}

int64_t
ac_reply_integer(const ac_reply_t *self)
{
    return self->type == REDIS_REPLY_INTEGER ? self->integer : 0;
}

size_t
ac_reply_count(const ac_reply_t *self)
{
    return self->type == REDIS_REPLY_ARRAY ? self->elements : 0;
}

const ac_reply_t *
ac_reply_at(const ac_reply_t *self, size_t index)
{
    return index < ac_reply_count(self) ? self->element[index] : NULL;
}

/* hiredis' own constructors of replies, and the same with an array of ours. */
static redisReplyObjectFunctions s_original;
static redisReplyObjectFunctions s_bounded;

/* A count from the wire must not decide how much memory we take. */
#if HIREDIS_MAJOR >= 1
static void *
s_create_array(const redisReadTask *task, size_t count)
#else
static void *
s_create_array(const redisReadTask *task, int count)
#endif
{
    return count > PR_STORE_REPLY_ELEMENTS_MAX ? NULL : s_original.createArray(task, count);
}

ac_reply_reader_t *
ac_reply_reader_new(void)
{
    redisReader *self = redisReaderCreate();
    if (self) {
        s_original = *self->fn;
        s_bounded = s_original;
        s_bounded.createArray = s_create_array;
        self->fn = &s_bounded;
    }
    return self;
}

void
ac_reply_reader_destroy(ac_reply_reader_t **self_p)
{
    PR_ASSERT(self_p);
    if (*self_p) {
        redisReaderFree(*self_p);
        *self_p = NULL;
    }
}

int
ac_reply_reader_feed(ac_reply_reader_t *self, const char *data, size_t len)
{
    if (redisReaderFeed(self, data, len) != REDIS_OK) {
        return PR_E_NOMEM;
    }
    return self->len - self->pos > PR_STORE_REPLY_BYTES_MAX ? PR_E_TOO_LARGE : 0;
}

int
ac_reply_reader_next(ac_reply_reader_t *self, ac_reply_t **reply)
{
    void *next = NULL;
    int status = redisReaderGetReply(self, &next);
    *reply = next;
    return status == REDIS_OK ? 0 : PR_E_MALFORMED;
}

void
ac_reply_destroy(ac_reply_t **self_p)
{
    PR_ASSERT(self_p);
    if (*self_p) {
        freeReplyObject(*self_p);
        *self_p = NULL;
    }
}
