/* SPDX-License-Identifier: MIT */

#include "actors/env.h"

/* clang-format off */
#define LINK_COUNTERS(X)                                                                           \
    X(sent_messages) X(sent_events) X(received_messages) X(received_events) X(sessions)            \
    X(duplicates) X(gaps) X(malformed) X(misdirected) X(unknown_types) X(refused_busy)             \
    X(transmit_failures)
/* clang-format on */

void
ac_env_write_stats(const ac_env_t *self, const pr_link_counters_t *links, pr_buf_t *out)
{
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {{"store_up", self->store_up},
                {"generation", self->generation},
                {"generation_seen", self->generation_seen},
#define X(name) {#name, self->counters.name},
                AC_COUNTERS(X)
#undef X
#define X(name) {#name, (int64_t) links->name},
                    LINK_COUNTERS(X)
#undef X
    };
    msgpack_packer packer = pr_packer(out);
    msgpack_pack_map(&packer, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pr_pack_str(&packer, pr_str(rows[i].name));
        msgpack_pack_int64(&packer, rows[i].value);
    }
}
