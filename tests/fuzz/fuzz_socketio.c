/* SPDX-License-Identifier: MIT */

/* Socket.IO packets. */

#include "gateway/socketio.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gw_sio_packet_t packet;
    if (gw_sio_parse((pr_str_t) {(const char *) data, size}, &packet) == 0) {
        PR_ASSERT(packet.nsp.ptr && packet.nsp.len > 0);
        if (packet.type == GW_SIO_EVENT) {
            (void) gw_sio_event_name(&packet);
            size_t count = gw_sio_event_args(&packet);
            for (size_t i = 0; i < count; i++) {
                PR_ASSERT(gw_sio_event_arg(&packet, i));
            }
            PR_ASSERT(!gw_sio_event_arg(&packet, count));
        }
        pr_buf_t *head = pr_buf_new(0);
        gw_sio_write_head(head, packet.type, packet.nsp, packet.ack);
        pr_buf_destroy(&head);
    }
    gw_sio_clear(&packet);
    return 0;
}
