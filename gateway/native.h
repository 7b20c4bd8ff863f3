/* SPDX-License-Identifier: MIT */

/*
 * The native WebSocket protocol (PROTOCOL.md section 6): a socket is one conn. It joins with its
 * first frame, then asks and is told. The other way in is Socket.IO's (polls.h).
 *
 * A socket that is silent is asked for a sign of life with WebSocket's own ping.
 */

#ifndef GW_NATIVE_H
#define GW_NATIVE_H

#include "gateway/native_parse.h"
#include "gateway/rooms.h"
#include "gateway/socket.h"
#include "gateway/token.h"

/* Close codes: 4000 to 4099 never come again, 4100 to 4199 back off, 4200 to 4299 come again. */
enum {
    GW_NATIVE_LEFT = 1000,
    GW_NATIVE_BAD_FRAME = 4000,
    GW_NATIVE_FORBIDDEN = 4001,
    GW_NATIVE_NO_POLL = 4003,
    GW_NATIVE_REMOVED = 4004,
    GW_NATIVE_BUSY = 4100,
    GW_NATIVE_NOT_JOINED = 4101,
    GW_NATIVE_TOO_SLOW = 4102,
    GW_NATIVE_RATE = 4103,
    GW_NATIVE_GOING_AWAY = 4200
};

typedef struct {
    pr_loop_t *loop;
    gw_stats_t *stats;
    gw_rooms_t *rooms;
    const gw_token_keys_t *keys;
    int64_t ping_interval_ms;
    int64_t ping_timeout_ms;
} gw_natives_settings_t;

/* All native clients of a gateway. */
typedef struct gw_natives gw_natives_t;

/* NULL when out of memory. */
gw_natives_t *
gw_natives_new(const gw_natives_settings_t *settings);
/* All sockets must be gone. */
void
gw_natives_destroy(gw_natives_t **self_p);

/* Takes a socket that has just opened. An error code: it is not taken. */
PR_MUST_CHECK int
gw_natives_open(gw_natives_t *self, gw_socket_t *socket, gw_native_encoding_t encoding);

size_t
gw_natives_count(const gw_natives_t *self);

/* Closes all, each told to come again within a time of its own, at most `spread_ms`. */
void
gw_natives_close_all(gw_natives_t *self, int64_t spread_ms);
/* Closes at most so many that are not being closed yet; they may come again at once. */
void
gw_natives_close_some(gw_natives_t *self, size_t most);

#endif
