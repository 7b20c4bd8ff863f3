/* SPDX-License-Identifier: MIT */

/* Bodies of polling requests. What was read and is written again reads the same. */

#include "gateway/engineio_payload.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pr_str_t body = {(const char *) data, size};
    pr_buf_t *again = pr_buf_new(0);
    gw_payload_t payload = gw_payload(body);
    pr_str_t packet;
    bool empty = false;
    while (gw_payload_next(&payload, &packet)) {
        PR_ASSERT(packet.len <= size);
        empty = empty || packet.len == 0;
        if (packet.len > 0 && packet.ptr[0] == 'b') {
            pr_buf_t *bytes = gw_payload_decode((pr_str_t) {packet.ptr + 1, packet.len - 1});
            pr_buf_destroy(&bytes);
        }
        gw_payload_append(again, packet);
    }
    PR_ASSERT(empty || pr_str_equal(pr_buf_str(again), body));
    pr_buf_destroy(&again);
    return 0;
}
