/* SPDX-License-Identifier: MIT */

/* When all is quiet: server, actors and clients have one document, and its participants are those
 * who are there. */

#include "tests/sim/oracle.h"

#include <stdlib.h>
#include <string.h>

#include "proto/wire/json.h"
#include "tests/sim/merge.h"

/* What READ answered, for each poll. */
static struct {
    json_t *document;
    char code[24];
} s_read[SIM_POLLS_MAX];

static void
s_on_read(void *arg, const pr_msg_reply_t *reply, int error)
{
    size_t index = (size_t) (uintptr_t) arg;
    pr_str_t code = reply ? reply->code : pr_str(pr_error_name(error));
    memcpy(s_read[index].code, code.ptr, code.len < 23 ? code.len : 23);
    const msgpack_object *document = reply && reply->data.object
                                         ? pr_object_member(reply->data.object, PR_STR("document"))
                                         : NULL;
    if (document) {
        pr_buf_t *json = pr_buf_new(1024);
        pr_object_write_json(document, json);
        s_read[index].document =
            json_loadb(pr_buf_data(json), pr_buf_len(json), JSON_ALLOW_NUL, NULL);
        pr_buf_destroy(&json);
    }
}

void
sim_oracle_ask(sim_world_t *world)
{
    for (size_t i = 0; i < SIM_POLLS_MAX; i++) {
        json_decref(s_read[i].document);
        s_read[i].document = NULL;
        memset(s_read[i].code, 0, sizeof s_read[i].code);
    }
    for (size_t i = 0; i < world->poll_count; i++) {
        pr_event_t event = pr_event(PR_MSG_READ, pr_str(world->polls[i].id));
        int rc = gw_hosts_request(sim_process_hosts(world->gateways[0]), &event, s_on_read,
                                  (void *) (uintptr_t) i, NULL);
        PR_ASSERT(rc == 0);
    }
}

/* --- one poll --- */

static bool
s_is_present(const sim_world_t *world, const sim_poll_t *poll, const char *user)
{
    for (size_t i = 0; i < world->client_count; i++) {
        const sim_client_t *client = world->clients[i];
        if (client->poll == poll && sim_client_is_in(client) && strcmp(client->user, user) == 0) {
            return true;
        }
    }
    return false;
}

/* (When the store forgets a removal or an end, sockets that were told of it may stay as ghosts.) */
static void
s_check_participants(const sim_world_t *world, const sim_poll_t *poll, const sim_stored_t *stored)
{
    const json_t *document = stored->keys.document;
    const char *user;
    json_t *name;
    const char *state =
        json_string_value(json_object_get(json_object_get(document, "meta"), "state"));
    json_t *users = json_object_get(document, "participants");
    json_object_foreach(users, user, name)
    {
        if (strcmp(state, "open") == 0 && !stored->ever_forgot &&
            !s_is_present(world, poll, user)) {
            sim_fail("%s: %s is listed, but has no socket any more", poll->id, user);
        }
    }
    for (size_t i = 0; i < world->client_count; i++) {
        const sim_client_t *client = world->clients[i];
        if (client->poll == poll && sim_client_is_in(client) &&
            !json_object_get(users, client->user)) {
            sim_fail("%s: client %d has a socket, but is not listed", poll->id, client->number);
        }
    }
}

static void
s_check_client(const sim_client_t *client, const json_t *document)
{
    if (client->is_out || !client->wants) {
        return;
    }
    if (!sim_client_is_in(client)) {
        sim_fail("client %d does not get in", client->number);
        return;
    }
    const char *rev = json_string_value(json_object_get(json_object_get(document, "meta"), "rev"));
    const json_t *ballot = json_object_get(json_object_get(document, "rankings"), client->user);
    if (!client->document || strcmp(pr_rev_format(client->rev).text, rev) != 0) {
        sim_fail("client %d is left at %s, the poll is at %s", client->number,
                 client->document ? pr_rev_format(client->rev).text : "nothing", rev);
    } else if (!sim_is_shown_as(client->document, document, ballot, client->user)) {
        sim_fail("client %d has another document than the server", client->number);
    }
}

static void
s_check_living(sim_world_t *world, size_t index, const sim_stored_t *stored)
{
    const sim_poll_t *poll = &world->polls[index];
    json_t *public = sim_public(stored->keys.document);
    if (!s_read[index].document) {
        sim_fail("%s: READ is answered \"%s\"", poll->id, s_read[index].code);
    } else if (!sim_same(public, s_read[index].document)) {
        sim_fail("%s: the actor's document is not the server's", poll->id);
    }
    json_decref(public);
    s_check_participants(world, poll, stored);
    for (size_t i = 0; i < world->client_count; i++) {
        if (world->clients[i]->poll == poll) {
            s_check_client(world->clients[i], stored->keys.document);
        }
    }
}

static void
s_check_gone(const sim_world_t *world, size_t index)
{
    const sim_poll_t *poll = &world->polls[index];
    if (strcmp(s_read[index].code, "not_found") != 0) {
        sim_fail("%s is gone, but READ is answered \"%s\"", poll->id, s_read[index].code);
    }
    for (size_t i = 0; i < world->client_count; i++) {
        const sim_client_t *client = world->clients[i];
        if (client->poll == poll && poll->is_created && client->wants && !client->is_out) {
            sim_fail("%s is gone, but client %d is not told", poll->id, client->number);
        }
    }
}

static void
s_check_poll(sim_world_t *world, size_t index)
{
    const sim_poll_t *poll = &world->polls[index];
    sim_stored_t *stored = sim_world_stored(world, poll);
    if (stored) {
        sim_stored_expire(stored);
    }
    bool is_there = stored && stored->keys.document && sim_wall_ms() < poll->ends_at;
    if (is_there) {
        s_check_living(world, index, stored);
    } else {
        s_check_gone(world, index);
        bool may_be_gone = !stored || stored->is_ended || stored->forgot ||
                           sim_wall_ms() >= poll->ends_at || !poll->is_created;
        if (!may_be_gone) {
            sim_fail("%s is lost", poll->id);
        }
    }
}

static void
s_check_counters(sim_world_t *world)
{
    for (size_t i = 0; i < world->actors_count; i++) {
        sim_process_t *actors = world->actors[i];
        if (sim_process_counter(actors, "bugs") ||
            sim_process_counter(actors, "polls_quarantined")) {
            sim_fail("%s has counted bugs", sim_process_name(actors));
        }
    }
}

void
sim_oracle_end(sim_world_t *world)
{
    for (size_t i = 0; i < world->poll_count; i++) {
        s_check_poll(world, i);
    }
    sim_oracle_commands(world);
    s_check_counters(world);
    for (size_t i = 0; i < SIM_POLLS_MAX; i++) {
        json_decref(s_read[i].document);
        s_read[i].document = NULL;
    }
}
