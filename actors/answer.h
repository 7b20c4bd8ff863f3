/* SPDX-License-Identifier: MIT */

/* Reads what a script said: the words that stand in the heads of actors/scripts/. */

#ifndef AC_ANSWER_H
#define AC_ANSWER_H

#include "actors/redis_reply.h"
#include "actors/request.h"

typedef enum {
    AC_VERDICT_DEFINITE, /* `answer` is filled in; it borrows from the reply */
    AC_VERDICT_NOSCRIPT, /* the server has forgotten the script */
    AC_VERDICT_MOVED,    /* not a primary with its data (any more): look for it anew, then again */
    AC_VERDICT_LATER     /* refused for now, nothing was changed: the same bytes again */
} ac_verdict_t;

ac_verdict_t
ac_answer_read(ac_script_t script, const ac_reply_t *reply, ac_answer_t *answer);

/* The first word of an error. */
pr_str_t
ac_answer_code(pr_str_t error);

/* "done", "fenced" …, for logs. */
const char *
ac_answer_name(ac_answer_kind_t kind);

#endif
