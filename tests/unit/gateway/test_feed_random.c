/* SPDX-License-Identifier: MIT */

/*
 * A feed under thousands of random steps: changes, snapshots, gaps, members that come, go, stall
 * and are unlisted. Every member reads what it gets as a client does, and must never see a document
 * without its user, a version that falls, or a patch that does not fit; in the end all have the
 * newest.
 */

#include <jansson.h>

#include "feed_world.h"
#include "tests/support/seeds.h"

enum { USERS = 8, STEPS = 4000, CLIENTS = MEMBERS_MAX };

/* What a client knows, by its member's index. */
typedef struct {
    json_t *document; /* NULL: not shown one */
    int64_t version;
    bool present;
} reader_t;

typedef struct {
    world_t *world;
    reader_t readers[CLIENTS];
    bool listed[USERS];
    uint64_t seed;
} game_t;

static uint32_t
s_draw(game_t *game, uint32_t below)
{
    game->seed = game->seed * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t) (game->seed >> 33) % below;
}

/* RFC 7396 */
static void
s_merge(json_t *target, const json_t *patch)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *) (uintptr_t) patch, key, value)
    {
        json_t *old = json_object_get(target, key);
        if (json_is_null(value)) {
            (void) json_object_del(target, key);
        } else if (json_is_object(value) && json_is_object(old)) {
            s_merge(old, value);
        } else {
            (void) json_object_set_new(target, key, json_deep_copy(value));
        }
    }
}

static void
s_look(reader_t *reader, const gw_member_t *member)
{
    int64_t version = json_integer_value(json_object_get(reader->document, "version"));
    if (!json_object_get(json_object_get(reader->document, "participants"), member->user)) {
        fail_msg("%s is not in version %lld", member->user, (long long) version);
    }
    if (version <= reader->version) {
        fail_msg("version %lld after %lld", (long long) version, (long long) reader->version);
    }
    reader->version = version;
}

static void
s_read_line(reader_t *reader, const gw_member_t *member, const char *line, size_t len)
{
    size_t head = strlen("42/polls,");
    assert_true(len > head && strncmp(line, "42/polls,", head) == 0);
    json_t *packet = json_loadb(line + head, len - head, 0, NULL);
    assert_non_null(packet);
    const json_t *body = json_array_get(packet, 1);
    if (strcmp(json_string_value(json_array_get(packet, 0)), "poll_updated") == 0) {
        json_decref(reader->document);
        reader->document = json_deep_copy(body);
    } else {
        assert_string_equal(json_string_value(json_object_get(body, "from")),
                            json_string_value(json_object_get(reader->document, "rev")));
        s_merge(reader->document, json_object_get(body, "patch"));
        assert_string_equal(json_string_value(json_object_get(body, "to")),
                            json_string_value(json_object_get(reader->document, "rev")));
    }
    json_decref(packet);
    s_look(reader, member);
}

static void
s_read_all(game_t *game)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        if (!game->readers[i].present) {
            continue;
        }
        gw_member_t *member = &game->world->members[i];
        const char *at = fake_socket_take(member->socket);
        for (const char *end; (end = strchr(at, '\n')); at = end + 1) {
            s_read_line(&game->readers[i], member, at, (size_t) (end - at));
        }
    }
}

static void
s_user(char out[8], size_t index)
{
    (void) snprintf(out, 8, "u%zu", index);
}

static void
s_come(game_t *game, size_t index)
{
    gw_member_t *member = &game->world->members[index];
    *member = (gw_member_t) {.socket = fake_socket_new()};
    (void) snprintf(member->user, sizeof member->user, "u%u", s_draw(game, USERS));
    gw_lane_kind_t lane = s_draw(game, 2) ? GW_LANE_FULL : GW_LANE_PATCH;
    assert_int_equal(gw_feed_add(game->world->feed, member, lane), 0);
    game->readers[index] = (reader_t) {.present = true};
}

static void
s_go(game_t *game, size_t index)
{
    gw_member_t *member = &game->world->members[index];
    gw_feed_remove(member);
    fake_socket_destroy(&member->socket);
    json_decref(game->readers[index].document);
    game->readers[index] = (reader_t) {0};
}

/* What a conn does: shown only once its user is listed, then for good. */
static void
s_step_member(game_t *game)
{
    size_t index = s_draw(game, CLIENTS);
    reader_t *reader = &game->readers[index];
    gw_member_t *member = &game->world->members[index];
    if (!reader->present) {
        s_come(game, index);
        return;
    }
    switch (s_draw(game, 8)) {
    case 0:
        s_read_all(game);
        s_go(game, index);
        break;
    case 1:
    case 2:
        fake_socket_set_blocked(member->socket, true);
        break;
    case 3:
    case 4:
        fake_socket_set_blocked(member->socket, false);
        gw_feed_writable(member);
        break;
    default:
        gw_feed_show(member, PR_STR_NONE);
    }
}

static void
s_toggle(game_t *game)
{
    char change[64];
    char user[8];
    size_t index = s_draw(game, USERS);
    s_user(user, index);
    game->listed[index] = !game->listed[index];
    (void) snprintf(change, sizeof change, "\"participants\":{\"%s\":%s}", user,
                    game->listed[index] ? "\"N\"" : "null");
    assert_int_equal(s_update(game->world, change), 0);
}

static void
s_snapshot(game_t *game)
{
    char participants[128] = "";
    for (size_t i = 0; i < USERS; i++) {
        char user[8];
        s_user(user, i);
        size_t len = strlen(participants);
        if (game->listed[i]) {
            (void) snprintf(participants + len, sizeof participants - len, "%s\"%s\":\"N\"",
                            len ? "," : "", user);
        }
    }
    /* The one we have, or one that we had not heard of. */
    int64_t version = game->world->version + (s_draw(game, 2) ? 3 : 0);
    assert_int_equal(s_replace(game->world, version, participants), 0);
}

static void
s_step(game_t *game)
{
    world_t *world = game->world;
    switch (s_draw(game, 16)) {
    case 0:
    case 1:
    case 2:
        s_toggle(game);
        break;
    case 3:
    case 4:
        assert_int_equal(s_update(world, "\"topic\":\"A longer topic, so that it weighs more\""),
                         0);
        break;
    case 5:
        if (s_draw(game, 8) == 0) {
            s_snapshot(game);
        }
        break;
    case 6:
    case 7:
    case 8:
        world->now_ms += s_draw(game, 20);
        (void) s_flush(world);
        s_read_all(game);
        break;
    default:
        s_step_member(game);
    }
}

/* Everybody takes everything: all who are listed have the newest document. */
static void
s_settle(game_t *game)
{
    world_t *world = game->world;
    for (size_t i = 0; i < CLIENTS; i++) {
        if (game->readers[i].present) {
            fake_socket_set_blocked(world->members[i].socket, false);
            gw_feed_writable(&world->members[i]);
            gw_feed_show(&world->members[i], PR_STR_NONE);
        }
    }
    for (int i = 0; i < 100 && s_flush(world) >= 0; i++) {
        world->now_ms += 100;
    }
    assert_int_equal(s_flush(world), -1);
    s_read_all(game);
    for (size_t i = 0; i < CLIENTS; i++) {
        const gw_member_t *member = &world->members[i];
        if (game->readers[i].present && gw_feed_may_show(member)) {
            assert_int_equal(game->readers[i].version, world->version);
        }
    }
}

static char *
s_run(uint64_t seed)
{
    void *made = NULL;
    assert_int_equal(s_setup(&made), 0);
    game_t game = {.world = made, .seed = seed};
    /* A budget that is always spent, and one that never is. */
    gw_pace_destroy(&game.world->feeds.pace);
    game.world->feeds.pace = gw_pace_new(seed % 2 ? 20000 : 1 << 30, 0);
    assert_int_equal(s_replace(game.world, 1, ""), 0);
    for (int step = 0; step < STEPS; step++) {
        s_step(&game);
        if (step % 500 == 499) {
            s_settle(&game);
        }
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        if (game.readers[i].present) {
            s_go(&game, i);
        }
    }
    assert_int_equal(s_teardown(&made), 0);
    return NULL;
}

static void
no_member_ever_sees_what_it_must_not(void **state)
{
    (void) state;
    assert_true(t_seeds(1, 12, s_run));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_member_ever_sees_what_it_must_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
