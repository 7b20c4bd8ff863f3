/* SPDX-License-Identifier: MIT */

#include "tests/sim/net_private.h"

#include <stdlib.h>
#include <string.h>

#include "proto/wire/error.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"
#include "proto/wire/message.h"
#include "tests/sim/loop_model.h"

pr_zsock_t *sim_zsocks;

/* --- messages --- */

sim_message_t *
sim_message_new(const pr_str_t *parts, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += parts[i].len;
    }
    sim_message_t *self = malloc(sizeof *self + count * sizeof self->parts[0] + bytes);
    PR_ASSERT(self);
    *self = (sim_message_t) {.count = count};
    char *at = (char *) &self->parts[count];
    for (size_t i = 0; i < count; i++) {
        self->parts[i] = (pr_str_t) {at, parts[i].len};
        if (parts[i].len) {
            memcpy(at, parts[i].ptr, parts[i].len);
        }
        at += parts[i].len;
    }
    return self;
}

void
sim_queue_push(sim_queue_t *self, sim_message_t *message)
{
    message->next = NULL;
    if (self->last) {
        self->last->next = message;
    } else {
        self->first = message;
    }
    self->last = message;
    self->count++;
}

sim_message_t *
sim_queue_pop(sim_queue_t *self)
{
    sim_message_t *message = self->first;
    if (message) {
        self->first = message->next;
        self->last = self->first ? self->last : NULL;
        self->count--;
    }
    return message;
}

void
sim_queue_clear(sim_queue_t *self)
{
    while (self->first) {
        free(sim_queue_pop(self));
    }
}

/* Events for the reader of a replay; BEATs would hide the rest. */
static void
s_trace(const sim_wire_t *wire, int way, const pr_str_t *parts, size_t count)
{
    pr_unpacked_t *memory = sim_scene.is_traced ? pr_unpacked_new() : NULL;
    for (size_t i = 1; memory && i < count; i++) {
        pr_event_t event;
        pr_buf_t *json = pr_buf_new(256);
        if (pr_event_unpack(parts[i], memory, &event) == 0 && event.type != PR_MSG_BEAT) {
            pr_event_write_json(&event, json);
            sim_trace("  %s %.2s %.*s", way == SIM_UP ? "from" : "to", wire->identity,
                      pr_buf_len(json) < 200 ? (int) pr_buf_len(json) : 200, pr_buf_data(json));
        }
        pr_buf_destroy(&json);
    }
    pr_unpacked_destroy(&memory);
}

/* --- the contract of proto/base/zsock.h --- */

static bool
s_drain(void *arg)
{
    pr_zsock_t *self = arg;
    for (int i = 0; i < PR_ZSOCK_TURN_MESSAGES; i++) {
        sim_message_t *message = sim_queue_pop(&self->inbox);
        if (!message) {
            return false;
        }
        self->counters.received++;
        self->receive(self->arg, message->parts, message->count);
        free(message);
    }
    return self->inbox.first != NULL;
}

pr_zsock_t *
pr_zsock_new(pr_loop_t *loop,
             pr_zsock_kind_t kind,
             const char *identity,
             pr_zsock_receive_t receive,
             void *arg)
{
    pr_zsock_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self);
    self->loop = loop;
    self->kind = kind;
    self->identity = identity ? strdup(identity) : NULL;
    self->receive = receive;
    self->arg = arg;
    self->next = sim_zsocks;
    sim_zsocks = self;
    pr_loop_on_turn(loop, PR_TURN_RECEIVE, s_drain, self);
    return self;
}

void
pr_zsock_destroy(pr_zsock_t **self_p)
{
    pr_zsock_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_zsock_t **link = &sim_zsocks;
    while (*link != self) {
        link = &(*link)->next;
    }
    *link = self->next;
    if (self->wire) {
        sim_wire_dealer_gone(self->wire);
    }
    for (sim_wire_t *wire = sim_wires; wire; wire = wire->next) {
        if (wire->router == self) {
            sim_wire_router_gone(wire);
        }
    }
    pr_loop_off_turn(self->loop, s_drain, self);
    sim_queue_clear(&self->inbox);
    free(self->identity);
    free(self->endpoint);
    free(self);
    *self_p = NULL;
}

int
pr_zsock_bind(pr_zsock_t *self, const char *endpoint)
{
    self->endpoint = strdup(endpoint);
    return 0;
}

int
pr_zsock_connect(pr_zsock_t *self, const char *endpoint)
{
    PR_ASSERT(self->kind == PR_ZSOCK_DEALER && self->identity);
    self->wire = sim_wire_new(self, endpoint);
    return 0;
}

int
pr_zsock_subscribe(pr_zsock_t *self, pr_str_t prefix)
{
    (void) self;
    (void) prefix;
    return 0;
}

int
pr_zsock_send(pr_zsock_t *self, const pr_str_t *parts, size_t count)
{
    if (self->kind == PR_ZSOCK_PUB) {
        return 0; /* nobody listens to the tap */
    }
    bool is_router = self->kind == PR_ZSOCK_ROUTER;
    sim_wire_t *wire = is_router ? sim_wire_at(self, parts[0]) : self->wire;
    if (!wire || !wire->router) {
        self->counters.busy += is_router ? 0 : 1;
        return is_router ? PR_E_UNREACHABLE : PR_E_BUSY;
    }
    int way = is_router ? SIM_DOWN : SIM_UP;
    if (wire->ways[way].count >= PR_ZSOCK_HWM) {
        self->counters.busy++;
        return PR_E_BUSY;
    }
    self->counters.sent++;
    parts += is_router ? 1 : 0;
    count -= is_router ? 1 : 0;
    s_trace(wire, way, parts, count);
    sim_wire_send(wire, way, parts, count);
    return 0;
}

const pr_zsock_counters_t *
pr_zsock_counters(const pr_zsock_t *self)
{
    return &self->counters;
}
