/* SPDX-License-Identifier: MIT */

#include "gateway/hosts.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/wire/dealer.h"
#include "proto/wire/limits.h"
#include "proto/wire/placement.h"

/* One incarnation of an actors process. */
typedef struct {
    gw_hosts_t *hosts;
    pr_dealer_t *dealer;
    int slot;
    bool open;
    bool gone; /* out of the roster: freed at the end of the turn */
    char incarnation[PR_INCARNATION_LEN + 1];
} host_t;

struct gw_hosts {
    pr_loop_t *loop;
    const gw_hosts_ops_t *ops;
    void *arg;
    gw_requests_t *requests;
    pr_roster_t *roster;
    host_t **list;
    size_t count;
    bool flush;              /* requests that wait may have a way now */
    pr_link_counters_t gone; /* of links that are no more */
    char name[PR_LINK_NAME_LEN_MAX + 1];
    char incarnation[PR_INCARNATION_LEN + 1];
    char identity[PR_LINK_NAME_LEN_MAX + PR_INCARNATION_LEN + 2];
};

/* --- the links' events --- */

static int
s_opened(void *arg, const pr_msg_hello_t *hello)
{
    (void) hello;
    host_t *host = arg;
    if (host->gone) {
        return PR_E_CLOSED;
    }
    host->open = true;
    pr_log_info("actors.open", "slot=%d inc=%s", host->slot, host->incarnation);
    host->hosts->ops->opened(host->hosts->arg, host->slot);
    /* After the SYNC of the polls, so that a command's conn is known there. */
    host->hosts->flush = true;
    return 0;
}

static void
s_close(host_t *host, int error)
{
    if (!host->open) {
        return;
    }
    host->open = false;
    pr_log_info("actors.lost", "slot=%d inc=%s why=%s", host->slot, host->incarnation,
                pr_error_name(error));
    gw_requests_lost(host->hosts->requests, host->slot);
    host->hosts->ops->lost(host->hosts->arg, host->slot);
}

static void
s_lost(void *arg, int error)
{
    s_close(arg, error);
}

static void
s_event(void *arg, const pr_event_t *event)
{
    host_t *host = arg;
    gw_hosts_t *self = host->hosts;
    if (host->gone || event->type == PR_MSG_BEAT) {
        return;
    }
    if (event->type != PR_MSG_REPLY) {
        self->ops->event(self->arg, host->slot, event);
    } else if (!gw_requests_reply(self->requests, &event->reply)) {
        pr_log_debug("reply.late", "slot=%d", host->slot);
    } else {
        /* The one that was answered `moved` waits for another way. */
        self->flush = true;
    }
}

static void
s_writable(void *arg)
{
    host_t *host = arg;
    host->hosts->ops->writable(host->hosts->arg, host->slot);
    host->hosts->flush = true;
}

static const pr_link_ops_t s_link_ops = {
    .open = s_opened,
    .event = s_event,
    .lost = s_lost,
    .writable = s_writable,
};

/* --- sending --- */

static host_t *
s_host(const gw_hosts_t *self, int slot)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->list[i]->slot == slot && !self->list[i]->gone) {
            return self->list[i];
        }
    }
    return NULL;
}

static host_t *
s_host_of(const gw_hosts_t *self, pr_str_t poll)
{
    int slot = gw_hosts_slot_of(self, poll);
    host_t *host = slot < 0 ? NULL : s_host(self, slot);
    return host && host->open ? host : NULL;
}

static int
s_transmit(void *arg, pr_str_t poll, pr_str_t packed, int *slot)
{
    gw_hosts_t *self = arg;
    host_t *host = s_host_of(self, poll);
    if (!host || (self->ops->is_told && !self->ops->is_told(self->arg, poll))) {
        return PR_E_UNREACHABLE;
    }
    *slot = host->slot;
    return pr_link_send_packed(pr_dealer_link(host->dealer), packed);
}

void
gw_hosts_told(gw_hosts_t *self)
{
    self->flush = true;
}

int
gw_hosts_send(gw_hosts_t *self, const pr_event_t *event)
{
    host_t *host = s_host_of(self, event->poll);
    return host ? pr_link_send(pr_dealer_link(host->dealer), event) : PR_E_UNREACHABLE;
}

int
gw_hosts_request(
    gw_hosts_t *self, const pr_event_t *event, gw_reply_t done, void *arg, int64_t *handle)
{
    return gw_requests_add(self->requests, event, done, arg, handle);
}

void
gw_hosts_cancel(gw_hosts_t *self, int64_t handle)
{
    gw_requests_cancel(self->requests, handle);
}

/* --- the roster --- */

static void
s_add(pr_link_counters_t *sum, const pr_link_counters_t *more)
{
    sum->sent_messages += more->sent_messages;
    sum->sent_events += more->sent_events;
    sum->received_messages += more->received_messages;
    sum->received_events += more->received_events;
    sum->duplicates += more->duplicates;
    sum->gaps += more->gaps;
    sum->malformed += more->malformed;
    sum->misdirected += more->misdirected;
    sum->unknown_types += more->unknown_types;
    sum->refused_busy += more->refused_busy;
    sum->sessions += more->sessions;
    sum->transmit_failures += more->transmit_failures;
}

static void
s_free_host(host_t *host)
{
    s_add(&host->hosts->gone, pr_link_counters(pr_dealer_link(host->dealer)));
    pr_dealer_destroy(&host->dealer);
    free(host);
}

static bool
s_turn(void *arg)
{
    gw_hosts_t *self = arg;
    for (size_t i = self->count; i-- > 0;) {
        if (self->list[i]->gone) {
            s_free_host(self->list[i]);
            self->list[i] = self->list[--self->count];
        }
    }
    if (self->flush) {
        self->flush = false;
        gw_requests_flush(self->requests);
    }
    return false;
}

static void
s_dial(gw_hosts_t *self, const pr_roster_entry_t *entry)
{
    host_t *host = calloc(1, sizeof *host);
    host_t **list = realloc(self->list, (self->count + 1) * sizeof(host_t *));
    if (list) {
        self->list = list;
    }
    if (!host || !list) {
        free(host);
        pr_log_error("actors.dial", "slot=%d error=nomem", (int) entry->slot);
        return;
    }
    host->hosts = self;
    host->slot = (int) entry->slot;
    memcpy(host->incarnation, entry->inc, sizeof host->incarnation);
    pr_link_self_t me = {.role = "gateway", .name = self->name, .incarnation = self->incarnation};
    host->dealer =
        pr_dealer_new(self->loop, entry->endpoint, self->identity, &me, &s_link_ops, host);
    if (!host->dealer) {
        pr_log_error("actors.dial", "slot=%d endpoint=%s", host->slot, entry->endpoint);
        free(host);
        return;
    }
    self->list[self->count++] = host;
}

static void
s_hang_up(host_t *host)
{
    host->gone = true;
    s_close(host, PR_E_CLOSED);
}

void
gw_hosts_set_roster(gw_hosts_t *self, pr_roster_t **roster_p)
{
    pr_roster_destroy(&self->roster);
    self->roster = *roster_p;
    *roster_p = NULL;
    for (size_t i = 0; i < self->count; i++) {
        host_t *host = self->list[i];
        const pr_roster_entry_t *entry = pr_roster_actors(self->roster, host->slot);
        if (!host->gone && (!entry || strcmp(entry->inc, host->incarnation) != 0)) {
            s_hang_up(host);
        }
    }
    for (size_t i = 0; i < pr_roster_actors_count(self->roster); i++) {
        const pr_roster_entry_t *entry = pr_roster_actors_at(self->roster, i);
        if (entry->up && !s_host(self, (int) entry->slot)) {
            s_dial(self, entry);
        }
    }
    self->ops->moved(self->arg);
    self->flush = true;
}

int64_t
gw_hosts_generation(const gw_hosts_t *self)
{
    return self->roster ? pr_roster_generation(self->roster) : 0;
}

int
gw_hosts_slot_of(const gw_hosts_t *self, pr_str_t poll)
{
    const pr_roster_entry_t *entry = self->roster ? pr_placement(poll, self->roster) : NULL;
    return entry ? (int) entry->slot : -1;
}

bool
gw_hosts_is_open(const gw_hosts_t *self, int slot)
{
    const host_t *host = s_host(self, slot);
    return host && host->open;
}

bool
gw_hosts_are_ready(const gw_hosts_t *self)
{
    if (!self->roster) {
        return false;
    }
    for (size_t i = 0; i < pr_roster_actors_count(self->roster); i++) {
        const pr_roster_entry_t *entry = pr_roster_actors_at(self->roster, i);
        if (entry->up && !gw_hosts_is_open(self, (int) entry->slot)) {
            return false;
        }
    }
    return true;
}

pr_link_counters_t
gw_hosts_counters(const gw_hosts_t *self)
{
    pr_link_counters_t sum = self->gone;
    for (size_t i = 0; i < self->count; i++) {
        s_add(&sum, pr_link_counters(pr_dealer_link(self->list[i]->dealer)));
    }
    return sum;
}

/* --- life --- */

gw_hosts_t *
gw_hosts_new(pr_loop_t *loop,
             const char *name,
             const char *incarnation,
             const gw_hosts_ops_t *ops,
             void *arg)
{
    gw_hosts_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->ops = ops;
    self->arg = arg;
    (void) snprintf(self->name, sizeof self->name, "%s", name);
    (void) snprintf(self->incarnation, sizeof self->incarnation, "%s", incarnation);
    (void) snprintf(self->identity, sizeof self->identity, "%s-%s", self->name, self->incarnation);
    self->requests = gw_requests_new(loop, s_transmit, self);
    if (!self->requests) {
        free(self);
        return NULL;
    }
    pr_loop_on_turn(loop, PR_TURN_THINK, s_turn, self);
    return self;
}

void
gw_hosts_destroy(gw_hosts_t **self_p)
{
    PR_ASSERT(self_p);
    gw_hosts_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_loop_off_turn(self->loop, s_turn, self);
    for (size_t i = 0; i < self->count; i++) {
        self->list[i]->gone = true;
        self->list[i]->open = false;
        s_free_host(self->list[i]);
    }
    gw_requests_destroy(&self->requests);
    pr_roster_destroy(&self->roster);
    free(self->list);
    free(self);
    *self_p = NULL;
}
