/* SPDX-License-Identifier: MIT */

/*
 * The inside of ac_actor_t, for its own files: actor.c (state table, timer), actor_open.c (create,
 * load, end), actor_turn.c (turn, saved), actor_heal.c (recovery), actor_gateways.c (from
 * gateways), actor_tell.c (to gateways) and actor_calls.c (requests).
 */

#ifndef AC_ACTOR_BODY_H
#define AC_ACTOR_BODY_H

#include "actors/actor.h"
#include "actors/batch.h"
#include "actors/mailbox.h"
#include "actors/poll.h"
#include "actors/presence.h"
#include "actors/receivers.h"
#include "actors/recovery.h"
#include "proto/poll/document.h"

/* clang-format off */
#define AC_STATES(X)                                                                               \
    X(NEW) X(CREATING) X(LOADING) X(READY) X(SAVING) X(UNSURE) X(ENDING) X(LOST)                   \
    X(QUARANTINED) X(FREE)
/* clang-format on */

typedef enum {
#define X(name) AC_STATE_##name,
    AC_STATES(X)
#undef X
        AC_STATE_COUNT
} ac_state_t;

/* The events, in the order of the table: first the steps of recovery.h, then messages, then the
 * rest. */
#define AC_ROW(on, ...) AC_ON_##on,
typedef enum {
#include "actors/actor_table.def"
    AC_ON_COUNT
} ac_on_t;
#undef AC_ROW

/* What an event brings; each has what its kind needs. */
typedef struct {
    uint32_t gateway;
    const pr_event_t *event;
    const ac_answer_t *answer;
} ac_input_t;

struct ac_actor {
    ac_env_t *env;
    void *data;
    char id[PR_POLL_ID_LEN + 1];
    ac_state_t state;
    ac_poll_t *poll;         /* the core: with the batch that is out */
    pr_document_t *document; /* what is saved, as clients see it */
    pr_rev_t saved;          /* its rev */
    pr_rev_t to;             /* rev of the batch that is out; else equal to `saved` */
    ac_batch_t *batch;
    char token[sizeof(((ac_request_t *) 0)->token)];
    int64_t token_generation;
    ac_request_t request;
    ac_aim_t aim;
    ac_presence_t *presence;
    ac_receivers_t *receivers;
    ac_mailbox_t *mailbox; /* not decided yet */
    ac_mailbox_t *decided; /* in the batch that is out */
    pr_timer_t timer;
    int64_t armed_ms; /* what the timer is armed for, INT64_MAX: not */
    int64_t last_write_ms;
    int64_t confirmed_ms;   /* when the store last said that the poll is ours */
    int64_t alone_since_ms; /* without conns */
    int64_t lost_generation;
    int64_t taken_back_ms; /* when it was last claimed from a stray owner; 0: never */
    int64_t moved_to;      /* generation for MOVED */
    size_t conns_counted;
    bool awake;
    bool is_doubted; /* perhaps somebody wrote after us: the store is asked before ours is shown */
    bool has_to_ask; /* and here it is asked all the same */
};

static inline pr_str_t
ac_actor_id(const ac_actor_t *self)
{
    return (pr_str_t) {self->id, PR_POLL_ID_LEN};
}

/* --- actor.c --- */

void
ac_actor_dispatch(ac_actor_t *self, ac_on_t on, const ac_input_t *input);
/* Asks for a turn if there is something to decide. */
void
ac_actor_wake(ac_actor_t *self);

/* Cells of the state table (actor_table.def), by file. They return the next state. */
typedef ac_state_t (*ac_cell_t)(ac_actor_t *self, const ac_input_t *input);
#define AC_CELL(name) ac_state_t ac_cell_##name(ac_actor_t *self, const ac_input_t *input)

/* --- actor_table.c --- */

ac_cell_t
ac_actor_cell(ac_on_t on, ac_state_t state);
const char *
ac_on_name(ac_on_t on);
const char *
ac_state_name(ac_state_t state);
AC_CELL(nop);
AC_CELL(bug);
AC_CELL(free);
AC_CELL(unsure);
AC_CELL(reopen); /* LOST: a newer roster; whoever comes now is served by it, maybe by us */

/* --- actor_open.c --- */

AC_CELL(create_new); /* NEW, CREATE: the script */
AC_CELL(load_new);   /* NEW, before anything else: claim */
AC_CELL(created);    /* CREATING, opened: by our create, or claimed */
AC_CELL(loaded);     /* LOADING, opened */
AC_CELL(claim_it);   /* CREATING: an earlier try made it */
AC_CELL(ask_again);  /* CREATING, LOADING: a roster */
AC_CELL(taken);
AC_CELL(not_found);
AC_CELL(moved);     /* no state of it yet: MOVED, free */
AC_CELL(expired);   /* READY, endsAt */
AC_CELL(cancelled); /* READY, an admin has said so */
AC_CELL(gone);      /* POLL_ENDED, free */
AC_CELL(give_in);
AC_CELL(shut);
/* Makes the document anew from the core; false when out of memory. */
PR_MUST_CHECK bool
ac_actor_build_document(ac_actor_t *self);
/* Forgets core, document and batch. */
void
ac_actor_forget(ac_actor_t *self);

/* --- actor_turn.c --- */

/* What was decided is saved now, or changed nothing. */
void
ac_actor_answer_decided(ac_actor_t *self);
/* Whether our roster gives us the poll and our claim is as new: nobody else had it since. */
PR_MUST_CHECK bool
ac_actor_is_sure(const ac_actor_t *self);
/* Whether there is something to do before anything is decided, or beside it. */
PR_MUST_CHECK bool
ac_actor_has_to_ask(const ac_actor_t *self);
AC_CELL(think);
AC_CELL(saved);
AC_CELL(verify);

/* --- actor_heal.c --- */

AC_CELL(resend);
AC_CELL(adopt);
AC_CELL(reclaim);
AC_CELL(root_over);
AC_CELL(root_anew);
AC_CELL(put_back);
AC_CELL(reload);
/* Submits a script; `body` is consumed and may be NULL where the script has none. */
void
ac_actor_submit(ac_actor_t *self, ac_script_t script, ac_aim_t aim, pr_buf_t *body);
/* Submits the write of the batch that is out: from `saved` to `to`. False when out of memory. */
PR_MUST_CHECK bool
ac_actor_submit_batch(ac_actor_t *self);
/* Keeps the token of an answer; false if it is none. */
PR_MUST_CHECK bool
ac_actor_take_token(ac_actor_t *self, pr_str_t text);

/* --- actor_calls.c --- */

AC_CELL(queue);
AC_CELL(read);    /* with a document: at once */
AC_CELL(no_poll); /* not found */
AC_CELL(no_owner);
AC_CELL(shut_call);
AC_CELL(deadline);
/* Answers one call; `rev` for the saved ones. */
void
ac_actor_reply(ac_actor_t *self, const ac_call_t *call, int code, const char *outcome);
/* A READ, or a CREATE that found its own poll: the document, too. */
void
ac_actor_reply_document(ac_actor_t *self, const ac_call_t *call);
void
ac_actor_refuse_waiting_calls(ac_actor_t *self, int code);
/* Answers all: those that wait (outcome none) and those in the batch (outcome unknown). */
void
ac_actor_refuse_calls(ac_actor_t *self, int code);

/* --- actor_gateways.c --- */

AC_CELL(sync);
AC_CELL(connect);
AC_CELL(drop);
AC_CELL(resync);
AC_CELL(peer_gone);
AC_CELL(writable);
AC_CELL(too_late);
AC_CELL(point_on);  /* MOVED */
AC_CELL(shut_conn); /* REFUSED unavailable */
/* The user's conns go, and their gateways know that: whoever has no others is forgotten. */
void
ac_actor_dismiss(ac_actor_t *self, ac_user_t *user);

/* --- actor_tell.c --- */

/* Sends in order; holds what a full window does not take. */
void
ac_actor_tell(ac_actor_t *self, uint32_t gateway, const pr_event_t *event);
void
ac_actor_refuse_conn(ac_actor_t *self, uint32_t gateway, pr_str_t conn, int code);
/* To every gateway with conns. */
void
ac_actor_tell_all(ac_actor_t *self, const pr_event_t *event);
/* The update to every receiver that is at `from`, and to the tap. */
void
ac_actor_publish_update(ac_actor_t *self, pr_rev_t from, pr_rev_t to, pr_str_t patch);
/* POLL_SNAPSHOT to a gateway whose rev is not the saved one; after it the gateway gets updates. */
void
ac_actor_catch_up(ac_actor_t *self, ac_receiver_t *receiver);
void
ac_actor_catch_up_all(ac_actor_t *self);
/* Its window is full: the host says when it is not. */
void
ac_actor_starve(ac_actor_t *self, ac_receiver_t *receiver);
/* CONNECTED to a conn, if its user may be shown what is saved. */
void
ac_actor_answer_conn(ac_actor_t *self, ac_receiver_t *receiver, ac_conn_t *conn);
/* CONNECTED to the waiting conns whose users are listed. */
void
ac_actor_answer_waiting(ac_actor_t *self, uint32_t gateway);
void
ac_actor_answer_all_waiting(ac_actor_t *self);
/* Of the batch that is saved: KICK to whom it removed, CONNECTED with the ballot to who voted. */
void
ac_actor_kick_removed(ac_actor_t *self);
void
ac_actor_tell_voters(ac_actor_t *self);
/* Hands what is still held to the host: the actor goes. */
void
ac_actor_last_words(ac_actor_t *self);

#endif
