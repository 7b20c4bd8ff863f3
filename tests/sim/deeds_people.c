/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <string.h>

#include "tests/sim/client_model.h"
#include "tests/sim/deeds.h"

static int64_t
s_below(int64_t limit)
{
    return sim_chance_below(&sim_scene.plot, limit);
}

static sim_client_t *
s_anyone(sim_world_t *world)
{
    return world->clients[s_below((int64_t) world->client_count)];
}

/* --- coming and going --- */

static int
s_code(void)
{
    static const int codes[] = {1000, 1001, 1006, 0, 1006, 1001, -1};
    return codes[s_below(sizeof codes / sizeof codes[0])];
}

void
sim_deed_people(sim_world_t *world)
{
    sim_client_t *client = s_anyone(world);
    if (!client->wants) {
        sim_client_come(client);
        return;
    }
    switch (s_below(5)) {
    case 0:
        sim_client_go(client, s_code());
        break;
    case 1:
    case 2:
        sim_client_leave_for(client, s_code(), s_below(2) ? s_below(300) : s_below(7000));
        break;
    case 3:
        sim_client_dawdle(client, s_below(6000));
        break;
    default:
        sim_deed_command(world);
    }
}

/* --- commands --- */

/* A key of the object, NULL if there is none. */
static const char *
s_any_key(const json_t *object)
{
    int64_t left = json_object_size(object) ? s_below((int64_t) json_object_size(object)) : -1;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *) object, key, value)
    {
        if (left-- == 0) {
            return key;
        }
    }
    return NULL;
}

static json_t *
s_target(const sim_client_t *client, const char *what)
{
    const char *id = s_any_key(json_object_get(client->document, what));
    return json_pack("{s:s}", "id", id ? id : "Nobody00");
}

static json_t *
s_text(const sim_client_t *client)
{
    char text[48];
    (void) snprintf(text, sizeof text, "n%d.%lld é", client->number, (long long) client->acks + 1);
    return json_pack("{s:s}", "text", text);
}

static bool
s_holds(const json_t *list, const char *text)
{
    bool holds = false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        holds = holds || strcmp(json_string_value(json_array_get(list, i)), text) == 0;
    }
    return holds;
}

static json_t *
s_rankings(const sim_client_t *client)
{
    json_t *list = json_array();
    for (int64_t left = 1 + s_below(3); left > 0; left--) {
        const char *id = s_any_key(json_object_get(client->document, "nominations"));
        if (id && !s_holds(list, id) && (int64_t) json_array_size(list) < client->poll->votes) {
            (void) json_array_append_new(list, json_string(id));
        }
    }
    return json_pack("{s:o}", "rankings", list);
}

/* Admins do most of what only they may; sometimes others try. */
static void
s_command_of_admin(sim_client_t *client)
{
    switch (s_below(12)) {
    case 0:
    case 1:
        sim_client_ask(client, "remove_nomination", s_target(client, "nominations"));
        break;
    case 2:
        sim_client_ask(client, "remove_participant", s_target(client, "participants"));
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        sim_client_ask(client, "start_vote", NULL);
        break;
    case 7:
    case 8:
        sim_client_ask(client, "close_poll", NULL);
        break;
    case 9:
        if (s_below(3) == 0) {
            sim_client_ask(client, "cancel_poll", NULL);
        }
        break;
    default:
        sim_client_ask(client, "nominate", s_text(client));
    }
}

/* Everybody at once, some more than they may. */
static void
s_storm(sim_world_t *world)
{
    for (int64_t left = 5 + s_below(25); left > 0; left--) {
        sim_deed_command(world);
    }
}

static void
s_one_command(sim_client_t *client)
{
    bool is_bold = s_below(12) == 0;
    if ((sim_client_is_admin(client) && s_below(2)) || is_bold) {
        s_command_of_admin(client);
    } else if (s_below(8) == 0) {
        sim_client_dance(client);
    } else {
        const char *state = json_string_value(json_object_get(client->document, "state"));
        bool is_open = state && state[0] == 'o';
        if (is_open ? s_below(5) : s_below(5) == 0) {
            sim_client_ask(client, "nominate", s_text(client));
        } else {
            sim_client_ask(client, "submit_rankings", s_rankings(client));
        }
    }
}

void
sim_deed_command(sim_world_t *world)
{
    if (s_below(60) == 0) {
        s_storm(world);
        return;
    }
    sim_client_t *client = s_anyone(world);
    /* Some are quick: 40 in a row are more than anybody may. */
    for (int64_t times = s_below(50) ? 1 : s_below(40); times > 0; times--) {
        s_one_command(client);
    }
}
