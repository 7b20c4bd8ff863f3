/* SPDX-License-Identifier: MIT */

/*
 * What an actor does after an answer of the store, as a table. Pure: no I/O, no clock.
 *
 * The store may have lost what it acknowledged (fail-over, an fsync that came too late): the live
 * actor then puts it back. Nor may an owner that was replaced ever write. The table decides both.
 */

#ifndef AC_RECOVERY_H
#define AC_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "actors/request.h"

/* What the asker is after. */
typedef enum {
    AC_AIM_OPEN, /* it has no state of the poll: creates it for a client, or loads it */
    AC_AIM_KEEP, /* it has the state in memory, which must get or stay saved */
    AC_AIM_END,  /* cancel or expiry: the poll has to go */
    AC_AIM_COUNT
} ac_aim_t;

/*
 * The owner record that an answer named, compared with our own token. In one history of the store
 * each claim has a greater (generation, epoch) than the one before, so a smaller one than ours
 * means that the store went back in time, and a greater one that somebody came after us.
 */
typedef enum {
    AC_RECORD_UNREADABLE, /* or the answer has none */
    AC_RECORD_NONE,       /* the store has no record of the poll */
    AC_RECORD_OLDER,      /* another incarnation, from before our claim */
    AC_RECORD_OWN,        /* our own incarnation, another token: a claim of ours came late */
    AC_RECORD_OTHER,      /* another incarnation, that claimed after us */
    AC_RECORD_ENDED,      /* …:ended */
    AC_RECORD_COUNT
} ac_record_t;

/* The version in the store (CONFLICT), compared with the newest of ours, the batch's not counted.
 */
typedef enum {
    AC_STORED_UNREADABLE, /* or the answer has none */
    AC_STORED_NOT_ABOVE,
    AC_STORED_ABOVE,
    AC_STORED_COUNT
} ac_stored_t;

typedef struct {
    ac_script_t script;
    ac_aim_t aim;
    ac_answer_kind_t answer;
    ac_record_t record; /* of FENCED */
    ac_stored_t stored; /* of CONFLICT */
    bool alive;         /* endsAt is ahead, by our clock */
} ac_finding_t;

typedef enum {
    AC_STEP_SAVED,  /* the state with the batch is what the store has (after `create`: and is ours)
                     */
    AC_STEP_OPENED, /* created, or claimed with the document in the answer: serve it */
    AC_STEP_RESEND, /* claimed again: the same request under the new token of the answer */
    AC_STEP_ADOPT_AND_RESEND,  /* the record of the answer is our token now: the same request again
                                */
    AC_STEP_CLAIM_THEN_RESEND, /* claim; its answer says how to go on (aim stays) */
    AC_STEP_CLAIM_THEN_SERVE,  /* created by an earlier try: claim it (aim OPEN), then serve */
    AC_STEP_ROOT_WRITE,        /* root write over the rev of the answer, at max(version) + 1 */
    AC_STEP_ROOT_WRITE_ANEW,   /* root write from "none" at our version + 1 */
    AC_STEP_CREATE_WHOLE,      /* `create` with the whole document from memory (aim KEEP) */
    AC_STEP_RELOAD,     /* the store has got further than we: forget our state, claim (OPEN) */
    AC_STEP_GONE,       /* the poll has ended */
    AC_STEP_NOT_FOUND,  /* there is no such poll */
    AC_STEP_MOVED,      /* our roster is old: ask for the newer one, MOVED, free */
    AC_STEP_LOST,       /* somebody else owns it: MOVED, drop the state */
    AC_STEP_REDRAW_ID,  /* the id is in use: TAKEN */
    AC_STEP_QUARANTINE, /* our bug or a foreign hand: stop touching it, log */
    AC_STEP_COUNT
} ac_step_t;

/* Total: combinations that can not occur are AC_STEP_QUARANTINE. */
ac_step_t
ac_recovery_next(const ac_finding_t *finding);

/* Fills in `answer`, `record` and `stored`; `token` is ours ("": none), `version` our newest. */
void
ac_recovery_read(ac_finding_t *finding,
                 const ac_answer_t *answer,
                 const char *token,
                 int64_t version);

/* Sorts one owner record, or "none". */
ac_record_t
ac_recovery_record(pr_str_t text, const char *token);

/* For the log. */
const char *
ac_step_name(ac_step_t step);

#endif
