/* SPDX-License-Identifier: MIT */

/* Polls that write one thing after the other to a store on a real server. */

#ifndef T_WRITERS_H
#define T_WRITERS_H

#include "actors/store.h"
#include "tests/support/redis_server.h"

#define T_WRITERS_MAX 1000

typedef struct t_writers t_writers_t;

/* One poll, whose writes follow each other: write n makes version n + 1 and adds member "w<n>". */
typedef struct {
    ac_request_t request; /* first: its address is ours */
    t_writers_t *rig;
    int version;
    int goal;
    char token[64];
    int answers; /* to the request that is out: one, never more */
    int alreadies;
    ac_answer_kind_t last;
    char text[64];
} t_writer_t;

struct t_writers {
    t_redis_server_t *server;
    pr_loop_t *loop;
    ac_store_t *store;
    int ups;
    int downs;
    int64_t down_ms;
    t_writer_t polls[T_WRITERS_MAX];
    size_t count;
    size_t idle; /* polls with nothing out */
    size_t most_in_flight;
};

/* cmocka's setups: with a server that runs and a store that is up, or with neither. */
int
t_writers_setup(void **state);
int
t_writers_setup_away(void **state);
int
t_writers_teardown(void **state);

/* Conditions for t_writers_run. Idle: nobody waits for an answer. */
bool
t_writers_are_up(void *arg);
bool
t_writers_are_down(void *arg);
bool
t_writers_are_idle(void *arg);

/* Runs the loop until then, or fails. */
void
t_writers_run(t_writers_t *rig, bool (*done)(void *arg));
void
t_writers_run_for(t_writers_t *rig, int64_t ms);

/* One more poll, that will write until its version is `goal`. */
t_writer_t *
t_writers_add(t_writers_t *rig, int goal);
void
t_writer_create(t_writer_t *poll);
void
t_writer_write(t_writer_t *poll);
/* Its request as it is. */
void
t_writer_submit(t_writer_t *poll);

/* Each write is in the document, once, and nothing else. */
void
t_writer_assert_whole(const t_writer_t *poll);

#endif
