/* SPDX-License-Identifier: MIT */

/*
 * The gateway's links to all actors processes of the roster: one dealer for each incarnation that is up.
 * Finds the process of a poll, and keeps the requests that wait for a REPLY.
 */

#ifndef GW_HOSTS_H
#define GW_HOSTS_H

#include "proto/base/loop.h"
#include "proto/wire/message.h"

typedef struct gw_hosts gw_hosts_t;
struct pr_roster;

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
} gw_hosts_ops_t;

/* The answer to a request: a REPLY, or NULL with `error` PR_E_TIMEOUT, PR_E_UNREACHABLE, PR_E_BUSY.
 * Called exactly once, from the loop. */
typedef void (*gw_reply_t)(void *arg, const pr_msg_reply_t *reply, int error);

gw_hosts_t *
gw_hosts_new(pr_loop_t *loop,
             const char *name,
             const char *incarnation,
             const gw_hosts_ops_t *ops,
             void *arg);
void
gw_hosts_destroy(gw_hosts_t **self_p);

/* Takes a new roster: dials, hangs up, places anew. */
void
gw_hosts_set_roster(gw_hosts_t *self, const struct pr_roster *roster);

/* The slot that a poll is placed on; -1 while there is no roster. */
int
gw_hosts_slot_of(const gw_hosts_t *self, pr_str_t poll);
/* Whether a session with that slot is open. */
bool
gw_hosts_is_open(const gw_hosts_t *self, int slot);

/* Sends an event to the process of its poll: 0, PR_E_UNREACHABLE, PR_E_BUSY, PR_E_NOMEM. */
PR_MUST_CHECK int
gw_hosts_send(gw_hosts_t *self, const pr_event_t *event);

/*
 * Sends a CREATE, READ or COMMAND and waits for its REPLY for PR_REQUEST_DEADLINE_MS; fills in its `req`.
 * While the process of the poll can not be reached it waits, within the deadline, and a request in
 * flight when the actors died is sent again once. Returns 0, or PR_E_BUSY past PR_REQUESTS_MAX: `done`
 * is then not called. `*handle` (may be NULL) cancels.
 */
PR_MUST_CHECK int
gw_hosts_request(gw_hosts_t *self, const pr_event_t *event, gw_reply_t done, void *arg, int64_t *handle);
/* `done` will not be called. */
void
gw_hosts_cancel(gw_hosts_t *self, int64_t handle);

#endif
