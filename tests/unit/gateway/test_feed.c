/* SPDX-License-Identifier: MIT */

#include "feed_world.h"
#include "proto/wire/limits.h"

static void
member_is_shown_nothing_before_it_is_listed(void **state)
{
    world_t *world = *state;
    gw_member_t *bob = s_member(world, "u2", GW_LANE_FULL);
    gw_member_t *ann = s_member(world, "u1", GW_LANE_PATCH);
    gw_feed_show(bob, PR_STR_NONE);
    (void) s_flush(world);
    assert_string_equal(s_got(bob), "");
    assert_false(gw_feed_may_show(bob));

    assert_int_equal(s_replace(world, 3, ANN), 0);
    (void) s_flush(world);
    assert_string_equal(s_got(bob), "");
    assert_string_equal(s_got(ann), "");

    assert_int_equal(s_update(world, "\"participants\":{\"u2\":\"Bob\"}"), 0);
    assert_true(gw_feed_may_show(bob));
    (void) s_flush(world);
    const char *got = s_got(bob);
    STARTS(got, DOCUMENT);
    assert_non_null(strstr(got, "\"u2\":\"Bob\""));
    /* Ann was never said to be shown anything. */
    assert_string_equal(s_got(ann), "");
}

static void
turn_is_one_write_a_socket(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN_BOB), 0);
    gw_member_t *full = s_current(world, "u1", GW_LANE_FULL);
    gw_member_t *patch = s_current(world, "u2", GW_LANE_PATCH);
    assert_int_equal(s_update(world, "\"topic\":\"A\""), 0);
    assert_int_equal(s_update(world, "\"topic\":\"B\""), 0);
    assert_int_equal(s_flush(world), -1);

    const char *got = s_got(patch);
    STARTS(got,
           PATCH "1-0000000000000001\",\"to\":\"2-0000000000000002\",\"patch\":{\"topic\":\"A\"");
    assert_non_null(strstr(got, "\n" PATCH "2-0000000000000002\",\"to\":\"3-"));
    assert_int_equal(patch->socket->frames, 1);
    got = s_got(full);
    STARTS(got, DOCUMENT);
    assert_non_null(strstr(got, "\"topic\":\"B\""));
    assert_null(strstr(got, "\"topic\":\"A\""));
    assert_int_equal(full->socket->frames, 1);
    /* Once more: nothing is left. */
    assert_int_equal(s_flush(world), -1);
    assert_string_equal(s_got(full), "");
    assert_int_equal(world->stats.documents_rendered, 2);
}

static void
document_is_rendered_only_for_those_who_get_one(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN), 0);
    (void) s_current(world, "u1", GW_LANE_PATCH);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(s_update(world, "\"topic\":\"A\""), 0);
        (void) s_flush(world);
    }
    assert_int_equal(world->stats.documents_rendered, 1);
}

static void
slow_patch_member_catches_up_from_the_ring(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN), 0);
    gw_member_t *slow = s_current(world, "u1", GW_LANE_PATCH);
    gw_member_t *quick = s_current(world, "u1", GW_LANE_PATCH);
    fake_socket_set_blocked(slow->socket, true);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s_update(world, "\"topic\":\"A\""), 0);
        (void) s_flush(world);
    }
    assert_string_equal(s_got(slow), "");
    assert_int_equal(quick->socket->frames, 3);
    (void) s_got(quick);

    fake_socket_set_blocked(slow->socket, false);
    gw_feed_writable(slow);
    (void) s_flush(world);
    const char *got = s_got(slow);
    STARTS(got, PATCH "1-0000000000000001\"");
    assert_non_null(strstr(got, "\"to\":\"4-0000000000000004\""));
    assert_int_equal(slow->socket->frames, 1);
    /* And is with the others again. */
    assert_int_equal(s_update(world, "\"topic\":\"B\""), 0);
    (void) s_flush(world);
    STARTS(s_got(slow), PATCH "4-0000000000000004\"");
    STARTS(s_got(quick), PATCH "4-0000000000000004\"");
}

static void
member_that_fell_off_the_ring_gets_the_document(void **state)
{
    world_t *world = *state;
    char change[1200] = "\"topic\":\"";
    memset(change + 9, 'x', 1024);
    change[9 + 1024] = '"';
    assert_int_equal(s_replace(world, 1, ANN), 0);
    gw_member_t *slow = s_current(world, "u1", GW_LANE_PATCH);
    fake_socket_set_blocked(slow->socket, true);
    for (int i = 0; i < PR_FEED_RING_BYTES / 1024 + 2; i++) {
        assert_int_equal(s_update(world, change), 0);
        (void) s_flush(world);
    }
    fake_socket_set_blocked(slow->socket, false);
    gw_feed_writable(slow);
    (void) s_flush(world);
    STARTS(s_got(slow), DOCUMENT);
    assert_int_equal(s_update(world, "\"topic\":\"B\""), 0);
    (void) s_flush(world);
    STARTS(s_got(slow), PATCH);
}

static void
slow_full_member_gets_only_the_newest(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN), 0);
    gw_member_t *slow = s_current(world, "u1", GW_LANE_FULL);
    fake_socket_set_blocked(slow->socket, true);
    assert_int_equal(s_update(world, "\"topic\":\"A\""), 0);
    (void) s_flush(world);
    assert_int_equal(s_update(world, "\"topic\":\"B\""), 0);
    (void) s_flush(world);
    fake_socket_set_blocked(slow->socket, false);
    gw_feed_writable(slow);
    (void) s_flush(world);
    const char *got = s_got(slow);
    assert_non_null(strstr(got, "\"topic\":\"B\""));
    assert_int_equal(slow->socket->frames, 1);
}

static void
unlisted_member_is_shown_nothing_until_it_is_listed_again(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN_BOB), 0);
    gw_member_t *bob = s_current(world, "u2", GW_LANE_PATCH);
    gw_member_t *bobs = s_current(world, "u2", GW_LANE_FULL);
    gw_member_t *ann = s_current(world, "u1", GW_LANE_PATCH);
    assert_int_equal(s_update(world, "\"participants\":{\"u2\":null}"), 0);
    (void) s_flush(world);
    assert_int_equal(s_update(world, "\"topic\":\"A\""), 0);
    (void) s_flush(world);
    assert_string_equal(s_got(bob), "");
    assert_string_equal(s_got(bobs), "");
    assert_int_equal(ann->socket->frames, 2);

    /* A whole document: the patches would show it the moment when it was not in it. */
    assert_int_equal(s_update(world, "\"participants\":{\"u2\":\"Bob\"}"), 0);
    (void) s_flush(world);
    STARTS(s_got(bob), DOCUMENT);
    STARTS(s_got(bobs), DOCUMENT);
    assert_int_equal(s_update(world, "\"topic\":\"B\""), 0);
    (void) s_flush(world);
    STARTS(s_got(bob), PATCH "4-");
}

static void
slow_member_never_sees_that_it_was_unlisted(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN_BOB), 0);
    gw_member_t *bob = s_current(world, "u2", GW_LANE_PATCH);
    fake_socket_set_blocked(bob->socket, true);
    assert_int_equal(s_update(world, "\"topic\":\"A\""), 0);
    (void) s_flush(world);
    assert_int_equal(s_update(world, "\"participants\":{\"u2\":null}"), 0);
    (void) s_flush(world);
    fake_socket_set_blocked(bob->socket, false);
    gw_feed_writable(bob);
    (void) s_flush(world);
    assert_string_equal(s_got(bob), "");
    assert_int_equal(s_update(world, "\"participants\":{\"u2\":\"Bob\"}"), 0);
    (void) s_flush(world);
    STARTS(s_got(bob), DOCUMENT);
}

static void
removed_member_gets_the_document_that_removes_it(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN_BOB), 0);
    gw_member_t *patch = s_current(world, "u2", GW_LANE_PATCH);
    gw_member_t *full = s_current(world, "u2", GW_LANE_FULL);
    gw_member_t *never = s_member(world, "u2", GW_LANE_FULL);
    assert_int_equal(s_update(world, "\"participants\":{\"u2\":null}"), 0);
    gw_feed_show_last(patch);
    gw_feed_show_last(full);
    gw_feed_show_last(never);
    const char *got = s_got(patch);
    STARTS(got, DOCUMENT);
    assert_null(strstr(got, "\"u2\":\"Bob\""));
    STARTS(s_got(full), DOCUMENT);
    assert_string_equal(s_got(never), "");
    (void) s_flush(world);
    assert_string_equal(s_got(full), "");
}

static void
change_that_does_not_follow_asks_for_a_snapshot(void **state)
{
    world_t *world = *state;
    /* Without a document there is nothing to say: one is on its way. */
    assert_int_equal(gw_feed_update(world->feed, s_rev(5), s_rev(6), s_value(world, "{}")), 0);
    assert_int_equal(s_replace(world, 1, ANN), 0);
    gw_member_t *ann = s_current(world, "u1", GW_LANE_PATCH);
    assert_int_equal(gw_feed_update(world->feed, s_rev(5), s_rev(6), s_value(world, "{}")),
                     PR_E_AGAIN);
    (void) s_flush(world);
    assert_string_equal(s_got(ann), "");
    /* One that we have is no news. */
    assert_int_equal(gw_feed_update(world->feed, s_rev(0), s_rev(1), s_value(world, "{}")), 0);
    assert_int_equal(s_replace(world, 6, ANN), 0);
    (void) s_flush(world);
    STARTS(s_got(ann), DOCUMENT);
}

static void
bad_patch_is_shown_to_nobody(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN), 0);
    gw_member_t *ann = s_current(world, "u1", GW_LANE_FULL);
    /* It claims a rev that its document does not come to. */
    const msgpack_object *patch = s_value(world, "{\"topic\":\"X\",\"version\":9,\"rev\":\"9-9\"}");
    assert_int_equal(gw_feed_update(world->feed, s_rev(1), s_rev(2), patch), PR_E_AGAIN);
    (void) s_flush(world);
    assert_string_equal(s_got(ann), "");
    assert_int_equal(gw_feed_rev(world->feed).version, 0);
    assert_int_equal(s_replace(world, 2, ANN), 0);
    (void) s_flush(world);
    STARTS(s_got(ann), DOCUMENT);
}

static void
snapshot_of_what_is_there_costs_nothing(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN), 0);
    gw_member_t *full = s_current(world, "u1", GW_LANE_FULL);
    gw_member_t *patch = s_current(world, "u1", GW_LANE_PATCH);
    assert_int_equal(s_replace(world, 1, ANN), 0);
    gw_feed_show(full, PR_STR_NONE);
    gw_feed_show(patch, PR_STR_NONE);
    assert_int_equal(s_flush(world), -1);
    assert_string_equal(s_got(full), "");
    assert_string_equal(s_got(patch), "");
    /* Another one reaches all of them. */
    assert_int_equal(s_replace(world, 4, ANN_BOB), 0);
    (void) s_flush(world);
    STARTS(s_got(full), DOCUMENT);
    STARTS(s_got(patch), DOCUMENT);
}

static void
malformed_snapshot_changes_nothing(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN), 0);
    gw_member_t *ann = s_current(world, "u1", GW_LANE_FULL);
    assert_int_equal(gw_feed_replace(world->feed, s_rev(2), s_value(world, "{\"id\":1}")),
                     PR_E_MALFORMED);
    (void) s_flush(world);
    assert_string_equal(s_got(ann), "");
    assert_int_equal(gw_feed_rev(world->feed).version, 1);
}

static void
voter_gets_its_own_ballot_first(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN_BOB), 0);
    gw_member_t *bob = s_member(world, "u2", GW_LANE_FULL);
    gw_member_t *ann = s_member(world, "u1", GW_LANE_FULL);
    gw_feed_show(bob, PR_STR("[\"n1\"]"));
    gw_feed_show(ann, PR_STR_NONE);
    (void) s_flush(world);
    assert_non_null(strstr(s_got(bob), "\"u2\":[\"n1\"]"));
    assert_int_equal(bob->socket->frames, 1);
    assert_non_null(strstr(s_got(ann), "\"u2\":[]"));
}

/* Its greeting still waits to be sent: the ballot goes behind it, once. */
static void
voter_on_a_busy_socket_gets_its_own_ballot(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN_BOB), 0);
    gw_member_t *bob = s_member(world, "u2", GW_LANE_FULL);
    fake_socket_set_blocked(bob->socket, true);
    gw_feed_show(bob, PR_STR("[\"n1\"]"));
    (void) s_flush(world);
    fake_socket_set_blocked(bob->socket, false);
    gw_feed_writable(bob);
    (void) s_flush(world);
    assert_non_null(strstr(s_got(bob), "\"u2\":[\"n1\"]"));
    assert_int_equal(bob->socket->frames, 1);
    assert_int_equal(s_update(world, "\"topic\":\"A\""), 0);
    (void) s_flush(world);
    assert_int_equal(bob->socket->frames, 2);
}

static void
members_may_come_and_go_in_any_order(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_replace(world, 1, ANN), 0);
    for (int i = 0; i < 32; i++) {
        (void) s_current(world, "u1", i % 3 ? GW_LANE_PATCH : GW_LANE_FULL);
    }
    for (size_t i = 0; i < 32; i += 2) {
        gw_feed_remove(&world->members[(i * 7) % 32]);
    }
    assert_int_equal(gw_feed_count(world->feed), 16);
    for (size_t i = 0; i < 16; i++) {
        assert_non_null(gw_feed_at(world->feed, i)->feed);
    }
    /* The fake checks that every slot is where its socket believes it to be. */
    assert_int_equal(s_update(world, "\"topic\":\"A\""), 0);
    (void) s_flush(world);
    for (size_t i = 0; i < 32; i++) {
        size_t frames = world->members[i].feed ? 1 : 0;
        assert_int_equal(world->members[i].socket->frames, frames);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(member_is_shown_nothing_before_it_is_listed),
        TEST(turn_is_one_write_a_socket),
        TEST(document_is_rendered_only_for_those_who_get_one),
        TEST(slow_patch_member_catches_up_from_the_ring),
        TEST(member_that_fell_off_the_ring_gets_the_document),
        TEST(slow_full_member_gets_only_the_newest),
        TEST(unlisted_member_is_shown_nothing_until_it_is_listed_again),
        TEST(slow_member_never_sees_that_it_was_unlisted),
        TEST(removed_member_gets_the_document_that_removes_it),
        TEST(change_that_does_not_follow_asks_for_a_snapshot),
        TEST(bad_patch_is_shown_to_nobody),
        TEST(snapshot_of_what_is_there_costs_nothing),
        TEST(malformed_snapshot_changes_nothing),
        TEST(voter_gets_its_own_ballot_first),
        TEST(voter_on_a_busy_socket_gets_its_own_ballot),
        TEST(members_may_come_and_go_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
