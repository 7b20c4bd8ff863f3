/* SPDX-License-Identifier: MIT */

/*
 * Two gateways in one process, joined by a real socket: g1 is asked for sessions that are g2's. The
 * layer above echoes what it gets.
 */

#ifndef NEIGHBOURS_WORLD_H
#define NEIGHBOURS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_layer.h"
#include "gateway/engineio_sid.h"
#include "gateway/neighbours.h"
#include "gateway/neighbours_server.h"
#include "proto/wire/limits.h"

#define G1 "1111111111111111"
#define G2 "2222222222222222"
#define TAG2 "g2-22222222"

enum { DEADLINE_MS = 5000, GET_MS = 50000, ANSWERS = 64 };

typedef struct {
    pr_loop_t *loop;
    char dir[64];
    char endpoint[128];
    gw_stats_t stats;
    gw_engineio_hub_t *hub;
    fake_layer_t above;
    gw_neighbours_server_t *server;
    gw_neighbours_t *neighbours;
    char sid[GW_SID_MAX + 1];
} world_t;

/* A request and what came of it. */
typedef struct {
    gw_polling_get_t get; /* first: the pointers are equal */
    int answers;
    int status;
    char *body;
    size_t len;
} asked_t;

/* --- the sessions of g2 --- */

static inline void
s_echo(fake_layer_t *above, pr_str_t text)
{
    gw_engineio_send(above->engine, text);
}

static inline void
s_open_session(world_t *world)
{
    pr_buf_t *body = gw_engineio_open_polling(world->hub, PR_STR_NONE);
    assert_non_null(body);
    assert_int_equal(sscanf(pr_buf_data(body), "0{\"sid\":\"%64[^\"]", world->sid), 1);
    pr_buf_destroy(&body);
}

/* --- the two of them --- */

static inline void
s_start_server(world_t *world)
{
    const gw_neighbours_server_options_t options = {
        .loop = world->loop,
        .endpoint = world->endpoint,
        .name = "g2",
        .incarnation = G2,
        .hub = world->hub,
    };
    world->server = gw_neighbours_server_new(&options);
    assert_non_null(world->server);
}

static inline void
s_tell(world_t *world, bool with_g2)
{
    pr_roster_t *roster = pr_roster_new(1);
    assert_int_equal(pr_roster_add_gateway(roster, 1, G1, "ipc:///nowhere/g1.sock"), 0);
    if (with_g2) {
        assert_int_equal(pr_roster_add_gateway(roster, 2, G2, world->endpoint), 0);
    }
    gw_neighbours_set_roster(world->neighbours, roster);
    pr_roster_destroy(&roster);
}

static inline int
s_setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    *state = world;
    world->loop = pr_loop_new();
    world->above.answer = s_echo;
    (void) snprintf(world->dir, sizeof world->dir, "/tmp/rollcall-near-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    (void) snprintf(world->endpoint, sizeof world->endpoint, "ipc://%s/g2.sock", world->dir);
    const gw_engineio_settings_t settings = {
        .ping_interval_ms = 25000,
        .ping_timeout_ms = 20000,
        .queue_bytes_max = PR_MESSAGE_BYTES_MAX,
        .owner = TAG2,
    };
    world->hub =
        gw_engineio_hub_new(world->loop, &settings, &world->stats, &fake_layer_ops, &world->above);
    const gw_neighbours_options_t options = {
        .loop = world->loop,
        .name = "g1",
        .incarnation = G1,
        .get_ms = GET_MS,
    };
    world->neighbours = gw_neighbours_new(&options);
    assert_true(world->hub && world->neighbours);
    s_start_server(world);
    s_tell(world, true);
    s_open_session(world);
    return 0;
}

static inline int
s_teardown(void **state)
{
    world_t *world = *state;
    gw_neighbours_destroy(&world->neighbours);
    gw_neighbours_server_destroy(&world->server);
    gw_engineio_hub_destroy(&world->hub);
    pr_loop_destroy(&world->loop);
    (void) unlink(world->endpoint + strlen("ipc://"));
    (void) rmdir(world->dir);
    free(world);
    return 0;
}

/* --- requests --- */

static inline void
s_answer(gw_polling_get_t *get, int status, pr_str_t body)
{
    asked_t *asked = (asked_t *) get;
    asked->answers++;
    asked->status = status;
    free(asked->body);
    asked->body = strndup(body.len ? body.ptr : "", body.len);
    asked->len = body.len;
}

static inline int64_t
s_ask(world_t *world, asked_t *asked, pr_str_t body)
{
    *asked = (asked_t) {.get = {.answer = s_answer}};
    return gw_neighbours_ask(world->neighbours, PR_STR(TAG2), pr_str(world->sid), body,
                             &asked->get);
}

static inline bool
s_is_answered(void *arg)
{
    return ((asked_t *) arg)->answers > 0;
}

static inline void
s_expect(world_t *world, asked_t *asked, int status, const char *body)
{
    assert_true(pr_loop_run_until(world->loop, s_is_answered, asked, DEADLINE_MS));
    assert_int_equal(asked->answers, 1);
    assert_int_equal(asked->status, status);
    assert_string_equal(asked->body, body);
    free(asked->body);
    asked->body = NULL;
}

static inline bool
s_is_parked(void *arg)
{
    return gw_neighbours_server_counters(((world_t *) arg)->server)->parked == 1;
}

static inline bool
s_is_closed(void *arg)
{
    return ((world_t *) arg)->above.closes > 0;
}

static inline void
s_park(world_t *world, asked_t *asked, int64_t *number)
{
    *number = s_ask(world, asked, PR_STR_NONE);
    assert_true(*number > 0);
    assert_true(pr_loop_run_until(world->loop, s_is_parked, world, DEADLINE_MS));
}

#endif
