/* SPDX-License-Identifier: MIT */

/*
 * The server: what actors/scripts/ do, in C on jansson documents, with the life times of the keys,
 * and a memory of every document that it has ever accepted: the truth that the oracles compare
 * with.
 */

#ifndef SIM_STORE_MODEL_H
#define SIM_STORE_MODEL_H

#include <jansson.h>

#include "proto/base/buffer.h"
#include "proto/base/bytes.h"
#include "proto/poll/rev.h"
#include "proto/wire/limits.h"

#define SIM_RECORD_MAX 64

/* A document as it was accepted; never changed. */
typedef struct {
    pr_rev_t rev;
    json_t *document;
    int64_t at_ms;
    bool is_whole; /* a root write or a create: it does not build on what was there */
} sim_accepted_t;

/* What is under one poll's keys now. */
typedef struct {
    json_t *document; /* NULL: none */
    int64_t document_until_ms;
    char record[SIM_RECORD_MAX]; /* "": none */
    int64_t record_until_ms;
} sim_keys_t;

typedef struct {
    char id[PR_POLL_ID_LEN + 1];
    sim_keys_t keys;
    sim_keys_t *history; /* what they were after each change, oldest first */
    size_t history_count;
    sim_accepted_t *accepted;
    size_t accepted_count;
    bool ever_forgot; /* it has gone back in time */
    bool forgot;      /* something acknowledged was lost, and no owner has put it back yet */
    bool is_lost;     /* nor can any: somebody has gone on from what was left */
    pr_rev_t lost_to; /* the newest rev then */
    bool is_ended;    /* finish was done */
} sim_stored_t;

typedef struct sim_store sim_store_t;

sim_store_t *
sim_store_new(void);
void
sim_store_destroy(sim_store_t **self_p);

/* Runs a script: argv as for EVALSHA, with its name in place of the hash. Appends the answer
 * (RESP). */
void
sim_store_run(sim_store_t *self, size_t argc, const pr_str_t *argv, pr_buf_t *out);

/* The poll, or NULL if it was never heard of. */
sim_stored_t *
sim_store_find(sim_store_t *self, pr_str_t poll);
size_t
sim_store_count(const sim_store_t *self);
sim_stored_t *
sim_store_at(sim_store_t *self, size_t index);
/* The document accepted as that rev, or NULL. */
const sim_accepted_t *
sim_stored_accepted(const sim_stored_t *self, pr_rev_t rev);
/* Takes out what is past its time. */
void
sim_stored_expire(sim_stored_t *self);

/* A failover to a replica that lags: the last `changes` are forgotten (all: every one). */
void
sim_stored_go_back(sim_stored_t *self, size_t changes);

#endif
