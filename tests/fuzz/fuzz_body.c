/* SPDX-License-Identifier: MIT */

/* Bodies of the REST doors: the first byte says of which. */

#include "gateway/validate.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pr_str_t text = {(const char *) data, size};
    bool creates = t_fuzz_byte(&text) & 1;
    pr_buf_t *messages = pr_buf_new(0);
    json_t *body = gw_validate_parse(text, messages);
    if (body) {
        gw_create_body_t create;
        gw_join_body_t join;
        bool good = creates ? gw_validate_create(body, &create, messages)
                            : gw_validate_join(body, &join, messages);
        PR_ASSERT(good || pr_buf_len(messages) > 0);
    }
    json_decref(body);
    pr_buf_destroy(&messages);
    return 0;
}
