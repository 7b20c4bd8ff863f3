/* SPDX-License-Identifier: MIT */

/*
 * The smallest owner of a poll that follows actors/recovery.h to the letter, on a real store: it
 * holds a state in memory, sends one request at a time, performs what the table says next and notes
 * it down.
 */

#ifndef T_RECOVERING_POLL_H
#define T_RECOVERING_POLL_H

#include "actors/recovery.h"
#include "actors/store.h"
#include "proto/poll/rev.h"
#include "tests/support/redis_server.h"

#define T_STEPS_MAX 16
#define T_MEMBERS_MAX 512

typedef struct {
    ac_request_t request; /* first: its address is ours */
    pr_loop_t *loop;
    ac_store_t *store;
    char nonce[16];
    int64_t ends_at;
    bool past; /* our clock says that the poll is over */
    char token[64];
    /* What is saved, as far as we know. */
    pr_rev_t rev;
    int members[T_MEMBERS_MAX];
    size_t member_count;
    /* What is to be saved. */
    int adding; /* 0: nothing, a re-validation */
    pr_rev_t from;
    pr_rev_t to;
    bool from_none;
    /* What came of it. */
    ac_answer_kind_t kind;
    char text[128];
    pr_buf_t *document;
    bool answered;
    ac_step_t steps[T_STEPS_MAX];
    size_t step_count;
} t_poll_t;

void
t_poll_init(t_poll_t *self, pr_loop_t *loop, ac_store_t *store, const char *id);
void
t_poll_fini(t_poll_t *self);

/* Each of these goes on until the table says that it is over, and returns that last step. */
ac_step_t
t_poll_create(t_poll_t *self);
ac_step_t
t_poll_load(t_poll_t *self);
/* Adds one member, in one batch. */
ac_step_t
t_poll_add(t_poll_t *self, int member);
/* A write from the rev to the same rev. */
ac_step_t
t_poll_validate(t_poll_t *self);
ac_step_t
t_poll_end(t_poll_t *self);
/* Any request with that aim, as the state stands. */
ac_step_t
t_poll_drive(t_poll_t *self, ac_script_t script, ac_aim_t aim);

/* Fails unless the last drive took exactly these steps; ends with AC_STEP_COUNT. */
void
t_poll_assert_steps(const t_poll_t *self, ...);

/* Fails unless the store has this state, this owner and the right lives. */
void
t_poll_assert_stored(const t_poll_t *self, t_redis_server_t *server);

/* The whole document as it is saved, and a NUL. The caller destroys it. */
pr_buf_t *
t_poll_document(const t_poll_t *self);

#endif
