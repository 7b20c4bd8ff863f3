/* SPDX-License-Identifier: MIT */

/* Everything that the back half of the gateway counts: one struct, in every BEAT and in status. */

#ifndef GW_STATS_H
#define GW_STATS_H

#include <stdint.h>

#include "proto/base/buffer.h"

/* X(name): gauges first, then counters. */
#define GW_STATS(X)                                                                                \
    X(sessions)                                                                                    \
    X(conns)                                                                                       \
    X(rooms)                                                                                       \
    X(natives)                                                                                     \
    X(sessions_polling)                                                                            \
    X(polling_parked)                                                                              \
    X(sessions_opened)                                                                             \
    X(polling_refused)                                                                             \
    X(polling_overlaps)                                                                            \
    X(polling_aborts)                                                                              \
    X(upgrades)                                                                                    \
    X(upgrades_failed)                                                                             \
    X(natives_opened)                                                                              \
    X(native_bad_frames)                                                                           \
    X(native_limited)                                                                              \
    X(resumed)                                                                                     \
    X(bad_packets)                                                                                 \
    X(binary_refused)                                                                              \
    X(ping_timeouts)                                                                               \
    X(connect_timeouts)                                                                            \
    X(join_timeouts)                                                                               \
    X(tokens_refused)                                                                              \
    X(joins_refused)                                                                               \
    X(unknown_namespaces)                                                                          \
    X(unknown_events)                                                                              \
    X(commands)                                                                                    \
    X(commands_limited)                                                                            \
    X(commands_busy)                                                                               \
    X(commands_refused)                                                                            \
    X(commands_resent)                                                                             \
    X(must_send_overflows)                                                                         \
    X(updates)                                                                                     \
    X(snapshots)                                                                                   \
    X(resyncs)                                                                                     \
    X(syncs)                                                                                       \
    X(sync_busy)                                                                                   \
    X(broadcasts)                                                                                  \
    X(broadcast_frames)                                                                            \
    X(broadcast_bytes)                                                                             \
    X(catch_ups)                                                                                   \
    X(documents_rendered)                                                                          \
    X(paced)                                                                                       \
    X(hidden)                                                                                      \
    X(strangers)                                                                                   \
    X(events_refused)                                                                              \
    X(old_rosters)

typedef struct {
#define GW_STATS_FIELD(name) int64_t name;
    GW_STATS(GW_STATS_FIELD)
#undef GW_STATS_FIELD
} gw_stats_t;

/* Appends it as one msgpack map. */
void
gw_stats_pack(const gw_stats_t *self, pr_buf_t *out);

#endif
