/* SPDX-License-Identifier: MIT */

/*
 * Who is here: the live sockets of one poll on all gateways, as a set. Pure: time is passed in.
 *
 * A user is present with at least one conn, and for a grace time after the last one went: none for
 * a `leave`, `reload_ms` or `lost_ms` for the others, counted from then. What follows for the
 * document is not decided here: the actor drains the users whose presence has changed, one by one
 * and each once however often it went to and fro, and asks the core.
 *
 *     (gateway, conn) -> user        a conn waits until its gateway was told CONNECTED
 */

#ifndef AC_PRESENCE_H
#define AC_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "actors/users.h"
#include "proto/base/assert.h"
#include "proto/base/bytes.h"
#include "proto/wire/limits.h"

typedef struct ac_presence ac_presence_t;
typedef struct ac_conn ac_conn_t;

struct ac_conn {
    char id[PR_CONN_ID_LEN_MAX + 1];
    uint32_t gateway;
    uint32_t commands; /* of it in the mailbox */
    ac_user_t *user;
    /* The set's own. */
    bool waiting;
    bool seen;                              /* by the present SYNC */
    ac_conn_t *user_prev, *user_next;       /* conns of the same user */
    ac_conn_t *waiting_prev, *waiting_next; /* waiting conns of the same gateway */
};

/* An empty set, or NULL when out of memory. `grace` is borrowed for its life. */
ac_presence_t *
ac_presence_new(const ac_grace_t *grace);
void
ac_presence_destroy(ac_presence_t **self_p);

/*
 * A conn that is there now, or announced again: it waits for CONNECTED. If it belonged to another
 * user it changes hands. 0 and the conn in `*out`, PR_E_FULL (PR_POLL_CONNS_MAX) or PR_E_NOMEM.
 */
PR_MUST_CHECK int
ac_presence_connect(ac_presence_t *self,
                    uint32_t gateway,
                    pr_str_t conn,
                    pr_str_t user,
                    pr_str_t name,
                    ac_conn_t **out);
/* A conn that is not there any more; one that is not known is fine. */
void
ac_presence_disconnect(
    ac_presence_t *self, uint32_t gateway, pr_str_t conn, ac_why_t why, int64_t now_ms);
/* All conns of a user go, without grace: it was refused. */
void
ac_presence_dismiss(ac_presence_t *self, ac_user_t *user);
/* All conns of a gateway are lost. */
void
ac_presence_gateway_lost(ac_presence_t *self, uint32_t gateway, int64_t now_ms);

/* What the gateway connects from here on is all that it has; the rest is lost at the end. */
void
ac_presence_sync_begin(ac_presence_t *self, uint32_t gateway);
void
ac_presence_sync_end(ac_presence_t *self, uint32_t gateway, int64_t now_ms);

/* The document lists this user: without a conn it is lost from now. 0 or PR_E_NOMEM. */
PR_MUST_CHECK int
ac_presence_listed(ac_presence_t *self, pr_str_t user, int64_t now_ms);
/* The document has changed under us: every user with a conn counts as changed. */
void
ac_presence_recheck(ac_presence_t *self);

/*
 * The next user whose presence has changed by `now_ms`, or NULL. It has conns: should be listed;
 * has none: should not. The pointer holds until the next call of any function here.
 */
ac_user_t *
ac_presence_next_change(ac_presence_t *self, int64_t now_ms);
/* Whether there is one. */
bool
ac_presence_has_change(const ac_presence_t *self, int64_t now_ms);
/* When the next grace time ends; INT64_MAX if none runs. */
int64_t
ac_presence_due_ms(const ac_presence_t *self);

/* The user of that id, present or lately so, or NULL. */
ac_user_t *
ac_presence_user(const ac_presence_t *self, pr_str_t id);
/* The conn, or NULL. */
ac_conn_t *
ac_presence_conn(const ac_presence_t *self, uint32_t gateway, pr_str_t conn);
/* Conns of all gateways. */
size_t
ac_presence_conn_count(const ac_presence_t *self);

/* Gateways with conns, for walks: index below the count. */
size_t
ac_presence_gateway_count(const ac_presence_t *self);
uint32_t
ac_presence_gateway_at(const ac_presence_t *self, size_t index);
bool
ac_presence_has_gateway(const ac_presence_t *self, uint32_t gateway);
/* Whether a conn of the gateway was announced by SYNC. */
bool
ac_presence_was_synced(const ac_presence_t *self, uint32_t gateway);

/* First conn of the gateway that waits for CONNECTED, or NULL; go on with `waiting_next`. */
ac_conn_t *
ac_presence_waiting(const ac_presence_t *self, uint32_t gateway);
/* It waits no more. */
void
ac_presence_answered(ac_presence_t *self, ac_conn_t *conn);

#endif
