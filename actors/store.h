/* SPDX-License-Identifier: MIT */

/*
 * The system of record, as actors see it: a queue of requests (actors/request.h) and one pipelined
 * connection to Redis. A submitted request is sent again, byte for byte and in order, over lost
 * links and passing refusals (NOSCRIPT, LOADING, OOM …) until there is a definite answer.
 *
 * The store is *up* while it is connected to a master that has passed the probe (actors/probe.h)
 * and has our scripts. Else it is down and requests wait. A server that is silent for
 * PR_STORE_ANSWER_MS while it owes an answer counts as down; the connection is then made anew.
 *
 * At most PR_STORE_IN_FLIGHT_MAX requests and PR_STORE_IN_FLIGHT_BYTES_MAX bytes are with the
 * server at a time. The queue before that has no bound of its own: its links live inside the
 * requests, so it holds what its users own (an actor: one request, PR_ACTORS_MAX actors).
 *
 * Everything runs on the loop; callbacks come from it, never from within a call made here. In a
 * callback any call is fine but ac_store_destroy.
 */

#ifndef AC_STORE_H
#define AC_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "actors/request.h"
#include "proto/base/loop.h"

typedef struct ac_store ac_store_t;

typedef struct {
    /* Ready for requests: the first time and after each reconnect. What was in flight goes out
     * again first, then what waited, then what is submitted from here (the re-validation writes).
     */
    void (*up)(void *arg);
    /* Was up, is not any more. What is in flight stays with the store; its outcome is unknown. */
    void (*down)(void *arg);
    /* A server answers, but can not serve us; `line` says which step failed and what to do. The
     * store stays down and looks again every PR_STORE_UNFIT_MS. May be NULL; it is logged anyway.
     */
    void (*unfit)(void *arg, const char *line);
} ac_store_ops_t;

typedef struct {
    bool up;
    size_t queued;    /* waiting to be sent, or sent again later */
    size_t in_flight; /* sent, not answered; cancelled ones count until then */
    uint64_t submitted;
    uint64_t sent;     /* scripts sent, repeats included */
    uint64_t answered; /* definite answers given to their askers */
    uint64_t already;  /* of these: {0,…}, was applied before */
    uint64_t retried;  /* sent before and put back: lost link, NOSCRIPT, LOADING, OOM … */
    uint64_t cancelled;
    uint64_t connects;      /* times that the store came up */
    uint64_t answers_per_s; /* in the last full second */
} ac_store_stats_t;

/*
 * Starts to connect at the loop's next turn, and never gives up. `incarnation` is copied; it goes
 * into the owner records. `ops` is borrowed for the life of the store. NULL when out of memory or
 * when the url (proto/base/redis_url.h has the format) is not valid.
 */
ac_store_t *
ac_store_new(pr_loop_t *loop,
             const char *url,
             const char *incarnation,
             const ac_store_ops_t *ops,
             void *arg);

/* Closes the connection and forgets the requests it holds without calling `done`. NULL is fine. The
 * loop has to turn once more before it is destroyed (pr_loop_destroy does so). */
void
ac_store_destroy(ac_store_t **self_p);

/* The generation of the roster, for create and claim sent from now on. 0 until set. */
void
ac_store_set_generation(ac_store_t *self, int64_t generation);

/* Takes over `request`, which must not be submitted already, until its `done` is called from the
 * loop or until it is cancelled. `body` is not copied: the reference stays the request's. */
void
ac_store_submit(ac_store_t *self, ac_request_t *request);

/* Takes `request` back; `done` is not called. If it is in flight it may still be applied. Does
 * nothing to one that is not submitted. */
void
ac_store_cancel(ac_store_t *self, ac_request_t *request);

bool
ac_store_is_up(const ac_store_t *self);
/* The server's version, "" until known. */
const char *
ac_store_server_version(const ac_store_t *self);
void
ac_store_stats(const ac_store_t *self, ac_store_stats_t *stats);

#endif
