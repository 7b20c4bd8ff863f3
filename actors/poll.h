/* SPDX-License-Identifier: MIT */

/*
 * The core of a poll: its whole state and its rules. PURE: state and event in, effects out; no I/O,
 * no clock, no chance. The actor around it decides when, saves and tells; the simulator drives the
 * very same code.
 *
 * It is always one batch ahead of the store: what ac_poll_decide changes here stands in the batch,
 * and counts only when that is saved. A batch is never given up, so nothing is ever taken back.
 *
 * Files: poll.c its life; poll_rules.c the rules; poll_results.c the count; poll_json.c the stored
 * document; poll_pack.c the public one.
 */

#ifndef AC_POLL_H
#define AC_POLL_H

#include <stdbool.h>
#include <stdint.h>

#include "actors/batch.h"
#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"
#include "proto/poll/rev.h"
#include "proto/wire/value.h"

/* Of the stored document (meta.schema). A newer one is not touched. */
#define AC_POLL_SCHEMA 1

typedef struct ac_poll ac_poll_t;

/* Bounds that an operator may set. */
typedef struct {
    int64_t participants_max;
    int64_t nominations_max;
    int64_t nominations_per_user_max;
} ac_rules_t;

/* What a CREATE says, already checked by ac_creation_is_valid. Texts are borrowed. */
typedef struct {
    pr_str_t id;
    pr_str_t topic;
    pr_str_t admin;
    pr_str_t nonce;
    int64_t votes;
    int64_t ends_at; /* unix ms */
    bool ballots_open;
} ac_creation_t;

bool
ac_creation_is_valid(const ac_creation_t *creation);

/* Events: AC_EVENT(NAME, "verb of its COMMAND"); "" is no command. */
#define AC_EVENTS(X)                                                                               \
    X(JOIN, "")                                                                                    \
    X(LEAVE, "")                                                                                   \
    X(NOMINATE, "nominate")                                                                        \
    X(REMOVE_NOMINATION, "remove_nomination")                                                      \
    X(REMOVE_PARTICIPANT, "remove_participant")                                                    \
    X(START_VOTE, "start_vote")                                                                    \
    X(SUBMIT_RANKINGS, "submit_rankings")                                                          \
    X(CLOSE_POLL, "close_poll")                                                                    \
    X(CANCEL_POLL, "cancel_poll")

typedef enum {
#define X(name, verb) AC_EVENT_##name,
    AC_EVENTS(X)
#undef X
        AC_EVENT_COUNT
} ac_event_kind_t;

typedef struct {
    ac_event_kind_t kind;
    pr_str_t user;
    pr_str_t name; /* JOIN */
    pr_str_t id;   /* a COMMAND's own */
    pr_str_t args; /* a COMMAND's: one msgpack value, or absent */
    /* COMMAND: to decode args in; and where one msgpack text is appended: why, for a
     * PR_E_BAD_REQUEST, or the id of the nomination. NULL: not wanted. */
    pr_unpacked_t *memory;
    pr_buf_t *words;
} ac_event_t;

/* The event of a COMMAND's verb, AC_EVENT_COUNT if there is none. */
ac_event_kind_t
ac_event_from_verb(pr_str_t verb);
const char *
ac_event_verb(ac_event_kind_t kind);

/* A new poll; NULL when out of memory. `rules` is borrowed for its life. */
ac_poll_t *
ac_poll_new_created(const ac_creation_t *creation, const ac_rules_t *rules);

/*
 * The poll of a stored document. 0; PR_E_MALFORMED if it is not one of ours (an id or a text that
 * we would not have written, another poll's id); PR_E_VERSION if a newer build wrote it;
 * PR_E_NOMEM.
 */
PR_MUST_CHECK int
ac_poll_from_json(pr_str_t json, pr_str_t id, const ac_rules_t *rules, ac_poll_t **out);

void
ac_poll_destroy(ac_poll_t **self_p);

/*
 * Applies the rules of design.md §9 to one event. 0: done, or nothing to do; what changed was added
 * to `effects`. Else the code of the refusal and nothing changed: PR_E_NOT_FOUND (the poll has
 * ended), PR_E_REMOVED, PR_E_FULL, PR_E_UNAUTHORIZED, PR_E_BAD_REQUEST, PR_E_NOMEM.
 */
PR_MUST_CHECK int
ac_poll_decide(ac_poll_t *self, const ac_event_t *event, int64_t wall_ms, ac_batch_t *effects);

/* Appends the whole stored document, JSON without blanks; `rev` may be NULL: without version and
 * rev, which is what the first rev is computed from. */
void
ac_poll_write_stored(const ac_poll_t *self, const pr_rev_t *rev, pr_buf_t *out);
/* Appends the whole public document, msgpack. Secret ballots are empty lists. */
void
ac_poll_write_public(const ac_poll_t *self, pr_rev_t rev, pr_buf_t *out);

/* The rev that the stored document had; version 0 for a new poll. */
pr_rev_t
ac_poll_loaded_rev(const ac_poll_t *self);
/* The rev of a poll created by the owner with `token`. 0 or PR_E_NOMEM. */
PR_MUST_CHECK int
ac_poll_first_rev(const ac_poll_t *self, pr_str_t token, pr_rev_t *rev);

/* An admin has cancelled it: nothing of it is to be saved any more. */
bool
ac_poll_is_cancelled(const ac_poll_t *self);
/* The ballot of a user as a msgpack array; false if there is none. */
bool
ac_poll_pack_ballot(const ac_poll_t *self, pr_str_t user, pr_buf_t *out);
pr_str_t
ac_poll_nonce(const ac_poll_t *self);
int64_t
ac_poll_ends_at(const ac_poll_t *self);
bool
ac_poll_lists(const ac_poll_t *self, pr_str_t user);
/* Whether an admin removed the user: it is refused from then on. */
bool
ac_poll_has_removed(const ac_poll_t *self, pr_str_t user);
size_t
ac_poll_participant_count(const ac_poll_t *self);
/* For walks: index below the count. */
pr_str_t
ac_poll_participant_at(const ac_poll_t *self, size_t index);
/* Name of a participant, absent if there is none of that id. */
pr_str_t
ac_poll_name(const ac_poll_t *self, pr_str_t user);

#endif
