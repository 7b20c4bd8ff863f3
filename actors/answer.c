/* SPDX-License-Identifier: MIT */

#include "actors/answer.h"

#include <string.h>

#include "proto/base/assert.h"

#define ONE(script) (1U << (script))
#define CREATE ONE(AC_SCRIPT_CREATE)
#define CLAIM ONE(AC_SCRIPT_CLAIM)
#define WRITE ONE(AC_SCRIPT_WRITE)
#define FINISH ONE(AC_SCRIPT_FINISH)
#define ALL (CREATE | CLAIM | WRITE | FINISH)

typedef struct {
    const char *code;
    const char *rest; /* NULL: anything, and it is the answer's text */
    unsigned scripts; /* that say so */
    ac_answer_kind_t kind;
} word_t;

static const word_t s_words[] = {
    {"TAKEN", "poll", CREATE, AC_ANSWER_TAKEN_POLL},
    {"TAKEN", "record", CREATE, AC_ANSWER_TAKEN_RECORD},
    {"STALE", NULL, CLAIM, AC_ANSWER_STALE},
    {"NODOC", "ended", CLAIM, AC_ANSWER_NODOC_ENDED},
    {"NODOC", "missing", CLAIM | WRITE, AC_ANSWER_NODOC_MISSING},
    {"NODOC", "lost", CLAIM, AC_ANSWER_NODOC_LOST},
    {"FENCED", NULL, WRITE | FINISH, AC_ANSWER_FENCED},
    {"CONFLICT", NULL, WRITE, AC_ANSWER_CONFLICT},
    {"BADTYPE", NULL, ALL, AC_ANSWER_BADTYPE},
    {"BADARG", NULL, ALL, AC_ANSWER_BADARG},
};

typedef struct {
    const char *code;
    ac_verdict_t verdict;
} passing_t;

/* The server's own words. None of them leaves a change behind. A right that is missing (NOPERM) or
 * a cluster's redirection is for a person to mend; until then nothing is lost. */
static const passing_t s_passing[] = {
    {"NOSCRIPT", AC_VERDICT_NOSCRIPT}, {"READONLY", AC_VERDICT_MOVED},
    {"MASTERDOWN", AC_VERDICT_MOVED},  {"LOADING", AC_VERDICT_MOVED},
    {"OOM", AC_VERDICT_LATER},         {"MISCONF", AC_VERDICT_LATER},
    {"NOREPLICAS", AC_VERDICT_LATER},  {"BUSY", AC_VERDICT_LATER},
    {"CLUSTERDOWN", AC_VERDICT_LATER}, {"TRYAGAIN", AC_VERDICT_LATER},
    {"MOVED", AC_VERDICT_LATER},       {"ASK", AC_VERDICT_LATER},
    {"NOAUTH", AC_VERDICT_LATER},      {"NOPERM", AC_VERDICT_LATER},
};

pr_str_t
ac_answer_code(pr_str_t error)
{
    const char *blank = error.len > 0 ? memchr(error.ptr, ' ', error.len) : NULL;
    return (pr_str_t) {error.ptr, blank ? (size_t) (blank - error.ptr) : error.len};
}

static ac_verdict_t
s_read_error(ac_script_t script, pr_str_t error, ac_answer_t *answer)
{
    pr_str_t code = ac_answer_code(error);
    size_t skip = code.len < error.len ? code.len + 1 : code.len;
    pr_str_t rest = {error.ptr + skip, error.len - skip};
    for (size_t i = 0; i < sizeof s_words / sizeof s_words[0]; i++) {
        const word_t *word = &s_words[i];
        if ((word->scripts & ONE(script)) && pr_str_equal(code, pr_str(word->code)) &&
            (!word->rest || pr_str_equal(rest, pr_str(word->rest)))) {
            *answer = (ac_answer_t) {.kind = word->kind, .text = rest};
            return AC_VERDICT_DEFINITE;
        }
    }
    for (size_t i = 0; i < sizeof s_passing / sizeof s_passing[0]; i++) {
        if (pr_str_equal(code, pr_str(s_passing[i].code))) {
            return s_passing[i].verdict;
        }
    }
    *answer = (ac_answer_t) {.kind = AC_ANSWER_OTHER, .text = error};
    return AC_VERDICT_DEFINITE;
}

/* {1,…} or {0,…} with the texts that this script gives. */
static bool
s_read_array(ac_script_t script, const ac_reply_t *reply, ac_answer_t *answer)
{
    size_t count = ac_reply_count(reply);
    if (count == 0 || ac_reply_kind(ac_reply_at(reply, 0)) != AC_REPLY_INTEGER) {
        return false;
    }
    int64_t applied = ac_reply_integer(ac_reply_at(reply, 0));
    size_t expected = script == AC_SCRIPT_CLAIM ? 3 : script == AC_SCRIPT_FINISH ? 1 : 2;
    if (count != expected || applied < 0 || applied > 1 ||
        (applied == 0 && script == AC_SCRIPT_CLAIM)) {
        return false;
    }
    *answer = (ac_answer_t) {.kind = applied ? AC_ANSWER_DONE : AC_ANSWER_ALREADY};
    if (count > 1) {
        answer->text = ac_reply_text(ac_reply_at(reply, 1));
    }
    if (count > 2) {
        answer->document = ac_reply_text(ac_reply_at(reply, 2));
    }
    return (count < 2 || answer->text.ptr) && (count < 3 || answer->document.ptr);
}

ac_verdict_t
ac_answer_read(ac_script_t script, const ac_reply_t *reply, ac_answer_t *answer)
{
    PR_ASSERT(reply && answer);
    if (ac_reply_kind(reply) == AC_REPLY_ERROR) {
        return s_read_error(script, ac_reply_text(reply), answer);
    }
    if (!s_read_array(script, reply, answer)) {
        *answer = (ac_answer_t) {.kind = AC_ANSWER_OTHER, .text = PR_STR("unexpected reply")};
    }
    return AC_VERDICT_DEFINITE;
}

const char *
ac_answer_name(ac_answer_kind_t kind)
{
    static const char *const names[AC_ANSWER_COUNT] = {
        [AC_ANSWER_DONE] = "done",
        [AC_ANSWER_ALREADY] = "already",
        [AC_ANSWER_TAKEN_POLL] = "taken_poll",
        [AC_ANSWER_TAKEN_RECORD] = "taken_record",
        [AC_ANSWER_STALE] = "stale",
        [AC_ANSWER_NODOC_ENDED] = "nodoc_ended",
        [AC_ANSWER_NODOC_MISSING] = "nodoc_missing",
        [AC_ANSWER_NODOC_LOST] = "nodoc_lost",
        [AC_ANSWER_FENCED] = "fenced",
        [AC_ANSWER_CONFLICT] = "conflict",
        [AC_ANSWER_BADTYPE] = "badtype",
        [AC_ANSWER_BADARG] = "badarg",
        [AC_ANSWER_OTHER] = "other",
    };
    PR_ASSERT(kind >= 0 && kind < AC_ANSWER_COUNT);
    return names[kind];
}
