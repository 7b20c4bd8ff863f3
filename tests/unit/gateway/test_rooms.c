/* SPDX-License-Identifier: MIT */

#include "conn_world.h"
#include "proto/wire/limits.h"

static void
lost_actor_comes_back_and_current_clients_get_nothing(void **state)
{
    world_t *world = *state;
    client_t *full = s_live(world, GW_LANE_FULL);
    client_t *patch = s_live_bob(world);
    (void) fake_socket_take(full->socket);

    gw_rooms_hosts_ops.lost(world->rooms, 1);
    gw_rooms_hosts_ops.opened(world->rooms, 2); /* of other polls */
    assert_string_equal(fake_hosts_take(world->hosts), "");
    gw_rooms_hosts_ops.opened(world->rooms, 1);
    const char *told = fake_hosts_take(world->hosts);
    STARTS(told, "{\"type\":\"SYNC\",\"poll\":\"" POLL "\",\"rev\":" REV(2) ",\"conns\":[[\"");
    HOLDS(told, "\"" ANN "\",\"Ann\"]");
    HOLDS(told, "\"" BOB "\",\"Bob\"]");
    HOLDS(told, "\"last\":true");
    s_say_of(world, "CONNECTED", full, ",\"rev\":" REV(2));
    s_say_of(world, "CONNECTED", patch, ",\"rev\":" REV(2));
    t_loop_turn(world->loop);
    assert_string_equal(fake_socket_take(full->socket), "");
    assert_string_equal(fake_socket_take(patch->socket), "");
    assert_int_equal(gw_conn_state(full->conn), GW_CONN_LIVE);
    s_client_destroy(&patch);
    s_client_destroy(&full);
}

/* The actor saved something that we were not told before it died. */
static void
returning_actor_that_knows_more_brings_it(void **state)
{
    world_t *world = *state;
    client_t *ann = s_live(world, GW_LANE_PATCH);
    gw_rooms_hosts_ops.lost(world->rooms, 1);
    gw_rooms_hosts_ops.opened(world->rooms, 1);
    assert_int_equal(gw_conn_state(ann->conn), GW_CONN_STALE);
    s_say(world, SNAPSHOT(2, IS_ANN "," IS_BOB));
    assert_int_equal(gw_conn_state(ann->conn), GW_CONN_LIVE);
    t_loop_turn(world->loop);
    HOLDS(fake_socket_take(ann->socket), "\"Bob\"");
    s_client_destroy(&ann);
}

static void
update_revives_only_conns_whose_user_it_lists(void **state)
{
    world_t *world = *state;
    client_t *ann = s_live(world, GW_LANE_FULL);
    gw_rooms_hosts_ops.lost(world->rooms, 1);
    gw_rooms_hosts_ops.opened(world->rooms, 1);
    s_say(world, SNAPSHOT(2, IS_BOB));
    assert_int_equal(gw_conn_state(ann->conn), GW_CONN_STALE);
    t_loop_turn(world->loop);
    assert_string_equal(fake_socket_take(ann->socket), "");
    s_say(world, UPDATED(2, 3, "\"participants\":{" IS_ANN "}"));
    assert_int_equal(gw_conn_state(ann->conn), GW_CONN_LIVE);
    t_loop_turn(world->loop);
    HOLDS(fake_socket_take(ann->socket), "\"Ann\"");
    s_client_destroy(&ann);
}

static void
gap_asks_for_one_snapshot(void **state)
{
    world_t *world = *state;
    client_t *ann = s_live(world, GW_LANE_PATCH);
    s_say(world, UPDATED(2, 3, "\"topic\":\"A\""));
    s_say(world, UPDATED(3, 4, "\"topic\":\"B\""));
    assert_string_equal(fake_hosts_take(world->hosts),
                        "{\"type\":\"RESYNC\",\"poll\":\"" POLL "\",\"rev\":" REV(1) "}\n");
    t_loop_turn(world->loop);
    assert_string_equal(fake_socket_take(ann->socket), "");
    s_say(world, SNAPSHOT(4, IS_ANN));
    s_say(world, UPDATED(4, 5, "\"topic\":\"C\""));
    t_loop_turn(world->loop);
    HOLDS(fake_socket_take(ann->socket), "\"topic\":\"C\"");
    assert_int_equal(world->stats.resyncs, 1);
    s_client_destroy(&ann);
}

/* The window is full: a SYNC says later what could not be said. */
static void
untold_goodbye_is_told_by_a_sync(void **state)
{
    world_t *world = *state;
    client_t *ann = s_live(world, GW_LANE_FULL);
    world->hosts->error = PR_E_BUSY;
    s_client_destroy(&ann);
    assert_int_equal(world->stats.rooms, 1);
    gw_rooms_hosts_ops.writable(world->rooms, 1);
    assert_int_equal(world->stats.sync_busy, 1);
    world->hosts->error = 0;
    gw_rooms_hosts_ops.writable(world->rooms, 1);
    assert_string_equal(fake_hosts_take(world->hosts),
                        "{\"type\":\"SYNC\",\"poll\":\"" POLL
                        "\",\"rev\":" REV(1) ",\"conns\":[],\"last\":true}\n");
    assert_int_equal(world->stats.rooms, 0);
}

static void
untold_hello_is_told_by_a_sync(void **state)
{
    world_t *world = *state;
    client_t *ann = s_client(world, ANN, "Ann");
    world->hosts->error = PR_E_BUSY;
    gw_conn_join(ann->conn, GW_LANE_FULL);
    world->hosts->error = 0;
    /* Until then its commands would be a stranger's. */
    assert_false(gw_rooms_hosts_ops.is_told(world->rooms, PR_STR(POLL)));
    t_loop_pass(world->loop, PR_ROOM_RETRY_MS + 100);
    assert_true(gw_rooms_hosts_ops.is_told(world->rooms, PR_STR(POLL)));
    STARTS(fake_hosts_take(world->hosts), "{\"type\":\"SYNC\",\"poll\":\"" POLL "\",\"conns\":[[");
    s_client_destroy(&ann);
}

static void
big_sync_goes_in_parts(void **state)
{
    world_t *world = *state;
    enum { COUNT = PR_SYNC_CONNS_MAX + 1 };
    static client_t *clients[COUNT];
    for (int i = 0; i < COUNT; i++) {
        clients[i] = s_client(world, ANN, "Ann");
        gw_conn_join(clients[i]->conn, GW_LANE_FULL);
    }
    (void) fake_hosts_take(world->hosts);
    gw_rooms_hosts_ops.opened(world->rooms, 1);
    const char *told = fake_hosts_take(world->hosts);
    const char *second = strchr(told, '\n') + 1;
    HOLDS(told, "\"last\":false");
    STARTS(second, "{\"type\":\"SYNC\"");
    HOLDS(second, "\"last\":true");
    assert_null(strstr(second, "\"last\":false"));
    size_t rows = 0;
    for (const char *at = told; (at = strstr(at, "\"Ann\"")); at++) {
        rows++;
    }
    assert_int_equal(rows, COUNT);
    for (int i = 0; i < COUNT; i++) {
        s_client_destroy(&clients[i]);
    }
}

static void
poll_that_moves_is_synced_at_its_new_place(void **state)
{
    world_t *world = *state;
    client_t *ann = s_live(world, GW_LANE_FULL);
    world->hosts->slot = 2;
    gw_rooms_hosts_ops.moved(world->rooms);
    STARTS(fake_hosts_take(world->hosts), "{\"type\":\"SYNC\"");
    assert_int_equal(gw_conn_state(ann->conn), GW_CONN_STALE);
    /* What the old place still says is not heard. */
    s_say(world, UPDATED(1, 2, "\"topic\":\"old\""));
    t_loop_turn(world->loop);
    assert_string_equal(fake_socket_take(ann->socket), "");
    assert_int_equal(world->stats.strangers, 1);
    /* The same roster again: nothing to do. */
    gw_rooms_hosts_ops.moved(world->rooms);
    assert_string_equal(fake_hosts_take(world->hosts), "");
    s_client_destroy(&ann);
}

static void
actor_that_lost_the_poll_is_asked_again_later(void **state)
{
    world_t *world = *state;
    client_t *ann = s_live(world, GW_LANE_FULL);
    s_say(world, "{\"type\":\"MOVED\",\"poll\":\"" POLL "\",\"generation\":9}");
    assert_int_equal(gw_conn_state(ann->conn), GW_CONN_STALE);
    assert_string_equal(fake_hosts_take(world->hosts), "");
    gw_rooms_hosts_ops.moved(world->rooms);
    STARTS(fake_hosts_take(world->hosts), "{\"type\":\"SYNC\"");
    s_client_destroy(&ann);
}

/* Nothing of this may end the process. */
static void
nonsense_from_an_actor_is_harmless(void **state)
{
    static const char *const events[] = {
        "{\"type\":\"POLL_SNAPSHOT\",\"poll\":\"" POLL "\",\"rev\":\"x\",\"document\":{}}",
        "{\"type\":\"POLL_SNAPSHOT\",\"poll\":\"" POLL "\",\"rev\":" REV(9) ",\"document\":[1]}",
        "{\"type\":\"POLL_SNAPSHOT\",\"poll\":\"ZZZZZZ\",\"rev\":" REV(1) ",\"document\":{}}",
        "{\"type\":\"POLL_SNAPSHOT\",\"poll\":\"\",\"rev\":\"\",\"document\":null}",
        "{\"type\":\"POLL_UPDATED\",\"poll\":\"" POLL "\",\"from\":\"\",\"to\":\"\",\"patch\":1}",
        "{\"type\":\"CONNECTED\",\"poll\":\"" POLL "\",\"conn\":\"\",\"rev\":\"\"}",
        "{\"type\":\"CONNECTED\",\"poll\":\"" POLL "\",\"conn\":\"zzzzzzzzzzzzzzz\",\"rev\":\"\"}",
        "{\"type\":\"CONNECTED\",\"poll\":\"" POLL "\",\"conn\":\"-1\",\"rev\":\"\"}",
        "{\"type\":\"REFUSED\",\"poll\":\"" POLL "\",\"conn\":\"1\",\"code\":\"?\",\"text\":\"\"}",
        "{\"type\":\"KICK\",\"poll\":\"" POLL "\",\"conns\":{\"a\":1},\"code\":\"removed\"}",
        "{\"type\":\"KICK\",\"poll\":\"" POLL "\",\"conns\":[null,[],1],\"code\":\"\"}",
        "{\"type\":\"EVENT_REFUSED\",\"poll\":\"\",\"of\":11,\"code\":\"busy\",\"text\":\"\"}",
        "{\"type\":\"WELCOME\",\"poll\":\"" POLL "\",\"proto\":1,\"name\":\"a\",\"session\":1}",
    };
    world_t *world = *state;
    client_t *ann = s_live(world, GW_LANE_FULL);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        pr_buf_t *packed = pr_buf_new(256);
        pr_unpacked_t *memory = pr_unpacked_new();
        pr_event_t event;
        if (pr_event_pack_json(pr_str(events[i]), packed) == 0 &&
            pr_event_unpack(pr_buf_str(packed), memory, &event) == 0) {
            gw_rooms_hosts_ops.event(world->rooms, 1, &event);
        }
        pr_unpacked_destroy(&memory);
        pr_buf_destroy(&packed);
    }
    t_loop_turn(world->loop);
    assert_string_equal(fake_socket_take(ann->socket), "");
    assert_int_equal(gw_conn_state(ann->conn), GW_CONN_LIVE);
    s_client_destroy(&ann);
}

static void
conn_of_another_poll_can_not_be_reached(void **state)
{
    world_t *world = *state;
    client_t *ann = s_client(world, ANN, "Ann");
    gw_conn_join(ann->conn, GW_LANE_FULL);
    client_t *other = calloc(1, sizeof *other);
    gw_token_t token = {.poll = "XYZ789", .user = BOB, .name = "Bob", .name_len = 3};
    other->socket = fake_socket_new();
    other->log = pr_buf_new(64);
    other->conn = gw_conn_new(world->rooms, &s_ops, other, other->socket, &token);
    gw_conn_join(other->conn, GW_LANE_FULL);
    s_say_of(world, "REFUSED", other, ",\"code\":\"removed\",\"text\":\"no\"");
    assert_int_equal(gw_conn_state(other->conn), GW_CONN_JOINING);
    assert_int_equal(world->stats.strangers, 1);
    s_client_destroy(&other);
    s_client_destroy(&ann);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lost_actor_comes_back_and_current_clients_get_nothing),
        TEST(returning_actor_that_knows_more_brings_it),
        TEST(update_revives_only_conns_whose_user_it_lists),
        TEST(gap_asks_for_one_snapshot),
        TEST(untold_goodbye_is_told_by_a_sync),
        TEST(untold_hello_is_told_by_a_sync),
        TEST(big_sync_goes_in_parts),
        TEST(poll_that_moves_is_synced_at_its_new_place),
        TEST(actor_that_lost_the_poll_is_asked_again_later),
        TEST(nonsense_from_an_actor_is_harmless),
        TEST(conn_of_another_poll_can_not_be_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
