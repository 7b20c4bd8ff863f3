/* SPDX-License-Identifier: MIT */

/* Attachments, and questions of the server's. */

#include "session_world.h"

static void
s_say_binary(world_t *world, const char *bytes)
{
    world->socket->ops->message(world->socket->user, pr_str(bytes), true);
}

static void
binary_events_come_with_their_attachments(void **state)
{
    world_t *world = *state;
    s_join(world);
    fake_socket_say(world->socket, "452-/polls,7[\"f\",{\"_placeholder\":true,\"num\":1},"
                                   "{\"_placeholder\":true,\"num\":0}]");
    assert_string_equal(s_log(world), "");
    s_say_binary(world, "one");
    fake_socket_say(world->socket, "3"); /* a pong may go between */
    s_say_binary(world, "two");
    assert_string_equal(s_log(world), "event(f,7,one,two) ");
    pr_buf_t *bytes[] = {pr_buf_copy(PR_STR("a")), pr_buf_copy(PR_STR("b"))};
    gw_session_send_binary(world->session, &world->member, 7, PR_STR("[1]"), bytes, 2);
    gw_session_send_binary(world->session, &world->member, GW_SIO_ACK_NONE, PR_STR("[\"e\"]"),
                           bytes, 1);
    assert_string_equal(fake_socket_take(world->socket),
                        "462-/polls,7[1]\na\nb\n451-/polls,[\"e\"]\na\n");
    pr_buf_destroy(&bytes[0]);
    pr_buf_destroy(&bytes[1]);
    assert_false(world->socket->closed);
}

static void
attachment_out_of_place_cuts_off(void **state)
{
    world_t *world = *state;
    s_join(world);
    s_say_binary(world, "stray");
    assert_true(world->socket->closed);
}

static void
text_before_the_attachments_cuts_off(void **state)
{
    world_t *world = *state;
    s_join(world);
    fake_socket_say(world->socket, "451-/polls,[\"f\",{\"_placeholder\":true,\"num\":0}]");
    s_expect_cut(world, "42/polls,[\"vote\"]");
    assert_string_equal(s_log(world), "");
}

static void
attachments_are_bounded_in_bytes_and_time(void **state)
{
    world_t *world = *state;
    char *large = calloc(1, PR_CLIENT_MESSAGE_BYTES_MAX);
    memset(large, 'x', PR_CLIENT_MESSAGE_BYTES_MAX - 1);
    s_join(world);
    fake_socket_say(world->socket, "452-/polls,[\"f\"]");
    s_say_binary(world, large);
    assert_false(world->socket->closed);
    s_say_binary(world, "xx");
    assert_true(world->socket->closed);
    free(large);
}

static void
attachments_that_do_not_come_cut_off(void **state)
{
    world_t *world = *state;
    s_join(world);
    fake_socket_say(world->socket, "451-/polls,[\"f\"]");
    t_loop_pass(world->loop, PR_CLIENT_MESSAGE_MS + 200);
    assert_true(world->socket->closed);
    assert_int_equal(world->stats.bad_packets, 1);
}

static void
binary_event_before_the_join_cuts_off(void **state)
{
    s_expect_cut(*state, "451-/polls,[\"a\",{\"_placeholder\":true,\"num\":0}]");
}

static void
s_answered(void *arg, const gw_sio_packet_t *packet)
{
    world_t *world = arg;
    s_note(world, "answer(%d) ", packet ? (int) json_array_size(packet->data) : -1);
}

static void
questions_are_answered_once(void **state)
{
    world_t *world = *state;
    s_join(world);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            gw_session_ask(world->session, &world->member, PR_STR("[\"q\"]"), s_answered, world),
            0);
    }
    assert_string_equal(fake_socket_take(world->socket),
                        "42/polls,0[\"q\"]\n42/polls,1[\"q\"]\n42/polls,2[\"q\"]\n");
    fake_socket_say(world->socket, "43/polls,1[1,2]");
    fake_socket_say(world->socket, "43/polls,1[1,2]");
    fake_socket_say(world->socket, "43/polls,99[]");
    assert_string_equal(s_log(world), "answer(2) ");
    fake_socket_say(world->socket, "461-/polls,0[1]");
    s_say_binary(world, "b");
    assert_string_equal(s_log(world), "answer(1) ");
    fake_socket_say(world->socket, "41/polls,");
    assert_string_equal(s_log(world), "answer(-1) left(leave) ");
}

static void
questions_are_bounded(void **state)
{
    world_t *world = *state;
    s_join(world);
    for (int i = 0; i < PR_SESSION_ASKS_MAX; i++) {
        assert_int_equal(
            gw_session_ask(world->session, &world->member, PR_STR("[]"), s_answered, world), 0);
    }
    assert_int_equal(
        gw_session_ask(world->session, &world->member, PR_STR("[]"), s_answered, world), PR_E_BUSY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(binary_events_come_with_their_attachments),
        TEST(attachment_out_of_place_cuts_off),
        TEST(text_before_the_attachments_cuts_off),
        TEST(attachments_are_bounded_in_bytes_and_time),
        TEST(attachments_that_do_not_come_cut_off),
        TEST(binary_event_before_the_join_cuts_off),
        TEST(questions_are_answered_once),
        TEST(questions_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
