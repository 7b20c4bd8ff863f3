/* SPDX-License-Identifier: MIT */

/*
 * What the actors of one process share: the way out, the time, the roster's generation, bounds and
 * counters. The host owns it; in tests and in the simulator they do. An actor does I/O only through
 * `ops`, and reads the time only here.
 */

#ifndef AC_ENV_H
#define AC_ENV_H

#include <stdbool.h>
#include <stdint.h>

#include "actors/poison.h"
#include "actors/poll.h"
#include "actors/request.h"
#include "actors/users.h"
#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/wheel.h"
#include "proto/wire/link.h"
#include "proto/wire/message.h"

typedef struct ac_actor ac_actor_t;

/* None of these calls back into an actor before it has returned. */
typedef struct {
    /* Brings now_ms and wall_ms up to date. May be NULL. */
    void (*refresh)(void *arg);
    /* As ac_store_submit and ac_store_cancel. */
    void (*submit)(void *arg, ac_request_t *request);
    void (*cancel)(void *arg, ac_request_t *request);
    /* Sends a packed event. 0, PR_E_BUSY (the window is full: call ac_actor_writable when it is
     * not) or PR_E_UNREACHABLE (the session is over: ac_actor_gateway_lost comes, or has come). */
    int (*send)(void *arg, uint32_t gateway, pr_str_t packed);
    /* Last words of an actor that goes: kept for the gateway, before all else. */
    void (*send_last)(void *arg, uint32_t gateway, pr_str_t packed);
    /* PR_E_BUSY was answered to a send of this poll. */
    void (*starved)(void *arg, uint32_t gateway, ac_actor_t *actor);
    /* It holds more than it may for this gateway: end the session, both sides start over. */
    void (*give_up)(void *arg, uint32_t gateway);
    /* Repeats an event to whoever listens to the tap. */
    void (*publish)(void *arg, pr_str_t poll, pr_str_t packed);
    /* Whether our roster places the poll with us. May be NULL: no. */
    bool (*is_ours)(void *arg, pr_str_t poll);
    /* ac_actor_think is to be called once, in this turn. */
    void (*wake)(void *arg, ac_actor_t *actor);
    /* It will do nothing any more: forget it, destroy it at the end of the turn. */
    void (*finished)(void *arg, ac_actor_t *actor);
} ac_actor_ops_t;

/* Counters, and gauges, by name; all of them go into the BEATs. */
/* clang-format off */
#define AC_COUNTERS(X)                                                                             \
    X(polls) X(conns) X(gateways) X(polls_created) X(polls_loaded) X(polls_not_found)              \
    X(polls_ended) X(polls_lost) X(polls_quarantined) X(scripts) X(batches_saved)                  \
    X(changes_saved) X(heals) X(updates) X(snapshots) X(windows_full) X(gateways_given_up)         \
    X(calls_refused_busy) X(calls_timed_out) X(events_refused) X(bugs)
/* clang-format on */

typedef struct {
#define X(name) int64_t name;
    AC_COUNTERS(X)
#undef X
} ac_counters_t;

typedef struct {
    const ac_actor_ops_t *ops;
    void *arg;
    pr_wheel_t *wheel;
    int64_t now_ms;  /* monotonic */
    int64_t wall_ms; /* unix */
    bool store_up;
    int64_t generation;      /* of our roster; 0: none yet */
    int64_t generation_seen; /* the newest that an owner record named */
    char incarnation[PR_INCARNATION_LEN + 1];
    ac_rules_t rules;
    ac_grace_t grace;
    pr_buf_t *scratch; /* for packing; free between two calls */
    pr_unpacked_t *memory;
    ac_poison_t *poison; /* may be NULL */
    ac_counters_t counters;
} ac_env_t;

/* Appends the counters, those of the links with gateways, and what else an operator asks for, as
 * one msgpack map. */
void
ac_env_write_stats(const ac_env_t *self, const pr_link_counters_t *links, pr_buf_t *out);

#endif
