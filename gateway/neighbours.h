/* SPDX-License-Identifier: MIT */

/*
 * The other gateways, and what we ask of them: a polling request of a session that is theirs is
 * sent to its owner, and the answer comes back. One dealer for each that was ever needed; what is
 * asked before its link is open waits for that, for PR_FORWARD_MS at most.
 *
 * Whoever owns a session that is no more, or is no more itself, is answered for with `Session ID
 * unknown`: the client then starts over.
 */

#ifndef GW_NEIGHBOURS_H
#define GW_NEIGHBOURS_H

#include "gateway/polling.h"
#include "proto/base/loop.h"
#include "proto/wire/link.h"
#include "proto/wire/roster.h"

typedef struct gw_neighbours gw_neighbours_t;

typedef struct {
    pr_loop_t *loop;
    const char *name;        /* "g1" */
    const char *incarnation; /* texts are copied */
    int64_t get_ms;          /* an owner answers a GET within that time */
} gw_neighbours_options_t;

typedef struct {
    uint64_t asked;
    uint64_t answered;
    uint64_t aborted; /* the client went first */
    uint64_t lost;    /* with their owner */
    uint64_t late;    /* no answer in time */
    uint64_t refused; /* PR_FORWARDS_MAX, or no memory */
    uint64_t waiting; /* now */
} gw_neighbours_counters_t;

/* NULL when out of memory. */
gw_neighbours_t *
gw_neighbours_new(const gw_neighbours_options_t *options);
/* Answers nobody: all requests must be over. Not from within a callback. */
void
gw_neighbours_destroy(gw_neighbours_t **self_p);

/* Who is there now; borrowed for the call. */
void
gw_neighbours_set_roster(gw_neighbours_t *self, const pr_roster_t *roster);

/* The incarnation of the gateway with that tag (engineio_sid.h), and its name; NULL if there is
 * none, or if it is ourselves. Live until the next roster. */
const char *
gw_neighbours_incarnation(const gw_neighbours_t *self, pr_str_t tag);
const char *
gw_neighbours_name(const gw_neighbours_t *self, pr_str_t tag);

/*
 * Asks the owner `tag` for an answer to a GET (`body` is absent) or a POST of its session `sid`:
 * `get->answer` is called, now or later, unless the request is aborted. Returns the number by which
 * that can be done, 0 if it was answered at once.
 */
int64_t
gw_neighbours_ask(
    gw_neighbours_t *self, pr_str_t tag, pr_str_t sid, pr_str_t body, gw_polling_get_t *get);
/* Its client is gone. */
void
gw_neighbours_abort(gw_neighbours_t *self, int64_t number);

const gw_neighbours_counters_t *
gw_neighbours_counters(const gw_neighbours_t *self);

#endif
