/* SPDX-License-Identifier: MIT */

/* A feed with members on fake sockets, and short ways to change its document. For one file of a
   test. */

#ifndef FEED_WORLD_H
#define FEED_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_socket.h"
#include "gateway/feed.h"
#include "proto/wire/json.h"

enum { MEMBERS_MAX = 40, RATE = 1 << 20 };

typedef struct {
    gw_stats_t stats;
    gw_feeds_t feeds;
    gw_feed_t *feed;
    int64_t now_ms;
    int64_t version; /* of the feed's document */
    pr_unpacked_t *memory;
    pr_buf_t *packed;
    gw_member_t members[MEMBERS_MAX];
    size_t count;
} world_t;

static inline int
s_setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    world->feeds.stats = &world->stats;
    world->feeds.pace = gw_pace_new(RATE, 0);
    world->feed = gw_feed_new(&world->feeds);
    world->memory = pr_unpacked_new();
    world->packed = pr_buf_new(0);
    *state = world;
    return 0;
}

static inline int
s_teardown(void **state)
{
    world_t *world = *state;
    for (size_t i = 0; i < world->count; i++) {
        if (world->members[i].feed) {
            gw_feed_remove(&world->members[i]);
        }
        fake_socket_destroy(&world->members[i].socket);
    }
    gw_feed_destroy(&world->feed);
    gw_pace_destroy(&world->feeds.pace);
    pr_unpacked_destroy(&world->memory);
    pr_buf_destroy(&world->packed);
    free(world);
    return 0;
}

static inline pr_rev_t
s_rev(int64_t version)
{
    return (pr_rev_t) {version, (uint64_t) version};
}

static inline const msgpack_object *
s_value(world_t *world, const char *json)
{
    const msgpack_object *object = NULL;
    pr_buf_clear(world->packed);
    assert_int_equal(pr_json_to_msgpack(pr_str(json), world->packed), 0);
    assert_int_equal(pr_value_unpack(pr_buf_str(world->packed), world->memory, &object), 0);
    return object;
}

/* A whole document that lists these users: "\"u1\":\"Ann\"". */
static inline int
s_replace(world_t *world, int64_t version, const char *participants)
{
    char json[4096];
    (void) snprintf(json, sizeof json,
                    "{\"id\":\"ABC234\",\"topic\":\"T\",\"votesPerVoter\":1,\"participants\":{%s},"
                    "\"nominations\":{},\"rankings\":{\"u2\":[]},\"results\":[],"
                    "\"adminID\":\"u1\",\"hasStarted\":true,\"version\":%lld,\"rev\":\"%s\","
                    "\"state\":\"open\",\"endsAt\":1}",
                    participants, (long long) version, pr_rev_format(s_rev(version)).text);
    world->version = version;
    return gw_feed_replace(world->feed, s_rev(version), s_value(world, json));
}

/* The next version: `change` is a member of the patch, as "\"topic\":\"U\"". */
static inline int
s_update(world_t *world, const char *change)
{
    char json[2048];
    pr_rev_t from = s_rev(world->version);
    pr_rev_t to = s_rev(++world->version);
    (void) snprintf(json, sizeof json, "{%s,\"version\":%lld,\"rev\":\"%s\"}", change,
                    (long long) to.version, pr_rev_format(to).text);
    return gw_feed_update(world->feed, from, to, s_value(world, json));
}

static inline gw_member_t *
s_member(world_t *world, const char *user, gw_lane_kind_t lane)
{
    gw_member_t *member = &world->members[world->count++];
    (void) snprintf(member->user, sizeof member->user, "%s", user);
    member->socket = fake_socket_new();
    assert_int_equal(gw_feed_add(world->feed, member, lane), 0);
    return member;
}

static inline int64_t
s_flush(world_t *world)
{
    return gw_feeds_flush(&world->feeds, world->now_ms);
}

/* A member that is shown documents and has the present one. */
static inline gw_member_t *
s_current(world_t *world, const char *user, gw_lane_kind_t lane)
{
    gw_member_t *member = s_member(world, user, lane);
    gw_feed_show(member, PR_STR_NONE);
    (void) s_flush(world);
    (void) fake_socket_take(member->socket);
    member->socket->frames = 0;
    return member;
}

static inline const char *
s_got(gw_member_t *member)
{
    return fake_socket_take(member->socket);
}

#define ANN "\"u1\":\"Ann\""
#define ANN_BOB "\"u1\":\"Ann\",\"u2\":\"Bob\""
#define STARTS(text, start)                                                                        \
    if (strncmp(text, start, strlen(start)) != 0)                                                  \
    fail_msg("%s", text)
#define DOCUMENT "42/polls,[\"poll_updated\",{\"id\":\"ABC234\""
#define PATCH "42/polls,[\"poll_patched\",{\"from\":\""

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

#endif
