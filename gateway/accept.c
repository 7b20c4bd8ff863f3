/* SPDX-License-Identifier: MIT */

#include "gateway/accept.h"

#include <errno.h>
#include <stdlib.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "proto/base/log.h"
#include "proto/wire/limits.h"

/* Connections of one turn, so that those who are here already are served in between. */
#define TURN_ACCEPTS 64
/* Descriptors that are not for clients. */
#define SPARE_FILES 200
/* After the system had no more descriptors we look again so often. */
#define RETRY_MS 100
/* Once the others had their time we take so many, whatever they do. */
#define YIELDED_ACCEPTS 8

struct gw_accept {
    gw_accept_options_t options;
    uv_poll_t poll;
    pr_timer_t retry;
    uv_timer_t yield;          /* runs while we let the others go first */
    uint64_t yielded_to;       /* the mark of the others then; 0 when nothing waits any more */
    gw_proxy_waits_t *proxies; /* NULL: none of them says who its client is */
    int64_t strangers_max;
    bool polling;
    bool stopped;
    int handles; /* not closed yet */
    gw_accept_counters_t counters;
};

static void
s_on_readable(uv_poll_t *handle, int status, int events);

static void
s_poll(gw_accept_t *self, bool on)
{
    if (self->polling == on) {
        return;
    }
    self->polling = on;
    if (on) {
        (void) uv_poll_start(&self->poll, UV_READABLE, s_on_readable);
    } else {
        (void) uv_poll_stop(&self->poll);
    }
}

/* Those of whom a proxy has not said yet who they are. */
static size_t
s_waiting(const gw_accept_t *self)
{
    return self->proxies ? gw_proxy_waits_count(self->proxies) : 0;
}

static int64_t
s_sockets(const gw_accept_t *self)
{
    uint64_t connections = gw_http_counters(self->options.http)->connections;
    return (int64_t) (connections + s_waiting(self));
}

static bool
s_is_full(const gw_accept_t *self)
{
    return s_sockets(self) >= self->options.sockets_max;
}

static bool
s_are_strangers_many(const gw_accept_t *self)
{
    size_t strangers = gw_http_strangers(self->options.http)->count;
    return (int64_t) (strangers + s_waiting(self)) >= self->strangers_max;
}

/* No more strangers may come, and none of those who are here had its time. */
static bool
s_is_crowded(const gw_accept_t *self)
{
    return s_are_strangers_many(self) &&
           !gw_strangers_have_old(gw_http_strangers(self->options.http), PR_STRANGER_MS);
}

/* What our share is measured by. */
static uint32_t
s_clients(const gw_accept_t *self)
{
    const gw_stats_t *stats = self->options.stats;
    return (uint32_t) (s_sockets(self) + (stats ? stats->sessions_polling : 0));
}

static void
s_pause(gw_accept_t *self, uint64_t *counter)
{
    ++*counter;
    gw_share_leave(self->options.share);
    s_poll(self, false);
    pr_loop_arm(self->options.loop, &self->retry, RETRY_MS);
}

static void
s_on_retry(pr_timer_t *timer)
{
    gw_accept_t *self = (gw_accept_t *) ((char *) timer - offsetof(gw_accept_t, retry));
    if (self->stopped) {
        return;
    }
    if (s_is_full(self) || s_is_crowded(self)) {
        pr_loop_arm(self->options.loop, &self->retry, RETRY_MS);
    } else {
        s_poll(self, true);
    }
}

/* A connection has gone, or one of the strangers has joined. */
static void
s_on_room(void *arg)
{
    gw_accept_t *self = arg;
    bool may = !self->stopped && !uv_is_active((uv_handle_t *) &self->yield);
    if (may && !self->polling && !s_is_full(self) && !s_is_crowded(self)) {
        pr_wheel_cancel(&self->retry);
        s_poll(self, true);
    }
}

static void
s_adopt(gw_accept_t *self, int fd, const gw_address_t *address)
{
    if (gw_http_adopt(self->options.http, fd, address) == 0) {
        self->counters.accepted++;
    } else {
        self->counters.failed++;
    }
}

static void
s_take_client(void *arg, int fd, const gw_address_t *client)
{
    gw_accept_t *self = arg;
    int64_t now_ms = pr_loop_now_ms(self->options.loop);
    if (gw_limit_take(self->options.limit, GW_LIMIT_CONNECTS, client, now_ms)) {
        s_adopt(self, fd, client);
    } else {
        self->counters.refused_rate++;
        (void) close(fd);
    }
}

/* The clients of a proxy are counted by their own addresses, when those are known. */
static void
s_take(gw_accept_t *self, int fd, const struct sockaddr *from)
{
    gw_address_t address = gw_address_from(from);
    if (s_are_strangers_many(self) && gw_strangers_evict(gw_http_strangers(self->options.http))) {
        self->counters.strangers_evicted++;
    }
    bool trusted = self->options.trust && pr_networks_have(self->options.trust, &address);
    if (!trusted) {
        s_take_client(self, fd, &address);
    } else if (self->proxies) {
        gw_proxy_waits_add(self->proxies, fd, &address);
    } else {
        s_adopt(self, fd, &address);
    }
}

/* Whether accept4() may be tried again at once after this errno. */
static bool
s_is_passing(int error)
{
    return error == EINTR || error == ECONNABORTED || error == EPROTO || error == ENETDOWN ||
           error == EHOSTUNREACH || error == ENETUNREACH || error == EHOSTDOWN || error == EPERM;
}

static void
s_show(gw_accept_t *self)
{
    gw_share_show(self->options.share, s_clients(self), pr_loop_now_ms(self->options.loop));
}

static void
s_take_some(gw_accept_t *self);

static void
s_on_yielded(uv_timer_t *handle)
{
    gw_accept_t *self = handle->data;
    s_poll(self, true);
    s_take_some(self);
}

/* Lets those who have fewer go first, if there are any. What they leave then is ours, unless they
 * are just at it. */
static bool
s_yields(gw_accept_t *self, int taken)
{
    int64_t now_ms = pr_loop_now_ms(self->options.loop);
    uint64_t below = gw_share_below(self->options.share, s_clients(self), now_ms);
    bool is_ours = self->yielded_to && (taken < YIELDED_ACCEPTS || below == self->yielded_to);
    if (!below || is_ours) {
        return false;
    }
    self->yielded_to = below;
    self->counters.yielded++;
    s_poll(self, false);
    uv_update_time(pr_loop_uv(self->options.loop));
    (void) uv_timer_start(&self->yield, s_on_yielded, PR_SHARE_YIELD_MS, 0);
    return true;
}

static void
s_take_some(gw_accept_t *self)
{
    for (int i = 0; i < TURN_ACCEPTS; i++) {
        if (s_is_full(self)) {
            s_pause(self, &self->counters.paused);
            return;
        }
        if (s_is_crowded(self)) {
            s_pause(self, &self->counters.strangers_paused);
            return;
        }
        if (s_yields(self, i)) {
            return;
        }
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof from;
        int fd = accept4(self->options.listen_fd, (struct sockaddr *) &from, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            s_take(self, fd, (struct sockaddr *) &from);
            s_show(self);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            self->yielded_to = 0;
            return;
        } else if (!s_is_passing(errno)) {
            self->counters.failed++;
            pr_log_warn("accept.failed", "errno=%d", errno);
            s_pause(self, &self->counters.paused);
            return;
        }
    }
}

static void
s_on_readable(uv_poll_t *handle, int status, int events)
{
    (void) status;
    (void) events;
    s_take_some(handle->data);
}

static bool
s_turn(void *arg)
{
    gw_accept_t *self = arg;
    if (self->polling) {
        s_show(self);
    }
    return false;
}

static int64_t
s_default_max(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) {
        return INT32_MAX;
    }
    int64_t most = (int64_t) files.rlim_cur;
    return most > 2 * SPARE_FILES ? most - SPARE_FILES : most / 2;
}

gw_accept_t *
gw_accept_new(const gw_accept_options_t *options)
{
    PR_ASSERT(options->loop && options->http && options->limit);
    gw_accept_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->options = *options;
    self->retry.fire = s_on_retry;
    if (self->options.sockets_max <= 0) {
        self->options.sockets_max = s_default_max();
    }
    int64_t part = self->options.sockets_max / PR_STRANGERS_PART;
    self->strangers_max = part > PR_STRANGERS_MIN ? part : PR_STRANGERS_MIN;
    if (self->options.proxy_protocol && self->options.trust) {
        self->proxies = gw_proxy_waits_new(options->loop, s_take_client, self);
        if (!self->proxies) {
            free(self);
            return NULL;
        }
    }
    /* Set once here, inherited by every accepted socket. */
    int on = 1;
    int unsent = PR_SOCKET_UNSENT_BYTES;
    (void) setsockopt(options->listen_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void) setsockopt(options->listen_fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    if (uv_poll_init(pr_loop_uv(options->loop), &self->poll, options->listen_fd) != 0) {
        gw_proxy_waits_destroy(&self->proxies);
        free(self);
        return NULL;
    }
    self->poll.data = self;
    self->yield.data = self;
    (void) uv_timer_init(pr_loop_uv(options->loop), &self->yield);
    pr_loop_on_turn(options->loop, PR_TURN_SEND, s_turn, self);
    gw_http_on_closed(options->http, s_on_room, self);
    gw_strangers_on_fewer(gw_http_strangers(options->http), s_on_room, self);
    s_poll(self, true);
    return self;
}

static void
s_on_handle_closed(uv_handle_t *handle)
{
    gw_accept_t *self = handle->data;
    self->handles--;
}

void
gw_accept_stop(gw_accept_t *self)
{
    self->stopped = true;
    pr_wheel_cancel(&self->retry);
    (void) uv_timer_stop(&self->yield);
    s_poll(self, false);
    gw_share_leave(self->options.share);
}

void
gw_accept_destroy(gw_accept_t **self_p)
{
    PR_ASSERT(self_p);
    gw_accept_t *self = *self_p;
    if (!self) {
        return;
    }
    gw_accept_stop(self);
    gw_http_on_closed(self->options.http, NULL, NULL);
    gw_strangers_on_fewer(gw_http_strangers(self->options.http), NULL, NULL);
    pr_loop_off_turn(self->options.loop, s_turn, self);
    gw_proxy_waits_destroy(&self->proxies);
    self->handles = 2;
    uv_close((uv_handle_t *) &self->poll, s_on_handle_closed);
    uv_close((uv_handle_t *) &self->yield, s_on_handle_closed);
    while (self->handles > 0) {
        (void) uv_run(pr_loop_uv(self->options.loop), UV_RUN_NOWAIT);
    }
    free(self);
    *self_p = NULL;
}

const gw_accept_counters_t *
gw_accept_counters(gw_accept_t *self)
{
    if (self->proxies) {
        const gw_proxy_counters_t *proxies = gw_proxy_waits_counters(self->proxies);
        self->counters.proxied = proxies->named;
        self->counters.bad_proxy = proxies->malformed + proxies->refused;
    }
    return &self->counters;
}
