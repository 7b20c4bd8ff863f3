/* SPDX-License-Identifier: MIT */

#include "conn_world.h"
#include "proto/wire/limits.h"

/* --- the table: every event in every state --- */

/* O, J, L, S, C: the state afterwards; -: the conn is gone. */
static const char *const s_expected[GW_CONN_EVENT_COUNT] = {
    /*                      OPEN JOINING LIVE STALE CLOSING */
    [GW_CONN_ON_JOIN] = "JCCCC",   [GW_CONN_ON_CONNECTED] = "OLLLC",
    [GW_CONN_ON_UPDATE] = "OJLLC", [GW_CONN_ON_COMMAND] = "CJLSC",
    [GW_CONN_ON_RESET] = "OJSSC",  [GW_CONN_ON_REFUSED] = "OCCCC",
    [GW_CONN_ON_KICK] = "OCCCC",   [GW_CONN_ON_ENDED] = "OCCCC",
    [GW_CONN_ON_GONE] = "-----",   [GW_CONN_ON_DRAIN] = "CCCCC",
    [GW_CONN_ON_TIMER] = "CCLSC",
};

/* Whether the actor is told that the conn is gone, when it leaves that state by GONE. */
static const bool s_tells[GW_CONN_STATE_COUNT] = {
    [GW_CONN_JOINING] = true,
    [GW_CONN_LIVE] = true,
    [GW_CONN_STALE] = true,
};

static client_t *
s_client_in(world_t *world, gw_conn_state_t state)
{
    client_t *client = s_client(world, ANN, "Ann");
    client->keeps = true;
    if (state == GW_CONN_OPEN) {
        return client;
    }
    gw_conn_join(client->conn, GW_LANE_FULL);
    s_say(world, SNAPSHOT(1, IS_ANN));
    if (state == GW_CONN_LIVE || state == GW_CONN_STALE) {
        gw_conn_connected(client->conn, PR_STR_NONE);
    }
    if (state == GW_CONN_STALE) {
        gw_conn_reset(client->conn);
    }
    if (state == GW_CONN_CLOSING) {
        gw_conn_refused(client->conn, PR_E_NOT_FOUND, PR_STR("x"));
    }
    assert_int_equal(gw_conn_state(client->conn), state);
    (void) fake_hosts_take(world->hosts);
    return client;
}

static void
s_do(world_t *world, client_t *client, gw_conn_event_t event)
{
    const gw_command_t command = {.verb = PR_STR("start_vote"), .ack = -1};
    gw_conn_t *conn = client->conn;
    switch (event) {
    case GW_CONN_ON_JOIN:
        gw_conn_join(conn, GW_LANE_FULL);
        break;
    case GW_CONN_ON_CONNECTED:
        gw_conn_connected(conn, PR_STR_NONE);
        break;
    case GW_CONN_ON_UPDATE:
        gw_conn_updated(conn);
        break;
    case GW_CONN_ON_COMMAND:
        gw_conn_command(conn, &command);
        break;
    case GW_CONN_ON_RESET:
        gw_conn_reset(conn);
        break;
    case GW_CONN_ON_REFUSED:
        gw_conn_refused(conn, PR_E_REMOVED, PR_STR("Removed from the poll"));
        break;
    case GW_CONN_ON_KICK:
        gw_conn_kicked(conn, PR_E_REMOVED);
        break;
    case GW_CONN_ON_ENDED:
        gw_conn_ended(conn, GW_ENDING_CANCELLED);
        break;
    case GW_CONN_ON_GONE:
        client->conn = NULL;
        gw_conn_gone(conn, GW_WHY_LOST);
        break;
    case GW_CONN_ON_DRAIN:
        gw_conn_drain(conn);
        break;
    case GW_CONN_ON_TIMER:
        t_loop_pass(world->loop, PR_JOINING_MS + 100);
        break;
    case GW_CONN_EVENT_COUNT:
        fail();
    }
}

static char
s_letter(const client_t *client)
{
    static const char letters[] = {[GW_CONN_OPEN] = 'O',
                                   [GW_CONN_JOINING] = 'J',
                                   [GW_CONN_LIVE] = 'L',
                                   [GW_CONN_STALE] = 'S',
                                   [GW_CONN_CLOSING] = 'C'};
    if (!client->conn) {
        return '-';
    }
    return letters[gw_conn_state(client->conn)];
}

static void
every_event_in_every_state(void **state)
{
    (void) state;
    for (int at = 0; at < GW_CONN_STATE_COUNT; at++) {
        for (int event = 0; event < GW_CONN_EVENT_COUNT; event++) {
            void *made = NULL;
            assert_int_equal(s_setup(&made), 0);
            world_t *world = made;
            client_t *client = s_client_in(world, (gw_conn_state_t) at);
            s_do(world, client, (gw_conn_event_t) event);
            if (s_letter(client) != s_expected[event][at]) {
                fail_msg("%s on %s: %c, not %c", gw_conn_state_name((gw_conn_state_t) at),
                         gw_conn_event_name((gw_conn_event_t) event), s_letter(client),
                         s_expected[event][at]);
            }
            if (event == GW_CONN_ON_GONE) {
                bool told = strstr(fake_hosts_take(world->hosts), "DISCONNECT") != NULL;
                assert_int_equal(told, s_tells[at]);
            }
            s_client_destroy(&client);
            assert_int_equal(s_teardown(&made), 0);
        }
    }
}

/* --- joining --- */

static void
join_announces_the_user_and_shows_the_first_document(void **state)
{
    world_t *world = *state;
    client_t *ann = s_client(world, ANN, "Ann");
    gw_conn_join(ann->conn, GW_LANE_FULL);
    const char *told = fake_hosts_take(world->hosts);
    STARTS(told, "{\"type\":\"CONNECT\",\"poll\":\"" POLL "\",\"conn\":\"");
    HOLDS(told, "\"user\":\"" ANN "\",\"name\":\"Ann\"}");
    s_say(world, SNAPSHOT(1, IS_ANN));
    t_loop_turn(world->loop);
    assert_string_equal(s_log(ann), "");
    assert_string_equal(fake_socket_take(ann->socket), "");

    s_say_of(world, "CONNECTED", ann, ",\"rev\":" REV(1));
    assert_string_equal(s_log(ann), "accepted\n");
    t_loop_turn(world->loop);
    STARTS(fake_socket_take(ann->socket), "42/polls,[\"poll_updated\",{\"id\":\"" POLL "\"");

    /* A second tab: the feed's rev goes along. */
    client_t *tab = s_client(world, ANN, "Ann");
    gw_conn_join(tab->conn, GW_LANE_PATCH);
    HOLDS(fake_hosts_take(world->hosts), "\"rev\":" REV(1));
    s_client_destroy(&tab);
    HOLDS(fake_hosts_take(world->hosts), "\"why\":\"leave\"");
    s_client_destroy(&ann);
    assert_int_equal(world->stats.rooms, 0);
}

static void
refusal_that_stays_is_told(void **state)
{
    world_t *world = *state;
    client_t *ann = s_client(world, ANN, "Ann");
    gw_conn_join(ann->conn, GW_LANE_FULL);
    (void) fake_hosts_take(world->hosts);
    s_say_of(world, "REFUSED", ann, ",\"code\":\"not_found\",\"text\":\"Poll not found\"");
    assert_string_equal(s_log(ann), "refused Poll not found\n");
    /* Nothing for the actor to hear: it said so itself. */
    assert_string_equal(fake_hosts_take(world->hosts), "");
    assert_int_equal(world->stats.rooms, 0);
    s_client_destroy(&ann);
}

static void
refusal_that_passes_closes_the_transport(void **state)
{
    world_t *world = *state;
    client_t *ann = s_client(world, ANN, "Ann");
    gw_conn_join(ann->conn, GW_LANE_FULL);
    s_say_of(world, "REFUSED", ann, ",\"code\":\"unavailable\",\"text\":\"no\"");
    STARTS(s_log(ann), "cut lost 1013");
    s_client_destroy(&ann);
}

static void
unanswered_join_closes_the_transport(void **state)
{
    world_t *world = *state;
    client_t *ann = s_client(world, ANN, "Ann");
    gw_conn_join(ann->conn, GW_LANE_FULL);
    (void) fake_hosts_take(world->hosts);
    t_loop_pass(world->loop, PR_JOINING_MS + 100);
    STARTS(s_log(ann), "cut lost 1013");
    HOLDS(fake_hosts_take(world->hosts), "\"type\":\"DISCONNECT\"");
    assert_int_equal(world->stats.join_timeouts, 1);
    s_client_destroy(&ann);
}

/* --- being in --- */

static void
kicked_conn_sees_the_change_that_removed_it(void **state)
{
    world_t *world = *state;
    client_t *ann = s_live(world, GW_LANE_FULL);
    client_t *bob = s_live_bob(world);
    (void) s_log(bob);

    s_say(world, UPDATED(2, 3, "\"participants\":{\"" BOB "\":null}"));
    char kick[256];
    (void) snprintf(kick, sizeof kick,
                    "{\"type\":\"KICK\",\"poll\":\"" POLL "\",\"conns\":[\"%s\",\"zzz\",5],"
                    "\"code\":\"removed\"}",
                    gw_conn_id(bob->conn).text);
    s_say(world, kick);
    const char *got = fake_socket_take(bob->socket);
    STARTS(got, "42/polls,[\"poll_updated\"");
    assert_null(strstr(got, "\"" BOB "\""));
    assert_string_equal(s_log(bob), "ended 0\n");
    assert_string_equal(fake_hosts_take(world->hosts), "");
    assert_int_equal(world->stats.strangers, 2);
    t_loop_turn(world->loop);
    HOLDS(fake_socket_take(ann->socket), "poll_updated");
    s_client_destroy(&bob);
    s_client_destroy(&ann);
}

static void
end_of_the_poll_ends_all_its_conns(void **state)
{
    world_t *world = *state;
    client_t *ann = s_live(world, GW_LANE_FULL);
    client_t *tab = s_client(world, ANN, "Ann");
    gw_conn_join(tab->conn, GW_LANE_FULL);
    s_say(world, "{\"type\":\"POLL_ENDED\",\"poll\":\"" POLL "\",\"why\":\"expired\"}");
    assert_string_equal(s_log(ann), "ended 2\n");
    assert_string_equal(s_log(tab), "refused Poll not found\n");
    assert_int_equal(world->stats.rooms, 0);
    s_client_destroy(&tab);
    s_client_destroy(&ann);
}

/* --- commands --- */

static void
s_command(client_t *client, const char *verb, int64_t ack)
{
    const gw_command_t command = {.verb = pr_str(verb), .ack = ack};
    gw_conn_command(client->conn, &command);
}

static void
command_is_sent_and_its_refusal_told(void **state)
{
    world_t *world = *state;
    client_t *ann = s_live(world, GW_LANE_FULL);
    s_command(ann, "close_poll", 7);
    const char *told = fake_hosts_take(world->hosts);
    STARTS(told, "{\"type\":\"COMMAND\"");
    HOLDS(told, "\"id\":\"0123456789abcdef.");
    HOLDS(told, ".1\",\"verb\":\"close_poll\"");
    pr_msg_reply_t reply = {.req = 0, .code = PR_STR("unauthorized"), .outcome = PR_STR("none")};
    fake_hosts_reply(world->hosts, 0, &reply, 0);
    assert_string_equal(
        s_log(ann),
        "exception {\"type\":\"Unauthorized\",\"message\":\"Admin privileges required\"}\n"
        "answer 7 {\"error\":{\"type\":\"Unauthorized\",\"message\":\"Admin privileges required\"},"
        "\"outcome\":\"none\"}\n");
    /* No answer came: nobody knows. */
    s_command(ann, "start_vote", -1);
    fake_hosts_reply(world->hosts, 0, NULL, PR_E_TIMEOUT);
    HOLDS(s_log(ann), "exception {\"type\":\"Unknown\"");
    s_command(ann, "start_vote", 8);
    reply =
        (pr_msg_reply_t) {.code = PR_STR("ok"), .outcome = PR_STR("saved"), .rev = PR_STR("2-x")};
    fake_hosts_reply(world->hosts, 0, &reply, 0);
    assert_string_equal(s_log(ann), "answer 8 {\"outcome\":\"saved\",\"rev\":\"2-x\"}\n");
    s_client_destroy(&ann);
}

static void
unknown_commands_are_counted_and_ignored(void **state)
{
    world_t *world = *state;
    client_t *ann = s_live(world, GW_LANE_FULL);
    s_command(ann, "explode", 1);
    s_command(ann, "", 1);
    assert_string_equal(s_log(ann), "");
    assert_string_equal(fake_hosts_take(world->hosts), "");
    assert_int_equal(world->stats.unknown_events, 2);
    s_command(ann, "test", -1);
    assert_string_equal(s_log(ann),
                        "exception {\"type\":\"BadRequest\",\"message\":\"plain ol\"}\n");
    s_client_destroy(&ann);
}

static void
too_many_commands_are_refused(void **state)
{
    world_t *world = *state;
    client_t *ann = s_live(world, GW_LANE_FULL);
    for (int i = 0; i < 20; i++) {
        s_command(ann, "explode", -1);
    }
    assert_string_equal(s_log(ann), "");
    s_command(ann, "start_vote", -1);
    HOLDS(s_log(ann), "exception {\"type\":\"BadRequest\"");
    assert_string_equal(fake_hosts_take(world->hosts), "");
    assert_int_equal(world->stats.commands_limited, 1);
    s_client_destroy(&ann);
}

static void
commands_are_held_while_the_actor_is_away(void **state)
{
    world_t *world = *state;
    client_t *ann = s_live(world, GW_LANE_FULL);
    gw_rooms_hosts_ops.lost(world->rooms, 1);
    assert_int_equal(gw_conn_state(ann->conn), GW_CONN_STALE);
    for (int i = 0; i < PR_CONN_HELD_MAX; i++) {
        s_command(ann, "start_vote", -1);
    }
    assert_string_equal(fake_hosts_take(world->hosts), "");
    s_command(ann, "start_vote", -1);
    HOLDS(s_log(ann), "exception {\"type\":\"Unknown\"");
    gw_rooms_hosts_ops.opened(world->rooms, 1);
    STARTS(fake_hosts_take(world->hosts), "{\"type\":\"SYNC\"");
    s_say_of(world, "CONNECTED", ann, ",\"rev\":" REV(1));
    assert_int_equal(gw_conn_state(ann->conn), GW_CONN_LIVE);
    const char *told = fake_hosts_take(world->hosts);
    HOLDS(told, ".1\",\"verb\"");
    HOLDS(told, ".8\",\"verb\"");
    assert_int_equal(fake_hosts_waiting(world->hosts), PR_CONN_HELD_MAX);
    /* It goes before their answers come: nobody is told. */
    s_client_destroy(&ann);
    assert_int_equal(fake_hosts_waiting(world->hosts), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_in_every_state),
        TEST(join_announces_the_user_and_shows_the_first_document),
        TEST(refusal_that_stays_is_told),
        TEST(refusal_that_passes_closes_the_transport),
        TEST(unanswered_join_closes_the_transport),
        TEST(kicked_conn_sees_the_change_that_removed_it),
        TEST(end_of_the_poll_ends_all_its_conns),
        TEST(command_is_sent_and_its_refusal_told),
        TEST(unknown_commands_are_counted_and_ignored),
        TEST(too_many_commands_are_refused),
        TEST(commands_are_held_while_the_actor_is_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
