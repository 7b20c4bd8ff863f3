/* SPDX-License-Identifier: MIT */

#include "tests/support/forgetful_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WAIT_MS = 20000 };

static void
s_nothing(void *arg)
{
    (void) arg;
}

static const ac_store_ops_t s_ops = {s_nothing, s_nothing, NULL};

bool
t_forgetful_is_up(void *arg)
{
    t_forgetful_t *rig = arg;
    return ac_store_is_up(rig->mine) && ac_store_is_up(rig->theirs);
}

bool
t_forgetful_is_down(void *arg)
{
    return !ac_store_is_up(((t_forgetful_t *) arg)->mine);
}

int
t_forgetful_start(void **state)
{
    t_forgetful_t *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    rig->server = t_redis_server_new(true, NULL);
    t_redis_server_start(rig->server);
    rig->loop = pr_loop_new();
    assert_non_null(rig->loop);
    const char *url = t_redis_server_url(rig->server);
    rig->mine = ac_store_new(rig->loop, url, T_MINE, &s_ops, rig);
    rig->theirs = ac_store_new(rig->loop, url, T_THEIRS, &s_ops, rig);
    assert_true(rig->mine && rig->theirs);
    assert_true(pr_loop_run_until(rig->loop, t_forgetful_is_up, rig, WAIT_MS));
    *state = rig;
    return 0;
}

int
t_forgetful_stop(void **state)
{
    t_forgetful_t *rig = *state;
    ac_store_destroy(&rig->mine);
    ac_store_destroy(&rig->theirs);
    pr_loop_destroy(&rig->loop);
    t_redis_server_destroy(&rig->server);
    free(rig);
    return 0;
}

int
t_forgetful_setup(void **state)
{
    t_forgetful_t *rig = *state;
    char id[8];
    (void) snprintf(id, sizeof id, "H%05u", ++rig->polls % 100000U);
    (void) snprintf(rig->key, sizeof rig->key, "polls:%s", id);
    (void) snprintf(rig->own, sizeof rig->own, "own:{%s}", rig->key);
    ac_store_set_generation(rig->mine, T_OURS);
    ac_store_set_generation(rig->theirs, T_OURS);
    t_poll_init(&rig->poll, rig->loop, rig->mine, id);
    t_poll_init(&rig->other, rig->loop, rig->theirs, id);
    assert_int_equal(t_poll_create(&rig->poll), AC_STEP_OPENED);
    assert_int_equal(t_poll_add(&rig->poll, 1), AC_STEP_SAVED);
    assert_int_equal(t_poll_add(&rig->poll, 2), AC_STEP_SAVED);
    t_poll_assert_stored(&rig->poll, rig->server);
    return 0;
}

int
t_forgetful_teardown(void **state)
{
    t_forgetful_t *rig = *state;
    t_poll_fini(&rig->poll);
    t_poll_fini(&rig->other);
    return 0;
}

/* --- what befalls a store --- */

void
t_lose(t_forgetful_t *rig, const char *key)
{
    assert_string_equal(t_redis_server_ask(rig->server, "DEL", key, NULL), "1");
}

void
t_set_record(t_forgetful_t *rig, const char *record)
{
    const char *said = t_redis_server_ask(rig->server, "SET", rig->own, record, "KEEPTTL", NULL);
    assert_string_equal(said, "OK");
}

void
t_set_document(t_forgetful_t *rig, const pr_buf_t *document)
{
    const char *said =
        t_redis_server_ask(rig->server, "JSON.SET", rig->key, "$", pr_buf_data(document), NULL);
    assert_string_equal(said, "OK");
}

void
t_late_claim(t_forgetful_t *rig)
{
    t_poll_t late;
    t_poll_init(&late, rig->loop, rig->mine, rig->poll.request.poll);
    (void) t_poll_load(&late);
    t_poll_fini(&late);
}
