/* SPDX-License-Identifier: MIT */

/* What socket_model.c (the gateway's side) and socket_client.c (the client's) share. */

#ifndef SIM_SOCKET_PRIVATE_H
#define SIM_SOCKET_PRIVATE_H

#include "tests/sim/scene.h"
#include "tests/sim/socket_model.h"

typedef struct sim_piece sim_piece_t;

/* A WebSocket pong among the texts of a client. */
#define SIM_PONG PR_STR("\x8a")

/* Bytes under way. */
struct sim_piece {
    sim_piece_t *next;
    int64_t at_us;
    pr_buf_t *bytes;
};

typedef struct {
    sim_piece_t *first;
    sim_piece_t *last;
    size_t bytes;
} sim_pipe_t;

struct gw_socket {
    sim_alarm_t down_due; /* first: the pointers are equal */
    sim_alarm_t up_due;
    sim_alarm_t close_due;
    gw_socket_t *next; /* of all */
    pr_loop_t *loop;   /* NULL: the gateway's end is gone */
    sim_process_t *gateway;
    const gw_socket_ops_t *ops;
    void *user;
    gw_slot_t *slot;
    sim_pipe_t down; /* to the client, in the system */
    sim_pipe_t must; /* waits for room in it */
    sim_pipe_t up;   /* to the gateway */
    sim_pipe_t inbox;
    int64_t last_us[2];
    int close_code;  /* of the gateway's close; 0: none */
    int client_code; /* of the client's; 0: none */
    bool is_native;
    bool admitted;
    bool busy; /* a frame is not in the system as a whole */
    bool owes_writable;
    bool closing;     /* by the gateway */
    bool close_sent;  /* and the client has seen that */
    bool client_left; /* all that it said has come */
    /* the client's end */
    const sim_client_ops_t *client_ops;
    void *client; /* NULL: gone */
    bool reading;
    pr_buf_t *message; /* fragments so far */
};

void
sim_pipe_push(sim_pipe_t *self, pr_buf_t *bytes, int64_t at_us);
/* The first piece's bytes, a reference of the caller's. */
pr_buf_t *
sim_pipe_pop(sim_pipe_t *self);
void
sim_pipe_clear(sim_pipe_t *self);

/* Something has changed for the gateway: looks after it in its next turn. */
void
sim_socket_wake(gw_socket_t *self);
/* Frees it once both ends are gone. */
void
sim_socket_reap(gw_socket_t *self);
/* Reads what has arrived at the client. */
void
sim_socket_deliver(sim_alarm_t *alarm);
void
sim_socket_deliver_up(sim_alarm_t *alarm);
void
sim_socket_schedule_down(gw_socket_t *self);
/* Tells the client that it is over, if it is still there. */
void
sim_socket_tell_client(gw_socket_t *self, int code);

extern gw_socket_t *sim_sockets;

#endif
