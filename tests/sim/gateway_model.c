/* SPDX-License-Identifier: MIT */

#include "tests/sim/gateway_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/engineio.h"
#include "gateway/native.h"
#include "gateway/polls.h"
#include "gateway/rooms.h"
#include "gateway/session.h"
#include "proto/base/assert.h"
#include "tests/sim/scene.h"
#include "tests/sim/socket_model.h"

/* A small budget, so that documents are paced. */
#define PACE_BYTES_PER_S (256 << 10)
/* Short, so that a client that vanished is found out soon. */
#define PING_INTERVAL_MS 5000
#define PING_TIMEOUT_MS 3000

struct sim_gateway {
    pr_loop_t *loop;
    gw_stats_t stats;
    gw_rooms_t *rooms;
    gw_hosts_t *hosts;
    gw_polls_t polls;
    gw_sessions_t *sessions;
    gw_engineio_hub_t *engines;
    gw_natives_t *natives;
};

/* --- the key --- */

static gw_token_keys_t *s_keys;

gw_token_keys_t *
sim_keys(void)
{
    if (!s_keys) {
        int fd = memfd_create("key", 0);
        char path[32];
        PR_ASSERT(fd >= 0 && write(fd, "simulated\n", 10) == 10);
        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        s_keys = gw_token_keys_load(path);
        (void) close(fd);
        PR_ASSERT(s_keys);
    }
    return s_keys;
}

void
sim_keys_forget(void)
{
    gw_token_keys_destroy(&s_keys);
}

/* --- life --- */

sim_gateway_t *
sim_gateway_new(pr_loop_t *loop, const char *name, const char *incarnation)
{
    sim_gateway_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self);
    self->loop = loop;
    const gw_rooms_settings_t rooms = {
        .loop = loop,
        .stats = &self->stats,
        .incarnation = incarnation,
        .pace_bytes_per_s = PACE_BYTES_PER_S,
        .commands_per_s = PR_COMMANDS_PER_S,
    };
    self->rooms = gw_rooms_new(&rooms);
    self->hosts = gw_hosts_new(loop, name, incarnation, &gw_rooms_hosts_ops, self->rooms);
    gw_rooms_use(self->rooms, self->hosts);
    self->polls = (gw_polls_t) {.rooms = self->rooms, .keys = sim_keys()};
    gw_namespace_t polls = gw_polls_namespace(&self->polls);
    self->sessions = gw_sessions_new(loop, &self->stats, PR_BEFORE_JOIN_MS);
    PR_ASSERT(self->sessions);
    gw_sessions_add(self->sessions, &gw_namespace_idle_root);
    gw_sessions_add(self->sessions, &polls);
    const gw_engineio_settings_t settings = {
        .ping_interval_ms = PING_INTERVAL_MS,
        .ping_timeout_ms = PING_TIMEOUT_MS,
        .owner = name,
    };
    self->engines =
        gw_engineio_hub_new(loop, &settings, &self->stats, &gw_session_engine_ops, self->sessions);
    const gw_natives_settings_t natives = {
        .loop = loop,
        .stats = &self->stats,
        .rooms = self->rooms,
        .keys = sim_keys(),
        .ping_interval_ms = PING_INTERVAL_MS,
        .ping_timeout_ms = PING_TIMEOUT_MS,
    };
    self->natives = gw_natives_new(&natives);
    PR_ASSERT(self->rooms && self->hosts && self->sessions && self->engines && self->natives);
    return self;
}

void
sim_gateway_destroy(sim_gateway_t **self_p)
{
    sim_gateway_t *self = *self_p;
    if (!self) {
        return;
    }
    sim_sockets_kill_all(self->loop);
    gw_natives_destroy(&self->natives);
    gw_engineio_hub_destroy(&self->engines);
    gw_sessions_destroy(&self->sessions);
    gw_hosts_destroy(&self->hosts);
    gw_rooms_destroy(&self->rooms);
    free(self);
    *self_p = NULL;
}

gw_hosts_t *
sim_gateway_hosts(sim_gateway_t *self)
{
    return self->hosts;
}

const gw_stats_t *
sim_gateway_stats(const sim_gateway_t *self)
{
    return &self->stats;
}

bool
sim_gateway_admit(sim_gateway_t *self, gw_socket_t *socket)
{
    if (sim_socket_is_native(socket)) {
        return gw_natives_open(self->natives, socket, GW_NATIVE_JSON) == 0;
    }
    return gw_engineio_open(self->engines, socket, PR_STR_NONE) == 0;
}
