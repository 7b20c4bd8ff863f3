/* SPDX-License-Identifier: MIT */

#include "tests/support/writers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "proto/base/clock.h"

enum { WAIT_MS = 30000, LIFE_MS = 3600 * 1000 };

static void
s_up(void *arg)
{
    ((t_writers_t *) arg)->ups++;
}

static void
s_down(void *arg)
{
    t_writers_t *rig = arg;
    rig->downs++;
    rig->down_ms = pr_clock_mono_ms();
}

static const ac_store_ops_t s_ops = {s_up, s_down, NULL};

bool
t_writers_are_up(void *arg)
{
    return ac_store_is_up(((t_writers_t *) arg)->store);
}

bool
t_writers_are_down(void *arg)
{
    return !t_writers_are_up(arg);
}

bool
t_writers_are_idle(void *arg)
{
    t_writers_t *rig = arg;
    return rig->idle == rig->count;
}

static bool
s_never(void *arg)
{
    (void) arg;
    return false;
}

void
t_writers_run(t_writers_t *rig, bool (*done)(void *arg))
{
    assert_true(pr_loop_run_until(rig->loop, done, rig, WAIT_MS));
}

void
t_writers_run_for(t_writers_t *rig, int64_t ms)
{
    (void) pr_loop_run_until(rig->loop, s_never, rig, ms);
}

/* --- requests --- */

static void
s_set_body(t_writer_t *poll, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
s_set_body(t_writer_t *poll, const char *format, ...)
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

void
t_writer_submit(t_writer_t *poll)
{
    poll->answers = 0;
    poll->rig->idle--;
    ac_store_submit(poll->rig->store, &poll->request);
}

void
t_writer_write(t_writer_t *poll)
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
    t_writer_submit(poll);
}

static void
s_done(ac_request_t *request, const ac_answer_t *answer)
{
    t_writer_t *poll = (t_writer_t *) request;
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
        t_writer_write(poll);
    }
}

void
t_writer_create(t_writer_t *poll)
{
    ac_request_t *request = &poll->request;
    request->script = AC_SCRIPT_CREATE;
    request->ends_at = pr_clock_wall_ms() + LIFE_MS;
    (void) snprintf(request->nonce, sizeof request->nonce, "n-%s", request->poll);
    s_set_body(poll,
               "{\"id\":\"%s\",\"participants\":{},\"meta\":{\"version\":1,\"rev\":\"1-a\","
               "\"nonce\":\"n-%s\"}}",
               request->poll, request->poll);
    t_writer_submit(poll);
}

t_writer_t *
t_writers_add(t_writers_t *rig, int goal)
{
    assert_true(rig->count < T_WRITERS_MAX);
    t_writer_t *poll = &rig->polls[rig->count];
    *poll = (t_writer_t) {.rig = rig, .goal = goal};
    (void) snprintf(poll->request.poll, sizeof poll->request.poll, "P%05u", (unsigned) rig->count);
    poll->request.done = s_done;
    rig->count++;
    rig->idle++;
    return poll;
}

/* --- the rig --- */

static void
s_connect(t_writers_t *rig)
{
    rig->loop = pr_loop_new();
    assert_non_null(rig->loop);
    rig->store =
        ac_store_new(rig->loop, t_redis_server_url(rig->server), "0123456789abcdef", &s_ops, rig);
    assert_non_null(rig->store);
    ac_store_set_generation(rig->store, 7);
}

int
t_writers_setup(void **state)
{
    t_writers_t *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    *state = rig;
    rig->server = t_redis_server_new(true, NULL);
    t_redis_server_start(rig->server);
    s_connect(rig);
    t_writers_run(rig, t_writers_are_up);
    return 0;
}

int
t_writers_setup_away(void **state)
{
    t_writers_t *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    *state = rig;
    rig->server = t_redis_server_new(true, NULL);
    s_connect(rig);
    return 0;
}

int
t_writers_teardown(void **state)
{
    t_writers_t *rig = *state;
    ac_store_destroy(&rig->store);
    pr_loop_destroy(&rig->loop);
    t_redis_server_destroy(&rig->server);
    for (size_t i = 0; i < rig->count; i++) {
        pr_buf_destroy(&rig->polls[i].request.body);
    }
    free(rig);
    return 0;
}

void
t_writer_assert_whole(const t_writer_t *poll)
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
