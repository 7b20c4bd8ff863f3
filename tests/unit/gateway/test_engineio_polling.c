/* SPDX-License-Identifier: MIT */

/* Sessions that poll: their requests, their heartbeat, their end. */

#include "polling_world.h"

/* --- polling --- */

static void
messages_go_both_ways(void **state)
{
    world_t *world = *state;
    assert_string_equal(s_post(world, "4one\x1e"
                                      "baGk="),
                        "200 ok");
    assert_string_equal(world->above.message, "hi");
    assert_int_equal(world->above.messages, 2);
    gw_engineio_send(world->above.engine, PR_STR("there"));
    gw_engineio_send_binary(world->above.engine, PR_STR("hi"));
    s_get(world);
    s_turn(world);
    assert_string_equal(world->answer, "200 4there\x1e"
                                       "baGk=");
}

static void
documents_go_by_the_stand_in(void **state)
{
    world_t *world = *state;
    gw_socket_t *socket = gw_engineio_socket(world->above.engine);
    gw_slot_t slot = {.fd = 1};
    gw_socket_bind_slot(socket, &slot);
    assert_int_equal(slot.fd, -1);
    pr_buf_t *frame = gw_frame_text(PR_STR("4d"));
    assert_int_equal(gw_socket_send(socket, frame), PR_E_BUSY);
    s_get(world);
    s_turn(world);
    assert_int_equal(world->above.writables, 1);
    gw_socket_missed(socket);
    s_turn(world);
    assert_int_equal(world->above.writables, 2);
    assert_int_equal(gw_socket_send(socket, frame), 0);
    assert_int_equal(gw_socket_send(socket, frame), PR_E_BUSY);
    assert_int_equal(gw_socket_send_must(socket, frame), 0);
    s_turn(world);
    assert_string_equal(world->answer, "200 4d\x1e"
                                       "4d");
    pr_buf_destroy(&frame);
    gw_socket_bind_slot(socket, NULL);
}

static void
bound_of_sessions_refuses_more(void **state)
{
    world_t *world = *state;
    s_open(world);
    s_open(world);
    assert_null(gw_engineio_open_polling(world->hub, PR_STR_NONE));
    assert_int_equal(world->stats.polling_refused, 1);
    assert_string_equal(s_post(world, "1"), "200 ok");
    s_turn(world);
    s_open(world);
}

static void
overflow_ends_the_session(void **state)
{
    world_t *world = *state;
    char text[1001] = "";
    memset(text, 'x', 1000);
    for (int i = 0; i < PR_CONN_MUST_SEND_BYTES_MAX / 1000 + 2; i++) {
        gw_engineio_send(world->above.engine, pr_str(text));
    }
    assert_int_equal(world->stats.must_send_overflows, 1);
    s_turn(world);
    assert_int_equal(world->above.closes, 1);
    assert_int_equal(world->above.why, GW_WHY_LOST);
    assert_int_equal(gw_engineio_check(world->hub, pr_str(world->sid), false), GW_REFUSAL_SESSION);
}

static void
overlaps_and_hang_ups_lose_the_client(void **state)
{
    world_t *world = *state;
    gw_polling_get_t second = {.answer = s_answer};
    s_get(world);
    gw_engineio_abort(world->hub, pr_str(world->sid), &second);
    assert_int_equal(world->above.closes, 0);
    gw_engineio_abort(world->hub, pr_str(world->sid), &world->get);
    s_turn(world);
    assert_int_equal(world->above.closes, 1);
    assert_int_equal(world->above.why, GW_WHY_LOST);
    assert_string_equal(world->answer, "");
    s_get(world);
    assert_string_equal(world->answer, UNKNOWN);
    gw_engineio_abort(world->hub, PR_STR("nobody"), &second);
}

static void
second_post_cuts_the_first(void **state)
{
    world_t *world = *state;
    gw_engineio_post_t second = {.cut = s_cut};
    assert_int_equal(gw_engineio_post_begin(world->hub, pr_str(world->sid), &world->post),
                     PR_BEFORE_JOIN_BYTES_MAX);
    gw_engineio_post_end(&world->post);
    gw_engineio_trust(world->above.engine);
    assert_int_equal(gw_engineio_post_begin(world->hub, pr_str(world->sid), &world->post),
                     PR_CLIENT_MESSAGE_BYTES_MAX);
    s_get(world);
    (void) gw_engineio_post_begin(world->hub, pr_str(world->sid), &second);
    assert_int_equal(world->cuts, 1);
    assert_null(second.engine);
    assert_null(world->post.engine);
    assert_string_equal(s_post(world, "4x"), "400 ");
    s_turn(world);
    assert_string_equal(world->answer, "200 1");
    assert_int_equal(world->above.why, GW_WHY_LOST);
    assert_int_equal(world->above.messages, 0);
}

static void
post_may_outlive_its_session(void **state)
{
    world_t *world = *state;
    (void) gw_engineio_post_begin(world->hub, pr_str(world->sid), &world->post);
    gw_engineio_close(world->above.engine, GW_WHY_LOST, 1008, "");
    s_turn(world);
    assert_null(world->post.engine);
    gw_engineio_post_fail(&world->post);
    gw_engineio_post_end(&world->post);
}

/* --- heartbeat --- */

static void
ping_is_a_packet_and_silence_ends(void **state)
{
    world_t *world = *state;
    s_get(world);
    s_pass(world, INTERVAL_MS + 100);
    s_turn(world);
    assert_string_equal(world->answer, "200 2");
    s_pass(world, INTERVAL_MS + TIMEOUT_MS + 200);
    s_turn(world);
    s_get(world);
    assert_string_equal(world->answer, UNKNOWN);
    assert_int_equal(world->stats.ping_timeouts, 1);
    assert_int_equal(world->above.why, GW_WHY_LOST);
}

/* --- the end --- */

static void
closed_session_waits_for_its_last_get(void **state)
{
    world_t *world = *state;
    gw_engineio_send(world->above.engine, PR_STR("x"));
    gw_engineio_close(world->above.engine, GW_WHY_LEAVE, 1000, "");
    s_turn(world);
    assert_int_equal(world->above.closes, 1);
    assert_string_equal(s_post(world, "4late"), "200 ok");
    assert_int_equal(world->above.messages, 0);
    s_get(world);
    s_turn(world);
    assert_string_equal(world->answer, "200 4x\x1e"
                                       "1");
    s_get(world);
    assert_string_equal(world->answer, UNKNOWN);
}

static void
last_get_is_not_waited_for_for_ever(void **state)
{
    world_t *world = *state;
    gw_engineio_close(world->above.engine, GW_WHY_LEAVE, 1000, "");
    s_turn(world);
    assert_int_equal(gw_engineio_hub_count(world->hub), 1);
    s_pass(world, PR_POLLING_CLOSE_MS + 200);
    s_turn(world);
    assert_int_equal(gw_engineio_hub_count(world->hub), 0);
}

static void
broken_rule_is_not_forgiven(void **state)
{
    world_t *world = *state;
    s_get(world);
    assert_string_equal(s_post(world, "9"), "400 ");
    s_turn(world);
    assert_string_equal(world->answer, "200 1");
    assert_int_equal(world->above.why, GW_WHY_LEAVE);
    assert_string_equal(s_post(world, "4x"), UNKNOWN);
}

static void
gateway_ends_and_tells_those_who_wait(void **state)
{
    world_t *world = *state;
    s_get(world);
    gw_engineio_hub_close_all(world->hub, "bye");
    assert_null(gw_engineio_open_polling(world->hub, PR_STR_NONE));
    s_turn(world);
    assert_string_equal(world->answer, "200 1");
    /* The answer is still on its way. */
    assert_int_equal(gw_engineio_hub_count(world->hub), 1);
    s_pass(world, PR_POLLING_STOP_MS + 200);
    s_turn(world);
    assert_int_equal(gw_engineio_hub_count(world->hub), 0);
    assert_int_equal(world->above.closes, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_go_both_ways),
        TEST(documents_go_by_the_stand_in),
        TEST(bound_of_sessions_refuses_more),
        TEST(overflow_ends_the_session),
        TEST(overlaps_and_hang_ups_lose_the_client),
        TEST(second_post_cuts_the_first),
        TEST(post_may_outlive_its_session),
        TEST(ping_is_a_packet_and_silence_ends),
        TEST(closed_session_waits_for_its_last_get),
        TEST(last_get_is_not_waited_for_for_ever),
        TEST(broken_rule_is_not_forgiven),
        TEST(gateway_ends_and_tells_those_who_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
