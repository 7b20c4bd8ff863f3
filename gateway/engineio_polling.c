/* SPDX-License-Identifier: MIT */

/* Sessions that poll: their requests, their end, and the way of documents to them. */

#include "gateway/engineio_payload.h"
#include "gateway/engineio_private.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

static const pr_str_t s_nothing = {"", 0};

/* --- documents: the session as a socket --- */

static int
s_send(void *arg, pr_buf_t *frame)
{
    gw_engineio_t *self = arg;
    return self->polling ? gw_polling_send(self->polling, frame)
                         : gw_socket_send(self->socket, frame);
}

static int
s_send_must(void *arg, pr_buf_t *frame)
{
    gw_engineio_t *self = arg;
    return self->polling ? gw_polling_send_must(self->polling, frame)
                         : gw_socket_send_must(self->socket, frame);
}

static void
s_bind_slot(void *arg, gw_slot_t *slot)
{
    gw_engineio_t *self = arg;
    self->slot = slot;
    if (!self->polling) {
        gw_socket_bind_slot(self->socket, slot);
    } else if (slot) {
        slot->fd = -1;
    }
}

static void
s_missed(void *arg)
{
    gw_engineio_t *self = arg;
    if (self->polling) {
        gw_polling_missed(self->polling);
    } else {
        gw_socket_missed(self->socket);
    }
}

const gw_stand_in_ops_t gw_engineio_stand_in_ops = {
    .send = s_send,
    .send_must = s_send_must,
    .bind_slot = s_bind_slot,
    .missed = s_missed,
};

/* --- the end --- */

static void
s_linger(gw_engineio_t *self)
{
    int64_t ms = self->hub->closing_all ? PR_POLLING_STOP_MS : PR_POLLING_CLOSE_MS;
    self->lingers = true;
    pr_loop_arm(self->hub->loop, &self->heartbeat, ms);
}

void
gw_engineio_end_polling(gw_engineio_t *self, const char *last, bool waits)
{
    pr_wheel_cancel(&self->heartbeat);
    gw_probe_end(self);
    gw_polling_end(self->polling, last);
    if (waits || gw_polling_is_parked(self->polling)) {
        s_linger(self);
    }
    gw_engineio_later(self);
}

void
gw_engineio_forget_polling(gw_engineio_t *self)
{
    pr_wheel_cancel(&self->heartbeat);
    self->lingers = false;
    gw_engineio_later(self);
}

/* The answer with the last packet is on its way, which takes its time: a process that ends waits
 * for the timer. */
static void
s_ended(void *user)
{
    gw_engineio_t *self = user;
    if (!self->hub->closing_all) {
        gw_engineio_forget_polling(self);
    }
}

static void
s_writable(void *user)
{
    gw_engineio_t *self = user;
    if (!self->closing) {
        self->hub->ops->writable(self->user);
    }
}

const gw_polling_ops_t gw_engineio_polling_ops = {
    .writable = s_writable,
    .ended = s_ended,
};

/* The client is gone, or does what no client may. */
static void
s_lose(gw_engineio_t *self)
{
    if (!self->closing) {
        self->closing = true;
        self->broke_rule = true;
        self->why = GW_WHY_LOST;
        gw_engineio_end_polling(self, "1", false);
    }
}

/* --- its beginning --- */

pr_buf_t *
gw_engineio_open_polling(gw_engineio_hub_t *hub, pr_str_t token)
{
    if (hub->closing_all || hub->polling_count >= hub->settings.polling_max) {
        hub->stats->polling_refused++;
        return NULL;
    }
    gw_engineio_t *self = gw_engineio_new(hub);
    pr_buf_t *body = self ? pr_buf_new(256) : NULL;
    if (body) {
        self->polling = gw_polling_new(hub->pollings, hub->settings.queue_bytes_max, self);
        self->stand_in = gw_socket_new_stand_in(&gw_engineio_stand_in_ops, self);
    }
    if (body && self->polling) {
        hub->polling_count++;
        hub->stats->sessions_polling++;
        gw_engineio_write_open(self, body);
    }
    if (!body || !self->polling || !self->stand_in || pr_buf_failed(body) ||
        !gw_engineio_begin(self, token)) {
        pr_buf_destroy(&body);
        if (self) {
            gw_engineio_free(self);
        }
    }
    return body;
}

/* --- requests --- */

gw_refusal_t
gw_engineio_check(gw_engineio_hub_t *hub, pr_str_t sid, bool is_upgrade)
{
    gw_engineio_t *self = gw_engineio_find(hub, sid);
    if (!self || (self->closing && !self->lingers) || (self->polling && gw_engineio_expire(self))) {
        return GW_REFUSAL_SESSION;
    }
    return self->polling || is_upgrade ? GW_REFUSAL_NONE : GW_REFUSAL_REQUEST;
}

bool
gw_engineio_knows(gw_engineio_hub_t *hub, pr_str_t sid)
{
    const gw_engineio_t *self = gw_engineio_find(hub, sid);
    return self && self->known;
}

void
gw_engineio_get(gw_engineio_hub_t *hub, pr_str_t sid, gw_polling_get_t *get)
{
    gw_refusal_t refusal = gw_engineio_check(hub, sid, false);
    if (refusal != GW_REFUSAL_NONE) {
        get->answer(get, gw_refusal_status(refusal), gw_refusal_body(refusal));
        return;
    }
    gw_engineio_t *self = gw_engineio_find(hub, sid);
    if (!gw_polling_get(self->polling, get)) {
        hub->stats->polling_overlaps++;
        s_lose(self);
    }
}

void
gw_engineio_abort(gw_engineio_hub_t *hub, pr_str_t sid, const gw_polling_get_t *get)
{
    gw_engineio_t *self = gw_engineio_find(hub, sid);
    if (self && self->polling && gw_polling_abort(self->polling, get)) {
        hub->stats->polling_aborts++;
        s_lose(self);
    }
}

void
gw_engineio_lose(gw_engineio_hub_t *hub, pr_str_t sid)
{
    gw_engineio_t *self = gw_engineio_find(hub, sid);
    if (self && self->polling) {
        hub->stats->polling_aborts++;
        s_lose(self);
    }
}

int
gw_engineio_post(gw_engineio_hub_t *hub, pr_str_t sid, pr_str_t body, pr_str_t *answer)
{
    gw_refusal_t refusal = gw_engineio_check(hub, sid, false);
    if (refusal != GW_REFUSAL_NONE) {
        *answer = gw_refusal_body(refusal);
        return gw_refusal_status(refusal);
    }
    gw_engineio_t *self = gw_engineio_find(hub, sid);
    gw_payload_t payload = gw_payload(body);
    pr_str_t packet;
    while (!self->closing && gw_payload_next(&payload, &packet)) {
        gw_engineio_packet(self, packet, false);
    }
    *answer = self->broke_rule ? s_nothing : PR_STR("ok");
    return self->broke_rule ? 400 : 200;
}

/* --- POSTs on their way --- */

void
gw_engineio_post_end(gw_engineio_post_t *post)
{
    if (post->engine) {
        post->engine->post = NULL;
        post->engine = NULL;
    }
}

void
gw_engineio_post_fail(gw_engineio_post_t *post)
{
    gw_engineio_t *self = post->engine;
    gw_engineio_post_end(post);
    if (self && self->polling) {
        s_lose(self);
    }
}

size_t
gw_engineio_post_begin(gw_engineio_hub_t *hub, pr_str_t sid, gw_engineio_post_t *post)
{
    gw_engineio_t *self = gw_engineio_find(hub, sid);
    if (!self || !self->polling || self->closing) {
        return PR_BEFORE_JOIN_BYTES_MAX;
    }
    gw_engineio_post_t *first = self->post;
    if (first) {
        hub->stats->polling_overlaps++;
        gw_engineio_post_fail(first);
        first->cut(first);
        return PR_BEFORE_JOIN_BYTES_MAX;
    }
    self->post = post;
    post->engine = self;
    return self->message_max;
}

/* --- to a WebSocket --- */

void
gw_engineio_move(gw_engineio_t *self, gw_socket_t *socket)
{
    gw_polling_t *polling = self->polling;
    int error = 0;
    gw_engineio_attach(self, socket);
    for (pr_buf_t *frame = gw_polling_take(polling); frame; frame = gw_polling_take(polling)) {
        error = error ? error : gw_socket_send_must(socket, frame);
        pr_buf_destroy(&frame);
    }
    gw_polling_release(polling);
    self->polling = NULL;
    gw_polling_destroy(&polling);
    self->hub->polling_count--;
    self->hub->stats->sessions_polling--;
    self->hub->stats->upgrades++;
    if (self->slot) {
        gw_socket_bind_slot(socket, self->slot);
    }
    if (error) {
        gw_engineio_close(self, GW_WHY_LOST, GW_CODE_POLICY, "too slow");
    } else {
        self->hub->ops->writable(self->user);
    }
}
