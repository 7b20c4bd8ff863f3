/* SPDX-License-Identifier: MIT */

/* Answers to events that no actor gets to see: each in the shape that its sender waits for. */

#ifndef AC_REFUSE_H
#define AC_REFUSE_H

#include "actors/peers.h"

/* A good event that can not be taken now: REFUSED for conns, REPLY (outcome none) for requests. */
void
ac_refuse(
    ac_peers_t *peers, pr_buf_t *scratch, uint32_t gateway, const pr_event_t *event, int code);

/* An event that is none: EVENT_REFUSED. */
void
ac_refuse_event(
    ac_peers_t *peers, pr_buf_t *scratch, uint32_t gateway, const pr_event_t *event, int code);

#endif
