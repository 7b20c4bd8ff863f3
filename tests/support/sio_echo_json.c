/* SPDX-License-Identifier: MIT */

#include "tests/support/sio_echo_json.h"

static int
s_append(const char *bytes, size_t size, void *out)
{
    pr_buf_append(out, bytes, size);
    return 0;
}

void
t_echo_append_json(pr_buf_t *out, const json_t *value)
{
    (void) json_dump_callback(value, s_append, out, JSON_COMPACT | JSON_ENCODE_ANY);
}
