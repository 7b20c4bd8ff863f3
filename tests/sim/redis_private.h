/* SPDX-License-Identifier: MIT */

/* What redis_model.c (connections) and redis_server.c (the server and its faults) share. */

#ifndef SIM_REDIS_PRIVATE_H
#define SIM_REDIS_PRIVATE_H

#include "actors/redis.h"
#include "tests/sim/redis_model.h"
#include "tests/sim/scene.h"

typedef struct sim_command sim_command_t;
typedef struct sim_waiting sim_waiting_t;

/* One command on its way to the server, or its answer on the way back. */
struct sim_command {
    sim_alarm_t due;     /* first: the pointers are equal */
    sim_command_t *next; /* of all that are under way */
    ac_redis_t *from;    /* NULL: its connection is gone */
    pr_buf_t *answer;    /* NULL: not run yet */
    size_t argc;
    pr_str_t argv[]; /* their bytes stand behind them */
};

struct sim_waiting {
    sim_waiting_t *next;
    ac_redis_answer_t answer;
    void *arg;
};

typedef enum { SIM_REDIS_CLOSED, SIM_REDIS_READY, SIM_REDIS_LOST } sim_redis_state_t;

struct ac_redis {
    sim_alarm_t dial; /* first */
    ac_redis_t *next; /* of all */
    pr_timer_t silence;
    pr_loop_t *loop;
    const ac_redis_ops_t *ops;
    void *arg;
    sim_redis_state_t state;
    bool tell_ready;
    int64_t pause_ms;
    sim_waiting_t *first; /* unanswered */
    sim_waiting_t *last;
    pr_buf_t *inbox; /* bytes that have come */
    int64_t last_up_us;
    int64_t last_down_us;
};

extern ac_redis_t *sim_redis_list;

/* --- redis_server.c --- */

/* Whether a connection can be made now. */
bool
sim_redis_accepts(void);
/* Takes a command; its answer comes into the connection's inbox. */
void
sim_redis_take(ac_redis_t *from, size_t argc, const pr_str_t *argv);
/* The connection is gone: what it sent may still be run, nobody hears the answers. */
void
sim_redis_forget(const ac_redis_t *from);

/* --- redis_model.c --- */

/* The connection is lost; its process finds out in its next turn. */
void
sim_redis_lose(ac_redis_t *self);

#endif
