/* SPDX-License-Identifier: MIT */

/*
 * A real store that loses, rolls back and repeats things, two processes that use it, and one poll,
 * anew for each test.
 */

#ifndef T_FORGETFUL_STORE_H
#define T_FORGETFUL_STORE_H

#include "tests/support/recovering_poll.h"

#define T_OURS 7 /* our generation */
#define T_MINE "aaaaaaaaaaaaaaaa"
#define T_THEIRS "bbbbbbbbbbbbbbbb"

typedef struct {
    t_redis_server_t *server;
    pr_loop_t *loop;
    ac_store_t *mine;
    ac_store_t *theirs; /* another actors process */
    t_poll_t poll;      /* of mine, created, with two members */
    t_poll_t other;     /* the same poll in the hands of the other process */
    char key[24];
    char own[32];
    unsigned polls;
} t_forgetful_t;

/* cmocka's setups: of the group and of each test. */
int
t_forgetful_start(void **state);
int
t_forgetful_stop(void **state);
int
t_forgetful_setup(void **state);
int
t_forgetful_teardown(void **state);

bool
t_forgetful_is_up(void *arg);
bool
t_forgetful_is_down(void *arg);

/* What befalls a store: a key goes, the owner record or the document is as it was once. */
void
t_lose(t_forgetful_t *rig, const char *key);
void
t_set_record(t_forgetful_t *rig, const char *record);
void
t_set_document(t_forgetful_t *rig, const pr_buf_t *document);
/* A claim of ours that was on its way for long arrives. */
void
t_late_claim(t_forgetful_t *rig);

#endif
