/* SPDX-License-Identifier: MIT */

#include "gateway/neighbours_server.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/engineio_sid.h"
#include "proto/base/log.h"
#include "proto/wire/limits.h"
#include "proto/wire/router.h"

typedef struct front front_t;
typedef struct served served_t;
typedef struct held held_t;

/* An answer that its neighbour could not take yet. */
struct held {
    held_t *next;
    pr_buf_t *packed;
};

/* The link of one neighbour. */
struct front {
    gw_neighbours_server_t *server;
    pr_peer_t *peer;
    front_t *prev;
    front_t *next;
    served_t *served;
    held_t *held; /* oldest first */
    held_t **held_end;
    size_t held_bytes;
    bool overflowed; /* is dropped at the end of the turn */
};

/* A GET that waits at its session. */
struct served {
    gw_polling_get_t get; /* first: the pointers are equal */
    front_t *front;
    served_t *prev;
    served_t *next;
    int64_t req;
    char sid[GW_SID_MAX + 1];
};

struct gw_neighbours_server {
    pr_loop_t *loop;
    gw_engineio_hub_t *hub;
    pr_router_t *router;
    front_t *fronts;
    gw_neighbours_server_counters_t counters;
};

/* --- answers --- */

static pr_buf_t *
s_pack(int64_t req, pr_str_t sid, int status, pr_str_t body)
{
    pr_buf_t *value = pr_buf_new(body.len + 8);
    pr_buf_t *packed = pr_buf_new(body.len + 128);
    if (value && packed) {
        msgpack_packer packer = pr_packer(value);
        (void) msgpack_pack_bin(&packer, body.len);
        (void) msgpack_pack_bin_body(&packer, body.ptr, body.len);
        pr_event_t event = pr_event(PR_MSG_POLLING_ANSWER, PR_STR(""));
        event.polling_answer.req = req;
        event.polling_answer.sid = sid;
        event.polling_answer.status = status;
        event.polling_answer.body.raw = pr_buf_str(value);
        pr_event_pack(&event, packed);
    }
    if (!value || !packed || pr_buf_failed(value) || pr_buf_failed(packed)) {
        pr_buf_destroy(&packed);
    }
    pr_buf_destroy(&value);
    return packed;
}

static bool
s_hold(front_t *front, pr_buf_t *packed)
{
    size_t bytes = front->held_bytes + pr_buf_len(packed);
    held_t *held = bytes <= PR_FORWARD_HELD_BYTES_MAX ? calloc(1, sizeof *held) : NULL;
    if (!held) {
        return false;
    }
    held->packed = pr_buf_ref(packed);
    *front->held_end = held;
    front->held_end = &held->next;
    front->held_bytes = bytes;
    return true;
}

/* An answer that is lost leaves a client without its packets: then rather the whole link. */
static void
s_send(front_t *front, int64_t req, pr_str_t sid, int status, pr_str_t body)
{
    pr_buf_t *packed = s_pack(req, sid, status, body);
    int error = PR_E_NOMEM;
    if (packed) {
        error = front->held ? PR_E_BUSY
                            : pr_link_send_packed(pr_peer_link(front->peer), pr_buf_str(packed));
    }
    if (error == PR_E_BUSY && s_hold(front, packed)) {
        error = 0;
    }
    front->overflowed |= error != 0 && error != PR_E_UNREACHABLE;
    pr_buf_destroy(&packed);
}

static void
s_drop_oldest(front_t *front)
{
    held_t *held = front->held;
    front->held = held->next;
    if (!front->held) {
        front->held_end = &front->held;
    }
    front->held_bytes -= pr_buf_len(held->packed);
    pr_buf_destroy(&held->packed);
    free(held);
}

static void
s_writable(void *arg, pr_peer_t *peer)
{
    (void) arg;
    front_t *front = pr_peer_data(peer);
    while (front && front->held &&
           pr_link_send_packed(pr_peer_link(peer), pr_buf_str(front->held->packed)) == 0) {
        s_drop_oldest(front);
    }
}

/* --- GETs that wait --- */

static void
s_free_served(served_t *served)
{
    front_t *front = served->front;
    if (served->prev) {
        served->prev->next = served->next;
    } else {
        front->served = served->next;
    }
    if (served->next) {
        served->next->prev = served->prev;
    }
    front->server->counters.parked--;
    free(served);
}

static void
s_answer_get(gw_polling_get_t *get, int status, pr_str_t body)
{
    served_t *served = (served_t *) get;
    s_send(served->front, served->req, pr_str(served->sid), status, body);
    s_free_served(served);
}

static void
s_abort_served(served_t *served)
{
    gw_engineio_abort(served->front->server->hub, pr_str(served->sid), &served->get);
    s_free_served(served);
}

static void
s_refuse(front_t *front, int64_t req, pr_str_t sid, gw_refusal_t refusal)
{
    s_send(front, req, sid, gw_refusal_status(refusal), gw_refusal_body(refusal));
}

static void
s_get(front_t *front, const pr_msg_polling_get_t *asked)
{
    served_t *served = asked->sid.len <= GW_SID_MAX ? calloc(1, sizeof *served) : NULL;
    if (!served) {
        s_refuse(front, asked->req, asked->sid, GW_REFUSAL_SESSION);
        return;
    }
    served->get.answer = s_answer_get;
    served->front = front;
    served->req = asked->req;
    (void) snprintf(served->sid, sizeof served->sid, "%.*s", PR_STR_ARG(asked->sid));
    served->next = front->served;
    if (front->served) {
        front->served->prev = served;
    }
    front->served = served;
    front->server->counters.gets++;
    front->server->counters.parked++;
    gw_engineio_get(front->server->hub, pr_str(served->sid), &served->get);
}

static void
s_abort(front_t *front, const pr_msg_polling_abort_t *asked)
{
    for (served_t *each = front->served; each; each = each->next) {
        if (each->req == asked->req) {
            front->server->counters.aborts++;
            s_abort_served(each);
            return;
        }
    }
}

/* --- POSTs --- */

static void
s_cut(gw_engineio_post_t *post)
{
    (void) post;
}

/* It came whole: what its session allows is asked for afterwards, and a second POST that is still
 * on its way to us ends the session, as always. */
static void
s_post(front_t *front, const pr_msg_polling_post_t *asked)
{
    gw_engineio_hub_t *hub = front->server->hub;
    const msgpack_object *body = asked->body.object;
    if (body->type != MSGPACK_OBJECT_BIN) {
        front->server->counters.malformed++;
        s_refuse(front, asked->req, asked->sid, GW_REFUSAL_REQUEST);
        return;
    }
    front->server->counters.posts++;
    gw_engineio_post_t post = {.cut = s_cut};
    size_t most = gw_engineio_post_begin(hub, asked->sid, &post);
    gw_engineio_post_end(&post);
    pr_str_t text = {body->via.bin.ptr, body->via.bin.size};
    pr_str_t answer = PR_STR("");
    int status = text.len > most ? 413 : gw_engineio_post(hub, asked->sid, text, &answer);
    s_send(front, asked->req, asked->sid, status, answer);
}

/* --- the links --- */

static int
s_open(void *arg, pr_peer_t *peer, const pr_msg_hello_t *hello)
{
    gw_neighbours_server_t *self = arg;
    if (!pr_str_equal(hello->role, PR_STR("gateway"))) {
        return PR_E_FORBIDDEN;
    }
    front_t *front = calloc(1, sizeof *front);
    if (!front) {
        return PR_E_NOMEM;
    }
    front->server = self;
    front->peer = peer;
    front->held_end = &front->held;
    front->next = self->fronts;
    if (self->fronts) {
        self->fronts->prev = front;
    }
    self->fronts = front;
    pr_peer_set_data(peer, front);
    return 0;
}

static void
s_free_front(front_t *front)
{
    gw_neighbours_server_t *self = front->server;
    served_t *next = NULL;
    for (served_t *each = front->served; each; each = next) {
        next = each->next;
        self->counters.lost++;
        s_abort_served(each);
    }
    while (front->held) {
        s_drop_oldest(front);
    }
    if (front->prev) {
        front->prev->next = front->next;
    } else {
        self->fronts = front->next;
    }
    if (front->next) {
        front->next->prev = front->prev;
    }
    free(front);
}

static void
s_lost(void *arg, pr_peer_t *peer, int error)
{
    (void) arg;
    (void) error;
    front_t *front = pr_peer_data(peer);
    if (front) {
        pr_peer_set_data(peer, NULL);
        s_free_front(front);
    }
}

static void
s_event(void *arg, pr_peer_t *peer, const pr_event_t *event)
{
    (void) arg;
    front_t *front = pr_peer_data(peer);
    if (!front) {
        return;
    }
    switch ((int) event->type) {
    case PR_MSG_BEAT:
    case PR_MSG_EVENT_REFUSED:
        return;
    case PR_MSG_POLLING_GET:
        s_get(front, &event->polling_get);
        return;
    case PR_MSG_POLLING_POST:
        s_post(front, &event->polling_post);
        return;
    case PR_MSG_POLLING_ABORT:
        s_abort(front, &event->polling_abort);
        return;
    default:
        pr_peer_refuse(peer, event);
    }
}

static const pr_router_ops_t s_router_ops = {
    .open = s_open,
    .event = s_event,
    .lost = s_lost,
    .writable = s_writable,
};

/* Not where it happened: an answer may be written while a session is at work. */
static bool
s_turn(void *arg)
{
    gw_neighbours_server_t *self = arg;
    front_t *next = NULL;
    for (front_t *each = self->fronts; each; each = next) {
        next = each->next;
        if (each->overflowed) {
            self->counters.overflowed++;
            pr_log_warn("neighbour.overflow", "held=%zu", each->held_bytes);
            pr_link_drop(pr_peer_link(each->peer), PR_E_BUSY);
        }
    }
    return false;
}

/* --- life --- */

gw_neighbours_server_t *
gw_neighbours_server_new(const gw_neighbours_server_options_t *options)
{
    gw_neighbours_server_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = options->loop;
    self->hub = options->hub;
    const pr_link_self_t me = {"gateway", options->name, options->incarnation};
    pr_loop_on_turn(self->loop, PR_TURN_THINK, s_turn, self);
    self->router = pr_router_new(self->loop, options->endpoint, &me, &s_router_ops, self);
    if (!self->router) {
        gw_neighbours_server_destroy(&self);
    }
    return self;
}

void
gw_neighbours_server_destroy(gw_neighbours_server_t **self_p)
{
    PR_ASSERT(self_p);
    gw_neighbours_server_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_loop_off_turn(self->loop, s_turn, self);
    front_t *next = NULL;
    for (front_t *each = self->fronts; each; each = next) {
        next = each->next;
        s_free_front(each);
    }
    pr_router_destroy(&self->router);
    free(self);
    *self_p = NULL;
}

const gw_neighbours_server_counters_t *
gw_neighbours_server_counters(const gw_neighbours_server_t *self)
{
    return &self->counters;
}
