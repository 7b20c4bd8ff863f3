/* SPDX-License-Identifier: MIT */

/* Rooms between fake sockets and fake actors, and conns in them. For one file of a test. */

#ifndef CONN_WORLD_H
#define CONN_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_hosts.h"
#include "fake_socket.h"
#include "gateway/conn.h"
#include "gateway/rooms.h"
#include "tests/support/turns.h"

#define POLL "ABC234"
#define ANN "annannannannannannann"
#define BOB "bobbobbobbobbobbobbob"

typedef struct {
    pr_loop_t *loop;
    gw_stats_t stats;
    gw_hosts_t *hosts;
    gw_rooms_t *rooms;
} world_t;

/* A client of one conn: what it was told. */
typedef struct {
    gw_conn_t *conn; /* NULL: it was let go */
    gw_socket_t *socket;
    pr_buf_t *log;
    bool keeps; /* does not let go when refused or ended */
} client_t;

static inline int
s_setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    world->loop = pr_loop_new();
    const gw_rooms_settings_t settings = {
        .loop = world->loop,
        .stats = &world->stats,
        .incarnation = "0123456789abcdef",
        .pace_bytes_per_s = 100 << 20,
        .commands_per_s = 20,
    };
    world->rooms = gw_rooms_new(&settings);
    world->hosts = fake_hosts_new();
    gw_rooms_use(world->rooms, world->hosts);
    *state = world;
    return 0;
}

static inline int
s_teardown(void **state)
{
    world_t *world = *state;
    assert_int_equal(world->stats.conns, 0);
    gw_rooms_destroy(&world->rooms);
    fake_hosts_destroy(&world->hosts);
    pr_loop_destroy(&world->loop);
    free(world);
    return 0;
}

/* The actors of slot 1 say this. */
static inline void
s_say(world_t *world, const char *json)
{
    pr_buf_t *packed = pr_buf_new(256);
    pr_unpacked_t *memory = pr_unpacked_new();
    pr_event_t event;
    assert_int_equal(pr_event_pack_json(pr_str(json), packed), 0);
    assert_int_equal(pr_event_unpack(pr_buf_str(packed), memory, &event), 0);
    gw_rooms_hosts_ops.event(world->rooms, 1, &event);
    pr_unpacked_destroy(&memory);
    pr_buf_destroy(&packed);
}

#define REV(n) "\"" #n "-000000000000000" #n "\""
#define SNAPSHOT(n, participants)                                                                  \
    "{\"type\":\"POLL_SNAPSHOT\",\"poll\":\"" POLL                                                 \
    "\",\"rev\":" REV(n) ",\"document\":{\"id\":\"" POLL                                           \
                         "\",\"topic\":\"T\",\"votesPerVoter\":1,\"participants\":{" participants  \
                         "},"                                                                      \
                         "\"nominations\":{},\"rankings\":{},\"results\":[],\"adminID\":\"" ANN    \
                         "\","                                                                     \
                         "\"hasStarted\":false,\"version\":" #n                                    \
                         ",\"rev\":" REV(n) ",\"state\":\"open\",\"endsAt\":1}}"
#define UPDATED(m, n, patch)                                                                       \
    "{\"type\":\"POLL_UPDATED\",\"poll\":\"" POLL                                                  \
    "\",\"from\":" REV(m) ",\"to\":" REV(n) ",\"patch\":{" patch ",\"version\":" #n                \
                                            ",\"rev\":" REV(n) "}}"
#define IS_ANN "\"" ANN "\":\"Ann\""
#define IS_BOB "\"" BOB "\":\"Bob\""

/* {"type":TYPE,"poll":POLL,"conn":the client's,MORE} */
static inline void
s_say_of(world_t *world, const char *type, const client_t *client, const char *more)
{
    char json[512];
    (void) snprintf(json, sizeof json, "{\"type\":\"%s\",\"poll\":\"" POLL "\",\"conn\":\"%s\"%s}",
                    type, gw_conn_id(client->conn).text, more);
    s_say(world, json);
}

static inline void
s_note(client_t *client, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void) vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pr_buf_append_str(client->log, pr_str(text));
    pr_buf_append_byte(client->log, '\n');
}

static inline void
s_let_go(client_t *client)
{
    gw_conn_t *conn = client->conn;
    client->conn = NULL;
    gw_conn_gone(conn, GW_WHY_LEAVE);
}

static inline void
s_accepted(void *arg, gw_conn_t *conn)
{
    (void) conn;
    s_note(arg, "accepted");
}

static inline void
s_refused(void *arg, gw_conn_t *conn, int code, pr_str_t text)
{
    (void) conn;
    (void) code;
    client_t *client = arg;
    s_note(client, "refused %.*s", PR_STR_ARG(text));
    if (!client->keeps) {
        s_let_go(client);
    }
}

static inline void
s_ended(void *arg, gw_conn_t *conn, gw_ending_t ending)
{
    (void) conn;
    client_t *client = arg;
    s_note(client, "ended %d", (int) ending);
    if (!client->keeps) {
        s_let_go(client);
    }
}

static inline void
s_event(void *arg, gw_conn_t *conn, pr_str_t name, pr_str_t json)
{
    (void) conn;
    s_note(arg, "%.*s %.*s", PR_STR_ARG(name), PR_STR_ARG(json));
}

static inline void
s_answer(void *arg, gw_conn_t *conn, int64_t ack, pr_str_t json)
{
    (void) conn;
    s_note(arg, "answer %lld %.*s", (long long) ack, PR_STR_ARG(json));
}

static inline void
s_cut(void *arg, gw_conn_t *conn, gw_why_t why, int code, const char *reason)
{
    (void) conn;
    s_note(arg, "cut %s %d %s", gw_why_name(why), code, reason);
}

static const gw_client_ops_t s_ops = {
    .accepted = s_accepted,
    .refused = s_refused,
    .ended = s_ended,
    .event = s_event,
    .answer = s_answer,
    .cut = s_cut,
};

static inline client_t *
s_client(world_t *world, const char *user, const char *name)
{
    client_t *client = calloc(1, sizeof *client);
    gw_token_t token = {.poll = POLL};
    (void) snprintf(token.user, sizeof token.user, "%s", user);
    token.name_len = (size_t) snprintf(token.name, sizeof token.name, "%s", name);
    client->socket = fake_socket_new();
    client->log = pr_buf_new(64);
    client->conn = gw_conn_new(world->rooms, &s_ops, client, client->socket, &token);
    assert_non_null(client->conn);
    return client;
}

static inline void
s_client_destroy(client_t **client_p)
{
    client_t *client = *client_p;
    if (client->conn) {
        s_let_go(client);
    }
    fake_socket_destroy(&client->socket);
    pr_buf_destroy(&client->log);
    free(client);
    *client_p = NULL;
}

/* What it was told since the last call. */
static inline const char *
s_log(client_t *client)
{
    static pr_buf_t *last;
    pr_buf_destroy(&last);
    last = client->log;
    client->log = pr_buf_new(64);
    pr_buf_append_byte(last, '\0');
    return pr_buf_data(last);
}

/* A conn of Ann's, LIVE with document 1. */
static inline client_t *
s_live(world_t *world, gw_lane_kind_t lane)
{
    client_t *client = s_client(world, ANN, "Ann");
    gw_conn_join(client->conn, lane);
    s_say(world, SNAPSHOT(1, IS_ANN));
    s_say_of(world, "CONNECTED", client, ",\"rev\":" REV(1));
    t_loop_turn(world->loop);
    assert_int_equal(gw_conn_state(client->conn), GW_CONN_LIVE);
    (void) s_log(client);
    (void) fake_hosts_take(world->hosts);
    (void) fake_socket_take(client->socket);
    return client;
}

/* A conn of Bob's beside Ann's, LIVE with document 2, which it brought about. */
static inline client_t *
s_live_bob(world_t *world)
{
    client_t *bob = s_client(world, BOB, "Bob");
    gw_conn_join(bob->conn, GW_LANE_PATCH);
    s_say(world, UPDATED(1, 2, "\"participants\":{" IS_BOB "}"));
    s_say_of(world, "CONNECTED", bob, ",\"rev\":" REV(2));
    t_loop_turn(world->loop);
    (void) fake_socket_take(bob->socket);
    (void) fake_hosts_take(world->hosts);
    return bob;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)
#define STARTS(text, start)                                                                        \
    if (strncmp(text, start, strlen(start)) != 0)                                                  \
    fail_msg("%s", text)
#define HOLDS(text, part)                                                                          \
    if (!strstr(text, part))                                                                       \
    fail_msg("%s", text)

#endif
