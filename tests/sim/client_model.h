/* SPDX-License-Identifier: MIT */

/*
 * One client: a browser's tab with a token, that speaks Socket.IO, comes again when its connection
 * is lost, keeps the document that it is shown, and remembers what it asked for and was told.
 * Whatever it is shown goes to the oracles at once.
 */

#ifndef SIM_CLIENT_MODEL_H
#define SIM_CLIENT_MODEL_H

#include <jansson.h>

#include "gateway/socket.h"
#include "tests/sim/world.h"

/* What it speaks, and what it wants: documents, patches, or the native protocol. */
typedef enum { SIM_DOCUMENTS, SIM_PATCHES, SIM_NATIVE } sim_lane_t;

typedef enum { SIM_AWAY, SIM_OPENING, SIM_JOINING, SIM_JOINED } sim_client_state_t;

/* What became of a command. */
typedef enum {
    SIM_UNANSWERED, /* yet, or for ever: its socket is gone */
    SIM_SAVED,
    SIM_NONE,    /* refused, or not done: it has no effect, now and later */
    SIM_UNKNOWN, /* nobody can say */
} sim_outcome_t;

typedef struct {
    const char *verb;
    json_t *args;
    int64_t sent_ms;
    int64_t answered_ms;
    int64_t ack;
    int64_t socket; /* which of the client's sockets, by number */
    sim_outcome_t outcome;
    pr_rev_t rev; /* of a saved one */
    json_t *data; /* of the answer */
} sim_command_log_t;

struct sim_client {
    sim_alarm_t again; /* first: the pointers are equal. When it connects */
    sim_alarm_t read;  /* when it reads again */
    sim_world_t *world;
    sim_poll_t *poll;
    int number;
    char user[PR_USER_ID_LEN + 1];
    char name[32];
    sim_lane_t lane;
    bool wants;  /* to be in */
    bool is_out; /* kicked, or the poll is over: it does not come again */
    int home;    /* the gateway that it comes to */
    sim_client_state_t state;
    gw_socket_t *socket;
    int64_t sockets; /* had so far */
    int64_t joined_ms;
    json_t *document; /* NULL: none yet; a native client keeps it from socket to socket */
    int64_t shown_on; /* the socket that it came by, or was patched by */
    pr_rev_t rev;
    pr_rev_t newest;  /* of all that it was ever shown */
    bool first_due;   /* accepted, and the document is to follow */
    bool has_dawdled; /* on this socket: what comes late is its own fault */
    sim_command_log_t *commands;
    size_t command_count;
    int64_t acks;
    int64_t left_ms;   /* when its last socket went, and how it did */
    const char *ended; /* by which event it was shut out */
};

sim_client_t *
sim_client_new(sim_world_t *world, sim_poll_t *poll, int number);
void
sim_client_destroy(sim_client_t **self_p);

/* Comes, now. */
void
sim_client_come(sim_client_t *self);
/* Goes and does not come again by itself: a close code (1000, 1001, 1006), 0: by Socket.IO's
 * DISCONNECT, -1: vanishes. */
void
sim_client_go(sim_client_t *self, int code);
/* The same, and comes again after so long. */
void
sim_client_leave_for(sim_client_t *self, int code, int64_t for_ms);
/* Takes nothing for so long. */
void
sim_client_dawdle(sim_client_t *self, int64_t for_ms);
/* Sends a command and asks for its answer; `args` (may be NULL) is consumed. */
void
sim_client_ask(sim_client_t *self, const char *verb, json_t *args);
/* Sends an event that does not exist. */
void
sim_client_dance(sim_client_t *self);
bool
sim_client_is_in(const sim_client_t *self);
bool
sim_client_is_admin(const sim_client_t *self);

#endif
