/* SPDX-License-Identifier: MIT */

/*
 * The connections of those who have joined nothing, oldest first: of all that a gateway may have
 * they are to be a small part, so that whoever only connects can not keep the others out.
 *
 * A WebSocket is no stranger from its join on. A connection that carries requests is none while
 * it serves a session that has joined, and after that until it asks for something else: that of a
 * client who polls may idle. Any other request, REST's too, comes from a stranger.
 */

#ifndef GW_STRANGERS_H
#define GW_STRANGERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/loop.h"

typedef struct gw_stranger gw_stranger_t; /* of a gw_peer_t */
typedef struct gw_strangers gw_strangers_t;

struct gw_stranger {
    gw_strangers_t *all; /* NULL: it is none */
    gw_stranger_t *prev;
    gw_stranger_t *next;
    int64_t since_ms;
    bool is_evicted; /* and about to close */
};

struct gw_strangers {
    pr_loop_t *loop;
    gw_stranger_t ends; /* of the list */
    size_t count;
    void (*fewer)(void *arg);
    void *fewer_arg;
};

void
gw_strangers_init(gw_strangers_t *self, pr_loop_t *loop);

/* Calls `fewer(arg)` whenever one has joined. */
void
gw_strangers_on_fewer(gw_strangers_t *self, void (*fewer)(void *arg), void *arg);

/* It is one from now on, if it was none; one that was evicted is none ever again. */
void
gw_strangers_add(gw_strangers_t *self, gw_stranger_t *stranger);
/* It is one no more: it has joined. */
void
gw_strangers_know(gw_stranger_t *stranger);
/* Its connection has gone. */
void
gw_strangers_remove(gw_stranger_t *stranger);

/* Whether the oldest has been one for so long. */
bool
gw_strangers_have_old(const gw_strangers_t *self, int64_t ms);
/* Closes the connection of the oldest, if there is one: from the loop, but it is one no more. */
bool
gw_strangers_evict(gw_strangers_t *self);

#endif
