/* SPDX-License-Identifier: MIT */

/*
 * ZeroMQ between simulated processes, in place of proto/base/zsock.c. Each (DEALER, ROUTER) pair is
 * a connection with a FIFO each way: messages come late, but never out of order within one; they
 * are lost when it breaks, all of a stretch: what came before arrives, and after a reconnect what
 * was not handed to the system yet.
 */

#ifndef SIM_NET_MODEL_H
#define SIM_NET_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* What may be done to one of the connections that there are, chosen by the plot. False if there is
 * none. */
bool
sim_net_cut(void);
/* Nothing arrives for so long; nothing is lost. */
bool
sim_net_stall(int64_t for_ms);
/* One message is lost, or comes twice, or its last part is garbage. */
bool
sim_net_lose(void);
bool
sim_net_repeat(void);
/* New connections are not made for so long. */
void
sim_net_refuse(int64_t for_ms);
/* All is well from now on. */
void
sim_net_heal(void);
/* Forgets what is left of dead processes. */
void
sim_net_close(void);

#endif
