/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/polling.h"
#include "gateway/socket.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"
#include "tests/support/turns.h"

enum { BYTES_MAX = 1000 };

/* One session that polls, and its client. */
typedef struct {
    gw_polling_get_t get; /* first: the pointers are equal */
    gw_polling_get_t second;
    pr_loop_t *loop;
    gw_pollings_t *all;
    gw_polling_t *polling;
    pr_buf_t *answer; /* "status body" of the last one */
    int64_t parked;
    int answers;
    int writables;
    int ends;
    pr_buf_t *document; /* what it sends when it may */
} world_t;

static world_t *s_world;

static void
s_answer(gw_polling_get_t *get, int status, pr_str_t body)
{
    (void) get;
    world_t *world = s_world;
    world->answers++;
    pr_buf_clear(world->answer);
    pr_buf_append_fmt(world->answer, "%d ", status);
    pr_buf_append_str(world->answer, body);
}

static void
s_writable(void *user)
{
    world_t *world = user;
    world->writables++;
    if (world->document) {
        assert_int_equal(gw_polling_send(world->polling, world->document), 0);
        pr_buf_destroy(&world->document);
    }
}

static void
s_ended(void *user)
{
    ((world_t *) user)->ends++;
}

static const gw_polling_ops_t s_ops = {.writable = s_writable, .ended = s_ended};

static int
s_setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    world->get.answer = s_answer;
    world->second.answer = s_answer;
    world->loop = pr_loop_new();
    world->all = gw_pollings_new(world->loop, &s_ops, &world->parked);
    world->polling = gw_polling_new(world->all, BYTES_MAX, world);
    world->answer = pr_buf_new(0);
    s_world = world;
    *state = world;
    return 0;
}

static int
s_teardown(void **state)
{
    world_t *world = *state;
    gw_polling_destroy(&world->polling);
    gw_pollings_destroy(&world->all);
    assert_int_equal(world->parked, 0);
    pr_loop_destroy(&world->loop);
    pr_buf_destroy(&world->answer);
    pr_buf_destroy(&world->document);
    free(world);
    return 0;
}

static const char *
s_text(world_t *world)
{
    static char text[64];
    (void) snprintf(text, sizeof text, "%.*s", PR_STR_ARG(pr_buf_str(world->answer)));
    return text;
}

/* Text that must be sent. */
static int
s_must(world_t *world, const char *text)
{
    pr_buf_t *frame = gw_frame_text(pr_str(text));
    int error = gw_polling_send_must(world->polling, frame);
    pr_buf_destroy(&frame);
    return error;
}

static int
s_document(world_t *world, const char *text)
{
    pr_buf_t *frame = gw_frame_text(pr_str(text));
    int error = gw_polling_send(world->polling, frame);
    pr_buf_destroy(&frame);
    return error;
}

static int
s_must_long(world_t *world, size_t len)
{
    char *text = malloc(len + 1);
    memset(text, 'x', len);
    text[len] = '\0';
    int error = s_must(world, text);
    free(text);
    return error;
}

static void
answers_at_the_end_of_the_turn_with_everything(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_must(world, "4a"), 0);
    assert_true(gw_polling_get(world->polling, &world->get));
    assert_int_equal(s_must(world, "4b"), 0);
    assert_int_equal(world->answers, 0);
    t_loop_turn(world->loop);
    assert_string_equal(s_text(world), "200 4a\x1e"
                                       "4b");
    assert_false(gw_polling_is_parked(world->polling));
}

static void
parks_until_there_is_something(void **state)
{
    world_t *world = *state;
    assert_true(gw_polling_get(world->polling, &world->get));
    t_loop_turn(world->loop);
    t_loop_turn(world->loop);
    assert_int_equal(world->answers, 0);
    assert_int_equal(s_must(world, "2"), 0);
    t_loop_turn(world->loop);
    assert_string_equal(s_text(world), "200 2");
}

static void
takes_one_document_for_each_get(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_document(world, "4one"), PR_E_BUSY);
    assert_true(gw_polling_get(world->polling, &world->get));
    t_loop_turn(world->loop);
    assert_int_equal(world->writables, 1);
    assert_int_equal(s_must(world, "4ack"), 0);
    assert_int_equal(s_document(world, "4two"), 0);
    assert_int_equal(s_document(world, "4three"), PR_E_BUSY);
    t_loop_turn(world->loop);
    assert_string_equal(s_text(world), "200 4ack\x1e"
                                       "4two");
    assert_int_equal(world->writables, 1);
    assert_true(gw_polling_get(world->polling, &world->get));
    t_loop_turn(world->loop);
    assert_int_equal(world->writables, 2);
}

/* What passed it by while a GET waits is asked for at once, and goes out in the same turn. */
static void
asks_for_what_it_missed(void **state)
{
    world_t *world = *state;
    assert_true(gw_polling_get(world->polling, &world->get));
    t_loop_turn(world->loop);
    world->document = gw_frame_text(PR_STR("4newest"));
    gw_polling_missed(world->polling);
    gw_polling_missed(world->polling);
    t_loop_turn(world->loop);
    assert_string_equal(s_text(world), "200 4newest");
    assert_int_equal(world->writables, 1);
}

static void
queue_is_bounded_but_for_the_document(void **state)
{
    world_t *world = *state;
    assert_true(gw_polling_get(world->polling, &world->get));
    char *large = calloc(1, 801);
    memset(large, 'd', 800);
    assert_int_equal(s_document(world, large), 0);
    free(large);
    assert_int_equal(s_must_long(world, 900), 0);
    assert_int_equal(s_must_long(world, 200), PR_E_FULL);
    t_loop_turn(world->loop);
    assert_int_equal(pr_buf_len(world->answer), 4 + 800 + 1 + 900);
    assert_int_equal(s_must_long(world, 900), 0);
    assert_int_equal(s_must_long(world, 200), PR_E_FULL);
    /* One larger than the bound may wait besides. */
    assert_int_equal(s_must_long(world, 5000), 0);
    assert_int_equal(s_must_long(world, 5000), PR_E_FULL);
}

static void
body_is_bounded_the_rest_comes_next(void **state)
{
    world_t *world = *state;
    gw_polling_destroy(&world->polling);
    world->polling = gw_polling_new(world->all, 16 << 20, world);
    size_t part = PR_POLLING_BODY_BYTES_MAX / 2 - 100;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s_must_long(world, part), 0);
    }
    assert_int_equal(s_must_long(world, 3 * part), 0);
    const size_t bodies[] = {2 * part + 1, part, 3 * part};
    for (size_t i = 0; i < 3; i++) {
        assert_true(gw_polling_get(world->polling, &world->get));
        t_loop_turn(world->loop);
        assert_int_equal(pr_buf_len(world->answer), 4 + bodies[i]);
    }
}

/* Bytes are longer in base64. */
static void
body_of_bytes_is_bounded_too(void **state)
{
    world_t *world = *state;
    gw_polling_destroy(&world->polling);
    world->polling = gw_polling_new(world->all, 16 << 20, world);
    size_t part = PR_POLLING_BODY_BYTES_MAX * 2 / 5; /* a megabyte has two and a half of them */
    char *bytes = calloc(1, part);
    pr_buf_t *frame = gw_frame_binary((pr_str_t) {bytes, part});
    for (int i = 0; i < 3; i++) {
        assert_int_equal(gw_polling_send_must(world->polling, frame), 0);
    }
    pr_buf_destroy(&frame);
    free(bytes);
    for (int i = 0; i < 3; i++) {
        assert_true(gw_polling_get(world->polling, &world->get));
        t_loop_turn(world->loop);
        assert_int_equal(pr_buf_len(world->answer), 4 + 1 + (part + 2) / 3 * 4);
    }
}

static void
second_get_ends_both(void **state)
{
    world_t *world = *state;
    assert_true(gw_polling_get(world->polling, &world->get));
    assert_false(gw_polling_get(world->polling, &world->second));
    assert_int_equal(world->answers, 2);
    assert_string_equal(s_text(world), "400 ");
    assert_false(gw_polling_is_parked(world->polling));
}

static void
get_that_is_gone_is_not_answered(void **state)
{
    world_t *world = *state;
    assert_true(gw_polling_get(world->polling, &world->get));
    assert_false(gw_polling_abort(world->polling, &world->second));
    assert_int_equal(s_must(world, "4a"), 0);
    assert_true(gw_polling_abort(world->polling, &world->get));
    t_loop_turn(world->loop);
    assert_int_equal(world->answers, 0);
    assert_true(gw_polling_get(world->polling, &world->get));
    t_loop_turn(world->loop);
    assert_string_equal(s_text(world), "200 4a");
}

static void
release_is_a_noop_unless_there_is_more(void **state)
{
    world_t *world = *state;
    gw_polling_release(world->polling);
    assert_true(gw_polling_get(world->polling, &world->get));
    gw_polling_release(world->polling);
    assert_string_equal(s_text(world), "200 6");
    assert_true(gw_polling_get(world->polling, &world->get));
    assert_int_equal(s_must(world, "4a"), 0);
    gw_polling_release(world->polling);
    t_loop_turn(world->loop);
    assert_string_equal(s_text(world), "200 4a");
}

static void
last_packet_goes_behind_the_queue(void **state)
{
    world_t *world = *state;
    assert_int_equal(s_must(world, "4a"), 0);
    gw_polling_end(world->polling, "1");
    assert_int_equal(s_must(world, "4b"), PR_E_CLOSED);
    assert_int_equal(s_document(world, "4b"), PR_E_CLOSED);
    t_loop_turn(world->loop);
    assert_int_equal(world->ends, 0);
    assert_true(gw_polling_get(world->polling, &world->get));
    t_loop_turn(world->loop);
    assert_string_equal(s_text(world), "200 4a\x1e"
                                       "1");
    assert_int_equal(world->ends, 1);
}

static void
destroyed_one_refuses_its_get(void **state)
{
    world_t *world = *state;
    assert_true(gw_polling_get(world->polling, &world->get));
    assert_int_equal(s_must(world, "4a"), 0);
    gw_polling_destroy(&world->polling);
    assert_string_equal(s_text(world), "400 ");
    t_loop_turn(world->loop);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_at_the_end_of_the_turn_with_everything),
        TEST(parks_until_there_is_something),
        TEST(takes_one_document_for_each_get),
        TEST(asks_for_what_it_missed),
        TEST(queue_is_bounded_but_for_the_document),
        TEST(body_is_bounded_the_rest_comes_next),
        TEST(body_of_bytes_is_bounded_too),
        TEST(second_get_ends_both),
        TEST(get_that_is_gone_is_not_answered),
        TEST(release_is_a_noop_unless_there_is_more),
        TEST(last_packet_goes_behind_the_queue),
        TEST(destroyed_one_refuses_its_get),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
