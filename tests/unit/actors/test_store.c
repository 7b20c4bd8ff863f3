/* SPDX-License-Identifier: MIT */

/* The store against real servers that die, stand still, forget and refuse. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "actors/store.h"
#include "proto/base/clock.h"
#include "proto/wire/limits.h"
#include "tests/support/redis_server.h"

enum { WAIT_MS = 30000, LIFE_MS = 3600 * 1000, POLLS_MAX = 1000, KILL_WRITES = 170 };

typedef struct rig rig_t;

/* One poll, whose writes follow each other: write n makes version n + 1 and adds member "w<n>". */
typedef struct {
    ac_request_t request; /* first: its address is ours */
    rig_t *rig;
    int version;
    int goal;
    char token[64];
    int answers; /* to the request that is out: one, never more */
    int alreadies;
    ac_answer_kind_t last;
    char text[64];
} poll_t;

struct rig {
    t_redis_server_t *server;
    pr_loop_t *loop;
    ac_store_t *store;
    int ups;
    int downs;
    int64_t down_ms;
    poll_t polls[POLLS_MAX];
    size_t count;
    size_t idle; /* polls with nothing out */
    size_t most_in_flight;
    bool kill;             /* in the midst of work, */
    int64_t kill_after_us; /* so long after the server got it */
};

static void
s_up(void *arg)
{
    ((rig_t *) arg)->ups++;
}

static void
s_down(void *arg)
{
    rig_t *rig = arg;
    rig->downs++;
    rig->down_ms = pr_clock_mono_ms();
}

static const ac_store_ops_t s_ops = {s_up, s_down, NULL};

static bool
s_is_up(void *arg)
{
    return ac_store_is_up(((rig_t *) arg)->store);
}

static bool
s_is_down(void *arg)
{
    return !s_is_up(arg);
}

static bool
s_is_idle(void *arg)
{
    rig_t *rig = arg;
    return rig->idle == rig->count;
}

static bool
s_never(void *arg)
{
    (void) arg;
    return false;
}

static void
s_run(rig_t *rig, bool (*done)(void *arg))
{
    assert_true(pr_loop_run_until(rig->loop, done, rig, WAIT_MS));
}

static void
s_run_for(rig_t *rig, int64_t ms)
{
    (void) pr_loop_run_until(rig->loop, s_never, rig, ms);
}

/* --- requests --- */

static void
s_set_body(poll_t *poll, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
s_set_body(poll_t *poll, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    (void) vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pr_buf_destroy(&poll->request.body);
    poll->request.body = pr_buf_copy(pr_str(text));
    assert_non_null(poll->request.body);
}

static void
s_submit(poll_t *poll)
{
    poll->answers = 0;
    poll->rig->idle--;
    ac_store_submit(poll->rig->store, &poll->request);
}

static void
s_write_next(poll_t *poll)
{
    ac_request_t *request = &poll->request;
    int next = poll->version + 1;
    request->script = AC_SCRIPT_WRITE;
    request->ends_at = 0;
    (void) snprintf(request->token, sizeof request->token, "%s", poll->token);
    (void) snprintf(request->from, sizeof request->from, "%d-a", poll->version);
    (void) snprintf(request->to, sizeof request->to, "%d-a", next);
    s_set_body(poll,
               "{\"participants\":{\"w%d\":\"x\"},\"meta\":{\"version\":%d,\"rev\":\"%d-a\"}}",
               poll->version, next, next);
    s_submit(poll);
}

static void
s_done(ac_request_t *request, const ac_answer_t *answer)
{
    poll_t *poll = (poll_t *) request;
    assert_int_equal(++poll->answers, 1);
    poll->rig->idle++;
    poll->last = answer->kind;
    poll->alreadies += answer->kind == AC_ANSWER_ALREADY;
    (void) snprintf(poll->text, sizeof poll->text, "%.*s", PR_STR_ARG(answer->text));
    ac_store_stats_t stats;
    ac_store_stats(poll->rig->store, &stats);
    if (stats.in_flight > poll->rig->most_in_flight) {
        poll->rig->most_in_flight = stats.in_flight;
    }
    bool saved = answer->kind == AC_ANSWER_DONE || answer->kind == AC_ANSWER_ALREADY;
    if (!saved) {
        return;
    }
    if (request->script == AC_SCRIPT_CREATE) {
        (void) snprintf(poll->token, sizeof poll->token, "%s", poll->text);
        poll->version = 1;
    } else if (request->script == AC_SCRIPT_WRITE) {
        poll->version++;
    }
    if (poll->version > 0 && poll->version < poll->goal) {
        s_write_next(poll);
    }
}

static void
s_create(poll_t *poll)
{
    ac_request_t *request = &poll->request;
    request->script = AC_SCRIPT_CREATE;
    request->ends_at = pr_clock_wall_ms() + LIFE_MS;
    (void) snprintf(request->nonce, sizeof request->nonce, "n-%s", request->poll);
    s_set_body(poll,
               "{\"id\":\"%s\",\"participants\":{},\"meta\":{\"version\":1,\"rev\":\"1-a\","
               "\"nonce\":\"n-%s\"}}",
               request->poll, request->poll);
    s_submit(poll);
}

static poll_t *
s_add_poll(rig_t *rig, int goal)
{
    assert_true(rig->count < POLLS_MAX);
    poll_t *poll = &rig->polls[rig->count];
    *poll = (poll_t) {.rig = rig, .goal = goal};
    (void) snprintf(poll->request.poll, sizeof poll->request.poll, "P%05u", (unsigned) rig->count);
    poll->request.done = s_done;
    rig->count++;
    rig->idle++;
    return poll;
}

/* --- the rig --- */

static void
s_connect(rig_t *rig)
{
    rig->loop = pr_loop_new();
    assert_non_null(rig->loop);
    rig->store =
        ac_store_new(rig->loop, t_redis_server_url(rig->server), "0123456789abcdef", &s_ops, rig);
    assert_non_null(rig->store);
    ac_store_set_generation(rig->store, 7);
}

static int
s_setup(void **state)
{
    rig_t *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    *state = rig;
    rig->server = t_redis_server_new(true, NULL);
    t_redis_server_start(rig->server);
    s_connect(rig);
    s_run(rig, s_is_up);
    return 0;
}

static int
s_setup_away(void **state)
{
    rig_t *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    *state = rig;
    rig->server = t_redis_server_new(true, NULL);
    s_connect(rig);
    return 0;
}

static int
s_teardown(void **state)
{
    rig_t *rig = *state;
    ac_store_destroy(&rig->store);
    pr_loop_destroy(&rig->loop);
    t_redis_server_destroy(&rig->server);
    for (size_t i = 0; i < rig->count; i++) {
        pr_buf_destroy(&rig->polls[i].request.body);
    }
    free(rig);
    return 0;
}

/* Each write is in the document, once, and nothing else. */
static void
s_assert_whole(const poll_t *poll)
{
    char key[24];
    (void) snprintf(key, sizeof key, "polls:%s", poll->request.poll);
    json_t *doc = json_loads(t_redis_server_ask(poll->rig->server, "JSON.GET", key, NULL), 0, NULL);
    assert_non_null(doc);
    json_t *meta = json_object_get(doc, "meta");
    assert_int_equal(json_integer_value(json_object_get(meta, "version")), poll->version);
    json_t *members = json_object_get(doc, "participants");
    assert_int_equal(json_object_size(members), poll->version - 1);
    for (int i = 1; i < poll->version; i++) {
        char name[16];
        (void) snprintf(name, sizeof name, "w%d", i);
        assert_non_null(json_object_get(members, name));
    }
    json_decref(doc);
}

/* --- tests --- */

static void
submitted_while_down_is_done_when_up(void **state)
{
    rig_t *rig = *state;
    for (int i = 0; i < 20; i++) {
        s_create(s_add_poll(rig, 3));
    }
    s_run_for(rig, 200);
    assert_int_equal(rig->idle, 0);
    t_redis_server_start(rig->server);
    s_run(rig, s_is_idle);
    assert_int_equal(rig->ups, 1);
    assert_int_equal(rig->downs, 0);
    for (size_t i = 0; i < rig->count; i++) {
        assert_int_equal(rig->polls[i].last, AC_ANSWER_DONE);
        s_assert_whole(&rig->polls[i]);
    }
}

static void
no_more_is_in_flight_than_allowed(void **state)
{
    rig_t *rig = *state;
    for (int i = 0; i < POLLS_MAX; i++) {
        s_create(s_add_poll(rig, 2));
    }
    ac_store_stats_t stats;
    ac_store_stats(rig->store, &stats);
    assert_int_equal(stats.in_flight, PR_STORE_IN_FLIGHT_MAX);
    assert_int_equal(stats.queued, POLLS_MAX - PR_STORE_IN_FLIGHT_MAX);
    s_run(rig, s_is_idle);
    assert_in_range(rig->most_in_flight, 1, PR_STORE_IN_FLIGHT_MAX);
    ac_store_stats(rig->store, &stats);
    assert_int_equal(stats.submitted, 2 * POLLS_MAX);
    assert_int_equal(stats.answered, 2 * POLLS_MAX);
    assert_int_equal(stats.sent, 2 * POLLS_MAX);
    assert_int_equal(stats.retried, 0);
    assert_int_equal(stats.in_flight + stats.queued, 0);
}

static bool
s_is_in_the_midst(const rig_t *rig)
{
    ac_store_stats_t stats;
    ac_store_stats(rig->store, &stats);
    /* Hundreds answered since the last kill, the pipeline full. */
    return stats.in_flight >= 32 && stats.answered % 1000 > 700 && ac_store_is_up(rig->store);
}

static int64_t
s_now_us(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/*
 * Runs in each turn, after all has been sent and before anything is read. A server that dies in the next
 * millisecond or two has got nothing of it, or has applied it, or has it on disk, but has not answered.
 */
static bool
s_kill_in_turn(void *arg)
{
    rig_t *rig = arg;
    if (rig->kill && s_is_in_the_midst(rig)) {
        int64_t until_us = s_now_us() + rig->kill_after_us;
        while (s_now_us() < until_us) {
        }
        t_redis_server_kill(rig->server);
        rig->kill = false;
    }
    return false;
}

static bool
s_is_killed_or_idle(void *arg)
{
    return s_is_idle(arg) || (!((rig_t *) arg)->kill && s_is_down(arg));
}

/* 64 polls, one write out for each: all that was submitted is answered once and applied once. */
static void
killed_server_loses_and_repeats_nothing(void **state)
{
    rig_t *rig = *state;
    pr_loop_on_turn(rig->loop, PR_TURN_SEND + 1, s_kill_in_turn, rig);
    for (int i = 0; i < 64; i++) {
        s_create(s_add_poll(rig, KILL_WRITES));
    }
    int kills = 0;
    for (; kills < 8; kills++) {
        rig->kill = true;
        rig->kill_after_us = 250 * kills;
        s_run(rig, s_is_killed_or_idle);
        if (s_is_idle(rig)) {
            break;
        }
        t_redis_server_spawn(rig->server);
        s_run(rig, s_is_up);
    }
    rig->kill = false;
    s_run(rig, s_is_idle);
    assert_true(kills >= 4);
    ac_store_stats_t stats;
    ac_store_stats(rig->store, &stats);
    uint64_t alreadies = 0;
    for (size_t i = 0; i < rig->count; i++) {
        assert_int_equal(rig->polls[i].version, KILL_WRITES);
        alreadies += (uint64_t) rig->polls[i].alreadies;
        s_assert_whole(&rig->polls[i]);
    }
    assert_int_equal(stats.answered, 64 * KILL_WRITES);
    assert_int_equal(stats.already, alreadies);
    assert_int_equal(stats.sent, stats.answered + stats.retried);
    assert_int_equal(rig->ups, kills + 1);
    assert_int_equal(rig->downs, kills);
    print_message("%d kills: %d sent again, %d of them applied before\n", kills,
                  (int) stats.retried, (int) alreadies);
}

static void
stopped_server_counts_as_down_and_comes_back(void **state)
{
    rig_t *rig = *state;
    for (int i = 0; i < 8; i++) {
        s_create(s_add_poll(rig, 1));
    }
    s_run(rig, s_is_idle);
    t_redis_server_pause(rig->server);
    int64_t since_ms = pr_clock_mono_ms();
    for (size_t i = 0; i < rig->count; i++) {
        rig->polls[i].goal = 5;
        s_write_next(&rig->polls[i]);
    }
    s_run(rig, s_is_down);
    assert_in_range(rig->down_ms - since_ms, PR_STORE_ANSWER_MS - 50, PR_STORE_ANSWER_MS + 700);
    assert_int_equal(rig->idle, 0);
    s_run_for(rig, 3000 - (pr_clock_mono_ms() - since_ms));
    t_redis_server_resume(rig->server);
    s_run(rig, s_is_idle);
    assert_int_equal(rig->downs, 1);
    int alreadies = 0;
    for (size_t i = 0; i < rig->count; i++) {
        assert_int_equal(rig->polls[i].version, 5);
        s_assert_whole(&rig->polls[i]);
        alreadies += rig->polls[i].alreadies;
    }
    /* It reads what the closed connection had brought, then the same again. */
    assert_in_range(alreadies, 1, rig->count);
}

static void
forgotten_scripts_are_loaded_again(void **state)
{
    rig_t *rig = *state;
    for (int i = 0; i < 32; i++) {
        s_create(s_add_poll(rig, 1));
    }
    s_run(rig, s_is_idle);
    for (int round = 0; round < 3; round++) {
        assert_string_equal(t_redis_server_ask(rig->server, "SCRIPT", "FLUSH", NULL), "OK");
        for (size_t i = 0; i < rig->count; i++) {
            rig->polls[i].goal += 2;
            s_write_next(&rig->polls[i]);
        }
        s_run(rig, s_is_idle);
    }
    for (size_t i = 0; i < rig->count; i++) {
        assert_int_equal(rig->polls[i].version, 7);
        assert_int_equal(rig->polls[i].alreadies, 0);
        s_assert_whole(&rig->polls[i]);
    }
    assert_int_equal(rig->downs, 0);
    ac_store_stats_t stats;
    ac_store_stats(rig->store, &stats);
    assert_int_equal(stats.retried, 3 * 32);
}

static bool
s_is_nothing_in_flight(void *arg)
{
    ac_store_stats_t stats;
    ac_store_stats(((rig_t *) arg)->store, &stats);
    return stats.in_flight == 0;
}

static void
full_server_holds_writes_but_not_endings(void **state)
{
    rig_t *rig = *state;
    for (int i = 0; i < 4; i++) {
        s_create(s_add_poll(rig, 1));
    }
    s_run(rig, s_is_idle);
    (void) t_redis_server_ask(rig->server, "CONFIG", "SET", "maxmemory", "1", NULL);
    for (size_t i = 0; i < 3; i++) {
        rig->polls[i].goal = 3;
        s_write_next(&rig->polls[i]);
    }
    poll_t *ending = &rig->polls[3];
    ending->request.script = AC_SCRIPT_FINISH;
    (void) snprintf(ending->request.token, sizeof ending->request.token, "%s", ending->token);
    s_submit(ending);
    s_run_for(rig, 500);
    assert_int_equal(rig->idle, 1);
    assert_int_equal(ending->last, AC_ANSWER_DONE);
    assert_true(ac_store_is_up(rig->store));
    /* One of those that wait is taken back; in flight it might be applied all the same. */
    s_run(rig, s_is_nothing_in_flight);
    ac_store_cancel(rig->store, &rig->polls[2].request);
    rig->idle++;
    (void) t_redis_server_ask(rig->server, "CONFIG", "SET", "maxmemory", "0", NULL);
    s_run(rig, s_is_idle);
    assert_int_equal(rig->polls[0].version, 3);
    assert_int_equal(rig->polls[1].version, 3);
    assert_int_equal(rig->polls[2].version, 1);
    for (size_t i = 0; i < 3; i++) {
        s_assert_whole(&rig->polls[i]);
    }
    assert_int_equal(rig->downs, 0);
}

/* A fail-over as the old primary shows it: requests wait until there is one again. */
static void
server_that_becomes_a_replica_is_down(void **state)
{
    rig_t *rig = *state;
    s_create(s_add_poll(rig, 1));
    s_run(rig, s_is_idle);
    (void) t_redis_server_ask(rig->server, "REPLICAOF", "127.0.0.1", "1", NULL);
    rig->polls[0].goal = 2;
    s_write_next(&rig->polls[0]);
    s_run(rig, s_is_down);
    assert_int_equal(rig->idle, 0);
    (void) t_redis_server_ask(rig->server, "REPLICAOF", "NO", "ONE", NULL);
    s_run(rig, s_is_idle);
    assert_int_equal(rig->polls[0].version, 2);
    s_assert_whole(&rig->polls[0]);
}

static void
cancelled_requests_are_not_answered(void **state)
{
    rig_t *rig = *state;
    for (int i = 0; i < 400; i++) {
        s_create(s_add_poll(rig, 1));
    }
    ac_store_stats_t stats;
    ac_store_stats(rig->store, &stats);
    assert_int_equal(stats.in_flight, PR_STORE_IN_FLIGHT_MAX);
    /* Every second one, in flight or queued; one of them goes in again at once. */
    for (size_t i = 0; i < rig->count; i += 2) {
        ac_store_cancel(rig->store, &rig->polls[i].request);
        ac_store_cancel(rig->store, &rig->polls[i].request);
        assert_false(rig->polls[i].request.submitted);
        rig->idle++;
    }
    s_submit(&rig->polls[0]);
    s_run(rig, s_is_idle);
    for (size_t i = 1; i < rig->count; i++) {
        assert_int_equal(rig->polls[i].answers, i % 2);
    }
    /* The first copy was on its way: this is the same poll. */
    assert_int_equal(rig->polls[0].answers, 1);
    assert_int_equal(rig->polls[0].last, AC_ANSWER_ALREADY);
    ac_store_stats(rig->store, &stats);
    assert_int_equal(stats.cancelled, 200);
    assert_int_equal(stats.answered, 201);
}

/* Destroying with requests in every place frees nothing twice and calls nobody. */
static void
destroying_forgets_what_it_holds(void **state)
{
    rig_t *rig = *state;
    for (int i = 0; i < 400; i++) {
        s_create(s_add_poll(rig, 1));
    }
    ac_store_destroy(&rig->store);
    for (size_t i = 0; i < rig->count; i++) {
        assert_int_equal(rig->polls[i].answers, 0);
        assert_false(rig->polls[i].request.submitted);
    }
    assert_null(rig->store);
}

static void
wrong_password_never_comes_up(void **state)
{
    rig_t *rig = *state;
    ac_store_destroy(&rig->store);
    char url[200];
    (void) snprintf(url, sizeof url, "%s?user=poll&pass=no", t_redis_server_url(rig->server));
    rig->store = ac_store_new(rig->loop, url, "0123456789abcdef", &s_ops, rig);
    s_create(s_add_poll(rig, 1));
    s_run_for(rig, 300);
    assert_int_equal(rig->ups, 1);
    assert_int_equal(rig->idle, 0);
    assert_null(ac_store_new(rig->loop, "redis:", "0123456789abcdef", &s_ops, rig));
}

#define WITH(test, setup) cmocka_unit_test_setup_teardown(test, setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(submitted_while_down_is_done_when_up, s_setup_away),
        WITH(no_more_is_in_flight_than_allowed, s_setup),
        WITH(killed_server_loses_and_repeats_nothing, s_setup),
        WITH(stopped_server_counts_as_down_and_comes_back, s_setup),
        WITH(forgotten_scripts_are_loaded_again, s_setup),
        WITH(full_server_holds_writes_but_not_endings, s_setup),
        WITH(server_that_becomes_a_replica_is_down, s_setup),
        WITH(cancelled_requests_are_not_answered, s_setup),
        WITH(destroying_forgets_what_it_holds, s_setup),
        WITH(wrong_password_never_comes_up, s_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
