/* SPDX-License-Identifier: MIT */

/* Shown means saved; you are in what you see; the order. */

#include "tests/sim/oracle.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/merge.h"

/* --- public documents --- */

static json_t *
s_hidden(const json_t *rankings)
{
    json_t *hidden = json_object();
    const char *user;
    json_t *ballot;
    json_object_foreach((json_t *) rankings, user, ballot)
    {
        (void) json_object_set_new(hidden, user, json_array());
    }
    return hidden;
}

static void
s_copy(json_t *to, const json_t *from, const char *name)
{
    (void) json_object_set(to, name, json_object_get(from, name));
}

json_t *
sim_public(const json_t *stored)
{
    static const char *const members[] = {"id",          "topic",   "votesPerVoter", "participants",
                                          "nominations", "results", "adminID",       "hasStarted"};
    const json_t *meta = json_object_get(stored, "meta");
    const json_t *rankings = json_object_get(stored, "rankings");
    const char *ballots = json_string_value(json_object_get(meta, "ballots"));
    json_t *shown = json_object();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        s_copy(shown, stored, members[i]);
    }
    s_copy(shown, meta, "version");
    s_copy(shown, meta, "rev");
    s_copy(shown, meta, "state");
    s_copy(shown, meta, "endsAt");
    if (ballots && strcmp(ballots, "open") == 0) {
        s_copy(shown, stored, "rankings");
    } else {
        (void) json_object_set_new(shown, "rankings", s_hidden(rankings));
    }
    return shown;
}

static const json_t *
s_ballot(const json_t *document, const char *user)
{
    return json_object_get(json_object_get(document, "rankings"), user);
}

bool
sim_is_shown_as(const json_t *shown, const json_t *stored, const json_t *saved, const char *user)
{
    json_t *public = sim_public(stored);
    const json_t *own = s_ballot(shown, user);
    if (own && saved && s_ballot(stored, user) && sim_same(own, saved)) {
        json_t *rankings = json_copy(json_object_get(public, "rankings"));
        (void) json_object_set(rankings, user, (json_t *) own);
        (void) json_object_set_new(public, "rankings", rankings);
    }
    bool same = sim_same(shown, public);
    json_decref(public);
    return same;
}

/* --- what a client is shown --- */

static bool
s_was_removed(const json_t *stored, const char *user)
{
    const json_t *meta = json_object_get(stored, "meta");
    return json_object_get(json_object_get(meta, "removed"), user) != NULL;
}

static void
s_say_difference(const sim_client_t *client, const json_t *stored)
{
    json_t *public = sim_public(stored);
    char *shown = json_dumps(client->document, JSON_COMPACT | JSON_SORT_KEYS);
    char *saved = json_dumps(public, JSON_COMPACT | JSON_SORT_KEYS);
    sim_trace("shown %s", shown);
    sim_trace("saved %s", saved);
    free(shown);
    free(saved);
    json_decref(public);
}

/* The client's ballot as it is shown, if it was ever saved: behind a full window it may come before
 * the document that has it, or after a newer one. */
static const json_t *
s_own(const sim_client_t *client, const sim_stored_t *stored)
{
    const json_t *shown = s_ballot(client->document, client->user);
    for (size_t i = stored->accepted_count; shown && i-- > 0;) {
        const json_t *saved = s_ballot(stored->accepted[i].document, client->user);
        if (saved && sim_same(saved, shown)) {
            return saved;
        }
    }
    return NULL;
}

/*
 * A socket never goes back. A client that comes again does not either, unless it meets a gateway
 * and an actors process that both have not heard yet that the poll has moved.
 */
void
sim_oracle_shown(const sim_client_t *client)
{
    const sim_stored_t *stored = sim_world_stored(client->world, client->poll);
    const sim_accepted_t *accepted = stored ? sim_stored_accepted(stored, client->rev) : NULL;
    const char *rev = json_string_value(json_object_get(client->document, "rev"));
    if (!accepted) {
        sim_fail("client %d is shown %s, which was never saved", client->number, rev);
        return;
    }
    if (!sim_is_shown_as(client->document, accepted->document, s_own(client, stored),
                         client->user)) {
        s_say_difference(client, accepted->document);
        sim_fail("client %d is shown as %s what is not that document", client->number, rev);
    }
    const json_t *users = json_object_get(client->document, "participants");
    if (!json_object_get(users, client->user) && !s_was_removed(accepted->document, client->user)) {
        sim_fail("client %d is shown %s, where it is not in", client->number, rev);
    }
    bool is_owed = !stored->ever_forgot && sim_world_is_settled(client->world);
    if (client->rev.version < client->newest.version && is_owed) {
        sim_fail("client %d sees the version fall from %lld to %lld", client->number,
                 (long long) client->newest.version, (long long) client->rev.version);
    }
}

void
sim_oracle_fell(const sim_client_t *client, pr_rev_t to)
{
    const sim_stored_t *stored = sim_world_stored(client->world, client->poll);
    if (!stored || !stored->ever_forgot) {
        sim_fail("client %d: its socket goes from version %lld back to %lld", client->number,
                 (long long) client->rev.version, (long long) to.version);
    }
}

/* --- endings --- */

static bool
s_any_removed(const sim_stored_t *stored, const char *user)
{
    for (size_t i = 0; stored && i < stored->accepted_count; i++) {
        if (s_was_removed(stored->accepted[i].document, user)) {
            return true;
        }
    }
    return false;
}

/* Whether its admin has asked for the end: newcomers are refused from then on. */
static bool
s_is_ending(const sim_world_t *world, const sim_poll_t *poll)
{
    for (size_t i = 0; i < world->client_count; i++) {
        const sim_client_t *client = world->clients[i];
        for (size_t k = 0; client->poll == poll && k < client->command_count; k++) {
            if (strcmp(client->commands[k].verb, "cancel_poll") == 0 &&
                sim_client_is_admin(client)) {
                return true;
            }
        }
    }
    return false;
}

/* A refusal without a reason comes of a conn that the actor does not know: it was kicked, the
 * poll is just moving, or by a mistake of ours. */
void
sim_oracle_refused(const sim_client_t *client, const json_t *message)
{
    const sim_stored_t *stored = sim_world_stored(client->world, client->poll);
    const char *text = json_string_value(message);
    bool is_owed = sim_world_is_settled(client->world) && !s_any_removed(stored, client->user);
    if (text && strcmp(text, "Bad Request") == 0 && is_owed) {
        sim_fail("client %d: a command is refused without a reason", client->number);
    }
}

bool
sim_oracle_is_over(const sim_client_t *client)
{
    const sim_stored_t *stored = sim_world_stored(client->world, client->poll);
    return !stored || s_is_ending(client->world, client->poll) || stored->is_ended ||
           stored->ever_forgot || sim_wall_ms() >= client->poll->ends_at ||
           stored->accepted_count == 0;
}

void
sim_oracle_shut_out(const sim_client_t *client, const char *why)
{
    const sim_stored_t *stored = sim_world_stored(client->world, client->poll);
    bool legitimate = false;
    if (strcmp(why, "kicked") == 0 || strcmp(why, "Removed from the poll") == 0) {
        legitimate = s_any_removed(stored, client->user);
    } else if (strcmp(why, "cancelled") == 0 || strcmp(why, "Poll not found") == 0) {
        legitimate = sim_oracle_is_over(client);
    } else if (strcmp(why, "FORBIDDEN") == 0) {
        legitimate = sim_wall_ms() >= client->poll->ends_at / 1000 * 1000;
    }
    if (!legitimate) {
        sim_fail("client %d is shut out (\"%s\") for no reason", client->number, why);
    }
}
