/* SPDX-License-Identifier: MIT */

#include "gateway/engineio_sid.h"

#include <stdio.h>

#include "proto/base/assert.h"
#include "proto/base/clock.h"
#include "proto/poll/ids.h"

/* 132 random bits. */
#define RANDOM_LEN 22
/* Hex digits of an incarnation that are enough to tell it from its successor. */
#define INCARNATION_LEN 8

_Static_assert(GW_SID_TAG_MAX + 1 + RANDOM_LEN <= GW_SID_MAX, "a sid has room for its parts");

void
gw_sid_tag(const char *name, const char *incarnation, char out[GW_SID_TAG_MAX + 1])
{
    (void) snprintf(out, GW_SID_TAG_MAX + 1, "%.31s-%.*s", name, INCARNATION_LEN, incarnation);
}

void
gw_sid_new(const char *tag, char out[GW_SID_MAX + 1])
{
    int len = snprintf(out, GW_SID_MAX + 1, "%.*s-", GW_SID_TAG_MAX, tag);
    PR_ASSERT(len > 0 && len + RANDOM_LEN <= GW_SID_MAX);
    pr_random_text(out + len, RANDOM_LEN, PR_ID_WORD_CHARS);
}

pr_str_t
gw_sid_owner(pr_str_t sid)
{
    if (sid.len < RANDOM_LEN + 2 || sid.len > GW_SID_MAX) {
        return PR_STR_NONE;
    }
    size_t len = sid.len - RANDOM_LEN - 1;
    return sid.ptr[len] == '-' ? (pr_str_t) {sid.ptr, len} : PR_STR_NONE;
}
