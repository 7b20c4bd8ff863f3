/* SPDX-License-Identifier: MIT */

#include "gateway/gateway.h"

#include <stdlib.h>

#include "gateway/engineio.h"
#include "gateway/native.h"
#include "gateway/polling_http.h"
#include "gateway/polls.h"
#include "gateway/report.h"
#include "gateway/rooms.h"
#include "gateway/session.h"
#include "proto/base/log.h"
#include "proto/wire/limits.h"

#define MINUTE_MS 60000

struct gw_gateway {
    pr_loop_t *loop;
    const pr_child_env_t *env;
    const pr_config_t *config;
    gw_stats_t stats;
    gw_token_keys_t *keys;
    /* polls and actors */
    gw_rooms_t *rooms;
    gw_hosts_t *hosts;
    /* protocols */
    gw_polls_t polls;
    gw_sessions_t *sessions;
    gw_engineio_hub_t *engines;
    gw_polling_door_t polling;
    gw_natives_t *natives;
    /* clients */
    gw_writer_t writer;
    gw_origin_t *origin;
    gw_limit_t *limit;
    gw_ws_t *ws;
    gw_http_t *http;
    gw_rest_t *rest;
    gw_accept_t *accept;
    /* supervisor */
    pr_lifeline_t *lifeline;
    pr_timer_t deadline; /* of stopping */
    bool is_ready;
    bool is_stopping;
};

/* --- clients --- */

static int
s_accept_socket(void *arg, gw_socket_t *socket, pr_str_t header_token)
{
    gw_gateway_t *self = arg;
    return gw_engineio_open(self->engines, socket, header_token);
}

static gw_refusal_t
s_check_upgrade(void *arg, pr_str_t sid)
{
    gw_gateway_t *self = arg;
    return gw_engineio_check(self->engines, sid, true);
}

static int
s_upgrade(void *arg, gw_socket_t *socket, pr_str_t sid)
{
    gw_gateway_t *self = arg;
    return gw_engineio_upgrade(self->engines, socket, sid);
}

static int
s_accept_native(void *arg, gw_socket_t *socket, gw_native_encoding_t encoding)
{
    gw_gateway_t *self = arg;
    return gw_natives_open(self->natives, socket, encoding);
}

static const gw_ws_ops_t s_ws_ops = {
    .accept = s_accept_socket,
    .check = s_check_upgrade,
    .upgrade = s_upgrade,
    .accept_native = s_accept_native,
};

static size_t
s_clients(const gw_gateway_t *self)
{
    return gw_engineio_hub_count(self->engines) + gw_natives_count(self->natives);
}

static void
s_request(void *arg, gw_request_t *request)
{
    gw_gateway_t *self = arg;
    if (gw_polling_http_is_ours(&self->polling, request)) {
        gw_polling_http_request(&self->polling, request);
    } else {
        gw_rest_request(self->rest, request);
    }
}

static size_t
s_head(void *arg, gw_request_t *request)
{
    gw_gateway_t *self = arg;
    bool polling = gw_polling_http_is_ours(&self->polling, request);
    return polling ? gw_polling_http_head(&self->polling, request) : 0;
}

/* Sessions that poll come without a connection of their own: they are counted like new ones. */
static bool
s_admit(void *arg, const gw_address_t *address)
{
    gw_gateway_t *self = arg;
    return gw_limit_take(self->limit, GW_LIMIT_CONNECTS, address, pr_loop_now_ms(self->loop));
}

static const char *
s_unready(void *arg)
{
    const gw_gateway_t *self = arg;
    if (self->is_stopping) {
        return "stopping";
    }
    return gw_hosts_are_ready(self->hosts) ? NULL : "actors can not be reached";
}

/* --- readiness and the end --- */

static bool
s_start_accepting(gw_gateway_t *self)
{
    const gw_accept_options_t options = {
        .loop = self->loop,
        .http = self->http,
        .limit = self->limit,
        .listen_fd = self->env->listen_fd,
        .sockets_max = pr_config_int(self->config, PR_SET_GATEWAY_SOCKETS_MAX),
    };
    self->accept = gw_accept_new(&options);
    return self->accept != NULL;
}

/* Until then connections wait in the kernel's queue. */
static void
s_become_ready(gw_gateway_t *self)
{
    self->is_ready = true;
    if (!s_start_accepting(self)) {
        pr_log_error("gateway.listen", "fd=%d", self->env->listen_fd);
        gw_gateway_stop(self, "can not accept");
        return;
    }
    pr_log_info("gateway.ready", "actors_generation=%lld",
                (long long) gw_hosts_generation(self->hosts));
    pr_lifeline_ready(self->lifeline, "", NULL);
}

static bool
s_turn(void *arg)
{
    gw_gateway_t *self = arg;
    if (self->is_stopping) {
        if (s_clients(self) == 0) {
            pr_loop_stop(self->loop);
        }
    } else if (!self->is_ready && gw_hosts_are_ready(self->hosts)) {
        s_become_ready(self);
    }
    return false;
}

static void
s_stop_anyway(pr_timer_t *timer)
{
    gw_gateway_t *self = (gw_gateway_t *) ((char *) timer - offsetof(gw_gateway_t, deadline));
    pr_log_warn("gateway.not_drained", "clients=%zu", s_clients(self));
    pr_loop_stop(self->loop);
}

void
gw_gateway_stop(gw_gateway_t *self, const char *why)
{
    if (self->is_stopping) {
        return;
    }
    self->is_stopping = true;
    pr_log_info("gateway.stop", "why=%s clients=%zu", why, s_clients(self));
    if (self->accept) {
        gw_accept_stop(self->accept);
    }
    gw_engineio_hub_close_all(self->engines, "going away");
    gw_natives_close_all(self->natives, pr_config_int(self->config, PR_SET_DRAIN_MS));
    pr_loop_arm(self->loop, &self->deadline, PR_GATEWAY_STOP_MS);
}

/* --- the supervisor --- */

static void
s_on_roster(void *arg, const pr_msg_roster_t *message)
{
    gw_gateway_t *self = arg;
    pr_roster_t *roster = NULL;
    if (pr_roster_decode(message, &roster) != 0) {
        pr_log_error("gateway.bad_roster", "generation=%lld", (long long) message->generation);
        return;
    }
    gw_hosts_set_roster(self->hosts, &roster);
}

static void
s_on_drain(void *arg, int64_t within_ms)
{
    (void) within_ms; /* the place to spread the closing over it */
    gw_gateway_stop(arg, "drain");
}

static void
s_on_stop(void *arg)
{
    gw_gateway_stop(arg, "asked to");
}

static void
s_on_orphaned(void *arg)
{
    gw_gateway_stop(arg, "orphaned");
}

static void
s_on_stats(void *arg, pr_buf_t *out)
{
    const gw_gateway_t *self = arg;
    const pr_link_counters_t links = gw_hosts_counters(self->hosts);
    const gw_report_t report = {
        .links = &links,
        .stats = &self->stats,
        .ws = gw_ws_counters(self->ws),
        .write = gw_write_counters(),
        .http = gw_http_counters(self->http),
        .rest = gw_rest_counters(self->rest),
        .accept = self->accept ? gw_accept_counters(self->accept) : NULL,
    };
    gw_report_pack(&report, out);
}

static const pr_lifeline_ops_t s_lifeline_ops = {
    .roster = s_on_roster,
    .drain = s_on_drain,
    .stop = s_on_stop,
    .orphaned = s_on_orphaned,
    .stats = s_on_stats,
};

/* --- life --- */

static bool
s_make_rooms(gw_gateway_t *self)
{
    const gw_rooms_settings_t settings = {
        .loop = self->loop,
        .stats = &self->stats,
        .incarnation = self->env->incarnation,
        .pace_bytes_per_s = pr_config_int(self->config, PR_SET_GATEWAY_PACE_BYTES_PER_S),
        .commands_per_s = pr_config_int(self->config, PR_SET_GATEWAY_COMMANDS_PER_S),
    };
    self->rooms = gw_rooms_new(&settings);
    if (!self->rooms) {
        return false;
    }
    self->hosts = gw_hosts_new(self->loop, self->env->name, self->env->incarnation,
                               &gw_rooms_hosts_ops, self->rooms);
    if (!self->hosts) {
        return false;
    }
    gw_rooms_use(self->rooms, self->hosts);
    return true;
}

static bool
s_make_protocols(gw_gateway_t *self)
{
    self->polls = (gw_polls_t) {.rooms = self->rooms, .keys = self->keys};
    gw_namespace_t polls = gw_polls_namespace(&self->polls);
    self->sessions = gw_sessions_new(self->loop, &self->stats, PR_BEFORE_JOIN_MS);
    if (!self->sessions) {
        return false;
    }
    gw_sessions_add(self->sessions, &gw_namespace_idle_root);
    gw_sessions_add(self->sessions, &polls);
    char tag[GW_SID_TAG_MAX + 1];
    gw_sid_tag(self->env->name, self->env->incarnation, tag);
    const gw_engineio_settings_t settings = {
        .ping_interval_ms = pr_config_int(self->config, PR_SET_GATEWAY_PING_INTERVAL_MS),
        .ping_timeout_ms = pr_config_int(self->config, PR_SET_GATEWAY_PING_TIMEOUT_MS),
        .owner = tag,
    };
    self->engines = gw_engineio_hub_new(self->loop, &settings, &self->stats, &gw_session_engine_ops,
                                        self->sessions);
    self->polling = (gw_polling_door_t) {
        .path = "/socket.io/",
        .hub = self->engines,
        .admit = s_admit,
        .arg = self,
    };
    const gw_natives_settings_t natives = {
        .loop = self->loop,
        .stats = &self->stats,
        .rooms = self->rooms,
        .keys = self->keys,
        .ping_interval_ms = settings.ping_interval_ms,
        .ping_timeout_ms = settings.ping_timeout_ms,
    };
    self->natives = gw_natives_new(&natives);
    return self->engines && self->natives;
}

static bool
s_make_limits(gw_gateway_t *self)
{
    const pr_config_t *config = self->config;
    int64_t codes = pr_config_int(config, PR_SET_GATEWAY_UNKNOWN_CODES_PER_MIN);
    const gw_limit_rate_t rates[GW_LIMIT_KINDS] = {
        [GW_LIMIT_CONNECTS] =
            {
                .burst = pr_config_int(config, PR_SET_GATEWAY_ADDRESS_BURST),
                .count = pr_config_int(config, PR_SET_GATEWAY_ADDRESS_PER_S),
                .per_ms = 1000,
            },
        [GW_LIMIT_CODES] = {.burst = codes, .count = codes, .per_ms = MINUTE_MS},
    };
    self->limit = gw_limit_new(rates, PR_ADDRESSES_MAX);
    self->origin = gw_origin_new((int) pr_config_int(config, PR_SET_HTTP_CLIENT_PORT),
                                 pr_config_text(config, PR_SET_HTTP_ORIGINS));
    return self->limit && self->origin;
}

static bool
s_make_front(gw_gateway_t *self)
{
    const gw_rest_options_t rest = {
        .loop = self->loop,
        .hosts = self->hosts,
        .limit = self->limit,
        .keys = self->keys,
        .poll_duration_s = pr_config_int(self->config, PR_SET_POLL_DURATION_S),
        .unready = s_unready,
        .arg = self,
    };
    self->rest = gw_rest_new(&rest);
    self->writer = (gw_writer_t) {
        .loop = self->loop,
        .mode = gw_write_mode_from_name(pr_config_text(self->config, PR_SET_GATEWAY_WRITE)),
        .stalled_ms = PR_STALLED_MS,
    };
    self->ws = gw_ws_new(&self->writer, self->origin, &s_ws_ops, self);
    if (!self->rest || !self->ws) {
        return false;
    }
    const gw_http_options_t http = {
        .loop = self->loop,
        .origin = self->origin,
        .ws = self->ws,
        .head = s_head,
        .request = s_request,
        .arg = self,
    };
    self->http = gw_http_new(&http);
    return self->http != NULL;
}

static bool
s_make(gw_gateway_t *self)
{
    self->keys = gw_token_keys_load(self->env->secret_file);
    if (!self->keys) {
        pr_log_error("gateway.keys", "file=%s", self->env->secret_file);
        return false;
    }
    if (!s_make_rooms(self) || !s_make_protocols(self) || !s_make_limits(self) ||
        !s_make_front(self)) {
        pr_log_error("gateway.start", "error=nomem");
        return false;
    }
    self->lifeline = pr_lifeline_new(self->loop, "gateway", self->env, &s_lifeline_ops, self);
    return self->lifeline != NULL;
}

gw_gateway_t *
gw_gateway_new(pr_loop_t *loop, const pr_child_env_t *env, const pr_config_t *config)
{
    gw_gateway_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->env = env;
    self->config = config;
    self->deadline.fire = s_stop_anyway;
    pr_loop_on_turn(loop, PR_TURN_THINK, s_turn, self);
    if (!s_make(self)) {
        gw_gateway_destroy(&self);
    }
    return self;
}

void
gw_gateway_destroy(gw_gateway_t **self_p)
{
    PR_ASSERT(self_p);
    gw_gateway_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_loop_off_turn(self->loop, s_turn, self);
    pr_wheel_cancel(&self->deadline);
    /* Clients first: their sessions and conns go with them. */
    gw_accept_destroy(&self->accept);
    gw_http_destroy(&self->http);
    gw_ws_destroy(&self->ws);
    gw_rest_destroy(&self->rest);
    gw_engineio_hub_destroy(&self->engines);
    gw_natives_destroy(&self->natives);
    gw_sessions_destroy(&self->sessions);
    gw_hosts_destroy(&self->hosts);
    gw_rooms_destroy(&self->rooms);
    pr_lifeline_destroy(&self->lifeline);
    gw_limit_destroy(&self->limit);
    gw_origin_destroy(&self->origin);
    gw_token_keys_destroy(&self->keys);
    free(self);
    *self_p = NULL;
}
