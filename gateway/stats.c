/* SPDX-License-Identifier: MIT */

#include "gateway/stats.h"

#include "proto/wire/value.h"

void
gw_stats_pack(const gw_stats_t *self, pr_buf_t *out)
{
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {
#define GW_STATS_ROW(name) {#name, self->name},
        GW_STATS(GW_STATS_ROW)
#undef GW_STATS_ROW
    };
    msgpack_packer packer = pr_packer(out);
    (void) msgpack_pack_map(&packer, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pr_pack_str(&packer, pr_str(rows[i].name));
        (void) msgpack_pack_int64(&packer, rows[i].value);
    }
}
