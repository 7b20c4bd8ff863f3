/* SPDX-License-Identifier: MIT */

/*
 * The gateway's links to all actors processes of the roster: one dealer for each incarnation that
 * is up. Finds the process of a poll, and keeps the requests that wait for a REPLY.
 */

#ifndef GW_HOSTS_H
#define GW_HOSTS_H

#include "gateway/requests.h"
#include "proto/base/loop.h"
#include "proto/wire/link.h"
#include "proto/wire/message.h"
#include "proto/wire/roster.h"

typedef struct gw_hosts gw_hosts_t;

typedef struct {
    /* A session with the actors of `slot` began: SYNC all polls placed there. */
    void (*opened)(void *arg, int slot);
    /* It ended (reset, silence, or gone from the roster): their conns are STALE. */
    void (*lost)(void *arg, int slot);
    /* An event that is no REPLY to one of our requests. */
    void (*event)(void *arg, int slot, const pr_event_t *event);
    /* Room again after PR_E_BUSY: SYNC what was not told. */
    void (*writable)(void *arg, int slot);
    /* Placement may have changed: look again where each poll is. */
    void (*moved)(void *arg);
    /* Whether the poll's actor has been told who is here: requests wait for that, as it refuses
     * commands of conns that it does not know. May be NULL. */
    bool (*is_told)(void *arg, pr_str_t poll);
} gw_hosts_ops_t;

/* NULL when out of memory. `name` ("g1") and `incarnation` make the identity of our dealers; all
 * texts are copied. */
gw_hosts_t *
gw_hosts_new(pr_loop_t *loop,
             const char *name,
             const char *incarnation,
             const gw_hosts_ops_t *ops,
             void *arg);
void
gw_hosts_destroy(gw_hosts_t **self_p);

/* Takes a new roster (it is ours then): dials, hangs up, places anew. */
void
gw_hosts_set_roster(gw_hosts_t *self, pr_roster_t **roster_p);
/* The generation of the roster, 0 while there is none. */
int64_t
gw_hosts_generation(const gw_hosts_t *self);
/* Whether there is a roster and a session is open with everyone who is up in it. */
bool
gw_hosts_are_ready(const gw_hosts_t *self);

/* Sums over all links, those that are gone included. */
pr_link_counters_t
gw_hosts_counters(const gw_hosts_t *self);

/* The slot that a poll is placed on; -1 while there is no roster. */
int
gw_hosts_slot_of(const gw_hosts_t *self, pr_str_t poll);
/* Whether a session with that slot is open. */
bool
gw_hosts_is_open(const gw_hosts_t *self, int slot);

/* A poll's actor has been told who is here: requests that waited for it may go. */
void
gw_hosts_told(gw_hosts_t *self);
/* Sends an event to the process of its poll: 0, PR_E_UNREACHABLE, PR_E_BUSY, PR_E_NOMEM. */
PR_MUST_CHECK int
gw_hosts_send(gw_hosts_t *self, const pr_event_t *event);

/*
 * Sends a CREATE, READ or COMMAND and waits for its REPLY for PR_REQUEST_DEADLINE_MS; fills in its
 * `req`. While the process of the poll can not be reached it waits, within the deadline, and a
 * request in flight when the actors died is sent again once. Returns 0, or PR_E_BUSY past
 * PR_REQUESTS_MAX: `done` is then not called. `*handle` (may be NULL) cancels. gw_reply_t is
 * explained in requests.h.
 */
PR_MUST_CHECK int
gw_hosts_request(
    gw_hosts_t *self, const pr_event_t *event, gw_reply_t done, void *arg, int64_t *handle);
/* `done` will not be called. */
void
gw_hosts_cancel(gw_hosts_t *self, int64_t handle);

#endif
