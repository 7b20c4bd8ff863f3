/* SPDX-License-Identifier: MIT */

/* What net_model.c (sockets) and net_wire.c (connections) share. */

#ifndef SIM_NET_PRIVATE_H
#define SIM_NET_PRIVATE_H

#include "proto/base/zsock.h"
#include "tests/sim/net_model.h"
#include "tests/sim/scene.h"

typedef struct sim_message sim_message_t;
typedef struct sim_wire sim_wire_t;

struct sim_message {
    sim_message_t *next;
    int64_t at_us;
    size_t count;
    pr_str_t parts[]; /* their bytes stand behind them */
};

typedef struct {
    sim_message_t *first;
    sim_message_t *last;
    size_t count;
} sim_queue_t;

struct pr_zsock {
    pr_zsock_t *next; /* of all */
    pr_loop_t *loop;
    pr_zsock_kind_t kind;
    char *identity;
    char *endpoint;
    pr_zsock_receive_t receive;
    void *arg;
    sim_queue_t inbox;
    sim_wire_t *wire; /* DEALER: its own */
    pr_zsock_counters_t counters;
};

enum { SIM_UP, SIM_DOWN, SIM_WAYS }; /* to the ROUTER, to the DEALER */

/* One connection; `dealer` NULL: it is gone, its last words are on their way. */
struct sim_wire {
    sim_wire_t *next; /* of all */
    pr_zsock_t *dealer;
    pr_zsock_t *router; /* NULL while not connected */
    char *identity;
    char *endpoint;
    sim_alarm_t dial;
    sim_alarm_t arrive[SIM_WAYS];
    sim_queue_t ways[SIM_WAYS];
    int64_t last_us[SIM_WAYS];
};

/* All of this world. */
extern pr_zsock_t *sim_zsocks;
extern sim_wire_t *sim_wires;

sim_message_t *
sim_message_new(const pr_str_t *parts, size_t count);
void
sim_queue_push(sim_queue_t *self, sim_message_t *message);
sim_message_t *
sim_queue_pop(sim_queue_t *self);
void
sim_queue_clear(sim_queue_t *self);

/* A connection that is being dialled. */
sim_wire_t *
sim_wire_new(pr_zsock_t *dealer, const char *endpoint);
/* The connection of that identity at the router, or NULL. */
sim_wire_t *
sim_wire_at(const pr_zsock_t *router, pr_str_t identity);
void
sim_wire_send(sim_wire_t *self, int way, const pr_str_t *parts, size_t count);
/* An end of it is destroyed. */
void
sim_wire_dealer_gone(sim_wire_t *self);
void
sim_wire_router_gone(sim_wire_t *self);

#endif
