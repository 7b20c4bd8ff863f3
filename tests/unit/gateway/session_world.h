/* SPDX-License-Identifier: MIT */

/* A Socket.IO session on a fake socket, with the namespaces / and /polls, for tests of it. */

#ifndef T_SESSION_WORLD_H
#define T_SESSION_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_socket.h"
#include "gateway/session.h"
#include "proto/wire/limits.h"
#include "tests/support/turns.h"

/* The namespace /polls, whose handler remembers. */
typedef struct {
    pr_loop_t *loop;
    gw_stats_t stats;
    gw_sessions_t *sessions;
    gw_engineio_hub_t *hub;
    gw_socket_t *socket;
    gw_session_t *session;
    const char *refusal; /* of the next connect, NULL: it joins */
    char log[512];
    int member; /* its address is the member */
} world_t;

static void
s_note(world_t *world, const char *format, ...)
{
    size_t len = strlen(world->log);
    va_list args;
    va_start(args, format);
    (void) vsnprintf(world->log + len, sizeof world->log - len, format, args);
    va_end(args);
}

static world_t *
s_world(void *member)
{
    return (world_t *) (void *) ((char *) member - offsetof(world_t, member));
}

static gw_joining_t
s_connect(void *arg, gw_session_t *session, const json_t *auth, pr_str_t token)
{
    world_t *world = arg;
    world->session = session;
    s_note(world, "connect(%s,%.*s) ", json_string_value(json_object_get(auth, "a")),
           PR_STR_ARG(token));
    if (world->refusal) {
        return (gw_joining_t) {.reason = world->refusal};
    }
    return (gw_joining_t) {.member = &world->member};
}

static void
s_event(void *member, const gw_sio_packet_t *packet)
{
    s_note(s_world(member), "event(%.*s,%d", PR_STR_ARG(gw_sio_event_name(packet)),
           (int) packet->ack);
    for (int i = 0; i < packet->attachments; i++) {
        s_note(s_world(member), ",%.*s", PR_STR_ARG(pr_buf_str(packet->attached[i])));
    }
    s_note(s_world(member), ") ");
}

static void
s_writable(void *member)
{
    s_note(s_world(member), "writable ");
}

static void
s_left(void *member, gw_why_t why)
{
    s_note(s_world(member), "left(%s) ", gw_why_name(why));
}

static int
s_setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    const gw_namespace_t polls = {
        .name = PR_STR("/polls"),
        .connect = s_connect,
        .event = s_event,
        .writable = s_writable,
        .left = s_left,
        .arg = world,
    };
    const gw_engineio_settings_t settings = {
        .ping_interval_ms = 25000,
        .ping_timeout_ms = 20000,
        .owner = "g1-00",
    };
    world->loop = pr_loop_new();
    world->sessions = gw_sessions_new(world->loop, &world->stats, PR_BEFORE_JOIN_MS);
    gw_sessions_add(world->sessions, &gw_namespace_idle_root);
    gw_sessions_add(world->sessions, &polls);
    world->hub = gw_engineio_hub_new(world->loop, &settings, &world->stats, &gw_session_engine_ops,
                                     world->sessions);
    world->socket = fake_socket_new();
    *state = world;
    int error = gw_engineio_open(world->hub, world->socket, PR_STR("hdr"));
    (void) fake_socket_take(world->socket);
    return error;
}

static int
s_teardown(void **state)
{
    world_t *world = *state;
    fake_socket_gone(world->socket, 1006, false);
    fake_socket_destroy(&world->socket);
    gw_engineio_hub_destroy(&world->hub);
    gw_sessions_destroy(&world->sessions);
    pr_loop_destroy(&world->loop);
    free(world);
    return 0;
}

/* What the handler was told since the last call. */
static const char *
s_log(world_t *world)
{
    static char last[sizeof world->log];
    memcpy(last, world->log, sizeof last);
    world->log[0] = '\0';
    return last;
}

static inline void
s_join(world_t *world)
{
    fake_socket_say(world->socket, "40/polls,{\"a\":\"b\"}");
    gw_session_accept(world->session, &world->member);
    (void) fake_socket_take(world->socket);
    (void) s_log(world);
}

static inline void
s_expect_cut(world_t *world, const char *text)
{
    fake_socket_say(world->socket, text);
    if (!world->socket->closed) {
        fail_msg("%s is tolerated", text);
    }
    assert_int_equal(world->stats.bad_packets, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

#endif
