/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_layer.h"
#include "fake_socket.h"
#include "gateway/engineio.h"
#include "proto/wire/limits.h"
#include "tests/support/turns.h"

enum { INTERVAL_MS = 25000, TIMEOUT_MS = 20000 };

typedef struct {
    pr_loop_t *loop;
    gw_engineio_hub_t *hub;
    gw_stats_t stats;
    fake_layer_t above;
    gw_socket_t *socket;
    int64_t now_ms;
} world_t;

static int
s_setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    const gw_engineio_settings_t settings = {
        .ping_interval_ms = INTERVAL_MS,
        .ping_timeout_ms = TIMEOUT_MS,
        .owner = "g7-0a1b2c3d",
    };
    world->loop = pr_loop_new();
    world->hub =
        gw_engineio_hub_new(world->loop, &settings, &world->stats, &fake_layer_ops, &world->above);
    world->socket = fake_socket_new();
    world->now_ms = pr_loop_now_ms(world->loop);
    if (gw_engineio_open(world->hub, world->socket, PR_STR("tok")) != 0) {
        return -1;
    }
    *state = world;
    return 0;
}

static int
s_teardown(void **state)
{
    world_t *world = *state;
    if (world->socket) {
        fake_socket_gone(world->socket, 1006, false);
        fake_socket_destroy(&world->socket);
    }
    gw_engineio_hub_destroy(&world->hub);
    pr_loop_destroy(&world->loop);
    free(world);
    return 0;
}

/* Moves the wheel on; timers that are armed meanwhile count from the loop's own time. */
static void
s_pass(world_t *world, int64_t ms)
{
    world->now_ms += ms;
    (void) pr_wheel_advance(pr_loop_wheel(world->loop), world->now_ms);
}

static void
session_opens_with_sid_and_intervals(void **state)
{
    world_t *world = *state;
    char sid[64] = "";
    const char *got = fake_socket_take(world->socket);
    assert_int_equal(sscanf(got, "0{\"sid\":\"%63[A-Za-z0-9_-]", sid), 1);
    assert_int_equal(strlen(sid), 11 + 1 + 22);
    assert_memory_equal(sid, "g7-0a1b2c3d-", 12);
    assert_string_equal(got + strlen("0{\"sid\":\"") + strlen(sid),
                        "\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,"
                        "\"maxPayload\":65536}\n");
    assert_string_equal(world->above.token, "tok");
    assert_int_equal(gw_engineio_hub_count(world->hub), 1);
}

static void
messages_go_both_ways(void **state)
{
    world_t *world = *state;
    (void) fake_socket_take(world->socket);
    fake_socket_say(world->socket, "4hello");
    assert_string_equal(world->above.message, "hello");
    fake_socket_say(world->socket, "4");
    assert_int_equal(world->above.messages, 2);
    gw_engineio_send(world->above.engine, PR_STR("there"));
    assert_string_equal(fake_socket_take(world->socket), "4there\n");
    world->socket->ops->writable(world->socket->user);
    assert_int_equal(world->above.writables, 1);
}

static void
other_packets_of_a_server_are_ignored(void **state)
{
    world_t *world = *state;
    const char *ignored[] = {"0", "5", "6", "3", "3probe"};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        fake_socket_say(world->socket, ignored[i]);
        assert_false(world->socket->closed);
    }
    assert_int_equal(world->above.messages, 0);
}

static void
bad_packet_ends_the_session_at_once(void **state)
{
    const char *bad[] = {"", "2", "2probe", "7", "9", "b4aGk=", "b4a=G", "b=", "x", " 4a", "\xff"};
    world_t *world = *state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (i > 0) {
            world->socket = fake_socket_new();
            assert_int_equal(gw_engineio_open(world->hub, world->socket, PR_STR_NONE), 0);
        }
        world->above.closes = 0;
        fake_socket_say(world->socket, bad[i]);
        assert_true(world->socket->closed);
        /* Not from within, but in the same turn; nothing is heard any more. */
        assert_int_equal(world->above.closes, 0);
        fake_socket_say(world->socket, "4late");
        t_loop_turn(world->loop);
        assert_int_equal(world->above.closes, 1);
        assert_int_equal(world->above.why, GW_WHY_LEAVE);
        assert_int_equal(world->above.messages, 0);
        fake_socket_gone(world->socket, 1008, true);
        assert_int_equal(world->above.closes, 1);
        fake_socket_destroy(&world->socket);
    }
    assert_int_equal(world->stats.bad_packets, sizeof bad / sizeof bad[0]);
    assert_int_equal(gw_engineio_hub_count(world->hub), 0);
}

/* As a message of its own, or as base64 in a text. */
static void
binary_messages_go_both_ways(void **state)
{
    world_t *world = *state;
    (void) fake_socket_take(world->socket);
    world->socket->ops->message(world->socket->user, PR_STR("\1\2"), true);
    assert_string_equal(world->above.message, "\1\2");
    fake_socket_say(world->socket, "baGk=");
    assert_string_equal(world->above.message, "hi");
    assert_int_equal(world->above.binaries, 2);
    gw_engineio_send_binary(world->above.engine, PR_STR("there"));
    assert_string_equal(fake_socket_take(world->socket), "there\n");
}

static void
s_close(fake_layer_t *above, pr_str_t text)
{
    (void) text;
    gw_engineio_close(above->engine, GW_WHY_LEAVE, 1008, "no");
    assert_int_equal(above->closes, 0);
}

static void
user_may_close_from_within_a_message(void **state)
{
    world_t *world = *state;
    world->above.answer = s_close;
    fake_socket_say(world->socket, "4x");
    fake_socket_say(world->socket, "4y");
    t_loop_turn(world->loop);
    assert_int_equal(world->above.messages, 1);
    assert_int_equal(world->above.closes, 1);
}

/* The socket may be gone before the turn ends: told once, all the same. */
static void
user_is_told_once_whoever_is_first(void **state)
{
    world_t *world = *state;
    gw_engineio_close(world->above.engine, GW_WHY_RELOAD, 1000, "");
    fake_socket_gone(world->socket, 1006, true);
    fake_socket_destroy(&world->socket);
    assert_int_equal(world->above.closes, 1);
    assert_int_equal(world->above.why, GW_WHY_RELOAD);
    t_loop_turn(world->loop);
    assert_int_equal(world->above.closes, 1);
}

static void
way_of_closing_says_why(void **state)
{
    const struct {
        int code;
        bool by_us;
        gw_why_t why;
    } rows[] = {
        {1000, false, GW_WHY_LEAVE}, {1005, false, GW_WHY_LEAVE}, {1001, false, GW_WHY_RELOAD},
        {1006, false, GW_WHY_LOST},  {1011, false, GW_WHY_LOST},  {4000, false, GW_WHY_LOST},
        {1000, true, GW_WHY_LOST},
    };
    world_t *world = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fake_socket_gone(world->socket, rows[i].code, rows[i].by_us);
        fake_socket_destroy(&world->socket);
        assert_int_equal(world->above.closes, i + 1);
        assert_int_equal(world->above.why, rows[i].why);
        world->socket = fake_socket_new();
        assert_int_equal(gw_engineio_open(world->hub, world->socket, PR_STR_NONE), 0);
    }
    fake_socket_say(world->socket, "1");
    t_loop_turn(world->loop);
    assert_int_equal(world->above.why, GW_WHY_LEAVE);
}

static void
server_pings_and_waits_for_the_pong(void **state)
{
    world_t *world = *state;
    (void) fake_socket_take(world->socket);
    s_pass(world, INTERVAL_MS - 1000);
    assert_string_equal(fake_socket_take(world->socket), "");
    s_pass(world, 1100);
    assert_string_equal(fake_socket_take(world->socket), "2\n");
    fake_socket_say(world->socket, "3");
    assert_false(world->socket->closed);
    assert_int_equal(world->stats.ping_timeouts, 0);
}

static void
missing_pong_ends_the_session(void **state)
{
    world_t *world = *state;
    s_pass(world, INTERVAL_MS + 100);
    s_pass(world, TIMEOUT_MS + 100);
    assert_true(world->socket->closed);
    assert_int_equal(world->stats.ping_timeouts, 1);
    t_loop_turn(world->loop);
    assert_int_equal(world->above.closes, 1);
    assert_int_equal(world->above.why, GW_WHY_LOST);
}

static void
talking_client_gets_one_more_wait(void **state)
{
    world_t *world = *state;
    s_pass(world, INTERVAL_MS + 100);
    fake_socket_say(world->socket, "4still here");
    fake_socket_say(world->socket, "4and here");
    assert_false(world->socket->closed);
    s_pass(world, TIMEOUT_MS + 100);
    assert_true(world->socket->closed);
}

/* A socket that can not even take what must be sent. */
static void
overflowing_socket_is_closed(void **state)
{
    world_t *world = *state;
    world->socket->full = true;
    gw_engineio_send(world->above.engine, PR_STR("too much"));
    assert_true(world->socket->closed);
    assert_int_equal(world->stats.must_send_overflows, 1);
    t_loop_turn(world->loop);
    assert_int_equal(world->above.why, GW_WHY_LOST);
}

static void
all_sessions_close_when_the_gateway_ends(void **state)
{
    world_t *world = *state;
    gw_socket_t *other = fake_socket_new();
    assert_int_equal(gw_engineio_open(world->hub, other, PR_STR_NONE), 0);
    gw_engineio_hub_close_all(world->hub, "bye");
    assert_true(world->socket->closed);
    assert_true(other->closed);
    assert_int_equal(other->code, 1001);
    t_loop_turn(world->loop);
    assert_int_equal(world->above.closes, 2);
    fake_socket_gone(other, 1001, true);
    fake_socket_destroy(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(session_opens_with_sid_and_intervals),
        TEST(messages_go_both_ways),
        TEST(other_packets_of_a_server_are_ignored),
        TEST(bad_packet_ends_the_session_at_once),
        TEST(binary_messages_go_both_ways),
        TEST(user_may_close_from_within_a_message),
        TEST(user_is_told_once_whoever_is_first),
        TEST(way_of_closing_says_why),
        TEST(server_pings_and_waits_for_the_pong),
        TEST(missing_pong_ends_the_session),
        TEST(talking_client_gets_one_more_wait),
        TEST(overflowing_socket_is_closed),
        TEST(all_sessions_close_when_the_gateway_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
