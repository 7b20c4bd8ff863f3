/* SPDX-License-Identifier: MIT */

/*
 * One simulated world: processes, the server, clients, and what everybody did. Built from a seed,
 * run by the agenda, judged by the oracles (oracle.h).
 */

#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "tests/sim/process.h"
#include "tests/sim/scene.h"
#include "tests/sim/store_model.h"

#define SIM_ACTORS_MAX 2
#define SIM_GATEWAYS_MAX 2
#define SIM_POLLS_MAX 2
#define SIM_CLIENTS_MAX 12

typedef struct sim_client sim_client_t;
typedef struct sim_world sim_world_t;

/* A poll as its maker knows it, who asks for it until it is told. */
typedef struct {
    sim_alarm_t again; /* first: the pointers are equal */
    sim_world_t *world;
    char id[PR_POLL_ID_LEN + 1];
    char admin[PR_USER_ID_LEN + 1];
    char nonce[24];
    int64_t votes;
    int64_t ends_at;
    bool is_open;    /* its ballots are */
    bool is_created; /* the maker was told so */
} sim_poll_t;

/* A slot of the actors, as the supervisor sees it. */
typedef struct {
    bool is_listed;
    bool is_up;
} sim_slot_t;

typedef struct sim_supervisor sim_supervisor_t;

struct sim_world {
    sim_store_t *store;
    sim_process_t *actors[SIM_ACTORS_MAX];
    size_t actors_count;
    sim_process_t *gateways[SIM_GATEWAYS_MAX];
    size_t gateway_count;
    sim_supervisor_t *supervisor;
    sim_poll_t polls[SIM_POLLS_MAX];
    size_t poll_count;
    sim_client_t *clients[SIM_CLIENTS_MAX];
    size_t client_count;
    bool had_pause;      /* a process stood still */
    bool owners_changed; /* some poll may have had more than one owner */
};

sim_world_t *
sim_world_new(void);
void
sim_world_destroy(sim_world_t **self_p);
/* Whether every process has the newest roster, and has had it for a while. */
bool
sim_world_is_settled(const sim_world_t *self);
/* Runs for so long, or until something has failed. */
void
sim_world_run(sim_world_t *self, int64_t for_ms);

sim_poll_t *
sim_world_poll(sim_world_t *self, pr_str_t id);
/* What the server has and had of the poll; NULL if it never heard of it. */
sim_stored_t *
sim_world_stored(sim_world_t *self, const sim_poll_t *poll);
/* Asks the actors to make the poll, again and again with the same nonce until it is there. */
void
sim_world_create(sim_poll_t *poll);

#endif
