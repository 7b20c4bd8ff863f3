/* SPDX-License-Identifier: MIT */

/* Fan-out: the hot loop of the gateway. It touches nothing but the slots, unless the kernel does
 * not take a frame. */

#include "gateway/write.h"

size_t
gw_slots_write(gw_slot_t *slots,
               size_t count,
               uint32_t want,
               pr_buf_t *frame,
               gw_socket_t *(*socket_of)(void *owner),
               void (*not_sent)(void *owner))
{
    pr_str_t bytes = pr_buf_str(frame);
    size_t reached = 0;
    for (size_t i = 0; i < count; i++) {
        gw_slot_t *slot = &slots[i];
        if ((slot->flags & want) != want) {
            continue;
        }
        if (slot->fd >= 0) {
            ssize_t sent = gw_write_send(slot->fd, bytes);
            if (sent == (ssize_t) bytes.len ||
                gw_write_finish(socket_of(slot->owner), frame, sent)) {
                reached++;
                continue;
            }
        } else {
            gw_socket_missed(socket_of(slot->owner));
        }
        not_sent(slot->owner);
    }
    return reached;
}
