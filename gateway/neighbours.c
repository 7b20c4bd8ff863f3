/* SPDX-License-Identifier: MIT */

#include "gateway/neighbours.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/engineio_refusal.h"
#include "gateway/engineio_sid.h"
#include "proto/base/log.h"
#include "proto/base/map.h"
#include "proto/wire/dealer.h"
#include "proto/wire/limits.h"

typedef struct ask ask_t;

/* One incarnation of another gateway. */
typedef struct {
    gw_neighbours_t *owner;
    pr_dealer_t *dealer; /* NULL: nothing was asked of it yet */
    ask_t *asks;         /* in no order */
    bool open;
    bool gone; /* out of the roster: freed at the end of the turn */
    char *endpoint;
    char name[PR_LINK_NAME_LEN_MAX + 1];
    char incarnation[PR_INCARNATION_LEN + 1];
    char tag[GW_SID_TAG_MAX + 1];
} neighbour_t;

struct ask {
    pr_timer_t deadline; /* first: the pointers are equal */
    neighbour_t *at;
    ask_t *prev;
    ask_t *next;
    gw_polling_get_t *get;
    int64_t number;
    pr_buf_t *packed; /* waits for the link; NULL: it was sent */
    bool is_post;
    char sid[GW_SID_MAX + 1];
};

struct gw_neighbours {
    pr_loop_t *loop;
    int64_t get_ms;
    neighbour_t **list;
    size_t count;
    pr_map_t *asks; /* by number */
    int64_t serial;
    gw_neighbours_counters_t counters;
    char name[PR_LINK_NAME_LEN_MAX + 1];
    char incarnation[PR_INCARNATION_LEN + 1];
    char identity[PR_LINK_NAME_LEN_MAX + PR_INCARNATION_LEN + 2];
};

/* --- asks --- */

static pr_str_t
s_key(const int64_t *number)
{
    return (pr_str_t) {(const char *) number, sizeof *number};
}

static void
s_free_ask(ask_t *ask)
{
    neighbour_t *at = ask->at;
    pr_wheel_cancel(&ask->deadline);
    if (ask->prev) {
        ask->prev->next = ask->next;
    } else {
        at->asks = ask->next;
    }
    if (ask->next) {
        ask->next->prev = ask->prev;
    }
    (void) pr_map_remove(at->owner->asks, s_key(&ask->number));
    at->owner->counters.waiting--;
    pr_buf_destroy(&ask->packed);
    free(ask);
}

static void
s_answer(ask_t *ask, int status, pr_str_t body)
{
    gw_polling_get_t *get = ask->get;
    s_free_ask(ask);
    get->answer(get, status, body);
}

static void
s_refuse(gw_polling_get_t *get)
{
    get->answer(get, gw_refusal_status(GW_REFUSAL_SESSION), gw_refusal_body(GW_REFUSAL_SESSION));
}

static void
s_give_up(ask_t *ask)
{
    gw_polling_get_t *get = ask->get;
    s_free_ask(ask);
    s_refuse(get);
}

static void
s_on_deadline(pr_timer_t *timer)
{
    ask_t *ask = (ask_t *) timer;
    ask->at->owner->counters.late++;
    s_give_up(ask);
}

/* All that was asked, or only what the owner may have got. */
static void
s_lose_asks(neighbour_t *at, bool all)
{
    ask_t *next = NULL;
    for (ask_t *each = at->asks; each; each = next) {
        next = each->next;
        if (all || !each->packed) {
            at->owner->counters.lost++;
            s_give_up(each);
        }
    }
}

static void
s_transmit(ask_t *ask)
{
    neighbour_t *at = ask->at;
    if (!at->open || !ask->packed) {
        return;
    }
    if (pr_link_send_packed(pr_dealer_link(at->dealer), pr_buf_str(ask->packed)) == 0) {
        pr_buf_destroy(&ask->packed);
        pr_loop_arm(at->owner->loop, &ask->deadline,
                    ask->is_post ? PR_FORWARD_MS : at->owner->get_ms);
    }
}

/* --- the links' events --- */

static void
s_writable(void *arg)
{
    const neighbour_t *at = arg;
    for (ask_t *each = at->asks; each; each = each->next) {
        s_transmit(each);
    }
}

static int
s_opened(void *arg, const pr_msg_hello_t *hello)
{
    (void) hello;
    neighbour_t *at = arg;
    if (at->gone) {
        return PR_E_CLOSED;
    }
    at->open = true;
    pr_log_info("neighbour.open", "name=%s inc=%s", at->name, at->incarnation);
    s_writable(at);
    return 0;
}

static void
s_lost(void *arg, int error)
{
    neighbour_t *at = arg;
    if (at->open) {
        at->open = false;
        pr_log_info("neighbour.lost", "name=%s inc=%s why=%s", at->name, at->incarnation,
                    pr_error_name(error));
        s_lose_asks(at, false);
    }
}

static void
s_event(void *arg, const pr_event_t *event)
{
    const neighbour_t *at = arg;
    if (at->gone || event->type != PR_MSG_POLLING_ANSWER) {
        return;
    }
    const pr_msg_polling_answer_t *told = &event->polling_answer;
    const msgpack_object *body = told->body.object;
    ask_t *ask = pr_map_get(at->owner->asks, s_key(&told->req));
    /* One that was aborted, or is not of this neighbour. */
    if (!ask || ask->at != at || body->type != MSGPACK_OBJECT_BIN || told->status < 200 ||
        told->status > 599) {
        return;
    }
    at->owner->counters.answered++;
    s_answer(ask, (int) told->status, (pr_str_t) {body->via.bin.ptr, body->via.bin.size});
}

static const pr_link_ops_t s_link_ops = {
    .open = s_opened,
    .event = s_event,
    .lost = s_lost,
    .writable = s_writable,
};

/* --- the roster --- */

static neighbour_t *
s_find(const gw_neighbours_t *self, pr_str_t tag)
{
    for (size_t i = 0; i < self->count; i++) {
        neighbour_t *each = self->list[i];
        if (!each->gone && pr_str_equal(pr_str(each->tag), tag)) {
            return each;
        }
    }
    return NULL;
}

static void
s_free_neighbour(neighbour_t *at)
{
    pr_dealer_destroy(&at->dealer);
    free(at->endpoint);
    free(at);
}

static bool
s_turn(void *arg)
{
    gw_neighbours_t *self = arg;
    for (size_t i = self->count; i-- > 0;) {
        if (self->list[i]->gone) {
            s_free_neighbour(self->list[i]);
            self->list[i] = self->list[--self->count];
        }
    }
    return false;
}

static void
s_add(gw_neighbours_t *self, const pr_roster_entry_t *entry)
{
    neighbour_t *at = calloc(1, sizeof *at);
    neighbour_t **list = realloc(self->list, (self->count + 1) * sizeof(neighbour_t *));
    if (list) {
        self->list = list;
    }
    if (at) {
        at->endpoint = strdup(entry->endpoint);
    }
    if (!at || !list || !at->endpoint) {
        pr_log_error("neighbour.add", "slot=%d error=nomem", (int) entry->slot);
        free(at);
        return;
    }
    at->owner = self;
    (void) snprintf(at->name, sizeof at->name, "g%d", (int) entry->slot);
    memcpy(at->incarnation, entry->inc, sizeof at->incarnation);
    gw_sid_tag(at->name, at->incarnation, at->tag);
    self->list[self->count++] = at;
}

static const pr_roster_entry_t *
s_entry(const pr_roster_t *roster, const char *incarnation)
{
    for (size_t i = 0; i < pr_roster_gateway_count(roster); i++) {
        const pr_roster_entry_t *entry = pr_roster_gateway_at(roster, i);
        if (strcmp(entry->inc, incarnation) == 0) {
            return entry;
        }
    }
    return NULL;
}

static bool
s_is_known(const gw_neighbours_t *self, const char *incarnation)
{
    for (size_t i = 0; i < self->count; i++) {
        if (!self->list[i]->gone && strcmp(self->list[i]->incarnation, incarnation) == 0) {
            return true;
        }
    }
    return strcmp(self->incarnation, incarnation) == 0;
}

void
gw_neighbours_set_roster(gw_neighbours_t *self, const pr_roster_t *roster)
{
    for (size_t i = 0; i < self->count; i++) {
        neighbour_t *each = self->list[i];
        if (!each->gone && !s_entry(roster, each->incarnation)) {
            each->gone = true;
            each->open = false;
            s_lose_asks(each, true);
        }
    }
    for (size_t i = 0; i < pr_roster_gateway_count(roster); i++) {
        const pr_roster_entry_t *entry = pr_roster_gateway_at(roster, i);
        if (entry->endpoint[0] && !s_is_known(self, entry->inc)) {
            s_add(self, entry);
        }
    }
}

const char *
gw_neighbours_incarnation(const gw_neighbours_t *self, pr_str_t tag)
{
    const neighbour_t *at = s_find(self, tag);
    return at ? at->incarnation : NULL;
}

const char *
gw_neighbours_name(const gw_neighbours_t *self, pr_str_t tag)
{
    const neighbour_t *at = s_find(self, tag);
    return at ? at->name : NULL;
}

/* --- asking --- */

static bool
s_dial(neighbour_t *at)
{
    const gw_neighbours_t *self = at->owner;
    const pr_link_self_t me = {"gateway", self->name, self->incarnation};
    if (!at->dealer) {
        at->dealer = pr_dealer_new(self->loop, at->endpoint, self->identity, &me, &s_link_ops, at);
    }
    if (!at->dealer) {
        pr_log_error("neighbour.dial", "name=%s endpoint=%s", at->name, at->endpoint);
    }
    return at->dealer != NULL;
}

static void
s_pack(ask_t *ask, pr_str_t body)
{
    pr_buf_t *value = pr_buf_new(body.len + 8);
    pr_event_t event =
        pr_event(ask->is_post ? PR_MSG_POLLING_POST : PR_MSG_POLLING_GET, PR_STR(""));
    ask->packed = value ? pr_buf_new(body.len + 128) : NULL;
    if (!ask->packed) {
        pr_buf_destroy(&value);
        return;
    }
    if (ask->is_post) {
        msgpack_packer packer = pr_packer(value);
        (void) msgpack_pack_bin(&packer, body.len);
        (void) msgpack_pack_bin_body(&packer, body.ptr, body.len);
        event.polling_post.req = ask->number;
        event.polling_post.sid = pr_str(ask->sid);
        event.polling_post.body.raw = pr_buf_str(value);
    } else {
        event.polling_get.req = ask->number;
        event.polling_get.sid = pr_str(ask->sid);
    }
    pr_event_pack(&event, ask->packed);
    if (pr_buf_failed(value) || pr_buf_failed(ask->packed)) {
        pr_buf_destroy(&ask->packed);
    }
    pr_buf_destroy(&value);
}

static ask_t *
s_new_ask(neighbour_t *at, pr_str_t sid, pr_str_t body, gw_polling_get_t *get)
{
    gw_neighbours_t *self = at->owner;
    bool full = pr_map_count(self->asks) >= PR_FORWARDS_MAX;
    ask_t *ask = full ? NULL : calloc(1, sizeof *ask);
    if (!ask) {
        return NULL;
    }
    ask->at = at;
    ask->get = get;
    ask->number = ++self->serial;
    ask->is_post = body.ptr != NULL;
    ask->deadline.fire = s_on_deadline;
    (void) snprintf(ask->sid, sizeof ask->sid, "%.*s", PR_STR_ARG(sid));
    s_pack(ask, body);
    if (!ask->packed || pr_map_set(self->asks, s_key(&ask->number), ask) != 0) {
        pr_buf_destroy(&ask->packed);
        free(ask);
        return NULL;
    }
    ask->next = at->asks;
    if (at->asks) {
        at->asks->prev = ask;
    }
    at->asks = ask;
    self->counters.waiting++;
    return ask;
}

int64_t
gw_neighbours_ask(
    gw_neighbours_t *self, pr_str_t tag, pr_str_t sid, pr_str_t body, gw_polling_get_t *get)
{
    neighbour_t *at = sid.len <= GW_SID_MAX ? s_find(self, tag) : NULL;
    if (!at || !s_dial(at)) {
        s_refuse(get);
        return 0;
    }
    ask_t *ask = s_new_ask(at, sid, body, get);
    if (!ask) {
        self->counters.refused++;
        get->answer(get, 503, PR_STR(""));
        return 0;
    }
    self->counters.asked++;
    pr_loop_arm(self->loop, &ask->deadline, PR_FORWARD_MS);
    s_transmit(ask);
    return ask->number;
}

void
gw_neighbours_abort(gw_neighbours_t *self, int64_t number)
{
    ask_t *ask = pr_map_get(self->asks, s_key(&number));
    if (!ask) {
        return;
    }
    self->counters.aborted++;
    if (!ask->packed && ask->at->open && !ask->is_post) {
        pr_event_t event = pr_event(PR_MSG_POLLING_ABORT, PR_STR(""));
        event.polling_abort.req = number;
        event.polling_abort.sid = pr_str(ask->sid);
        int error = pr_link_send(pr_dealer_link(ask->at->dealer), &event);
        /* Not told, its owner hears of it by the next ping that it can not send. */
        (void) error;
    }
    s_free_ask(ask);
}

const gw_neighbours_counters_t *
gw_neighbours_counters(const gw_neighbours_t *self)
{
    return &self->counters;
}

/* --- life --- */

gw_neighbours_t *
gw_neighbours_new(const gw_neighbours_options_t *options)
{
    gw_neighbours_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = options->loop;
    self->get_ms = options->get_ms;
    (void) snprintf(self->name, sizeof self->name, "%s", options->name);
    (void) snprintf(self->incarnation, sizeof self->incarnation, "%s", options->incarnation);
    (void) snprintf(self->identity, sizeof self->identity, "%s-%s", self->name, self->incarnation);
    self->asks = pr_map_new(NULL);
    if (!self->asks) {
        free(self);
        return NULL;
    }
    pr_loop_on_turn(self->loop, PR_TURN_THINK, s_turn, self);
    return self;
}

void
gw_neighbours_destroy(gw_neighbours_t **self_p)
{
    PR_ASSERT(self_p);
    gw_neighbours_t *self = *self_p;
    if (!self) {
        return;
    }
    PR_ASSERT(pr_map_count(self->asks) == 0);
    pr_loop_off_turn(self->loop, s_turn, self);
    for (size_t i = 0; i < self->count; i++) {
        s_free_neighbour(self->list[i]);
    }
    pr_map_destroy(&self->asks);
    free(self->list);
    free(self);
    *self_p = NULL;
}
