/* SPDX-License-Identifier: MIT */

/* WebSocket frames: in one piece and byte by byte they must look the same. */

#include "gateway/framing.h"
#include "tests/fuzz/fuzz.h"

#define FRAME_MAX 4096

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pr_str_t bytes = {(const char *) data, size};
    gw_framing_t whole = {0};
    gw_framing_t pieces = {0};
    gw_fault_t fault;
    gw_fault_t piece_fault = {0};
    size_t good = gw_framing_check(&whole, bytes, FRAME_MAX, &fault);
    size_t piece_good = 0;
    while (bytes.len && !piece_fault.code) {
        piece_good += gw_framing_check(&pieces, t_fuzz_take(&bytes, 1), FRAME_MAX, &piece_fault);
    }
    PR_ASSERT(good == piece_good && fault.code == piece_fault.code);
    PR_ASSERT(fault.code || good == size);
    (void) gw_framing_key_is_good((pr_str_t) {(const char *) data, size});
    return 0;
}
