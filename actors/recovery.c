/* SPDX-License-Identifier: MIT */

#include "actors/recovery.h"

#include <stddef.h>

#include "proto/base/assert.h"
#include "proto/poll/rev.h"

/* Sets of values: a row holds for every combination of what it names. */
#define ONE(value) (1U << (value))
#define ANY (~0U)

#define CREATE ONE(AC_SCRIPT_CREATE)
#define CLAIM ONE(AC_SCRIPT_CLAIM)
#define WRITE ONE(AC_SCRIPT_WRITE)
#define FINISH ONE(AC_SCRIPT_FINISH)
#define OPEN ONE(AC_AIM_OPEN)
#define KEEP ONE(AC_AIM_KEEP)
#define END ONE(AC_AIM_END)
#define DONE ONE(AC_ANSWER_DONE)
#define ALREADY ONE(AC_ANSWER_ALREADY)
#define TAKEN_POLL ONE(AC_ANSWER_TAKEN_POLL)
#define TAKEN_RECORD ONE(AC_ANSWER_TAKEN_RECORD)
#define STALE ONE(AC_ANSWER_STALE)
#define NODOC_ENDED ONE(AC_ANSWER_NODOC_ENDED)
#define NODOC_MISSING ONE(AC_ANSWER_NODOC_MISSING)
#define NODOC_LOST ONE(AC_ANSWER_NODOC_LOST)
#define NODOC (NODOC_ENDED | NODOC_MISSING | NODOC_LOST)
#define FENCED ONE(AC_ANSWER_FENCED)
#define CONFLICT ONE(AC_ANSWER_CONFLICT)
#define BADARG ONE(AC_ANSWER_BADARG)
#define REC_NONE ONE(AC_RECORD_NONE)
#define REC_OLDER ONE(AC_RECORD_OLDER)
#define REC_OWN ONE(AC_RECORD_OWN)
#define REC_OTHER ONE(AC_RECORD_OTHER)
#define REC_ENDED ONE(AC_RECORD_ENDED)
#define NOT_ABOVE ONE(AC_STORED_NOT_ABOVE)
#define ABOVE ONE(AC_STORED_ABOVE)
#define ALIVE ONE(true)
#define PAST ONE(false)

typedef struct {
    unsigned scripts;
    unsigned aims;
    unsigned answers;
    unsigned records;
    unsigned stored;
    unsigned alive;
    ac_step_t step;
} row_t;

/* The first row that holds decides. */
static const row_t s_rows[] = {
    /* Creating for a client. Past its end it is no bug of ours that the store refuses the time. */
    {CREATE, OPEN, DONE, ANY, ANY, ANY, AC_STEP_OPENED},
    {CREATE, OPEN, ALREADY, ANY, ANY, ANY, AC_STEP_CLAIM_THEN_SERVE},
    {CREATE, OPEN, TAKEN_POLL | TAKEN_RECORD, ANY, ANY, ANY, AC_STEP_REDRAW_ID},
    {CREATE, OPEN | KEEP, BADARG, ANY, ANY, PAST, AC_STEP_GONE},

    /* Putting back a poll that the store forgot. Under its id there may by now be another one: to
     * send our clients there would show them what is not theirs. */
    {CREATE, KEEP, DONE, ANY, ANY, ANY, AC_STEP_SAVED},
    {CREATE, KEEP, ALREADY | TAKEN_RECORD, ANY, ANY, ANY, AC_STEP_CLAIM_THEN_RESEND},
    {CREATE, KEEP, TAKEN_POLL, ANY, ANY, ANY, AC_STEP_GONE},

    /* Loading. A document that its owner still has to put back is not there yet. */
    {CLAIM, OPEN, DONE, ANY, ANY, ANY, AC_STEP_OPENED},
    {CLAIM, OPEN, NODOC, ANY, ANY, ANY, AC_STEP_NOT_FOUND},

    /* Taking back what the store forgot that we own. */
    {CLAIM, KEEP | END, DONE, ANY, ANY, ANY, AC_STEP_RESEND},
    {CLAIM, END, NODOC, ANY, ANY, ANY, AC_STEP_GONE},
    {CLAIM, KEEP, NODOC_ENDED, ANY, ANY, ANY, AC_STEP_GONE},
    {CLAIM, KEEP, NODOC, ANY, ANY, PAST, AC_STEP_GONE},
    {CLAIM, KEEP, NODOC_MISSING, ANY, ANY, ALIVE, AC_STEP_CREATE_WHOLE},
    /* Document lost and record rolled back to an older owner: only that token could write. */
    {CLAIM, KEEP, NODOC_LOST, ANY, ANY, ALIVE, AC_STEP_LOST},
    {CLAIM, ANY, STALE, ANY, ANY, ANY, AC_STEP_MOVED},

    {WRITE, KEEP, DONE | ALREADY, ANY, ANY, ANY, AC_STEP_SAVED},
    {WRITE, KEEP, CONFLICT, ANY, ABOVE, ANY, AC_STEP_RELOAD},
    {WRITE, KEEP, CONFLICT, ANY, NOT_ABOVE, ALIVE, AC_STEP_ROOT_WRITE},
    {WRITE, KEEP, NODOC_MISSING, ANY, ANY, ALIVE, AC_STEP_ROOT_WRITE_ANEW},
    /* What heals sets lives anew, and the store refuses lives that are over. */
    {WRITE, KEEP, NODOC_MISSING | BADARG, ANY, ANY, PAST, AC_STEP_GONE},
    {WRITE, KEEP, CONFLICT, ANY, NOT_ABOVE, PAST, AC_STEP_GONE},

    {FINISH, END, DONE | ALREADY, ANY, ANY, ANY, AC_STEP_GONE},

    {WRITE | FINISH, KEEP | END, FENCED, REC_NONE | REC_OLDER, ANY, ANY, AC_STEP_CLAIM_THEN_RESEND},
    {WRITE | FINISH, KEEP | END, FENCED, REC_OWN, ANY, ANY, AC_STEP_ADOPT_AND_RESEND},
    {WRITE | FINISH, KEEP | END, FENCED, REC_ENDED, ANY, ANY, AC_STEP_GONE},
    {WRITE | FINISH, KEEP | END, FENCED, REC_OTHER, ANY, ANY, AC_STEP_LOST},

    /* BADTYPE, BADARG, unreadable texts, words we do not know, answers that the script can not
       give. */
    {ANY, ANY, ANY, ANY, ANY, ANY, AC_STEP_QUARANTINE},
};

static bool
s_holds(const row_t *row, const ac_finding_t *finding)
{
    return (row->scripts & ONE(finding->script)) && (row->aims & ONE(finding->aim)) &&
           (row->answers & ONE(finding->answer)) && (row->records & ONE(finding->record)) &&
           (row->stored & ONE(finding->stored)) && (row->alive & ONE(finding->alive));
}

ac_step_t
ac_recovery_next(const ac_finding_t *finding)
{
    PR_ASSERT(finding);
    const row_t *row = s_rows;
    while (!s_holds(row, finding)) {
        row++;
    }
    return row->step;
}

/* Reads digits up to `end`; false if there are none, or too many for a generation. */
static bool
s_digits(pr_str_t text, char end, int64_t *number, size_t *used)
{
    int64_t value = 0;
    size_t i = 0;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
        if (value > PR_INTEGER_MAX / 10) {
            return false;
        }
        value = value * 10 + (text.ptr[i] - '0');
    }
    if (i == 0 || i == text.len || text.ptr[i] != end) {
        return false;
    }
    *number = value;
    *used = i + 1;
    return true;
}

typedef struct {
    int64_t generation;
    int64_t epoch;
    pr_str_t owner;
} owner_t;

/* "generation:epoch:incarnation" */
static bool
s_read_owner(pr_str_t text, owner_t *out)
{
    size_t first = 0;
    size_t second = 0;
    if (!s_digits(text, ':', &out->generation, &first)) {
        return false;
    }
    pr_str_t rest = {text.ptr + first, text.len - first};
    if (!s_digits(rest, ':', &out->epoch, &second) || rest.len == second) {
        return false;
    }
    out->owner = (pr_str_t) {rest.ptr + second, rest.len - second};
    return true;
}

static bool
s_is_before(const owner_t *a, const owner_t *b)
{
    return a->generation != b->generation ? a->generation < b->generation : a->epoch < b->epoch;
}

ac_record_t
ac_recovery_record(pr_str_t text, const char *token)
{
    owner_t theirs;
    owner_t ours;
    if (pr_str_equal(text, PR_STR("none"))) {
        return AC_RECORD_NONE;
    }
    if (!s_read_owner(text, &theirs) || !s_read_owner(pr_str(token), &ours)) {
        return AC_RECORD_UNREADABLE;
    }
    if (pr_str_equal(theirs.owner, PR_STR("ended"))) {
        return AC_RECORD_ENDED;
    }
    if (pr_str_equal(theirs.owner, ours.owner)) {
        return AC_RECORD_OWN;
    }
    return s_is_before(&theirs, &ours) ? AC_RECORD_OLDER : AC_RECORD_OTHER;
}

void
ac_recovery_read(ac_finding_t *finding,
                 const ac_answer_t *answer,
                 const char *token,
                 int64_t version)
{
    finding->answer = answer->kind;
    finding->record = AC_RECORD_UNREADABLE;
    finding->stored = AC_STORED_UNREADABLE;
    if (answer->kind == AC_ANSWER_FENCED) {
        finding->record = ac_recovery_record(answer->text, token);
    }
    pr_rev_t rev;
    if (answer->kind == AC_ANSWER_CONFLICT && pr_rev_parse(answer->text, &rev)) {
        finding->stored = rev.version > version ? AC_STORED_ABOVE : AC_STORED_NOT_ABOVE;
    }
}

const char *
ac_step_name(ac_step_t step)
{
    static const char *const names[AC_STEP_COUNT] = {
        [AC_STEP_SAVED] = "saved",
        [AC_STEP_OPENED] = "opened",
        [AC_STEP_RESEND] = "resend",
        [AC_STEP_ADOPT_AND_RESEND] = "adopt_and_resend",
        [AC_STEP_CLAIM_THEN_RESEND] = "claim_then_resend",
        [AC_STEP_CLAIM_THEN_SERVE] = "claim_then_serve",
        [AC_STEP_ROOT_WRITE] = "root_write",
        [AC_STEP_ROOT_WRITE_ANEW] = "root_write_anew",
        [AC_STEP_CREATE_WHOLE] = "create_whole",
        [AC_STEP_RELOAD] = "reload",
        [AC_STEP_GONE] = "gone",
        [AC_STEP_NOT_FOUND] = "not_found",
        [AC_STEP_MOVED] = "moved",
        [AC_STEP_LOST] = "lost",
        [AC_STEP_REDRAW_ID] = "redraw_id",
        [AC_STEP_QUARANTINE] = "quarantine",
    };
    PR_ASSERT(step >= 0 && step < AC_STEP_COUNT);
    return names[step];
}
