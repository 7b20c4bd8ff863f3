/* SPDX-License-Identifier: MIT */

/*
 * Two pure links, a dialler and a listener, joined by a seeded model of a network that cuts, delays
 * and repeats, and of processes that stall, start anew and refuse to send. It plays the users of
 * both links and checks what they see: within a session all events once, in order and without a
 * gap; sessions that begin and end in turns; a window that is kept.
 */

#ifndef T_LINK_MODEL_H
#define T_LINK_MODEL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct t_link_model t_link_model_t;

/* Which faults may happen; all sizes and times come from the seed. */
typedef struct {
    bool cut;       /* the tail of what is under way is lost */
    bool delay;     /* up to seconds */
    bool duplicate; /* a message comes twice */
    bool pause;     /* an end does nothing for a while */
    bool reset;     /* an end forgets all and has a new incarnation */
    bool refuse;    /* the transport takes nothing for a while */
    bool drop;      /* a user ends a session, also from within a callback */
    bool large;     /* events of up to some megabytes, so that windows fill */
} t_link_faults_t;

t_link_model_t *
t_link_model_new(uint64_t seed, t_link_faults_t faults);
void
t_link_model_destroy(t_link_model_t **self_p);

/* So many steps of up to 40 ms each, with faults. */
void
t_link_model_run(t_link_model_t *self, int steps);

/* Heals everything, lets `ms` pass with the users sending or, if `idle`, silent. */
void
t_link_model_quiet(t_link_model_t *self, int64_t ms, bool idle);

/* After a quiet time: checks that both sides are in one and the same session, that all that was
 * sent in it has arrived, and that nobody waits for a window. */
void
t_link_model_check_whole(t_link_model_t *self);

/* The first thing that was wrong, or NULL. */
const char *
t_link_model_failure(const t_link_model_t *self);

/* What happened, to see that a test tests something. `end` 0 is the dialler. */
typedef struct {
    uint64_t opened;
    uint64_t lost;
    uint64_t received;
    uint64_t busy;
    uint64_t writable;
    uint64_t transmitted;
} t_link_tally_t;
t_link_tally_t
t_link_model_tally(const t_link_model_t *self, int end);

#endif
