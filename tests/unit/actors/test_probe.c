/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/check.h"
#include "actors/probe.h"
#include "actors/store.h"
#include "tests/support/redis_server.h"

enum { WAIT_MS = 20000 };

/* A store of its own for each try: the probe is what stands between it and `up`. */
typedef struct {
    pr_loop_t *loop;
    ac_store_t *store;
    int ups;
    int unfits;
    char line[1024];
} rig_t;

static void
s_up(void *arg)
{
    ((rig_t *) arg)->ups++;
}

static void
s_down(void *arg)
{
    (void) arg;
}

static void
s_unfit(void *arg, const char *line)
{
    rig_t *rig = arg;
    rig->unfits++;
    (void) snprintf(rig->line, sizeof rig->line, "%s", line);
}

static const ac_store_ops_t s_ops = {s_up, s_down, s_unfit};

static bool
s_is_decided(void *arg)
{
    rig_t *rig = arg;
    return rig->ups + rig->unfits > 0;
}

static bool
s_never(void *arg)
{
    (void) arg;
    return false;
}

static void
s_open(rig_t *rig, const char *url)
{
    *rig = (rig_t) {.loop = pr_loop_new()};
    assert_non_null(rig->loop);
    rig->store = ac_store_new(rig->loop, url, "0123456789abcdef", &s_ops, rig);
    assert_non_null(rig->store);
}

static void
s_close(rig_t *rig)
{
    ac_store_destroy(&rig->store);
    pr_loop_destroy(&rig->loop);
}

/* Connects, and leaves in `rig` what came of it. */
static void
s_try(rig_t *rig, const char *url)
{
    s_open(rig, url);
    assert_true(pr_loop_run_until(rig->loop, s_is_decided, rig, WAIT_MS));
    s_close(rig);
}

static void
s_assert_says(const rig_t *rig, const char *part)
{
    assert_int_equal(rig->ups, 0);
    if (!strstr(rig->line, part)) {
        fail_msg("\"%s\" is not in: %s", part, rig->line);
    }
}

static void
our_server_passes_and_nothing_is_left(void **state)
{
    (void) state;
    t_redis_server_t *server = t_redis_server_new(true, NULL);
    t_redis_server_start(server);
    rig_t rig;
    s_open(&rig, t_redis_server_url(server));
    assert_true(pr_loop_run_until(rig.loop, s_is_decided, &rig, WAIT_MS));
    assert_int_equal(rig.ups, 1);
    assert_true(strlen(ac_store_server_version(rig.store)) > 2);
    s_close(&rig);
    assert_string_equal(t_redis_server_ask(server, "DBSIZE", NULL), "0");
    t_redis_server_destroy(&server);
}

static void
listed_rights_are_enough(void **state)
{
    (void) state;
    static const char *const more[] = {"--aclfile", "../users", NULL};
    t_redis_server_t *server = t_redis_server_new(true, more);
    t_redis_server_write(server, "users", "user default on nopass ~* +@all\n" T_REDIS_ACL "\n");
    t_redis_server_start(server);
    char url[200];
    (void) snprintf(url, sizeof url, "%s?user=poll&pass=secret", t_redis_server_url(server));
    rig_t rig;
    s_try(&rig, url);
    assert_int_equal(rig.ups, 1);

    /* One of them less. */
    (void) t_redis_server_ask(server, "ACL", "SETUSER", "poll", "-json.merge", NULL);
    s_try(&rig, url);
    s_assert_says(&rig, "step 'json.merge'");
    s_assert_says(&rig, "NOPERM");
    s_assert_says(&rig, "+json.merge");
    (void) t_redis_server_ask(server, "ACL", "SETUSER", "poll", "+json.merge", "-script|load",
                              NULL);
    s_try(&rig, url);
    s_assert_says(&rig, "SCRIPT LOAD");
    t_redis_server_destroy(&server);
}

static void
server_without_module_is_told_how_to_get_it(void **state)
{
    (void) state;
    t_redis_server_t *server = t_redis_server_new(false, NULL);
    t_redis_server_start(server);
    rig_t rig;
    s_try(&rig, t_redis_server_url(server));
    s_assert_says(&rig, "step 'json.set' on Redis ");
    s_assert_says(&rig, "RedisJSON 2.6 or newer");
    assert_null(strchr(rig.line, '\n'));
    assert_string_equal(t_redis_server_ask(server, "DBSIZE", NULL), "0");
    t_redis_server_destroy(&server);
}

static void
cluster_is_refused(void **state)
{
    (void) state;
    static const char *const more[] = {"--cluster-enabled", "yes", NULL};
    t_redis_server_t *server = t_redis_server_new(true, more);
    t_redis_server_start(server);
    rig_t rig;
    s_try(&rig, t_redis_server_url(server));
    s_assert_says(&rig, "step 'cluster'");
    t_redis_server_destroy(&server);
}

/* Full memory passes: it is asked again until there is room. */
static void
full_server_is_asked_again(void **state)
{
    (void) state;
    t_redis_server_t *server = t_redis_server_new(true, NULL);
    t_redis_server_start(server);
    (void) t_redis_server_ask(server, "CONFIG", "SET", "maxmemory", "1", NULL);
    rig_t rig;
    s_open(&rig, t_redis_server_url(server));
    (void) pr_loop_run_until(rig.loop, s_is_decided, &rig, 700);
    assert_int_equal(rig.ups + rig.unfits, 0);
    (void) t_redis_server_ask(server, "CONFIG", "SET", "maxmemory", "0", NULL);
    assert_true(pr_loop_run_until(rig.loop, s_is_decided, &rig, WAIT_MS));
    assert_int_equal(rig.ups, 1);
    s_close(&rig);
    t_redis_server_destroy(&server);
}

/* A replica is no place for a write. */
static void
replica_is_not_up(void **state)
{
    (void) state;
    t_redis_server_t *server = t_redis_server_new(true, NULL);
    t_redis_server_start(server);
    (void) t_redis_server_ask(server, "REPLICAOF", "127.0.0.1", "1", NULL);
    rig_t rig;
    s_open(&rig, t_redis_server_url(server));
    (void) pr_loop_run_until(rig.loop, s_never, &rig, 500);
    assert_int_equal(rig.ups + rig.unfits, 0);
    (void) t_redis_server_ask(server, "REPLICAOF", "NO", "ONE", NULL);
    assert_true(pr_loop_run_until(rig.loop, s_is_decided, &rig, WAIT_MS));
    assert_int_equal(rig.ups, 1);
    s_close(&rig);
    t_redis_server_destroy(&server);
}

static bool
s_is_up_again(void *arg)
{
    return ((rig_t *) arg)->ups == 2;
}

static bool
s_is_unfit(void *arg)
{
    return ((rig_t *) arg)->unfits > 0;
}

/* The same address, another server: it has to pass, too. */
static void
another_server_is_probed_anew(void **state)
{
    (void) state;
    t_redis_server_t *server = t_redis_server_new(true, NULL);
    t_redis_server_start(server);
    rig_t rig;
    s_open(&rig, t_redis_server_url(server));
    assert_true(pr_loop_run_until(rig.loop, s_is_decided, &rig, WAIT_MS));

    /* A lost link alone is not another server: no step of the probe is seen. */
    (void) t_redis_server_ask(server, "CONFIG", "RESETSTAT", NULL);
    (void) t_redis_server_ask(server, "CLIENT", "KILL", "TYPE", "normal", NULL);
    assert_true(pr_loop_run_until(rig.loop, s_is_up_again, &rig, WAIT_MS));
    assert_null(strstr(t_redis_server_ask(server, "INFO", "commandstats", NULL), "json.set"));

    t_redis_server_kill(server);
    t_redis_server_forget(server);
    t_redis_server_use(server, false, NULL);
    t_redis_server_start(server);
    assert_true(pr_loop_run_until(rig.loop, s_is_unfit, &rig, WAIT_MS));
    assert_false(ac_store_is_up(rig.store));
    s_close(&rig);
    t_redis_server_destroy(&server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_server_passes_and_nothing_is_left),
        cmocka_unit_test(listed_rights_are_enough),
        cmocka_unit_test(server_without_module_is_told_how_to_get_it),
        cmocka_unit_test(cluster_is_refused),
        cmocka_unit_test(full_server_is_asked_again),
        cmocka_unit_test(replica_is_not_up),
        cmocka_unit_test(another_server_is_probed_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
