/* SPDX-License-Identifier: MIT */

/* A session that polls, without HTTP, for tests of it. */

#ifndef T_POLLING_WORLD_H
#define T_POLLING_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_layer.h"
#include "fake_socket.h"
#include "gateway/engineio.h"
#include "proto/base/clock.h"
#include "proto/wire/limits.h"
#include "tests/support/turns.h"

enum { INTERVAL_MS = 25000, TIMEOUT_MS = 20000 };

#define UNKNOWN "400 {\"code\":1,\"message\":\"Session ID unknown\"}"
#define REFUSED "400 {\"code\":3,\"message\":\"Bad request\"}"

typedef struct {
    gw_polling_get_t get; /* first: the pointers are equal */
    gw_engineio_post_t post;
    pr_loop_t *loop;
    gw_engineio_hub_t *hub;
    gw_stats_t stats;
    fake_layer_t above;
    gw_socket_t *ws;
    char sid[64];
    char answer[256];
    int cuts;
} world_t;

static void
s_answer(gw_polling_get_t *get, int status, pr_str_t body)
{
    world_t *world = (world_t *) get;
    (void) snprintf(world->answer, sizeof world->answer, "%d %.*s", status, PR_STR_ARG(body));
}

static void
s_cut(gw_engineio_post_t *post)
{
    world_t *world = (world_t *) (void *) ((char *) post - offsetof(world_t, post));
    world->cuts++;
}

static void
s_open(world_t *world)
{
    pr_buf_t *open = gw_engineio_open_polling(world->hub, PR_STR_NONE);
    assert_non_null(open);
    pr_buf_append_byte(open, '\0');
    assert_int_equal(sscanf(pr_buf_data(open), "0{\"sid\":\"%63[A-Za-z0-9_-]", world->sid), 1);
    assert_non_null(strstr(pr_buf_data(open), "\"upgrades\":[\"websocket\"]"));
    pr_buf_destroy(&open);
}

static int
s_setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    const gw_engineio_settings_t settings = {
        .ping_interval_ms = INTERVAL_MS,
        .ping_timeout_ms = TIMEOUT_MS,
        .owner = "g7-0a1b2c3d",
        .polling_max = 3,
    };
    world->get.answer = s_answer;
    world->post.cut = s_cut;
    world->loop = pr_loop_new();
    world->hub =
        gw_engineio_hub_new(world->loop, &settings, &world->stats, &fake_layer_ops, &world->above);
    s_open(world);
    *state = world;
    return 0;
}

static int
s_teardown(void **state)
{
    world_t *world = *state;
    if (world->ws) {
        if (world->ws->ops) {
            fake_socket_gone(world->ws, 1006, false);
        }
        fake_socket_destroy(&world->ws);
    }
    gw_engineio_hub_destroy(&world->hub);
    assert_int_equal(world->stats.sessions, 0);
    assert_int_equal(world->stats.sessions_polling, 0);
    pr_loop_destroy(&world->loop);
    free(world);
    return 0;
}

static inline void
s_turn(world_t *world)
{
    t_loop_turn(world->loop);
    t_loop_turn(world->loop);
}

static inline void
s_pass(world_t *world, int64_t ms)
{
    (void) pr_wheel_advance(pr_loop_wheel(world->loop), pr_clock_mono_ms() + ms);
}

static inline void
s_get(world_t *world)
{
    world->answer[0] = '\0';
    gw_engineio_get(world->hub, pr_str(world->sid), &world->get);
}

static inline const char *
s_post(world_t *world, const char *body)
{
    static char text[128];
    pr_str_t answer;
    int status = gw_engineio_post(world->hub, pr_str(world->sid), pr_str(body), &answer);
    (void) snprintf(text, sizeof text, "%d %.*s", status, PR_STR_ARG(answer));
    return text;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

#endif
