/* SPDX-License-Identifier: MIT */

/* At the end: what was called saved is there, once; what was refused is not, and never was. */

#include "tests/sim/oracle.h"

#include <string.h>

#include "tests/sim/merge.h"

static const json_t *
s_get(const json_t *document, const char *name)
{
    return json_object_get(document, name);
}

/* The id under which a text stands, NULL if it does not. */
static const char *
s_find_text(const json_t *document, const json_t *text)
{
    const char *id;
    json_t *nomination;
    json_object_foreach((json_t *) s_get(document, "nominations"), id, nomination)
    {
        if (sim_same(s_get(nomination, "text"), text)) {
            return id;
        }
    }
    return NULL;
}

/* A nomination comes at most once, stays until it is removed, and does not come again. */
static void
s_check_nomination(const sim_client_t *client,
                   const sim_command_log_t *command,
                   const sim_stored_t *stored)
{
    const json_t *text = s_get(command->args, "text");
    bool is_there = false;
    int times = 0;
    for (size_t i = 0; i < stored->accepted_count; i++) {
        const sim_accepted_t *accepted = &stored->accepted[i];
        bool was_there = is_there;
        is_there = s_find_text(accepted->document, text) != NULL;
        times += is_there && !was_there && !(accepted->is_whole && stored->ever_forgot) ? 1 : 0;
    }
    if (times > 1 && !stored->ever_forgot) {
        sim_fail("client %d: nomination %lld came %d times", client->number,
                 (long long) command->ack, times);
    }
    if (times > 0 && command->outcome == SIM_NONE) {
        sim_fail("client %d: nomination %lld was refused, but is saved", client->number,
                 (long long) command->ack);
    }
}

/* Whether some client asked for the removal, or the start of such a thing, of what is not there. */
static bool
s_someone_asked(const sim_world_t *world, const char *verb, const char *target)
{
    for (size_t i = 0; i < world->client_count; i++) {
        const sim_client_t *client = world->clients[i];
        for (size_t k = 0; k < client->command_count; k++) {
            const char *id = json_string_value(s_get(client->commands[k].args, "id"));
            if (strcmp(client->commands[k].verb, verb) == 0 && id && strcmp(id, target) == 0 &&
                client->commands[k].outcome != SIM_NONE) {
                return true;
            }
        }
    }
    return false;
}

static void
s_check_kept(const sim_client_t *client, const sim_command_log_t *command, const json_t *document)
{
    const char *id = json_string_value(command->data);
    if (id && !s_get(s_get(document, "nominations"), id) &&
        !s_someone_asked(client->world, "remove_nomination", id)) {
        sim_fail("client %d: its saved nomination %s is lost", client->number, id);
    }
}

/* --- ballots --- */

static bool
s_is_ballot_of(const sim_command_log_t *command, const json_t *ballot)
{
    return strcmp(command->verb, "submit_rankings") == 0 &&
           sim_same(s_get(command->args, "rankings"), ballot);
}

/* The ballot that stands must be one that the user sent, refused or not, and none older than the
 * last acknowledged one of the same socket: what an older socket had sent may come late, out of a
 * gateway that stood still. */
static void
s_check_ballot(const sim_world_t *world, const sim_client_t *client, const json_t *document)
{
    const json_t *ballot = s_get(s_get(document, "rankings"), client->user);
    const sim_command_log_t *last = NULL;
    for (size_t k = 0; k < client->command_count; k++) {
        const sim_command_log_t *command = &client->commands[k];
        if (strcmp(command->verb, "submit_rankings") == 0 && command->outcome == SIM_SAVED) {
            last = command;
        }
    }
    bool gone = !s_get(s_get(document, "participants"), client->user);
    if (!last || gone) {
        return;
    }
    if (!ballot) {
        sim_fail("client %d: its saved ballot is lost", client->number);
        return;
    }
    /* It, or any that may have come after it. */
    for (size_t i = 0; i < world->client_count; i++) {
        const sim_client_t *other = world->clients[i];
        for (size_t k = 0; strcmp(other->user, client->user) == 0 && k < other->command_count;
             k++) {
            const sim_command_log_t *command = &other->commands[k];
            bool is_later = other != client || command >= last || command->socket != last->socket;
            if (is_later && command->outcome != SIM_NONE && s_is_ballot_of(command, ballot)) {
                return;
            }
        }
    }
    sim_fail("client %d: the ballot that stands is not its last saved one", client->number);
}

/* --- all --- */

static void
s_check_answered(const sim_client_t *client)
{
    for (size_t k = 0; k < client->command_count; k++) {
        const sim_command_log_t *command = &client->commands[k];
        if (!command->answered_ms && client->socket && command->socket == client->sockets &&
            sim_client_is_in(client)) {
            sim_fail("client %d: %s (%lld) is never answered", client->number, command->verb,
                     (long long) command->ack);
        }
    }
}

/* The store went back in time, and it is not sure that whoever knew better lived to tell it. */
static bool
s_may_be_lost(const sim_world_t *world, const sim_stored_t *stored)
{
    return stored->forgot || (stored->ever_forgot && (world->owners_changed || stored->is_ended));
}

static void
s_check_client(const sim_world_t *world, const sim_client_t *client)
{
    const sim_stored_t *stored = sim_world_stored(client->world, client->poll);
    bool is_owed = stored && stored->keys.document && !s_may_be_lost(world, stored);
    s_check_answered(client);
    for (size_t k = 0; stored && k < client->command_count; k++) {
        const sim_command_log_t *command = &client->commands[k];
        bool is_nomination = strcmp(command->verb, "nominate") == 0;
        if (is_nomination) {
            s_check_nomination(client, command, stored);
        }
        if (is_nomination && command->outcome == SIM_SAVED && is_owed) {
            s_check_kept(client, command, stored->keys.document);
        }
    }
    if (is_owed) {
        s_check_ballot(world, client, stored->keys.document);
    }
}

void
sim_oracle_commands(sim_world_t *world)
{
    for (size_t i = 0; i < world->client_count; i++) {
        s_check_client(world, world->clients[i]);
    }
}
