/* SPDX-License-Identifier: MIT */

/*
 * One script for the store and its answer: what an actor asks and what it may hear. Actors and the
 * store (or the simulator's model of it) meet only here.
 *
 * A request lives inside the object that asks. Once submitted it belongs to the store until `done`
 * is called, exactly once, with a definite answer: the store sends the same bytes again over lost
 * links, NOSCRIPT, LOADING, READONLY, OOM, MISCONF and NOREPLICAS for as long as it takes. Whoever
 * has to go first takes it back (ac_store_cancel); `done` is then not called.
 */

#ifndef AC_REQUEST_H
#define AC_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buffer.h"
#include "proto/base/bytes.h"

/* The scripts of actors/scripts/, whose headers say what they do. */
typedef enum { AC_SCRIPT_CREATE, AC_SCRIPT_CLAIM, AC_SCRIPT_WRITE, AC_SCRIPT_FINISH } ac_script_t;

/* What the store said. A table of (answer, record, clock) -> next step is in actors/recovery.h. */
typedef enum {
    AC_ANSWER_DONE,          /* {1,…}: applied now */
    AC_ANSWER_ALREADY,       /* {0,…}: this very request was applied before */
    AC_ANSWER_TAKEN_POLL,    /* create: another poll has the id */
    AC_ANSWER_TAKEN_RECORD,  /* create: ended lately, or somebody has to put it back */
    AC_ANSWER_STALE,         /* claim: the record comes from a newer roster */
    AC_ANSWER_NODOC_ENDED,   /* claim: cancelled or expired */
    AC_ANSWER_NODOC_MISSING, /* claim: never heard of it; write: record ours, document gone */
    AC_ANSWER_NODOC_LOST,    /* claim: a record, but no document */
    AC_ANSWER_FENCED,        /* write, finish: the record is not ours; `text` is it, or "none" */
    AC_ANSWER_CONFLICT,      /* write: the document is at rev `text`, or "none" */
    AC_ANSWER_BADTYPE,       /* a foreign hand was there */
    AC_ANSWER_BADARG,        /* our bug */
    AC_ANSWER_OTHER,         /* an error that no script gives: permanent; `text` is it */
    AC_ANSWER_COUNT
} ac_answer_kind_t;

typedef struct {
    ac_answer_kind_t kind;
    pr_str_t text;     /* token, record, rev or words, as the kind says; borrowed for the call */
    pr_str_t document; /* claim, DONE: the stored JSON; borrowed for the call */
} ac_answer_t;

typedef struct ac_request ac_request_t;

struct ac_request {
    ac_script_t script;
    char poll[8]; /* its id and a NUL */
    /* create: the document; write: the patch, or with ends_at the whole document. One reference. */
    pr_buf_t *body;
    char token[64];  /* write, finish */
    char from[40];   /* write: a rev, or "none" */
    char to[40];     /* write */
    char nonce[40];  /* create */
    int64_t ends_at; /* create; write: > 0 makes it a root write */
    void (*done)(ac_request_t *request, const ac_answer_t *answer);
    /* The store's own. Zero at first. */
    ac_request_t *prev;
    ac_request_t *next;
    int32_t tries;
    bool submitted;
};

#endif
