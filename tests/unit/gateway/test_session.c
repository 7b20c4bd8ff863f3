/* SPDX-License-Identifier: MIT */

#include "session_world.h"

static void
client_joins_talks_and_leaves(void **state)
{
    world_t *world = *state;
    fake_socket_say(world->socket, "40/polls,{\"a\":\"b\"}");
    assert_string_equal(s_log(world), "connect(b,hdr) ");
    assert_string_equal(fake_socket_take(world->socket), "");
    gw_session_accept(world->session, &world->member);
    char sid[32] = "";
    assert_int_equal(
        sscanf(fake_socket_take(world->socket), "40/polls,{\"sid\":\"%31[A-Za-z0-9]\"}\n", sid), 1);
    assert_int_equal(strlen(sid), 20);

    fake_socket_say(world->socket, "42/polls,[\"vote\",1]");
    fake_socket_say(world->socket, "42/polls,3[\"vote\"]");
    fake_socket_say(world->socket, "43/polls,3[]");
    assert_string_equal(s_log(world), "event(vote,-1) event(vote,3) ");
    gw_session_send(world->session, &world->member, 3, PR_STR("[true]"));
    gw_session_send(world->session, &world->member, GW_SIO_ACK_NONE, PR_STR("[\"e\"]"));
    assert_string_equal(fake_socket_take(world->socket), "43/polls,3[true]\n42/polls,[\"e\"]\n");
    world->socket->ops->writable(world->socket->user);
    assert_string_equal(s_log(world), "writable ");

    fake_socket_say(world->socket, "41/polls,");
    assert_string_equal(s_log(world), "left(leave) ");
    fake_socket_say(world->socket, "40/polls,");
    assert_string_equal(s_log(world), "connect((null),hdr) ");
}

static void
refusals_leave_the_session_open(void **state)
{
    world_t *world = *state;
    world->refusal = "FORBIDDEN";
    fake_socket_say(world->socket, "40/polls,");
    assert_string_equal(fake_socket_take(world->socket), "44/polls,{\"message\":\"FORBIDDEN\"}\n");
    fake_socket_say(world->socket, "40/nope,{}");
    assert_string_equal(fake_socket_take(world->socket),
                        "44/nope,{\"message\":\"Invalid namespace\"}\n");
    fake_socket_say(world->socket, "40/polls?a=b,{}");
    assert_string_equal(fake_socket_take(world->socket),
                        "44/polls?a=b,{\"message\":\"Invalid namespace\"}\n");
    world->refusal = NULL;
    fake_socket_say(world->socket, "40/polls,");
    gw_session_refuse(world->session, &world->member, PR_STR("Poll \"not\" found"));
    assert_string_equal(fake_socket_take(world->socket),
                        "44/polls,{\"message\":\"Poll \\\"not\\\" found\"}\n");
    assert_false(world->socket->closed);
    s_join(world);
    gw_session_end(world->session, &world->member);
    assert_string_equal(fake_socket_take(world->socket), "41/polls,\n");
}

static void
root_accepts_everybody_and_does_nothing(void **state)
{
    world_t *world = *state;
    fake_socket_say(world->socket, "40");
    const char *got = fake_socket_take(world->socket);
    assert_int_equal(strncmp(got, "40{\"sid\":\"", 10), 0);
    fake_socket_say(world->socket, "42[\"anything\"]");
    assert_string_equal(fake_socket_take(world->socket), "");
    assert_false(world->socket->closed);
    /* It is no reason to stay. */
    t_loop_pass(world->loop, PR_BEFORE_JOIN_MS + 100);
    assert_true(world->socket->closed);
    assert_int_equal(world->stats.connect_timeouts, 1);
}

static void
event_before_the_join_cuts_off(void **state)
{
    s_expect_cut(*state, "42/polls,[\"vote\"]");
}

static void
ack_before_the_join_cuts_off(void **state)
{
    s_expect_cut(*state, "43/polls,1[]");
}

static void
event_while_joining_cuts_off(void **state)
{
    fake_socket_say(((world_t *) *state)->socket, "40/polls,");
    s_expect_cut(*state, "42/polls,[\"vote\"]");
}

static void
second_connect_cuts_off(void **state)
{
    world_t *world = *state;
    s_join(world);
    s_expect_cut(world, "40/polls,");
    t_loop_turn(world->loop);
    assert_string_equal(s_log(world), "left(leave) ");
}

static void
connect_while_joining_cuts_off(void **state)
{
    fake_socket_say(((world_t *) *state)->socket, "40/polls,");
    s_expect_cut(*state, "40/polls,");
}

static void
event_for_no_namespace_cuts_off(void **state)
{
    s_expect_cut(*state, "42/nope,[\"a\"]");
}

static void
connect_error_cuts_off(void **state)
{
    s_join(*state);
    s_expect_cut(*state, "44/polls,{\"message\":\"m\"}");
}

static void
malformed_packet_cuts_off(void **state)
{
    s_join(*state);
    s_expect_cut(*state, "42/polls,[\"a\"");
}

static void
leaving_what_was_never_joined_cuts_off(void **state)
{
    s_expect_cut(*state, "41/polls,");
}

/* Both sides may end it at the same time. */
static void
leaving_twice_is_harmless(void **state)
{
    world_t *world = *state;
    s_join(world);
    gw_session_end(world->session, &world->member);
    fake_socket_say(world->socket, "41/polls,");
    fake_socket_say(world->socket, "41/polls,");
    assert_false(world->socket->closed);
    assert_string_equal(s_log(world), "");
}

/* A client that is refused again and again does not stay for ever. */
static void
refusals_do_not_set_the_clock_back(void **state)
{
    world_t *world = *state;
    world->refusal = "FORBIDDEN";
    t_loop_pass(world->loop, PR_BEFORE_JOIN_MS - 1000);
    fake_socket_say(world->socket, "40/polls,");
    t_loop_pass(world->loop, PR_BEFORE_JOIN_MS + 200);
    assert_true(world->socket->closed);
    assert_int_equal(world->stats.connect_timeouts, 1);
}

static void
silent_client_is_cut_off(void **state)
{
    world_t *world = *state;
    t_loop_pass(world->loop, PR_BEFORE_JOIN_MS - 200);
    assert_false(world->socket->closed);
    t_loop_pass(world->loop, PR_BEFORE_JOIN_MS + 100);
    assert_true(world->socket->closed);
    assert_int_equal(world->stats.connect_timeouts, 1);
}

static void
joined_client_stays_until_it_has_left(void **state)
{
    world_t *world = *state;
    s_join(world);
    t_loop_pass(world->loop, PR_BEFORE_JOIN_MS + 100);
    assert_false(world->socket->closed);
    fake_socket_say(world->socket, "41/polls,");
    t_loop_pass(world->loop, 3 * PR_BEFORE_JOIN_MS);
    assert_true(world->socket->closed);
}

static void
lost_socket_leaves_with_its_reason(void **state)
{
    world_t *world = *state;
    s_join(world);
    fake_socket_gone(world->socket, 1001, false);
    assert_string_equal(s_log(world), "left(reload) ");
    assert_int_equal(gw_engineio_open(world->hub, world->socket, PR_STR_NONE), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(client_joins_talks_and_leaves),
        TEST(refusals_leave_the_session_open),
        TEST(root_accepts_everybody_and_does_nothing),
        TEST(event_before_the_join_cuts_off),
        TEST(ack_before_the_join_cuts_off),
        TEST(event_while_joining_cuts_off),
        TEST(second_connect_cuts_off),
        TEST(connect_while_joining_cuts_off),
        TEST(event_for_no_namespace_cuts_off),
        TEST(connect_error_cuts_off),
        TEST(malformed_packet_cuts_off),
        TEST(leaving_what_was_never_joined_cuts_off),
        TEST(leaving_twice_is_harmless),
        TEST(refusals_do_not_set_the_clock_back),
        TEST(silent_client_is_cut_off),
        TEST(joined_client_stays_until_it_has_left),
        TEST(lost_socket_leaves_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
