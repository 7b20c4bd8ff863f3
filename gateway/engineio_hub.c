/* SPDX-License-Identifier: MIT */

/* All sessions of one path. */

#include <stdio.h>
#include <stdlib.h>

#include "gateway/engineio_private.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

static void
s_set_up(gw_engineio_hub_t *self, const gw_engineio_settings_t *settings)
{
    self->settings = *settings;
    self->settings.owner = NULL;
    if (self->settings.message_max == 0) {
        self->settings.message_max = PR_CLIENT_MESSAGE_BYTES_MAX;
    }
    if (self->settings.queue_bytes_max == 0) {
        self->settings.queue_bytes_max = PR_CONN_MUST_SEND_BYTES_MAX;
    }
    if (self->settings.polling_max == 0) {
        self->settings.polling_max = PR_POLLING_SESSIONS_MAX;
    }
    (void) snprintf(self->owner, sizeof self->owner, "%s", settings->owner);
}

gw_engineio_hub_t *
gw_engineio_hub_new(pr_loop_t *loop,
                    const gw_engineio_settings_t *settings,
                    gw_stats_t *stats,
                    const gw_engineio_ops_t *ops,
                    void *arg)
{
    gw_engineio_hub_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->stats = stats;
    self->ops = ops;
    self->arg = arg;
    s_set_up(self, settings);
    pr_loop_on_turn(loop, PR_TURN_THINK, gw_engineio_turn, self);
    self->ping = gw_frame_text(PR_STR("2"));
    self->sessions = pr_map_new(NULL);
    self->pollings = gw_pollings_new(loop, &gw_engineio_polling_ops, &stats->polling_parked);
    if (!self->ping || !self->sessions || !self->pollings) {
        gw_engineio_hub_destroy(&self);
    }
    return self;
}

/* Sessions that poll have no socket whose end would end them. */
static void
s_end_polling(gw_engineio_hub_t *self)
{
    gw_engineio_t *next = NULL;
    for (gw_engineio_t *each = self->first; each; each = next) {
        next = each->next;
        if (each->polling) {
            gw_engineio_close(each, GW_WHY_LOST, GW_CODE_POLICY, "");
            gw_engineio_forget_polling(each);
        }
    }
    (void) gw_engineio_turn(self);
}

void
gw_engineio_hub_destroy(gw_engineio_hub_t **self_p)
{
    PR_ASSERT(self_p);
    gw_engineio_hub_t *self = *self_p;
    if (!self) {
        return;
    }
    s_end_polling(self);
    PR_ASSERT(!self->first);
    gw_pollings_destroy(&self->pollings);
    pr_loop_off_turn(self->loop, gw_engineio_turn, self);
    pr_map_destroy(&self->sessions);
    pr_buf_destroy(&self->ping);
    free(self);
    *self_p = NULL;
}

size_t
gw_engineio_hub_count(const gw_engineio_hub_t *self)
{
    return self->sessions ? pr_map_count(self->sessions) : 0;
}

const char *
gw_engineio_hub_owner(const gw_engineio_hub_t *self)
{
    return self->owner;
}

void
gw_engineio_hub_close_all(gw_engineio_hub_t *self, const char *reason)
{
    self->closing_all = true;
    for (gw_engineio_t *each = self->first; each; each = each->next) {
        gw_engineio_close(each, GW_WHY_LOST, GW_CODE_GOING_AWAY, reason);
    }
}

size_t
gw_engineio_hub_close_some(gw_engineio_hub_t *self, size_t most, const char *reason)
{
    size_t closed = 0;
    for (gw_engineio_t *each = self->first; each && closed < most; each = each->next) {
        if (!each->closing) {
            gw_engineio_close(each, GW_WHY_LOST, GW_CODE_GOING_AWAY, reason);
            closed++;
        }
    }
    return closed;
}

/* --- one more, one less --- */

static void
s_link(gw_engineio_t *self)
{
    gw_engineio_hub_t *hub = self->hub;
    self->next = hub->first;
    if (hub->first) {
        hub->first->prev = self;
    }
    hub->first = self;
    hub->stats->sessions++;
    hub->stats->sessions_opened++;
}

static void
s_unlink(gw_engineio_t *self)
{
    if (self->prev) {
        self->prev->next = self->next;
    } else {
        self->hub->first = self->next;
    }
    if (self->next) {
        self->next->prev = self->prev;
    }
    self->hub->stats->sessions--;
}

static void
s_forget_closing(gw_engineio_t *self)
{
    gw_engineio_t **link = &self->hub->closing;
    while (*link && *link != self) {
        link = &(*link)->next_closing;
    }
    if (*link) {
        *link = self->next_closing;
    }
}

gw_engineio_t *
gw_engineio_new(gw_engineio_hub_t *hub)
{
    gw_engineio_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->hub = hub;
    self->message_max = hub->settings.message_max < PR_BEFORE_JOIN_BYTES_MAX
                            ? hub->settings.message_max
                            : PR_BEFORE_JOIN_BYTES_MAX;
    gw_sid_new(hub->owner, self->sid);
    if (pr_map_set(hub->sessions, pr_str(self->sid), self) != 0) {
        free(self);
        return NULL;
    }
    s_link(self);
    return self;
}

void
gw_engineio_free(gw_engineio_t *self)
{
    gw_engineio_hub_t *hub = self->hub;
    pr_wheel_cancel(&self->heartbeat);
    if (self->in_closing) {
        s_forget_closing(self);
    }
    gw_probe_end(self);
    if (self->post) {
        self->post->engine = NULL;
    }
    if (self->polling) {
        hub->polling_count--;
        hub->stats->sessions_polling--;
    }
    gw_polling_destroy(&self->polling);
    gw_socket_destroy_stand_in(&self->stand_in);
    (void) pr_map_remove(hub->sessions, pr_str(self->sid));
    s_unlink(self);
    free(self);
}

gw_engineio_t *
gw_engineio_find(gw_engineio_hub_t *hub, pr_str_t sid)
{
    return sid.len <= GW_SID_MAX ? pr_map_get(hub->sessions, sid) : NULL;
}

void
gw_engineio_write_open(const gw_engineio_t *self, pr_buf_t *out)
{
    const gw_engineio_settings_t *settings = &self->hub->settings;
    pr_buf_append_fmt(out,
                      "0{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%lld,"
                      "\"pingTimeout\":%lld,\"maxPayload\":%zu}",
                      self->sid, self->polling ? "\"websocket\"" : "",
                      (long long) settings->ping_interval_ms, (long long) settings->ping_timeout_ms,
                      settings->message_max);
}

/* --- sessions that begin with a WebSocket --- */

static pr_buf_t *
s_open_frame(const gw_engineio_t *self)
{
    pr_buf_t *text = pr_buf_new(256);
    if (text) {
        gw_engineio_write_open(self, text);
    }
    pr_buf_t *frame = text && !pr_buf_failed(text) ? gw_frame_text(pr_buf_str(text)) : NULL;
    pr_buf_destroy(&text);
    return frame;
}

int
gw_engineio_open(gw_engineio_hub_t *hub, gw_socket_t *socket, pr_str_t token)
{
    gw_engineio_t *self = gw_engineio_new(hub);
    if (!self) {
        return PR_E_NOMEM;
    }
    self->socket = socket;
    pr_buf_t *packet = s_open_frame(self);
    if (!packet || !gw_engineio_begin(self, token)) {
        pr_buf_destroy(&packet);
        gw_engineio_free(self);
        return PR_E_NOMEM;
    }
    gw_engineio_attach(self, socket);
    gw_engineio_send_frame(self, packet);
    pr_buf_destroy(&packet);
    return 0;
}
