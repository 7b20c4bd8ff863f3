/* SPDX-License-Identifier: MIT */

/*
 * All actors of one process: the links with gateways, the store, the tap, and a map from poll ids
 * to live actors. An event for a poll without one makes one; the actor says itself when it has
 * become superfluous. Placement is only a hint to gateways: whatever arrives here is served, and
 * the store decides who owns what.
 */

#ifndef AC_HOST_H
#define AC_HOST_H

#include "actors/poll.h"
#include "actors/users.h"
#include "proto/base/assert.h"
#include "proto/base/loop.h"
#include "proto/wire/roster.h"

typedef struct ac_host ac_host_t;

typedef struct {
    const char *name;        /* "a1" */
    const char *incarnation; /* 16 hex digits */
    const char *endpoint;    /* to bind for gateways */
    const char *tap;         /* to bind for listeners */
    const char *store;       /* url */
    const char *poison;      /* path of its poison.h file; NULL: none */
    ac_rules_t rules;
    ac_grace_t grace;
} ac_host_options_t;

typedef struct {
    /* The store serves us, for the first time: clients may come. */
    void (*ready)(void *arg);
    /* The store can not serve us; `line` says why. Never after `ready`. */
    void (*unfit)(void *arg, const char *line);
} ac_host_ops_t;

/* NULL when out of resources, or an endpoint can not be bound, or the url is wrong (logged). */
ac_host_t *
ac_host_new(pr_loop_t *loop, const ac_host_options_t *options, const ac_host_ops_t *ops, void *arg);
void
ac_host_destroy(ac_host_t **self_p);

/* A roster; one that is not newer than the last is ignored. Consumed. */
void
ac_host_roster(ac_host_t *self, pr_roster_t **roster_p);

/* Takes nothing new from now on. */
void
ac_host_drain(ac_host_t *self);
/* Whether no script is out. */
bool
ac_host_is_drained(const ac_host_t *self);

/* Appends counters as one msgpack map. */
void
ac_host_write_stats(ac_host_t *self, pr_buf_t *out);

#endif
