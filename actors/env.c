/* SPDX-License-Identifier: MIT */

#include "actors/env.h"

void
ac_env_write_stats(const ac_env_t *self, pr_buf_t *out)
{
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {
#define X(name) {#name, self->counters.name},
        AC_COUNTERS(X)
#undef X
            {"store_up", self->store_up},
        {"generation", self->generation},
        {"generation_seen", self->generation_seen},
    };
    msgpack_packer packer = pr_packer(out);
    msgpack_pack_map(&packer, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pr_pack_str(&packer, pr_str(rows[i].name));
        msgpack_pack_int64(&packer, rows[i].value);
    }
}
