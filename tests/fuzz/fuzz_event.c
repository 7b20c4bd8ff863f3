/* SPDX-License-Identifier: MIT */

/* Parts of messages between processes: an event, a header, and an event that goes round. */

#include "proto/wire/message.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static pr_unpacked_t *memory;
    static pr_unpacked_t *other;
    if (!memory) {
        memory = pr_unpacked_new();
        other = pr_unpacked_new();
        PR_ASSERT(memory && other);
    }
    pr_str_t part = {(const char *) data, size};
    pr_header_t header;
    if (pr_header_unpack(part, memory, &header) == 0) {
        PR_ASSERT(header.from_inc.ptr && header.to_inc.ptr);
    }
    pr_event_t event;
    if (pr_event_unpack(part, memory, &event) == 0) {
        pr_buf_t *packed = pr_buf_new(size);
        pr_event_pack(&event, packed);
        pr_event_t again = {0};
        int error = pr_event_unpack(pr_buf_str(packed), other, &again);
        PR_ASSERT(pr_buf_failed(packed) || (!error && again.type == event.type));
        pr_buf_destroy(&packed);
    }
    return 0;
}
