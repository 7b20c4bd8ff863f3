/* SPDX-License-Identifier: MIT */

/* Native frames: the first byte says in which encoding. */

#include "gateway/native_parse.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pr_str_t bytes = {(const char *) data, size};
    gw_native_encoding_t encoding = t_fuzz_byte(&bytes) & 1 ? GW_NATIVE_MSGPACK : GW_NATIVE_JSON;
    gw_native_frame_t frame;
    if (gw_native_parse(encoding, bytes, &frame) == 0) {
        PR_ASSERT(frame.root && frame.event.ptr);
        PR_ASSERT(frame.id.kind != GW_NATIVE_ID_TEXT || frame.id.len <= PR_NATIVE_ID_BYTES_MAX);
    }
    gw_native_clear(&frame);
    return 0;
}
