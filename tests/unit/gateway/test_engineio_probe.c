/* SPDX-License-Identifier: MIT */

/* The way of a session from polling to a WebSocket. */

#include "polling_world.h"

static void
s_upgrade(world_t *world)
{
    world->ws = fake_socket_new();
    assert_int_equal(gw_engineio_check(world->hub, pr_str(world->sid), true), GW_REFUSAL_NONE);
    assert_int_equal(gw_engineio_upgrade(world->hub, world->ws, pr_str(world->sid)), 0);
}

/* --- the upgrade --- */

static void
upgrade_takes_queue_and_slot_along(void **state)
{
    world_t *world = *state;
    gw_slot_t slot = {.fd = 5};
    gw_socket_bind_slot(gw_engineio_socket(world->above.engine), &slot);
    s_get(world);
    s_upgrade(world);
    fake_socket_say(world->ws, "2probe");
    assert_string_equal(fake_socket_take(world->ws), "3probe\n");
    assert_string_equal(world->answer, "200 6");
    gw_engineio_send(world->above.engine, PR_STR("a"));
    gw_engineio_send(world->above.engine, PR_STR("b"));
    assert_string_equal(fake_socket_take(world->ws), "");
    int writables = world->above.writables;
    fake_socket_say(world->ws, "5");
    assert_string_equal(fake_socket_take(world->ws), "4a\n4b\n");
    assert_int_equal(world->above.writables, writables + 1);
    assert_int_equal(slot.fd, 1);
    assert_ptr_equal(world->ws->slot, &slot);
    assert_int_equal(world->stats.upgrades, 1);
    assert_int_equal(world->stats.sessions_polling, 0);
    fake_socket_say(world->ws, "4c");
    assert_string_equal(world->above.message, "c");
    pr_buf_t *frame = gw_frame_text(PR_STR("4d"));
    assert_int_equal(gw_socket_send(gw_engineio_socket(world->above.engine), frame), 0);
    assert_string_equal(fake_socket_take(world->ws), "4d\n");
    pr_buf_destroy(&frame);
    s_get(world);
    assert_string_equal(world->answer, REFUSED);
    gw_socket_bind_slot(gw_engineio_socket(world->above.engine), NULL);
}

static void
noops_come_on_a_tick_until_the_upgrade(void **state)
{
    world_t *world = *state;
    s_upgrade(world);
    fake_socket_say(world->ws, "2probe");
    s_get(world);
    assert_string_equal(world->answer, "");
    s_pass(world, 200);
    assert_string_equal(world->answer, "200 6");
    s_get(world);
    fake_socket_gone(world->ws, 1006, false);
    fake_socket_destroy(&world->ws);
    s_pass(world, 1000);
    assert_string_equal(world->answer, "");
}

static void
patience_with_a_probe_ends(void **state)
{
    world_t *world = *state;
    s_upgrade(world);
    s_pass(world, PR_UPGRADE_MS - 500);
    assert_false(world->ws->closed);
    s_pass(world, PR_UPGRADE_MS + 200);
    assert_true(world->ws->closed);
    assert_int_equal(world->stats.upgrades_failed, 1);
    fake_socket_say(world->ws, "5"); /* too late */
    assert_string_equal(s_post(world, "4x"), "200 ok");
}

static void
bad_probe_ends_only_the_socket(void **state)
{
    const char *bad[] = {"", "2", "4x", "3probe"};
    world_t *world = *state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        s_upgrade(world);
        fake_socket_say(world->ws, bad[i]);
        assert_true(world->ws->closed);
        fake_socket_gone(world->ws, 1008, true);
        fake_socket_destroy(&world->ws);
        assert_string_equal(s_post(world, "4x"), "200 ok");
    }
    assert_int_equal(world->above.closes, 0);
}

static void
end_of_the_session_ends_its_probe(void **state)
{
    world_t *world = *state;
    s_upgrade(world);
    fake_socket_say(world->ws, "2probe");
    assert_string_equal(s_post(world, "1"), "200 ok");
    assert_true(world->ws->closed);
    s_turn(world);
    assert_int_equal(gw_engineio_hub_count(world->hub), 0);
    fake_socket_say(world->ws, "5");
}

static void
second_socket_is_sent_away(void **state)
{
    world_t *world = *state;
    gw_socket_t *second = fake_socket_new();
    s_upgrade(world);
    assert_int_equal(gw_engineio_upgrade(world->hub, second, pr_str(world->sid)), 0);
    assert_true(second->closed);
    assert_null(second->ops);
    fake_socket_destroy(&second);
    second = fake_socket_new();
    assert_int_equal(gw_engineio_upgrade(world->hub, second, PR_STR("nobody")), 0);
    assert_true(second->closed);
    fake_socket_destroy(&second);
    fake_socket_say(world->ws, "5");
    assert_false(world->ws->closed);
}

/* What does not fit into the new socket's queue ends the session. */
static void
upgrade_to_a_full_socket_fails(void **state)
{
    world_t *world = *state;
    gw_engineio_send(world->above.engine, PR_STR("a"));
    s_upgrade(world);
    world->ws->full = true;
    fake_socket_say(world->ws, "5");
    assert_true(world->ws->closed);
    s_turn(world);
    assert_int_equal(world->above.why, GW_WHY_LOST);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(upgrade_takes_queue_and_slot_along), TEST(noops_come_on_a_tick_until_the_upgrade),
        TEST(patience_with_a_probe_ends),         TEST(bad_probe_ends_only_the_socket),
        TEST(end_of_the_session_ends_its_probe),  TEST(second_socket_is_sent_away),
        TEST(upgrade_to_a_full_socket_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
