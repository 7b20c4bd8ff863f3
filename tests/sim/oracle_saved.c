/* SPDX-License-Identifier: MIT */

/* What the server accepts must be a poll whose rules were kept; what is acknowledged must be in
 * it. */

#include "tests/sim/oracle.h"

#include <math.h>
#include <string.h>

#include "tests/sim/merge.h"

static const json_t *
s_get(const json_t *document, const char *name)
{
    return json_object_get(document, name);
}

static int64_t
s_version(const json_t *document)
{
    return json_integer_value(s_get(s_get(document, "meta"), "version"));
}

static bool
s_is_state(const json_t *document, const char *state)
{
    const char *text = json_string_value(s_get(s_get(document, "meta"), "state"));
    return text && strcmp(text, state) == 0;
}

/* --- accepted documents --- */

/* Each command nominates a text of its own, so a text that is there twice was applied twice. */
static void
s_check_texts(const json_t *document)
{
    const char *id;
    const char *other_id;
    json_t *nomination;
    json_t *other;
    json_t *all = (json_t *) s_get(document, "nominations");
    json_object_foreach(all, id, nomination)
    {
        json_object_foreach(all, other_id, other)
        {
            if (id != other_id && sim_same(s_get(nomination, "text"), s_get(other, "text"))) {
                sim_fail("a nomination was applied twice: %s",
                         json_string_value(s_get(nomination, "text")));
            }
        }
    }
}

/* A ballot has a voter who is listed, a place in the order, and names what there is. */
static void
s_check_ballots(const json_t *document)
{
    const char *user;
    json_t *ballot;
    json_t *choice;
    size_t index;
    const json_t *seqs = s_get(s_get(document, "meta"), "ballotSeq");
    json_t *rankings = (json_t *) s_get(document, "rankings");
    if (json_object_size(seqs) != json_object_size(rankings)) {
        sim_fail("there are %zu ballots and %zu places for them", json_object_size(rankings),
                 json_object_size(seqs));
    }
    json_object_foreach(rankings, user, ballot)
    {
        if (!s_get(s_get(document, "participants"), user) || !s_get(seqs, user)) {
            sim_fail("a ballot has no voter, or no place: %s", user);
        }
        json_array_foreach(ballot, index, choice)
        {
            if (!s_get(s_get(document, "nominations"), json_string_value(choice))) {
                sim_fail("a ballot names an option that is not there");
            }
        }
    }
    if (json_object_size(rankings) && s_is_state(document, "open")) {
        sim_fail("there are ballots before the vote");
    }
}

static double
s_weight(double votes, size_t place)
{
    return pow((votes - 0.5 * (double) place) / votes, (double) (place + 1));
}

/* The score of one option, counted by hand. */
static double
s_count(const json_t *document, const json_t *option)
{
    double score = 0;
    double votes = (double) json_integer_value(s_get(document, "votesPerVoter"));
    const char *user;
    json_t *ballot;
    json_object_foreach((json_t *) s_get(document, "rankings"), user, ballot)
    {
        for (size_t i = 0; i < json_array_size(ballot); i++) {
            score += sim_same(json_array_get(ballot, i), option) ? s_weight(votes, i) : 0;
        }
    }
    return score;
}

static void
s_check_results(const json_t *document)
{
    const json_t *results = s_get(document, "results");
    double above = INFINITY;
    double total = 0;
    double votes = (double) json_integer_value(s_get(document, "votesPerVoter"));
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *row = json_array_get(results, i);
        double score = json_number_value(s_get(row, "score"));
        double counted = s_count(document, s_get(row, "nominationID"));
        if (fabs(score - counted) > 1e-9 || score > above) {
            sim_fail("the result of an option is %.17g, counted %.17g", score, counted);
        }
        above = score;
        total += score;
    }
    const char *user;
    json_t *ballot;
    json_object_foreach((json_t *) s_get(document, "rankings"), user, ballot)
    {
        for (size_t i = 0; i < json_array_size(ballot); i++) {
            total -= s_weight(votes, i);
        }
    }
    if (fabs(total) > 1e-9) {
        sim_fail("the results are off by %.17g", total);
    }
}

/* What may not change any more. */
static void
s_check_step(const json_t *before, const json_t *after)
{
    if (s_version(after) != s_version(before) + 1) {
        sim_fail("version %lld follows upon %lld", (long long) s_version(after),
                 (long long) s_version(before));
    }
    if (!s_is_state(before, "open") &&
        !sim_same(s_get(before, "nominations"), s_get(after, "nominations"))) {
        sim_fail("the options have changed after the start of the vote");
    }
    if (s_is_state(before, "closed") &&
        !sim_same(s_get(before, "rankings"), s_get(after, "rankings"))) {
        sim_fail("the ballots have changed after the end of the vote");
    }
    if (s_is_state(before, "closed") && !s_is_state(after, "closed")) {
        sim_fail("a closed poll is open again");
    }
}

void
sim_oracle_accepted(const sim_stored_t *stored, const json_t *before, bool is_whole)
{
    const json_t *document = stored->keys.document;
    s_check_texts(document);
    s_check_ballots(document);
    if (s_is_state(document, "closed")) {
        s_check_results(document);
    } else if (json_array_size(s_get(document, "results"))) {
        sim_fail("there are results before the end of the vote");
    }
    if (before && !is_whole) {
        s_check_step(before, document);
    }
}

/* --- answers --- */

static bool
s_is_verb(const sim_command_log_t *command, const char *verb)
{
    return strcmp(command->verb, verb) == 0;
}

/* Whether the text was ever in an accepted document. */
static bool
s_was_nominated(const sim_stored_t *stored, const json_t *text)
{
    for (size_t i = stored->accepted_count; i-- > 0;) {
        const char *id;
        json_t *nomination;
        json_object_foreach((json_t *) s_get(stored->accepted[i].document, "nominations"), id,
                            nomination)
        {
            if (sim_same(s_get(nomination, "text"), text)) {
                return true;
            }
        }
    }
    return false;
}

static bool
s_is_done(const sim_client_t *client, const sim_command_log_t *command, const sim_stored_t *stored)
{
    const sim_accepted_t *accepted = sim_stored_accepted(stored, command->rev);
    const json_t *document = accepted ? accepted->document : NULL;
    const char *target = json_string_value(s_get(command->args, "id"));
    if (s_is_verb(command, "cancel_poll")) {
        return stored->is_ended || stored->ever_forgot;
    }
    if (!document) {
        return false;
    }
    if (s_is_verb(command, "nominate")) {
        return s_was_nominated(stored, s_get(command->args, "text"));
    }
    if (s_is_verb(command, "remove_nomination")) {
        return !s_get(s_get(document, "nominations"), target);
    }
    if (s_is_verb(command, "remove_participant")) {
        return !s_get(s_get(document, "participants"), target);
    }
    if (s_is_verb(command, "start_vote")) {
        return json_is_true(s_get(document, "hasStarted"));
    }
    if (s_is_verb(command, "close_poll")) {
        return s_is_state(document, "closed");
    }
    /* Or the admin has removed the voter in the same turn. */
    return s_get(s_get(document, "rankings"), client->user) ||
           s_get(s_get(s_get(document, "meta"), "removed"), client->user);
}

void
sim_oracle_answered(const sim_client_t *client, const sim_command_log_t *command)
{
    const sim_stored_t *stored = sim_world_stored(client->world, client->poll);
    sim_trace("CLIENT %d is told of %lld: %s", client->number, (long long) command->ack,
              command->outcome == SIM_SAVED  ? "saved"
              : command->outcome == SIM_NONE ? "none"
                                             : "unknown");
    if (command->outcome == SIM_SAVED && (!stored || !s_is_done(client, command, stored))) {
        sim_fail("client %d: %s is called saved in %s, but it is not", client->number,
                 command->verb, pr_rev_format(command->rev).text);
    }
}
