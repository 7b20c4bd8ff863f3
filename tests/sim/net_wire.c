/* SPDX-License-Identifier: MIT */

/* Connections of the simulated ZeroMQ. */

#include <stdlib.h>
#include <string.h>

#include "proto/wire/limits.h"
#include "tests/sim/loop_model.h"
#include "tests/sim/net_private.h"

sim_wire_t *sim_wires;
static int64_t s_refused_until_us;

static sim_chance_t *
s_nature(void)
{
    return &sim_scene.nature;
}

/* --- arriving --- */

static void
s_free(sim_wire_t *self)
{
    sim_wire_t **link = &sim_wires;
    while (*link != self) {
        link = &(*link)->next;
    }
    *link = self->next;
    sim_agenda_cancel(&self->dial);
    for (int way = 0; way < SIM_WAYS; way++) {
        sim_agenda_cancel(&self->arrive[way]);
        sim_queue_clear(&self->ways[way]);
    }
    free(self->identity);
    free(self->endpoint);
    free(self);
}

static void
s_hand_over(sim_wire_t *self, int way, sim_message_t *message)
{
    pr_zsock_t *to = way == SIM_UP ? self->router : self->dealer;
    if (!to) {
        free(message);
        return;
    }
    if (way == SIM_UP) {
        /* A ROUTER sees who it comes from. */
        pr_str_t parts[PR_MESSAGE_PARTS_MAX + 1];
        PR_ASSERT(message->count <= PR_MESSAGE_PARTS_MAX);
        parts[0] = pr_str(self->identity);
        memcpy(parts + 1, message->parts, message->count * sizeof parts[0]);
        sim_message_t *named = sim_message_new(parts, message->count + 1);
        free(message);
        message = named;
    }
    sim_queue_push(&to->inbox, message);
    sim_loop_wake(to->loop);
}

static void
s_arrive(sim_wire_t *self, int way)
{
    sim_queue_t *queue = &self->ways[way];
    while (queue->first && queue->first->at_us <= sim_now_us()) {
        s_hand_over(self, way, sim_queue_pop(queue));
    }
    if (queue->first) {
        sim_agenda_set(sim_scene.agenda, &self->arrive[way], queue->first->at_us);
    } else if (!self->dealer && way == SIM_UP) {
        s_free(self);
    }
}

static void
s_arrive_up(sim_alarm_t *alarm)
{
    s_arrive((sim_wire_t *) ((char *) alarm - offsetof(sim_wire_t, arrive[SIM_UP])), SIM_UP);
}

static void
s_arrive_down(sim_alarm_t *alarm)
{
    s_arrive((sim_wire_t *) ((char *) alarm - offsetof(sim_wire_t, arrive[SIM_DOWN])), SIM_DOWN);
}

static int64_t
s_latency_us(void)
{
    if (sim_chance_percent(s_nature(), 4)) {
        return sim_chance_between(s_nature(), 1000, 40000);
    }
    return sim_chance_between(s_nature(), 20, 500);
}

void
sim_wire_send(sim_wire_t *self, int way, const pr_str_t *parts, size_t count)
{
    sim_message_t *message = sim_message_new(parts, count);
    int64_t at_us = sim_now_us() + s_latency_us();
    self->last_us[way] = at_us > self->last_us[way] ? at_us : self->last_us[way];
    message->at_us = self->last_us[way];
    sim_queue_push(&self->ways[way], message);
    if (!self->arrive[way].place) {
        sim_agenda_set(sim_scene.agenda, &self->arrive[way], message->at_us);
    }
}

/* --- connecting --- */

static void
s_dial_later(sim_wire_t *self, int64_t most_ms)
{
    sim_after(&self->dial, sim_chance_between(s_nature(), 500, most_ms * SIM_MS));
}

static pr_zsock_t *
s_bound(const char *endpoint)
{
    pr_zsock_t *zsock = sim_zsocks;
    while (zsock && !(zsock->kind == PR_ZSOCK_ROUTER && zsock->endpoint &&
                      strcmp(zsock->endpoint, endpoint) == 0)) {
        zsock = zsock->next;
    }
    return zsock;
}

sim_wire_t *
sim_wire_at(const pr_zsock_t *router, pr_str_t identity)
{
    sim_wire_t *wire = sim_wires;
    while (wire && !(wire->router == router && pr_str_equal(pr_str(wire->identity), identity))) {
        wire = wire->next;
    }
    return wire;
}

/* A paused process shakes no hands, and an identity that is in use is not heard. */
static void
s_dial(sim_alarm_t *alarm)
{
    sim_wire_t *self = (sim_wire_t *) ((char *) alarm - offsetof(sim_wire_t, dial));
    pr_zsock_t *router = s_bound(self->endpoint);
    if (!router || sim_loop_is_paused(router->loop) || sim_loop_is_paused(self->dealer->loop) ||
        sim_wire_at(router, pr_str(self->identity)) || sim_now_us() < s_refused_until_us) {
        s_dial_later(self, 200);
        return;
    }
    sim_trace("  net %s connects to %s", self->identity, sim_loop_name_of(router->loop));
    self->router = router;
    sim_loop_wake(self->dealer->loop);
    /* What was left of the connection before goes on from here. */
    for (int way = 0; way < SIM_WAYS; way++) {
        s_arrive(self, way);
    }
}

sim_wire_t *
sim_wire_new(pr_zsock_t *dealer, const char *endpoint)
{
    sim_wire_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self);
    self->dealer = dealer;
    self->identity = strdup(dealer->identity);
    self->endpoint = strdup(endpoint);
    self->dial.ring = s_dial;
    self->arrive[SIM_UP].ring = s_arrive_up;
    self->arrive[SIM_DOWN].ring = s_arrive_down;
    self->next = sim_wires;
    sim_wires = self;
    s_dial_later(self, 5);
    return self;
}

/* --- breaking --- */

/* Of what is under way the first `keep` go on. */
static void
s_truncate(sim_queue_t *queue, size_t keep)
{
    sim_queue_t kept = {0};
    for (; keep > 0 && queue->first; keep--) {
        sim_queue_push(&kept, sim_queue_pop(queue));
    }
    sim_queue_clear(queue);
    *queue = kept;
}

/* What has reached the system of the other end arrives, the rest is lost. */
static void
s_lose_some(sim_queue_t *queue)
{
    s_truncate(queue, (size_t) sim_chance_below(s_nature(), (int64_t) queue->count + 1));
}

static void
s_flush(sim_wire_t *self, int way)
{
    sim_agenda_cancel(&self->arrive[way]);
    while (self->ways[way].first) {
        s_hand_over(self, way, sim_queue_pop(&self->ways[way]));
    }
}

void
sim_wire_dealer_gone(sim_wire_t *self)
{
    self->dealer = NULL;
    sim_agenda_cancel(&self->dial);
    sim_agenda_cancel(&self->arrive[SIM_DOWN]);
    sim_queue_clear(&self->ways[SIM_DOWN]);
    s_lose_some(&self->ways[SIM_UP]);
    /* The other end takes note a little later. */
    sim_after(&self->arrive[SIM_UP], sim_chance_between(s_nature(), 1, 50000));
}

void
sim_wire_router_gone(sim_wire_t *self)
{
    if (!self->dealer) {
        self->router = NULL;
        sim_queue_clear(&self->ways[SIM_UP]);
        return;
    }
    s_lose_some(&self->ways[SIM_DOWN]);
    s_flush(self, SIM_DOWN);
    sim_agenda_cancel(&self->arrive[SIM_UP]);
    sim_queue_clear(&self->ways[SIM_UP]);
    self->router = NULL;
    s_dial_later(self, 50);
}

/* --- faults --- */

static sim_wire_t *
s_pick(bool with_messages)
{
    sim_wire_t *picked = NULL;
    int64_t seen = 0;
    for (sim_wire_t *wire = sim_wires; wire; wire = wire->next) {
        bool fits = wire->dealer && wire->router &&
                    (!with_messages || wire->ways[SIM_UP].count || wire->ways[SIM_DOWN].count);
        if (fits && sim_chance_below(&sim_scene.plot, ++seen) == 0) {
            picked = wire;
        }
    }
    return picked;
}

bool
sim_net_cut(void)
{
    sim_wire_t *wire = s_pick(false);
    if (!wire) {
        return false;
    }
    sim_trace("NET  the connection of %s to %s is cut", wire->identity,
              sim_loop_name_of(wire->router->loop));
    for (int way = 0; way < SIM_WAYS; way++) {
        s_lose_some(&wire->ways[way]);
        s_flush(wire, way);
        wire->last_us[way] = 0;
    }
    wire->router = NULL;
    s_dial_later(wire, 1000);
    return true;
}

bool
sim_net_stall(int64_t for_ms)
{
    sim_wire_t *wire = s_pick(false);
    if (!wire) {
        return false;
    }
    int way = (int) sim_chance_below(&sim_scene.plot, SIM_WAYS);
    sim_trace("NET  nothing arrives %s %s for %lld ms", way == SIM_UP ? "from" : "at",
              wire->identity, (long long) for_ms);
    int64_t until_us = sim_now_us() + for_ms * SIM_MS;
    for (sim_message_t *each = wire->ways[way].first; each; each = each->next) {
        each->at_us = each->at_us > until_us ? each->at_us : until_us;
    }
    wire->last_us[way] = wire->last_us[way] > until_us ? wire->last_us[way] : until_us;
    if (wire->ways[way].first) {
        sim_agenda_set(sim_scene.agenda, &wire->arrive[way], wire->ways[way].first->at_us);
    }
    return true;
}

/* A way of the wire that has messages. */
static int
s_busy_way(const sim_wire_t *wire)
{
    if (wire->ways[SIM_UP].count && wire->ways[SIM_DOWN].count) {
        return (int) sim_chance_below(&sim_scene.plot, SIM_WAYS);
    }
    return wire->ways[SIM_UP].count ? SIM_UP : SIM_DOWN;
}

bool
sim_net_lose(void)
{
    sim_wire_t *wire = s_pick(true);
    if (!wire) {
        return false;
    }
    sim_queue_t *queue = &wire->ways[s_busy_way(wire)];
    sim_trace("NET  a message of %s is lost", wire->identity);
    free(sim_queue_pop(queue));
    return true;
}

bool
sim_net_repeat(void)
{
    sim_wire_t *wire = s_pick(true);
    if (!wire) {
        return false;
    }
    sim_queue_t *queue = &wire->ways[s_busy_way(wire)];
    sim_trace("NET  a message of %s comes twice", wire->identity);
    sim_message_t *copy = sim_message_new(queue->last->parts, queue->last->count);
    copy->at_us = queue->last->at_us;
    sim_queue_push(queue, copy);
    return true;
}

void
sim_net_refuse(int64_t for_ms)
{
    sim_trace("NET  no new connections for %lld ms", (long long) for_ms);
    s_refused_until_us = sim_now_us() + for_ms * SIM_MS;
}

void
sim_net_heal(void)
{
    s_refused_until_us = 0;
    for (sim_wire_t *wire = sim_wires; wire; wire = wire->next) {
        for (int way = 0; way < SIM_WAYS; way++) {
            int64_t now_us = sim_now_us();
            wire->last_us[way] = 0;
            for (sim_message_t *each = wire->ways[way].first; each; each = each->next) {
                each->at_us = now_us;
            }
            if (wire->ways[way].first) {
                sim_agenda_set(sim_scene.agenda, &wire->arrive[way], now_us);
            }
        }
    }
}

void
sim_net_close(void)
{
    while (sim_wires) {
        s_free(sim_wires);
    }
    PR_ASSERT(!sim_zsocks);
    s_refused_until_us = 0;
}
