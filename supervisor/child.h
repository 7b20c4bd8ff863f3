/* SPDX-License-Identifier: MIT */

/*
 * The life of one child process as a total table of states and events. Pure: it does nothing itself
 * but says what is to be done, and when its next TIMER is due.
 *
 *     event -> sv_child_handle -> new state, what to do (SV_DO_…), due time
 */

#ifndef SV_CHILD_H
#define SV_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#define SV_CHILD_STATES(X)                                                                         \
    X(DOWN, "down")         /* no process, and none wanted unless START says so */                 \
    X(ADOPTING, "adopting") /* a former supervisor's child that has not called yet */              \
    X(STARTING, "starting") /* up, not ready */                                                    \
    X(READY, "ready")                                                                              \
    X(STOPPING, "stopping") /* asked to end */                                                     \
    X(KILLING, "killing")   /* made to end */                                                      \
    X(BACKOFF, "backoff")   /* died, waits to be started again */                                  \
    X(FAILED, "failed")     /* died too often */

#define SV_CHILD_EVENTS(X)                                                                         \
    X(START, "start")                                                                              \
    X(SPAWNED, "spawned")                                                                          \
    X(SPAWN_FAILED, "spawn failed")                                                                \
    X(READY, "ready")                                                                              \
    X(EXIT_OK, "exit")          /* code 0 */                                                       \
    X(EXIT_BAD, "crash")        /* a signal, or any other code */                                  \
    X(EXIT_FINAL, "final exit") /* code 100 or 125: starting it again would not help */            \
    X(BEAT_LATE, "hung")                                                                           \
    X(STOP, "stop")                                                                                \
    X(KILL, "kill")                                                                                \
    X(TIMER, "timer")

typedef enum {
#define X(NAME, text) SV_CHILD_##NAME,
    SV_CHILD_STATES(X)
#undef X
        SV_CHILD_STATE_COUNT
} sv_child_state_t;

typedef enum {
#define X(NAME, text) SV_CHILD_ON_##NAME,
    SV_CHILD_EVENTS(X)
#undef X
        SV_CHILD_EVENT_COUNT
} sv_child_event_t;

/* What the caller has to do, as bits. After SV_DO_SPAWN it reports SPAWNED or SPAWN_FAILED. */
enum {
    SV_DO_SPAWN = 1,
    SV_DO_ASK_STOP = 2,
    SV_DO_ABORT = 4,
    SV_DO_KILL = 8,
    SV_DO_COMPLAIN = 16, /* the event can not happen in this state: our own mistake */
};

/* OTP's meaning: always started again; only after a crash; never. */
typedef enum { SV_PERMANENT, SV_TRANSIENT, SV_TEMPORARY } sv_restart_t;

typedef struct {
    sv_restart_t restart;
    int64_t start_ms; /* from spawn to READY; longer is KILLING */
    int64_t stop_ms;  /* from STOP to the exit; longer is KILLING */
} sv_child_terms_t;

typedef struct sv_child sv_child_t;

/* A child in `state`: SV_CHILD_DOWN, or SV_CHILD_ADOPTING for one found running. NULL when out of
 * memory. */
sv_child_t *
sv_child_new(const sv_child_terms_t *terms, sv_child_state_t state, int64_t now_ms);
void
sv_child_destroy(sv_child_t **self_p);

/* Returns SV_DO_… bits. `random` spreads the back-off. */
unsigned
sv_child_handle(sv_child_t *self, sv_child_event_t event, int64_t now_ms, uint32_t random);

/* The next STOP grants so long until the exit. */
void
sv_child_grant(sv_child_t *self, int64_t stop_ms);

/* Starts the deadline of the present state anew: the supervisor itself was late, or the child shows
 * that it lives. Does nothing in a state without one. */
void
sv_child_extend(sv_child_t *self, int64_t now_ms);

sv_child_state_t
sv_child_state(const sv_child_t *self);
/* When TIMER is due; INT64_MAX: never. */
int64_t
sv_child_due_ms(const sv_child_t *self);
/* Whether it is to run, whatever it does now. */
bool
sv_child_wanted(const sv_child_t *self);
/* Whether there is a process. */
bool
sv_child_is_alive(const sv_child_t *self);
/* Times it was started again. */
uint64_t
sv_child_restarts(const sv_child_t *self);
/* From spawn to READY the last time; -1 while not ready. */
int64_t
sv_child_ready_ms(const sv_child_t *self);

const char *
sv_child_state_name(sv_child_state_t state);
const char *
sv_child_event_name(sv_child_event_t event);

#endif
