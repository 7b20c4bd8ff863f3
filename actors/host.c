/* SPDX-License-Identifier: MIT */

#include "actors/host.h"

#include <stdlib.h>
#include <string.h>

#include "actors/directory.h"
#include "actors/intake.h"
#include "actors/peers.h"
#include "actors/refuse.h"
#include "actors/store.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/zsock.h"
#include "proto/wire/error.h"
#include "proto/wire/placement.h"

struct ac_host {
    pr_loop_t *loop;
    const ac_host_ops_t *ops;
    void *arg;
    ac_env_t env;
    ac_store_t *store;
    pr_router_t *router;
    pr_zsock_t *tap;
    ac_peers_t *peers;
    ac_directory_t *actors;
    pr_roster_t *roster;
    bool is_ready;
    bool is_draining;
};

/* --- what actors ask of us --- */

static void
s_refresh(void *arg)
{
    ac_host_t *self = arg;
    self->env.now_ms = pr_clock_mono_ms();
    self->env.wall_ms = pr_clock_wall_ms();
}

static void
s_submit(void *arg, ac_request_t *request)
{
    ac_host_t *self = arg;
    ac_store_submit(self->store, request);
}

static void
s_cancel(void *arg, ac_request_t *request)
{
    ac_host_t *self = arg;
    ac_store_cancel(self->store, request);
}

static int
s_send(void *arg, uint32_t gateway, pr_str_t packed)
{
    ac_host_t *self = arg;
    return ac_peers_send(self->peers, gateway, packed);
}

static void
s_send_last(void *arg, uint32_t gateway, pr_str_t packed)
{
    ac_host_t *self = arg;
    ac_peers_send_last(self->peers, gateway, packed);
}

static void
s_starved(void *arg, uint32_t gateway, ac_actor_t *actor)
{
    ac_host_t *self = arg;
    ac_peers_starved(self->peers, gateway, actor);
}

static void
s_give_up(void *arg, uint32_t gateway)
{
    ac_host_t *self = arg;
    ac_peers_give_up(self->peers, gateway);
}

static void
s_publish(void *arg, pr_str_t poll, pr_str_t packed)
{
    ac_host_t *self = arg;
    pr_str_t parts[] = {poll, packed};
    /* Lossy by contract. */
    int rc = pr_zsock_send(self->tap, parts, 2);
    (void) rc;
}

static bool
s_is_ours(void *arg, pr_str_t poll)
{
    const ac_host_t *self = arg;
    const pr_roster_entry_t *owner = self->roster ? pr_placement(poll, self->roster) : NULL;
    return owner && strcmp(owner->inc, self->env.incarnation) == 0;
}

static void
s_wake(void *arg, ac_actor_t *actor)
{
    ac_host_t *self = arg;
    ac_directory_wake(self->actors, actor);
}

static void
s_finished(void *arg, ac_actor_t *actor)
{
    ac_host_t *self = arg;
    ac_directory_finished(self->actors, actor);
    ac_peers_forget_actor(self->peers, ac_actor_poll(actor));
}

static const ac_actor_ops_t s_actor_ops = {
    .refresh = s_refresh,
    .submit = s_submit,
    .cancel = s_cancel,
    .send = s_send,
    .send_last = s_send_last,
    .starved = s_starved,
    .give_up = s_give_up,
    .publish = s_publish,
    .is_ours = s_is_ours,
    .wake = s_wake,
    .finished = s_finished,
};

/* --- events of gateways --- */

static void
s_refuse(ac_host_t *self, uint32_t gateway, const pr_event_t *event, int code)
{
    ac_refuse(self->peers, self->env.scratch, gateway, event, code);
}

static void
s_route(ac_host_t *self, uint32_t gateway, const pr_event_t *event)
{
    ac_actor_t *actor = ac_directory_get(self->actors, event->poll);
    if (!actor && event->type == PR_MSG_DISCONNECT) {
        return;
    }
    if (self->is_draining ||
        (self->roster && pr_roster_is_quarantined(self->roster, event->poll))) {
        s_refuse(self, gateway, event, PR_E_UNAVAILABLE);
        return;
    }
    if (!actor) {
        actor = ac_directory_add(self->actors, &self->env, event->poll);
    }
    if (actor) {
        ac_actor_event(actor, gateway, event);
    } else {
        s_refuse(self, gateway, event, PR_E_BUSY);
    }
}

static uint32_t
s_gateway_of(const pr_peer_t *peer)
{
    return (uint32_t) (uintptr_t) pr_peer_data(peer);
}

static void
s_on_event(void *arg, pr_peer_t *peer, const pr_event_t *event)
{
    ac_host_t *self = arg;
    uint32_t gateway = s_gateway_of(peer);
    if (event->type == PR_MSG_BEAT || event->type == PR_MSG_EVENT_REFUSED || gateway == 0) {
        return;
    }
    int rc = ac_intake_check(event);
    if (rc != 0) {
        self->env.counters.events_refused++;
        ac_refuse_event(self->peers, self->env.scratch, gateway, event, rc);
        return;
    }
    s_route(self, gateway, event);
}

static int
s_on_open(void *arg, pr_peer_t *peer, const pr_msg_hello_t *hello)
{
    ac_host_t *self = arg;
    if (!pr_str_equal(hello->role, PR_STR("gateway")) &&
        !pr_str_equal(hello->role, PR_STR("ctl"))) {
        return PR_E_FORBIDDEN;
    }
    if (self->is_draining) {
        return PR_E_UNAVAILABLE;
    }
    uint32_t id = ac_peers_open(self->peers, peer);
    if (id == 0) {
        return PR_E_NOMEM;
    }
    pr_log_info("host.peer_up", "peer=%.*s id=%u", PR_STR_ARG(hello->name), id);
    return 0;
}

static void
s_tell_lost(ac_actor_t *actor, void *arg)
{
    const uint32_t *gateway = arg;
    ac_actor_gateway_lost(actor, *gateway);
}

static void
s_on_lost(void *arg, pr_peer_t *peer, int error)
{
    ac_host_t *self = arg;
    uint32_t gateway = s_gateway_of(peer);
    if (gateway == 0) {
        return;
    }
    pr_log_info("host.peer_down", "id=%u error=%s", gateway, pr_error_name(error));
    ac_peers_close(self->peers, gateway);
    if (self->actors) {
        ac_directory_for_each(self->actors, s_tell_lost, &gateway);
    }
}

static const pr_router_ops_t s_router_ops = {
    .open = s_on_open,
    .event = s_on_event,
    .lost = s_on_lost,
};

/* --- the store --- */

static void
s_on_store_up(void *arg)
{
    ac_host_t *self = arg;
    self->env.store_up = true;
    ac_directory_verify_all(self->actors);
    if (!self->is_ready) {
        self->is_ready = true;
        self->ops->ready(self->arg);
    }
}

static void
s_tell_down(ac_actor_t *actor, void *arg)
{
    (void) arg;
    ac_actor_store_down(actor);
}

static void
s_on_store_down(void *arg)
{
    ac_host_t *self = arg;
    self->env.store_up = false;
    ac_directory_for_each(self->actors, s_tell_down, NULL);
}

static void
s_on_store_unfit(void *arg, const char *line)
{
    ac_host_t *self = arg;
    if (!self->is_ready) {
        self->ops->unfit(self->arg, line);
    }
}

static const ac_store_ops_t s_store_ops = {
    .up = s_on_store_up,
    .down = s_on_store_down,
    .unfit = s_on_store_unfit,
};

/* --- turns --- */

/* What the store acknowledged before it went away must still be there. */
static void
s_verify_some(ac_host_t *self)
{
    if (!self->env.store_up || !ac_directory_has_to_verify(self->actors)) {
        return;
    }
    ac_store_stats_t stats;
    ac_store_stats(self->store, &stats);
    size_t busy = stats.queued + stats.in_flight;
    if (busy < PR_STORE_IN_FLIGHT_MAX) {
        (void) ac_directory_verify(self->actors, PR_STORE_IN_FLIGHT_MAX - busy);
    }
}

static bool
s_on_turn(void *arg)
{
    ac_host_t *self = arg;
    ac_peers_turn(self->peers);
    bool more = ac_directory_think(self->actors);
    s_verify_some(self);
    ac_directory_reap(self->actors);
    return more;
}

/* --- life --- */

static bool
s_open(ac_host_t *self, const ac_host_options_t *options)
{
    pr_link_self_t me = {
        .role = "actors", .name = options->name, .incarnation = options->incarnation};
    self->tap = pr_zsock_new(self->loop, PR_ZSOCK_PUB, NULL, NULL, NULL);
    if (!self->tap || pr_zsock_bind(self->tap, options->tap) != 0) {
        return false;
    }
    self->router = pr_router_new(self->loop, options->endpoint, &me, &s_router_ops, self);
    if (!self->router) {
        return false;
    }
    self->store =
        ac_store_new(self->loop, options->store, options->incarnation, &s_store_ops, self);
    return self->store != NULL;
}

ac_host_t *
ac_host_new(pr_loop_t *loop, const ac_host_options_t *options, const ac_host_ops_t *ops, void *arg)
{
    PR_ASSERT(strlen(options->incarnation) == PR_INCARNATION_LEN);
    ac_host_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->ops = ops;
    self->arg = arg;
    self->env = (ac_env_t) {.ops = &s_actor_ops,
                            .arg = self,
                            .wheel = pr_loop_wheel(loop),
                            .rules = options->rules,
                            .grace = options->grace,
                            .scratch = pr_buf_new(4096),
                            .memory = pr_unpacked_new(),
                            .poison = options->poison ? ac_poison_new(options->poison) : NULL};
    memcpy(self->env.incarnation, options->incarnation, sizeof self->env.incarnation);
    s_refresh(self);
    self->actors = ac_directory_new();
    self->peers = ac_peers_new();
    pr_loop_on_turn(loop, PR_TURN_THINK, s_on_turn, self);
    if (!self->env.scratch || !self->env.memory || !self->actors || !self->peers ||
        !s_open(self, options)) {
        ac_host_destroy(&self);
    }
    return self;
}

void
ac_host_destroy(ac_host_t **self_p)
{
    PR_ASSERT(self_p);
    ac_host_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_loop_off_turn(self->loop, s_on_turn, self);
    ac_directory_destroy(&self->actors);
    ac_store_destroy(&self->store);
    pr_router_destroy(&self->router);
    pr_zsock_destroy(&self->tap);
    ac_peers_destroy(&self->peers);
    pr_roster_destroy(&self->roster);
    pr_buf_destroy(&self->env.scratch);
    pr_unpacked_destroy(&self->env.memory);
    ac_poison_destroy(&self->env.poison);
    free(self);
    *self_p = NULL;
}

static void
s_tell_roster(ac_actor_t *actor, void *arg)
{
    const ac_host_t *self = arg;
    ac_actor_roster(actor);
    if (pr_roster_is_quarantined(self->roster, ac_actor_poll(actor))) {
        ac_actor_quarantine(actor);
    }
}

void
ac_host_roster(ac_host_t *self, pr_roster_t **roster_p)
{
    pr_roster_t *roster = *roster_p;
    *roster_p = NULL;
    if (self->roster && pr_roster_generation(roster) <= pr_roster_generation(self->roster)) {
        pr_roster_destroy(&roster);
        return;
    }
    ac_peers_compare(self->peers, self->roster, roster);
    pr_roster_destroy(&self->roster);
    self->roster = roster;
    self->env.generation = pr_roster_generation(roster);
    ac_store_set_generation(self->store, self->env.generation);
    pr_log_info("host.roster", "generation=%lld", (long long) self->env.generation);
    ac_directory_for_each(self->actors, s_tell_roster, self);
}

void
ac_host_drain(ac_host_t *self)
{
    self->is_draining = true;
}

bool
ac_host_is_drained(const ac_host_t *self)
{
    ac_store_stats_t stats;
    ac_store_stats(self->store, &stats);
    return stats.queued + stats.in_flight == 0;
}

void
ac_host_write_stats(ac_host_t *self, pr_buf_t *out)
{
    self->env.counters.polls = (int64_t) ac_directory_count(self->actors);
    self->env.counters.gateways = (int64_t) ac_peers_count(self->peers);
    self->env.counters.gateways_given_up = (int64_t) ac_peers_given_up(self->peers);
    pr_link_counters_t links = pr_router_counters(self->router);
    ac_env_write_stats(&self->env, &links, out);
}
