/* SPDX-License-Identifier: MIT */

/*
 * The listening end of many links on ZeroMQ: a ROUTER socket and one pr_link for each identity that
 * ever said something, up to PR_ROUTER_PEERS_MAX. A peer whose session is lost and that stays
 * silent is forgotten after PR_LINK_DEAD_MS.
 */

#ifndef PR_ROUTER_H
#define PR_ROUTER_H

#include "proto/base/loop.h"
#include "proto/wire/link.h"

typedef struct pr_router pr_router_t;
typedef struct pr_peer pr_peer_t;

typedef struct {
    /* As in pr_link_ops_t, with the peer it is about. A peer lives until its `lost` has
     * returned. */
    int (*open)(void *arg, pr_peer_t *peer, const pr_msg_hello_t *hello);
    void (*event)(void *arg, pr_peer_t *peer, const pr_event_t *event);
    void (*lost)(void *arg, pr_peer_t *peer, int error);
    void (*writable)(void *arg, pr_peer_t *peer); /* may be NULL */
} pr_router_ops_t;

/* NULL when out of resources or if `endpoint` can not be bound (logged). */
pr_router_t *
pr_router_new(pr_loop_t *loop,
              const char *endpoint,
              const pr_link_self_t *me,
              const pr_router_ops_t *ops,
              void *arg);
/* Calls nobody. Not from within a callback. */
void
pr_router_destroy(pr_router_t **self_p);

/* Known peers. */
size_t
pr_router_peer_count(const pr_router_t *self);

/* Sums over all peers, those that were forgotten included. Messages over the bounds of a socket,
 * which no link gets to see, count as malformed. */
pr_link_counters_t
pr_router_counters(const pr_router_t *self);

pr_link_t *
pr_peer_link(pr_peer_t *peer);
/* Answers an event of a type that nobody here knows. A peer that does not read its answers does not
 * get them. */
void
pr_peer_refuse(pr_peer_t *peer, const pr_event_t *event);
/* Its ZeroMQ identity. */
pr_str_t
pr_peer_identity(const pr_peer_t *peer);
/* A pointer of the user's own; NULL at first. */
void *
pr_peer_data(const pr_peer_t *peer);
void
pr_peer_set_data(pr_peer_t *peer, void *data);

#endif
