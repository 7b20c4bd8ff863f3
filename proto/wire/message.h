/* SPDX-License-Identifier: MIT */

/*
 * What crosses between two processes. A ZeroMQ message of a link has a header part and event parts:
 *
 *     header  [proto, from_inc, to_inc, seq, consumed_bytes, consumed_messages]
 *     event   [type, poll, body]      body: a map; poll: "" where none is meant
 *
 * The structs come from messages.def. Decoding is bounded before anything is allocated: depth,
 * claimed counts against the bytes left, one value per part and nothing behind it.
 */

#ifndef PR_MESSAGE_H
#define PR_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"
#include "proto/wire/error.h"
#include "proto/wire/value.h"

/* Protocol versions that this build speaks. */
#define PR_PROTO_MIN 1
#define PR_PROTO_MAX 1

/* An absent INT or BOOL member. A BOOL is 0 or 1. */
#define PR_INT_NONE INT64_MIN

typedef enum {
#define PR_MESSAGE(number, NAME, name, way, members) PR_MSG_##NAME = (number),
#include "proto/wire/messages.def"
#undef PR_MESSAGE
} pr_message_type_t;

#define PR_MEMBER_TYPE_STR pr_str_t
#define PR_MEMBER_TYPE_INT int64_t
#define PR_MEMBER_TYPE_BOOL int64_t
#define PR_MEMBER_TYPE_ANY pr_any_t
#define M(kind, need, field, wire) PR_MEMBER_TYPE_##kind field;
#define PR_MESSAGE(number, NAME, name, way, members)                                               \
    typedef struct {                                                                               \
        members                                                                                    \
    } pr_msg_##name##_t;
#include "proto/wire/messages.def"
#undef PR_MESSAGE
#undef M

/* One event. Texts are borrowed: from the part it was decoded from, or from the sender. */
typedef struct {
    pr_message_type_t type;
    int64_t number; /* its number on the wire, also where no type is known for it */
    pr_str_t poll;
    union {
#define PR_MESSAGE(number, NAME, name, way, members) pr_msg_##name##_t name;
#include "proto/wire/messages.def"
#undef PR_MESSAGE
    };
} pr_event_t;

/* An event of that type with every member absent. */
pr_event_t
pr_event(pr_message_type_t type, pr_str_t poll);

/* Appends the event to `out`; absent members are left out. All MUST members must be set. */
void
pr_event_pack(const pr_event_t *event, pr_buf_t *out);

/*
 * Decodes one part. 0, PR_E_MALFORMED (no msgpack, over the bounds, not of that shape),
 * PR_E_UNKNOWN_TYPE (only event->number and event->poll are set), PR_E_BAD_FIELD (a MUST member is
 * missing, a member has another type or is too long) or PR_E_NOMEM. The event borrows from `part`
 * and `memory` until `memory` is used again.
 */
PR_MUST_CHECK int
pr_event_unpack(pr_str_t part, pr_unpacked_t *memory, pr_event_t *event);

/* "CONNECT" and so on; "?" for a number that is no message. */
const char *
pr_message_name(int64_t type);
/* The number of the message of that name, 0 if there is none. */
int
pr_message_type_from_name(pr_str_t name);

typedef struct {
    int64_t proto;
    pr_str_t from_inc;
    pr_str_t to_inc; /* "" while not known */
    int64_t seq;     /* from 1; 0: outside of any session (a refusal) */
    int64_t consumed_bytes;
    int64_t consumed_messages;
} pr_header_t;

void
pr_header_pack(const pr_header_t *header, pr_buf_t *out);
PR_MUST_CHECK int
pr_header_unpack(pr_str_t part, pr_unpacked_t *memory, pr_header_t *header);

#endif
