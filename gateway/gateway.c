/* SPDX-License-Identifier: MIT */

#include "gateway/gateway_private.h"

#include <stdlib.h>

#include "gateway/report.h"
#include "proto/base/log.h"
#include "proto/wire/limits.h"

#define MINUTE_MS 60000

static size_t
s_clients(const gw_gateway_t *self)
{
    return gw_engineio_hub_count(self->engines) + gw_natives_count(self->natives);
}

static const char *
s_unready(void *arg)
{
    const gw_gateway_t *self = arg;
    if (self->is_stopping || self->is_draining) {
        return "stopping";
    }
    return gw_hosts_are_ready(self->hosts) ? NULL : "actors can not be reached";
}

/* --- readiness and the end --- */

static void
s_start_accepting(gw_gateway_t *self)
{
    pr_wheel_cancel(&self->listed);
    const gw_accept_options_t options = {
        .loop = self->loop,
        .http = self->http,
        .limit = self->limit,
        .trust = &self->trust,
        .proxy_protocol = pr_config_int(self->config, PR_SET_HTTP_PROXY_PROTOCOL) != 0,
        .share = self->share,
        .stats = &self->stats,
        .listen_fd = self->env->listen_fd,
        .sockets_max = pr_config_int(self->config, PR_SET_GATEWAY_SOCKETS_MAX),
    };
    self->accept = gw_accept_new(&options);
    if (!self->accept) {
        pr_log_error("gateway.listen", "fd=%d", self->env->listen_fd);
        gw_gateway_stop(self, "can not accept");
    }
}

static void
s_accept_unlisted(pr_timer_t *timer)
{
    s_start_accepting((gw_gateway_t *) ((char *) timer - offsetof(gw_gateway_t, listed)));
}

/* Clients may come when the neighbours know of us, as their next requests may come to them. Until
 * then connections wait in the kernel's queue. */
static void
s_become_ready(gw_gateway_t *self)
{
    self->is_ready = true;
    pr_loop_arm(self->loop, &self->listed, PR_GATEWAY_LISTED_MS);
    pr_log_info("gateway.ready", "actors_generation=%lld",
                (long long) gw_hosts_generation(self->hosts));
    pr_lifeline_ready(self->lifeline, gw_neighbourhood_endpoint(self->neighbourhood), NULL);
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

static void
s_stop_accepting(gw_gateway_t *self)
{
    pr_wheel_cancel(&self->listed);
    if (self->accept) {
        gw_accept_stop(self->accept);
    }
}

void
gw_gateway_stop(gw_gateway_t *self, const char *why)
{
    if (self->is_stopping) {
        return;
    }
    self->is_stopping = true;
    pr_log_info("gateway.stop", "why=%s clients=%zu", why, s_clients(self));
    s_stop_accepting(self);
    gw_drain_end(&self->drain);
    gw_engineio_hub_close_all(self->engines, "going away");
    gw_natives_close_all(self->natives, pr_config_int(self->config, PR_SET_DRAIN_MS));
    pr_loop_arm(self->loop, &self->deadline, PR_GATEWAY_STOP_MS);
}

/* --- the supervisor --- */

static bool
s_on_roster(void *arg, const pr_msg_roster_t *message)
{
    gw_gateway_t *self = arg;
    pr_roster_t *roster = NULL;
    if (pr_roster_decode(message, &roster) != 0) {
        pr_log_error("gateway.bad_roster", "generation=%lld", (long long) message->generation);
        return false;
    }
    bool listed = pr_roster_has_incarnation(roster, self->env->incarnation);
    gw_neighbourhood_set_roster(self->neighbourhood, roster);
    gw_hosts_set_roster(self->hosts, &roster);
    if (listed && self->is_ready && !self->accept && !self->is_stopping && !self->is_draining) {
        s_start_accepting(self);
    }
    return true;
}

static size_t
s_count(void *arg)
{
    return s_clients(arg);
}

static void
s_close_some(void *arg, size_t most)
{
    gw_gateway_t *self = arg;
    size_t closed = gw_engineio_hub_close_some(self->engines, most, "going away");
    gw_natives_close_some(self->natives, most - closed);
}

static void
s_on_drained(void *arg)
{
    gw_gateway_stop(arg, "drained");
}

static const gw_drain_ops_t s_drain_ops = {
    .count = s_count,
    .close_some = s_close_some,
    .done = s_on_drained,
};

static void
s_on_drain(void *arg, int64_t within_ms)
{
    gw_gateway_t *self = arg;
    if (self->is_draining || self->is_stopping) {
        return;
    }
    self->is_draining = true;
    pr_log_info("gateway.drain", "within_ms=%lld clients=%zu", (long long) within_ms,
                s_clients(self));
    s_stop_accepting(self);
    gw_http_end_connections(self->http);
    gw_drain_begin(&self->drain, self->loop, within_ms, &s_drain_ops, self);
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
    gw_gateway_t *self = arg;
    self->stats.old_rosters = (int64_t) pr_lifeline_old_rosters(self->lifeline);
    const pr_link_counters_t links = gw_hosts_counters(self->hosts);
    const gw_report_t report = {
        .links = &links,
        .stats = &self->stats,
        .ws = gw_ws_counters(self->ws),
        .write = gw_write_counters(),
        .http = gw_http_counters(self->http),
        .rest = gw_rest_counters(self->rest),
        .accept = self->accept ? gw_accept_counters(self->accept) : NULL,
        .neighbourhood = self->neighbourhood,
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
        .admit = gw_gateway_admit,
        .forward = gw_gateway_forward,
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
    const char *proxies = pr_config_text(config, PR_SET_HTTP_TRUSTED_PROXIES);
    if (pr_networks_parse(proxies, &self->trust) != 0) {
        pr_log_error("gateway.trusted_proxies", "list=\"%s\"", proxies);
        return false;
    }
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
    const char *tls_cert = pr_config_text(self->config, PR_SET_HTTP_TLS_CERT);
    const char *mode = pr_config_text(self->config, PR_SET_GATEWAY_WRITE);
    self->writer = (gw_writer_t) {
        .loop = self->loop,
        /* Only libwebsockets can write through TLS. */
        .mode = tls_cert[0] ? GW_WRITE_ORTHODOX : gw_write_mode_from_name(mode),
        .stalled_ms = PR_STALLED_MS,
    };
    self->ws = gw_ws_new(&self->writer, self->origin, &gw_gateway_ws_ops, self);
    if (!self->rest || !self->ws) {
        return false;
    }
    const gw_http_options_t http = {
        .loop = self->loop,
        .origin = self->origin,
        .trust = &self->trust,
        .admit = gw_gateway_admit,
        .tls_cert = tls_cert,
        .tls_key = pr_config_text(self->config, PR_SET_HTTP_TLS_KEY),
        .ws = self->ws,
        .head = gw_gateway_head,
        .request = gw_gateway_request,
        .arg = self,
    };
    self->http = gw_http_new(&http);
    self->share = gw_share_new(self->env->run_dir, self->env->name); /* or without */
    return self->http != NULL;
}

static bool
s_make_neighbourhood(gw_gateway_t *self)
{
    const gw_neighbourhood_options_t options = {
        .loop = self->loop,
        .run_dir = self->env->run_dir,
        .name = self->env->name,
        .incarnation = self->env->incarnation,
        .hub = self->engines,
        /* A ping comes within the interval, whatever else does. */
        .get_ms = pr_config_int(self->config, PR_SET_GATEWAY_PING_INTERVAL_MS) +
                  pr_config_int(self->config, PR_SET_GATEWAY_PING_TIMEOUT_MS) + PR_FORWARD_MS,
        .adopt = gw_gateway_adopt,
        .arg = self,
    };
    self->neighbourhood = gw_neighbourhood_new(&options);
    return self->neighbourhood != NULL;
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
        !s_make_front(self) || !s_make_neighbourhood(self)) {
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
    self->listed.fire = s_accept_unlisted;
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
    pr_wheel_cancel(&self->listed);
    gw_drain_end(&self->drain);
    /* Clients first: their sessions and conns go with them. */
    gw_accept_destroy(&self->accept);
    gw_share_destroy(&self->share);
    gw_http_destroy(&self->http);
    gw_ws_destroy(&self->ws);
    gw_rest_destroy(&self->rest);
    gw_neighbourhood_destroy(&self->neighbourhood);
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
