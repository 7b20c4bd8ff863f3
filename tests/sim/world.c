/* SPDX-License-Identifier: MIT */

#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/assert.h"
#include "proto/base/clock.h"
#include "tests/sim/client_model.h"
#include "tests/sim/gateway_model.h"
#include "tests/sim/net_model.h"
#include "tests/sim/redis_model.h"
#include "tests/sim/socket_model.h"
#include "tests/sim/supervisor_model.h"

/* The longest lag of a roster, and the time in which an owner asks whether it still is. */
#define SETTLED_MS 10500

static const char s_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int64_t
s_below(int64_t limit)
{
    return sim_chance_below(&sim_scene.plot, limit);
}

static void
s_create_again(sim_alarm_t *alarm);

/* --- polls and people --- */

static void
s_draw(char *out, size_t len, int64_t letters)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = s_letters[s_below(i ? letters : 26)];
    }
    out[len] = '\0';
}

static void
s_make_poll(sim_world_t *world, sim_poll_t *poll)
{
    poll->world = world;
    poll->again.ring = s_create_again;
    s_draw(poll->id, PR_POLL_ID_LEN, 26);
    s_draw(poll->admin, PR_USER_ID_LEN, 64);
    s_draw(poll->nonce, 20, 64);
    poll->votes = 1 + s_below(PR_VOTES_MAX);
    /* Some end while we look. */
    int64_t life_ms = sim_chance_percent(&sim_scene.plot, 12) ? 8000 + s_below(30000) : 3600000;
    poll->ends_at = sim_wall_ms() + life_ms;
    poll->is_open = sim_chance_percent(&sim_scene.plot, 30);
}

/* The first of a poll is its admin; some are second tabs of somebody. */
static void
s_make_client(sim_world_t *self, sim_poll_t *poll, int number)
{
    sim_client_t *client = sim_client_new(self, poll, number);
    sim_client_t *twin = NULL;
    bool is_first = true;
    for (size_t i = 0; i < self->client_count; i++) {
        is_first = is_first && self->clients[i]->poll != poll;
        if (self->clients[i]->poll == poll && sim_chance_percent(&sim_scene.plot, 20)) {
            twin = self->clients[i];
        }
    }
    if (is_first) {
        memcpy(client->user, poll->admin, sizeof client->user);
    } else if (twin) {
        memcpy(client->user, twin->user, sizeof client->user);
        memcpy(client->name, twin->name, sizeof client->name);
    } else {
        s_draw(client->user, PR_USER_ID_LEN, 64);
    }
    self->clients[self->client_count++] = client;
}

static void
s_on_created(void *arg, const pr_msg_reply_t *reply, int error)
{
    sim_poll_t *poll = arg;
    pr_str_t code = reply ? reply->code : pr_str(pr_error_name(error));
    sim_trace("MAKER of %s hears %.*s", poll->id, PR_STR_ARG(code));
    poll->is_created = poll->is_created || pr_str_equal(code, PR_STR("ok"));
}

static void
s_ask_to_create(const sim_poll_t *poll, gw_hosts_t *hosts)
{
    pr_event_t event = pr_event(PR_MSG_CREATE, pr_str(poll->id));
    event.create.topic = PR_STR("Where do we eat?");
    event.create.votes = poll->votes;
    event.create.admin = pr_str(poll->admin);
    event.create.ends_at = poll->ends_at;
    event.create.nonce = pr_str(poll->nonce);
    if (poll->is_open) {
        event.create.ballots = PR_STR("open");
    }
    sim_trace("MAKER creates %s", poll->id);
    int rc = gw_hosts_request(hosts, &event, s_on_created, (void *) poll, NULL);
    PR_ASSERT(rc == 0);
}

static void
s_create_again(sim_alarm_t *alarm)
{
    sim_poll_t *poll = (sim_poll_t *) alarm;
    if (poll->is_created || sim_wall_ms() >= poll->ends_at) {
        return;
    }
    for (size_t i = 0; i < poll->world->gateway_count; i++) {
        gw_hosts_t *hosts = sim_process_hosts(poll->world->gateways[i]);
        if (hosts) {
            s_ask_to_create(poll, hosts);
            break;
        }
    }
    sim_after(alarm, sim_chance_between(&sim_scene.nature, 1000, 6000) * SIM_MS);
}

void
sim_world_create(sim_poll_t *poll)
{
    sim_after(&poll->again, 0);
}

sim_poll_t *
sim_world_poll(sim_world_t *self, pr_str_t id)
{
    for (size_t i = 0; i < self->poll_count; i++) {
        if (pr_str_equal(pr_str(self->polls[i].id), id)) {
            return &self->polls[i];
        }
    }
    return NULL;
}

sim_stored_t *
sim_world_stored(sim_world_t *self, const sim_poll_t *poll)
{
    return sim_store_find(self->store, pr_str(poll->id));
}

/* --- life --- */

sim_world_t *
sim_world_new(void)
{
    sim_world_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self);
    self->store = sim_store_new();
    sim_redis_open(self->store);
    self->actors_count = (size_t) (1 + s_below(SIM_ACTORS_MAX));
    self->gateway_count = (size_t) (1 + s_below(SIM_GATEWAYS_MAX));
    for (size_t i = 0; i < self->actors_count; i++) {
        self->actors[i] = sim_process_new(SIM_ACTORS, (int) i + 1);
    }
    for (size_t i = 0; i < self->gateway_count; i++) {
        self->gateways[i] = sim_process_new(SIM_GATEWAY, (int) i + 1);
    }
    self->supervisor = sim_supervisor_new(self);
    self->poll_count = (size_t) (1 + s_below(SIM_POLLS_MAX));
    for (size_t i = 0; i < self->poll_count; i++) {
        s_make_poll(self, &self->polls[i]);
    }
    PR_ASSERT(self->poll_count > 0);
    int64_t clients = 2 + s_below(SIM_CLIENTS_MAX - 1);
    for (int i = 0; i < clients; i++) {
        s_make_client(self, &self->polls[i % (int) self->poll_count], i);
    }
    return self;
}

void
sim_world_destroy(sim_world_t **self_p)
{
    sim_world_t *self = *self_p;
    if (!self) {
        return;
    }
    sim_supervisor_destroy(&self->supervisor);
    for (size_t i = 0; i < self->poll_count; i++) {
        sim_agenda_cancel(&self->polls[i].again);
    }
    for (size_t i = 0; i < self->client_count; i++) {
        sim_client_go(self->clients[i], 1006);
    }
    for (size_t i = 0; i < self->gateway_count; i++) {
        sim_process_destroy(&self->gateways[i]);
    }
    for (size_t i = 0; i < self->actors_count; i++) {
        sim_process_destroy(&self->actors[i]);
    }
    sim_sockets_close();
    sim_net_close();
    sim_redis_close();
    for (size_t i = 0; i < self->client_count; i++) {
        sim_client_destroy(&self->clients[i]);
    }
    sim_store_destroy(&self->store);
    free(self);
    *self_p = NULL;
}

bool
sim_world_is_settled(const sim_world_t *self)
{
    return !self->had_pause && sim_supervisor_quiet_ms(self->supervisor) > SETTLED_MS;
}

void
sim_world_run(sim_world_t *self, int64_t for_ms)
{
    (void) self;
    int64_t until_us = sim_now_us() + for_ms * SIM_MS;
    while (!sim_has_failed() && sim_agenda_step(sim_scene.agenda, until_us)) {
        sim_scene.steps++;
    }
}
