/* SPDX-License-Identifier: MIT */

/* The inside of ac_poll_t, for its own files: poll*.c. */

#ifndef AC_POLL_BODY_H
#define AC_POLL_BODY_H

#include "actors/poll.h"
#include "proto/base/map.h"
#include "proto/base/text.h"
#include "proto/wire/limits.h"
#include "proto/wire/value.h"

/* As in meta.state: AC_PHASE(NAME, "text"). */
#define AC_PHASES(X) X(OPEN, "open") X(VOTING, "voting") X(CLOSED, "closed")

typedef enum {
#define X(name, text) AC_PHASE_##name,
    AC_PHASES(X)
#undef X
        AC_PHASE_COUNT
} ac_phase_t;

extern const char *const ac_phase_names[AC_PHASE_COUNT];

typedef struct {
    char user[PR_USER_ID_LEN + 1];
    pr_text_t *text;
} ac_nomination_t;

typedef struct {
    size_t count;
    char choices[PR_VOTES_MAX][PR_NOMINATION_ID_LEN + 1];
} ac_ballot_t;

typedef struct {
    char nomination[PR_NOMINATION_ID_LEN + 1];
    pr_text_t *text;
    double score;
} ac_result_t;

typedef struct {
    int64_t value;
} ac_number_t;

/* An id that hangs on a command, or on a conn, alone: the same whenever that comes. */
typedef struct {
    char text[PR_NOMINATION_ID_LEN + 1];
} ac_mark_t;

/* The command that cast a ballot: which one of which conn. */
typedef struct {
    ac_mark_t conn; /* "": not known */
    int64_t number; /* of the conn's commands; 0: without an order */
} ac_cast_t;

typedef struct {
    int64_t seq; /* place in the order in which ballots are counted */
    ac_cast_t cast;
} ac_place_t;

/* A place as it is stored: [seq,"conn",number]. */
typedef struct {
    char json[64];
} ac_place_text_t;

struct ac_poll {
    const ac_rules_t *rules;
    char id[PR_POLL_ID_LEN + 1];
    char admin[PR_USER_ID_LEN + 1];
    char nonce[PR_NONCE_LEN_MAX + 1];
    pr_text_t *topic;
    int64_t votes;
    int64_t ends_at;
    bool ballots_open;
    bool has_started;
    bool cancelled;
    ac_mark_t started; /* of the command that started the vote; "": none has */
    ac_phase_t phase;
    int64_t ballots_cast; /* the highest of ballot_seq ever given */
    pr_rev_t loaded;
    pr_map_t *participants; /* user -> pr_text_t, the name */
    pr_map_t *nominations;  /* nomination -> ac_nomination_t */
    pr_map_t *rankings;     /* user -> ac_ballot_t */
    pr_map_t *removed;      /* user, or nomination -> ac_number_t */
    pr_map_t *ballot_seq;   /* user -> ac_place_t */
    ac_result_t *results;
    size_t result_count;
};

/* An empty poll of that id, or NULL when out of memory. */
ac_poll_t *
ac_poll_new(pr_str_t id, const ac_rules_t *rules);
/* The rules of one event: poll_rules.c. */
PR_MUST_CHECK int
ac_poll_apply(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects);
/* Counts the ballots into `results`: poll_results.c. 0 or PR_E_NOMEM. */
PR_MUST_CHECK int
ac_poll_tally(ac_poll_t *self);
ac_place_text_t
ac_poll_format_place(const ac_place_t *place);
/* Appends the results as they are stored, and as they are shown. */
void
ac_poll_write_results(const ac_poll_t *self, pr_buf_t *json);
void
ac_poll_pack_results(const ac_poll_t *self, msgpack_packer *packer);

#endif
