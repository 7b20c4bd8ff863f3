/* SPDX-License-Identifier: MIT */

/* The native lanes of a feed: each encoding gets its own frames, and who comes back with a rev gets
 * what it missed. */

#include "feed_world.h"
#include "proto/wire/limits.h"

#define SNAPSHOT "{\"event\":\"snapshot\",\"data\":{\"document\":{\"id\":\"ABC234\""
#define NATIVE_PATCH "{\"event\":\"patch\",\"data\":{\"from\":\""
#define BALLOT PR_STR("[\"n1\"]")

/* The events that it got, a letter each, s, p or b, from JSON frames. */
static const char *
s_events(gw_member_t *member)
{
    static char letters[64];
    size_t count = 0;
    const char *at = s_got(member);
    while ((at = strstr(at, "{\"event\":\"")) && count + 1 < sizeof letters) {
        at += strlen("{\"event\":\"");
        letters[count++] = *at;
    }
    letters[count] = '\0';
    return letters;
}

static gw_member_t *
s_back(world_t *world, int64_t version, pr_str_t ballot, bool *knows)
{
    gw_member_t *member = s_member(world, "u2", GW_LANE_JSON);
    (void) gw_feed_resume(member, s_rev(version));
    *knows = gw_feed_show(member, ballot);
    (void) s_flush(world);
    return member;
}

/* Members 0 to 3, one in each lane, that are shown the document. */
static void
s_fill_lanes(world_t *world)
{
    assert_int_equal(s_replace(world, 1, ANN_BOB), 0);
    (void) s_member(world, "u1", GW_LANE_JSON);
    (void) s_member(world, "u1", GW_LANE_MSGPACK);
    (void) s_member(world, "u2", GW_LANE_PATCH);
    (void) s_member(world, "u2", GW_LANE_FULL);
    assert_int_equal(gw_feed_count(world->feed), 4);
    for (size_t i = 0; i < 4; i++) {
        (void) gw_feed_show(&world->members[i], PR_STR_NONE);
    }
    (void) s_flush(world);
}

static void
each_lane_has_its_own_document(void **state)
{
    world_t *world = *state;
    s_fill_lanes(world);
    STARTS(s_got(&world->members[0]), SNAPSHOT);
    STARTS(s_got(&world->members[1]), "\x82\xa5"
                                      "event\xa8snapshot\xa4"
                                      "data\x81\xa8"
                                      "document\x8d\xa2id\xa6"
                                      "ABC234");
    STARTS(s_got(&world->members[2]), DOCUMENT);
    STARTS(s_got(&world->members[3]), DOCUMENT);
    /* One for Socket.IO's two lanes, one for each encoding. */
    assert_int_equal(world->stats.documents_rendered, 3);
}

static void
each_lane_has_its_own_patches(void **state)
{
    world_t *world = *state;
    s_fill_lanes(world);
    for (size_t i = 0; i < 4; i++) {
        (void) s_got(&world->members[i]);
    }
    assert_int_equal(s_update(world, "\"topic\":\"A\""), 0);
    assert_int_equal(s_update(world, "\"topic\":\"B\""), 0);
    (void) s_flush(world);
    const char *got = s_got(&world->members[0]);
    STARTS(got, NATIVE_PATCH "1-0000000000000001\",\"to\":\"2-0000000000000002\","
                             "\"patch\":{\"topic\":\"A\",\"version\":2,\"rev\":\"2-");
    assert_non_null(strstr(got, "}}}\n" NATIVE_PATCH "2-"));
    STARTS(s_got(&world->members[1]), "\x82\xa5"
                                      "event\xa5"
                                      "patch\xa4"
                                      "data\x83\xa4"
                                      "from\xb2"
                                      "1-0000000000000001\xa2to\xb2");
    STARTS(s_got(&world->members[2]), PATCH "1-");
    STARTS(s_got(&world->members[3]), DOCUMENT);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(world->members[i].socket->frames, 2);
    }
}

static void
who_comes_back_gets_what_it_missed(void **state)
{
    world_t *world = *state;
    bool knows;
    assert_int_equal(s_replace(world, 1, ANN_BOB), 0);
    /* The lane is empty meanwhile: its ring stays. */
    gw_feed_remove(s_current(world, "u2", GW_LANE_JSON));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(s_update(world, "\"topic\":\"A\""), 0);
        (void) s_flush(world);
    }
    assert_string_equal(s_events(s_back(world, 6, PR_STR_NONE, &knows)), "");
    assert_true(knows);
    assert_string_equal(s_events(s_back(world, 5, PR_STR_NONE, &knows)), "p");
    assert_string_equal(s_events(s_back(world, 1, PR_STR_NONE, &knows)), "ppppp");
    assert_false(knows);
    assert_string_equal(s_events(s_back(world, 7, PR_STR_NONE, &knows)), "s");
    assert_string_equal(s_events(s_back(world, 0, PR_STR_NONE, &knows)), "s");

    /* All of them go on with the next one, at once. */
    assert_int_equal(s_update(world, "\"topic\":\"B\""), 0);
    (void) s_flush(world);
    for (size_t i = 1; i < world->count; i++) {
        assert_string_equal(s_events(&world->members[i]), "p");
    }
}

static void
another_history_is_shown_whole(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN_BOB), 0);
    (void) s_current(world, "u2", GW_LANE_JSON);
    assert_int_equal(s_update(world, "\"topic\":\"A\""), 0);
    gw_member_t *member = s_member(world, "u2", GW_LANE_JSON);
    assert_false(gw_feed_resume(member, (pr_rev_t) {1, 99}));
    assert_false(gw_feed_resume(member, (pr_rev_t) {2, 99}));
    assert_true(gw_feed_resume(member, s_rev(1)));
    /* Before there is a document, and in a lane that has no ring. */
    gw_feed_t *empty = gw_feed_new(&world->feeds);
    gw_member_t other = {.socket = fake_socket_new()};
    assert_int_equal(gw_feed_add(empty, &other, GW_LANE_JSON), 0);
    assert_false(gw_feed_resume(&other, s_rev(1)));
    gw_feed_remove(&other);
    gw_feed_destroy(&empty);
    fake_socket_destroy(&other.socket);
    assert_false(gw_feed_resume(s_member(world, "u2", GW_LANE_FULL), s_rev(2)));
}

static void
fallen_off_the_ring_is_shown_whole(void **state)
{
    world_t *world = *state;
    bool knows;
    static char change[1000];
    assert_int_equal(s_replace(world, 1, ANN_BOB), 0);
    gw_feed_remove(s_current(world, "u2", GW_LANE_JSON));
    (void) snprintf(change, sizeof change, "\"topic\":\"%0900d\"", 7);
    int64_t count = PR_FEED_RING_BYTES / 900 + 1;
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(s_update(world, change), 0);
    }
    assert_string_equal(s_events(s_back(world, 1, PR_STR_NONE, &knows)), "s");
    const char *got = s_events(s_back(world, count - 20, PR_STR_NONE, &knows));
    assert_string_equal(got, "ppppppppppppppppppppp");
}

static void
patches_that_unlist_the_user_are_not_shown(void **state)
{
    world_t *world = *state;
    bool knows;
    for (int lane = GW_LANE_JSON; lane <= GW_LANE_MSGPACK; lane++) {
        gw_lane_kind_t kind = (gw_lane_kind_t) lane;
        assert_int_equal(s_replace(world, 10 * lane, ANN_BOB), 0);
        (void) s_current(world, "u1", kind);
        assert_int_equal(s_update(world, "\"participants\":{\"u2\":null}"), 0);
        assert_int_equal(s_update(world, "\"participants\":{\"u2\":\"Bob\"}"), 0);
        gw_member_t *bob = s_member(world, "u2", kind);
        assert_false(gw_feed_resume(bob, s_rev(10 * lane)));
        assert_true(gw_feed_resume(bob, s_rev(10 * lane + 1)));
        gw_member_t *ann = s_member(world, "u1", kind);
        assert_true(gw_feed_resume(ann, s_rev(10 * lane)));
    }
    assert_int_equal(s_update(world, "\"participants\":{\"u2\":null}"), 0);
    /* It does not list him now: nothing, and later the whole. */
    assert_string_equal(s_events(s_back(world, world->version - 1, PR_STR_NONE, &knows)), "");
    gw_member_t *bob = &world->members[world->count - 1];
    assert_int_equal(s_update(world, "\"participants\":{\"u2\":\"Bob\"}"), 0);
    (void) s_flush(world);
    assert_string_equal(s_events(bob), "s");
}

static void
own_ballot_stands_beside_the_document(void **state)
{
    world_t *world = *state;
    bool knows;
    assert_int_equal(s_replace(world, 1, ANN_BOB), 0);
    gw_member_t *fresh = s_back(world, 0, BALLOT, &knows);
    assert_true(knows);
    const char *got = s_got(fresh);
    STARTS(got, SNAPSHOT);
    assert_non_null(strstr(got, "\"rankings\":{\"u2\":[]}"));
    assert_non_null(strstr(got, "},\"ballot\":[\"n1\"]}}"));
    assert_int_equal(s_update(world, "\"rankings\":{\"u2\":[]}"), 0);
    (void) s_flush(world);
    /* Current: it knows. Behind: it has to be told besides. */
    assert_string_equal(s_events(s_back(world, 2, BALLOT, &knows)), "");
    assert_true(knows);
    assert_string_equal(s_events(s_back(world, 1, BALLOT, &knows)), "p");
    assert_false(knows);

    gw_member_t *packed = s_member(world, "u2", GW_LANE_MSGPACK);
    assert_true(gw_feed_show(packed, BALLOT));
    STARTS(s_got(packed), "\x82\xa5"
                          "event\xa8snapshot\xa4"
                          "data\x82\xa8"
                          "document");
    /* A socket that takes nothing now gets the shared document later. */
    gw_member_t *slow = s_member(world, "u2", GW_LANE_JSON);
    fake_socket_set_blocked(slow->socket, true);
    slow->socket->full = true;
    assert_false(gw_feed_show(slow, BALLOT));
    (void) s_flush(world);
    fake_socket_set_blocked(slow->socket, false);
    gw_feed_writable(slow);
    (void) s_flush(world);
    assert_string_equal(s_events(slow), "s");
}

static void
slow_member_that_came_back_catches_up(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN_BOB), 0);
    (void) s_current(world, "u1", GW_LANE_JSON);
    assert_int_equal(s_update(world, "\"topic\":\"A\""), 0);
    gw_member_t *bob = s_member(world, "u2", GW_LANE_JSON);
    fake_socket_set_blocked(bob->socket, true);
    assert_true(gw_feed_resume(bob, s_rev(1)));
    (void) gw_feed_show(bob, PR_STR_NONE);
    (void) s_flush(world);
    assert_int_equal(s_update(world, "\"topic\":\"B\""), 0);
    (void) s_flush(world);
    assert_string_equal(s_events(bob), "");
    fake_socket_set_blocked(bob->socket, false);
    gw_feed_writable(bob);
    (void) s_flush(world);
    assert_string_equal(s_events(bob), "pp");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_lane_has_its_own_document),
        TEST(each_lane_has_its_own_patches),
        TEST(who_comes_back_gets_what_it_missed),
        TEST(another_history_is_shown_whole),
        TEST(fallen_off_the_ring_is_shown_whole),
        TEST(patches_that_unlist_the_user_are_not_shown),
        TEST(own_ballot_stands_beside_the_document),
        TEST(slow_member_that_came_back_catches_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
