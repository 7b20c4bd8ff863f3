/* SPDX-License-Identifier: MIT */

/*
 * Peers are made by any message, garbage included, so that each has its own allowance of refusals;
 * they are forgotten by the clock alone, never while one of them is being served.
 */

#include "proto/wire/router.h"

#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/base/map.h"
#include "proto/base/zsock.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"
#include "proto/wire/link_private.h"

struct pr_peer {
    pr_router_t *router;
    pr_link_t *link;
    pr_str_t identity; /* owned */
    void *data;
    int64_t heard_ms;
};

struct pr_router {
    pr_loop_t *loop;
    pr_zsock_t *zsock;
    const pr_router_ops_t *ops;
    void *arg;
    pr_link_self_t me; /* texts owned */
    pr_map_t *peers;   /* by identity */
    pr_peer_t *nobody; /* refuses those for whom there is no place */
    pr_timer_t tick;
    pr_link_counters_t forgotten; /* of the peers that are no more */
};

/* --- a peer --- */

static int
s_transmit(void *arg, const pr_str_t *parts, size_t count)
{
    pr_peer_t *peer = arg;
    pr_str_t all[PR_MESSAGE_PARTS_MAX];
    PR_ASSERT(count < PR_MESSAGE_PARTS_MAX);
    all[0] = peer->identity;
    memcpy(all + 1, parts, count * sizeof *parts);
    return pr_zsock_send(peer->router->zsock, all, count + 1);
}

static int
s_open(void *arg, const pr_msg_hello_t *hello)
{
    pr_peer_t *peer = arg;
    return peer->router->ops->open(peer->router->arg, peer, hello);
}

static void
s_event(void *arg, const pr_event_t *event)
{
    pr_peer_t *peer = arg;
    peer->router->ops->event(peer->router->arg, peer, event);
}

static void
s_lost(void *arg, int error)
{
    pr_peer_t *peer = arg;
    peer->router->ops->lost(peer->router->arg, peer, error);
}

static void
s_writable(void *arg)
{
    pr_peer_t *peer = arg;
    if (peer->router->ops->writable) {
        peer->router->ops->writable(peer->router->arg, peer);
    }
}

static const pr_link_ops_t s_ops = {
    .transmit = s_transmit,
    .open = s_open,
    .event = s_event,
    .lost = s_lost,
    .writable = s_writable,
};

static void
s_free_peer(void *value)
{
    pr_peer_t *peer = value;
    if (!peer) {
        return;
    }
    pr_link_destroy(&peer->link);
    free((char *) peer->identity.ptr);
    free(peer);
}

static pr_peer_t *
s_new_peer(pr_router_t *self, pr_str_t identity)
{
    pr_peer_t *peer = calloc(1, sizeof *peer);
    char *copy = malloc(identity.len + 1);
    if (peer && copy) {
        memcpy(copy, identity.ptr, identity.len);
        peer->identity = (pr_str_t) {copy, identity.len};
        peer->router = self;
        peer->link = pr_link_new(PR_LINK_LISTENER, &self->me, &s_ops, peer);
        if (peer->link) {
            return peer;
        }
    }
    free(copy);
    free(peer);
    return NULL;
}

/* The peer of that identity, made if need be; NULL if there is no place for it. */
static pr_peer_t *
s_peer(pr_router_t *self, pr_str_t identity)
{
    pr_peer_t *peer = pr_map_get(self->peers, identity);
    if (peer || pr_map_count(self->peers) >= PR_ROUTER_PEERS_MAX) {
        return peer;
    }
    peer = s_new_peer(self, identity);
    if (peer && pr_map_set(self->peers, identity, peer) != 0) {
        s_free_peer(peer);
        return NULL;
    }
    return peer;
}

/* --- the socket --- */

static void
s_refuse_stranger(pr_router_t *self, pr_str_t identity)
{
    pr_str_t own = self->nobody->identity;
    self->nobody->identity = identity;
    self->nobody->link->counters.refused_busy++;
    pr_link_say_refused(self->nobody->link, "", 0, PR_E_BUSY, pr_loop_now_ms(self->loop));
    self->nobody->identity = own;
    pr_log_warn("router.full", "peers=%zu", pr_map_count(self->peers));
}

static void
s_receive(void *arg, const pr_str_t *parts, size_t count)
{
    pr_router_t *self = arg;
    pr_peer_t *peer = s_peer(self, parts[0]);
    if (!peer) {
        s_refuse_stranger(self, parts[0]);
        return;
    }
    peer->heard_ms = pr_loop_now_ms(self->loop);
    pr_link_receive(peer->link, parts + 1, count - 1, peer->heard_ms);
}

static bool
s_flush(void *arg)
{
    pr_router_t *self = arg;
    int64_t now_ms = pr_loop_now_ms(self->loop);
    for (size_t i = 0; i < pr_map_count(self->peers); i++) {
        pr_peer_t *peer = pr_map_value_at(self->peers, i);
        pr_link_flush(peer->link, now_ms);
    }
    return false;
}

/* Counters are all uint64_t: add them as such. */
static void
s_add(pr_link_counters_t *sum, const pr_link_counters_t *more)
{
    enum { COUNT = sizeof *sum / sizeof(uint64_t) };
    uint64_t a[COUNT];
    uint64_t b[COUNT];
    memcpy(a, sum, sizeof a);
    memcpy(b, more, sizeof b);
    for (size_t i = 0; i < COUNT; i++) {
        a[i] += b[i];
    }
    memcpy(sum, a, sizeof a);
}

static void
s_tick(pr_timer_t *timer)
{
    pr_router_t *self = (pr_router_t *) ((char *) timer - offsetof(pr_router_t, tick));
    int64_t now_ms = pr_loop_now_ms(self->loop);
    for (size_t i = pr_map_count(self->peers); i-- > 0;) {
        pr_peer_t *peer = pr_map_value_at(self->peers, i);
        pr_link_tick(peer->link, now_ms);
        if (!pr_link_is_open(peer->link) && now_ms - peer->heard_ms >= PR_LINK_DEAD_MS) {
            s_add(&self->forgotten, pr_link_counters(peer->link));
            (void) pr_map_remove(self->peers, peer->identity);
        }
    }
    pr_loop_arm(self->loop, timer, PR_WHEEL_TICK_MS);
}

/* --- life --- */

static bool
s_copy_me(pr_router_t *self, const pr_link_self_t *me)
{
    self->me.role = strdup(me->role);
    self->me.name = strdup(me->name);
    self->me.incarnation = strdup(me->incarnation);
    return self->me.role && self->me.name && self->me.incarnation;
}

pr_router_t *
pr_router_new(pr_loop_t *loop,
              const char *endpoint,
              const pr_link_self_t *me,
              const pr_router_ops_t *ops,
              void *arg)
{
    PR_ASSERT(loop && endpoint && me && ops && ops->open && ops->event && ops->lost);
    pr_router_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->ops = ops;
    self->arg = arg;
    self->tick.fire = s_tick;
    pr_loop_on_turn(loop, PR_TURN_SEND, s_flush, self);
    pr_loop_arm(loop, &self->tick, PR_WHEEL_TICK_MS);
    self->peers = pr_map_new(s_free_peer);
    if (s_copy_me(self, me) && self->peers) {
        self->nobody = s_new_peer(self, PR_STR(""));
        self->zsock = pr_zsock_new(loop, PR_ZSOCK_ROUTER, NULL, s_receive, self);
    }
    if (!self->nobody || !self->zsock || pr_zsock_bind(self->zsock, endpoint) != 0) {
        pr_router_destroy(&self);
    }
    return self;
}

void
pr_router_destroy(pr_router_t **self_p)
{
    PR_ASSERT(self_p);
    pr_router_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_loop_off_turn(self->loop, s_flush, self);
    pr_wheel_cancel(&self->tick);
    pr_zsock_destroy(&self->zsock);
    pr_map_destroy(&self->peers);
    s_free_peer(self->nobody);
    free((char *) self->me.role);
    free((char *) self->me.name);
    free((char *) self->me.incarnation);
    free(self);
    *self_p = NULL;
}

size_t
pr_router_peer_count(const pr_router_t *self)
{
    return pr_map_count(self->peers);
}

pr_link_counters_t
pr_router_counters(const pr_router_t *self)
{
    pr_link_counters_t sum = self->forgotten;
    s_add(&sum, pr_link_counters(self->nobody->link));
    for (size_t i = 0; i < pr_map_count(self->peers); i++) {
        const pr_peer_t *peer = pr_map_value_at(self->peers, i);
        s_add(&sum, pr_link_counters(peer->link));
    }
    sum.malformed += pr_zsock_counters(self->zsock)->dropped;
    return sum;
}

pr_link_t *
pr_peer_link(pr_peer_t *peer)
{
    return peer->link;
}

void
pr_peer_refuse(pr_peer_t *peer, const pr_event_t *event)
{
    pr_event_t answer = pr_event(PR_MSG_EVENT_REFUSED, event->poll);
    answer.event_refused.type = event->number;
    answer.event_refused.code = pr_str(pr_error_name(PR_E_UNKNOWN_TYPE));
    answer.event_refused.text = pr_str(pr_error_text(PR_E_UNKNOWN_TYPE));
    int error = pr_link_send(peer->link, &answer);
    (void) error;
}

pr_str_t
pr_peer_identity(const pr_peer_t *peer)
{
    return peer->identity;
}

void *
pr_peer_data(const pr_peer_t *peer)
{
    return peer->data;
}

void
pr_peer_set_data(pr_peer_t *peer, void *data)
{
    peer->data = data;
}
