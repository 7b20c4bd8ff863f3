/* SPDX-License-Identifier: MIT */

/* How a feed spends the budget for full documents. */

#include "feed_world.h"

/* Thirty members that have a document of 1.2 KB: each change of it costs 36 ms of the budget. */
static void
s_crowd(world_t *world)
{
    char topic[1200] = "\"topic\":\"";
    memset(topic + 9, 'x', 1024);
    topic[9 + 1024] = '"';
    assert_int_equal(s_replace(world, 1, ANN), 0);
    assert_int_equal(s_update(world, topic), 0);
    for (int i = 0; i < 30; i++) {
        (void) s_current(world, "u1", GW_LANE_FULL);
    }
}

static void
documents_are_paced_but_the_first_is_not(void **state)
{
    world_t *world = *state;
    s_crowd(world);
    gw_member_t *patch = s_current(world, "u1", GW_LANE_PATCH);
    gw_member_t *one = &world->members[0];
    /* The leading edge: at once. */
    assert_int_equal(s_update(world, "\"hasStarted\":true"), 0);
    assert_int_equal(s_flush(world), -1);
    assert_int_equal(one->socket->frames, 1);
    /* Then at its pace; patches are not held back. */
    assert_int_equal(s_update(world, "\"hasStarted\":false"), 0);
    int64_t wait_ms = s_flush(world);
    assert_in_range(wait_ms, 10, 40);
    assert_int_equal(one->socket->frames, 1);
    assert_int_equal(patch->socket->frames, 2);
    /* Whoever comes now gets the newest, and not a second time. */
    gw_member_t *late = s_member(world, "u1", GW_LANE_FULL);
    gw_feed_show(late, PR_STR_NONE);
    (void) s_flush(world);
    assert_int_equal(late->socket->frames, 1);
    world->now_ms += wait_ms + 1;
    assert_int_equal(s_flush(world), -1);
    assert_int_equal(one->socket->frames, 2);
    assert_int_equal(late->socket->frames, 1);
    assert_non_null(strstr(s_got(one), "\"hasStarted\":false"));
    /* From then on it is one of them. */
    world->now_ms += 1000;
    assert_int_equal(s_update(world, "\"hasStarted\":true"), 0);
    assert_int_equal(s_flush(world), -1);
    assert_int_equal(one->socket->frames, 3);
    assert_int_equal(late->socket->frames, 2);
}

/* Ahead of the others, then behind like them: the trailing edge brings the last change to all. */
static void
trailing_edge_reaches_everyone(void **state)
{
    world_t *world = *state;
    s_crowd(world);
    assert_int_equal(s_update(world, "\"votesPerVoter\":2"), 0);
    assert_int_equal(s_flush(world), -1);
    assert_int_equal(s_update(world, "\"votesPerVoter\":3"), 0);
    (void) s_flush(world);
    gw_member_t *late = s_member(world, "u1", GW_LANE_FULL);
    gw_feed_show(late, PR_STR_NONE);
    (void) s_flush(world);
    assert_int_equal(s_update(world, "\"votesPerVoter\":4"), 0);
    int64_t wait_ms = s_flush(world);
    assert_true(wait_ms > 0);
    (void) s_got(late);
    world->now_ms += wait_ms + 1;
    assert_int_equal(s_flush(world), -1);
    for (size_t i = 0; i < world->count; i++) {
        assert_non_null(strstr(s_got(&world->members[i]), "\"votesPerVoter\":4"));
    }
}

/* A slow socket costs the budget as well: it gets its document when the poll's turn has come. */
static void
slow_member_is_paced_like_the_others(void **state)
{
    world_t *world = *state;
    s_crowd(world);
    gw_member_t *slow = &world->members[7];
    fake_socket_set_blocked(slow->socket, true);
    assert_int_equal(s_update(world, "\"votesPerVoter\":2"), 0);
    assert_int_equal(s_flush(world), -1);
    fake_socket_set_blocked(slow->socket, false);
    gw_feed_writable(slow);
    int64_t wait_ms = s_flush(world);
    assert_true(wait_ms > 0);
    assert_int_equal(slow->socket->frames, 0);
    world->now_ms += wait_ms + 1;
    assert_int_equal(s_flush(world), -1);
    assert_int_equal(slow->socket->frames, 1);
    assert_non_null(strstr(s_got(slow), "\"votesPerVoter\":2"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(documents_are_paced_but_the_first_is_not),
        TEST(trailing_edge_reaches_everyone),
        TEST(slow_member_is_paced_like_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
