/* SPDX-License-Identifier: MIT */

/*
 * A stage for one actor: time that the test moves, a store that answers what the test says,
 * gateways whose windows the test fills. Everything that the actor sends is kept in order.
 */

#ifndef T_ACTOR_RIG_H
#define T_ACTOR_RIG_H

#include "actors/env.h"

#define T_RIG_SENT_MAX 4096
#define T_RIG_GATEWAYS_MAX 8
#define T_RIG_WALL_MS 1800000000000
#define T_RIG_ENDS_AT (T_RIG_WALL_MS + 3600000)
#define T_RIG_POLL PR_STR("ABC123")
#define T_RIG_ALICE PR_STR("alice-alice-alice-ali")
#define T_RIG_BOB PR_STR("bob-bob-bob-bob-bob-b")
#define T_RIG_TOKEN "7:1:00000000000000aa"

typedef struct {
    uint32_t gateway;
    pr_buf_t *packed;
} t_rig_sent_t;

typedef struct {
    ac_env_t env;
    pr_unpacked_t *memory; /* of the event last looked at */
    t_rig_sent_t sent[T_RIG_SENT_MAX];
    size_t sent_count;
    size_t sent_seen;              /* looked at */
    bool full[T_RIG_GATEWAYS_MAX]; /* windows, by gateway */
    bool starved[T_RIG_GATEWAYS_MAX];
    bool given_up[T_RIG_GATEWAYS_MAX];
    ac_request_t *out; /* what the store owes an answer to */
    size_t submitted;
    size_t cancelled;
    size_t published;
    ac_actor_t *woken;
    bool is_ours; /* by the roster */
    bool finished;
} t_rig_t;

void
t_rig_init(t_rig_t *self);
void
t_rig_fini(t_rig_t *self);

/* Moves both clocks, and fires what is due. */
void
t_rig_pass(t_rig_t *self, int64_t ms);

/* Turns until the actor waits for the store or for the world. */
void
t_rig_turn(t_rig_t *self);

/* Answers the script that is out. Texts may be NULL. */
void
t_rig_answer(t_rig_t *self, ac_answer_kind_t kind, const char *text, const char *document);

/* The next thing sent must be of that type, to that gateway. */
pr_event_t
t_rig_expect(t_rig_t *self, uint32_t gateway, pr_message_type_t type);
/* Nothing more was sent. */
void
t_rig_expect_quiet(const t_rig_t *self);
/* How many events of that type were sent since the last look; all count as looked at. */
size_t
t_rig_count(t_rig_t *self, pr_message_type_t type);

/* Answers the script that is out if it only asks whether what is stored is what was: it is. */
bool
t_rig_confirm(t_rig_t *self);
/* The body of the script that is out; NUL-terminated until the next call. */
const char *
t_rig_body(t_rig_t *self);

/* Events of gateways. Texts are borrowed. */
pr_event_t
t_rig_connect(const char *conn, pr_str_t user, pr_str_t rev);
pr_event_t
t_rig_disconnect(const char *conn, const char *why);
pr_event_t
t_rig_create(int64_t req, const char *nonce);
/* Alice's. */
pr_event_t
t_rig_command(int64_t req, const char *conn, const char *verb);
pr_event_t
t_rig_read(int64_t req);

#endif
