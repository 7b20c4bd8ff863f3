/* SPDX-License-Identifier: MIT */

/*
 * WebSockets between simulated clients and gateways, in place of gateway/ws.c, write.c and slots.c:
 * the contract of gateway/socket.h on one side, a client on the other. The system between them
 * holds a few kilobytes; a frame that goes over that is finished by itself, and until then the
 * socket is slow.
 */

#ifndef SIM_SOCKET_MODEL_H
#define SIM_SOCKET_MODEL_H

#include "gateway/socket.h"
#include "tests/sim/process.h"

/* The client's side. */
typedef struct {
    /* One whole text message. */
    void (*message)(void *client, pr_str_t text);
    /* The last call: the other end is gone. */
    void (*closed)(void *client, int code);
} sim_client_ops_t;

/* Connects to a gateway that is running; speaks Socket.IO there, or the native protocol. */
gw_socket_t *
sim_socket_connect(sim_process_t *gateway,
                   bool is_native,
                   const sim_client_ops_t *ops,
                   void *client);
bool
sim_socket_is_native(const gw_socket_t *self);
void
sim_socket_say(gw_socket_t *self, pr_str_t text);
/* The client's end goes: with a close code, 1006 for a connection that breaks. No call comes any
 * more. */
void
sim_socket_close(gw_socket_t *self, int code);
/* The client is gone and the gateway hears nothing of it: a phone without a net. */
void
sim_socket_vanish(gw_socket_t *self);
/* Whether the client takes what comes. */
void
sim_socket_read(gw_socket_t *self, bool reading);

/* All sockets of a process that is killed. */
void
sim_sockets_kill_all(pr_loop_t *loop);
/* Forgets all. */
void
sim_sockets_close(void);

#endif
