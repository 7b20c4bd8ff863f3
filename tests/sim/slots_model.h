/* SPDX-License-Identifier: MIT */

/*
 * The fan-out over models of sockets, of the unit tests' too: stands in for gateway/slots.c.
 * Included by one file of a program, behind the model's `struct gw_socket`, which has its `slot`.
 */

#ifndef SIM_SLOTS_MODEL_H
#define SIM_SLOTS_MODEL_H

#include "gateway/socket.h"
#include "proto/base/assert.h"

size_t
gw_slots_write(gw_slot_t *slots,
               size_t count,
               uint32_t want,
               pr_buf_t *frame,
               gw_socket_t *(*socket_of)(void *owner),
               void (*not_sent)(void *owner))
{
    size_t reached = 0;
    for (size_t i = 0; i < count; i++) {
        if ((slots[i].flags & want) != want) {
            continue;
        }
        gw_socket_t *socket = socket_of(slots[i].owner);
        PR_ASSERT(socket->slot == &slots[i]);
        if (slots[i].fd >= 0 && gw_socket_send(socket, frame) == 0) {
            reached++;
        } else {
            gw_socket_missed(socket);
            not_sent(slots[i].owner);
        }
    }
    return reached;
}

#endif
