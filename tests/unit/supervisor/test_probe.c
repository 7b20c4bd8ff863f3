/* SPDX-License-Identifier: MIT */

/* The probe against a real redis-server: not there, there, stopped, gone, back. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/file.h"
#include "supervisor/probe.h"

enum { DEADLINE_MS = 10000 };

typedef struct {
    pr_loop_t *loop;
    sv_probe_t *probe;
    char dir[64];
    char socket[80];
    char acl[80];
    pid_t redis;
    int pongs;
    int wanted;
} bench_t;

static void
s_pong(void *arg)
{
    ((bench_t *) arg)->pongs++;
}

static void
s_busy(void *arg)
{
    (void) arg;
}

static const sv_probe_ops_t s_ops = {.pong = s_pong, .busy = s_busy};

static bool
s_has_pongs(void *arg)
{
    const bench_t *bench = arg;
    return bench->pongs >= bench->wanted;
}

static bool
s_hear(bench_t *bench, int more, int64_t timeout_ms)
{
    bench->wanted = bench->pongs + more;
    return pr_loop_run_until(bench->loop, s_has_pongs, bench, timeout_ms);
}

static void
s_start_redis(bench_t *bench)
{
    bench->redis = fork();
    if (bench->redis == 0) {
        if (!freopen("/dev/null", "w", stdout)) {
            _exit(127);
        }
        (void) execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", bench->socket,
                      "--save", "", "--dir", bench->dir, "--aclfile", bench->acl, (char *) NULL);
        _exit(127);
    }
}

static void
s_end_redis(bench_t *bench)
{
    (void) kill(bench->redis, SIGKILL);
    (void) waitpid(bench->redis, NULL, 0);
    bench->redis = 0;
}

static int
s_setup(void **state)
{
    static bench_t s_bench;
    s_bench = (bench_t) {.dir = "/tmp/rollcall-probe-XXXXXX", .loop = pr_loop_new()};
    if (!mkdtemp(s_bench.dir) || !s_bench.loop) {
        return -1;
    }
    (void) snprintf(s_bench.socket, sizeof s_bench.socket, "%s/redis.sock", s_bench.dir);
    (void) snprintf(s_bench.acl, sizeof s_bench.acl, "%s/users.acl", s_bench.dir);
    *state = &s_bench;
    return sv_file_write(s_bench.acl,
                         PR_STR("user default off\nuser poll on >pw -@all +ping +auth\n"));
}

static int
s_teardown(void **state)
{
    bench_t *bench = *state;
    if (bench->redis) {
        s_end_redis(bench);
    }
    sv_probe_destroy(&bench->probe);
    pr_loop_destroy(&bench->loop);
    (void) unlink(bench->socket);
    (void) unlink(bench->acl);
    return rmdir(bench->dir);
}

static void
s_start_probe(bench_t *bench, const char *password)
{
    bench->probe = sv_probe_new(bench->loop, bench->socket, "poll", password, &s_ops, bench);
    assert_non_null(bench->probe);
    sv_probe_start(bench->probe);
}

static void
hears_a_server_as_soon_as_it_serves_and_each_second_after(void **state)
{
    bench_t *bench = *state;
    s_start_probe(bench, "pw");
    assert_false(s_hear(bench, 1, 100)); /* nobody is there */
    s_start_redis(bench);
    assert_true(s_hear(bench, 1, DEADLINE_MS));
    assert_true(s_hear(bench, 2, DEADLINE_MS));
}

static void
finds_a_server_that_came_back(void **state)
{
    bench_t *bench = *state;
    s_start_redis(bench);
    s_start_probe(bench, "pw");
    assert_true(s_hear(bench, 1, DEADLINE_MS));
    s_end_redis(bench);
    s_start_redis(bench);
    assert_true(s_hear(bench, 1, DEADLINE_MS));
}

static void
silence_of_a_stopped_server_is_silence(void **state)
{
    bench_t *bench = *state;
    s_start_redis(bench);
    s_start_probe(bench, "pw");
    assert_true(s_hear(bench, 1, DEADLINE_MS));
    assert_int_equal(kill(bench->redis, SIGSTOP), 0);
    int before = bench->pongs;
    (void) s_hear(bench, 1, 50); /* one may have been under way */
    assert_false(s_hear(bench, 1, 1500));
    assert_true(bench->pongs <= before + 1);
    assert_int_equal(kill(bench->redis, SIGCONT), 0);
    assert_true(s_hear(bench, 1, DEADLINE_MS));
}

static void
wrong_password_is_no_pong(void **state)
{
    bench_t *bench = *state;
    s_start_redis(bench);
    s_start_probe(bench, "not it");
    assert_false(s_hear(bench, 1, 1000));
}

static void
stopped_probe_is_silent(void **state)
{
    bench_t *bench = *state;
    s_start_redis(bench);
    s_start_probe(bench, "pw");
    assert_true(s_hear(bench, 1, DEADLINE_MS));
    sv_probe_stop(bench->probe);
    assert_false(s_hear(bench, 1, 1500));
    sv_probe_start(bench->probe);
    assert_true(s_hear(bench, 1, DEADLINE_MS));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hears_a_server_as_soon_as_it_serves_and_each_second_after),
        TEST(finds_a_server_that_came_back),
        TEST(silence_of_a_stopped_server_is_silence),
        TEST(wrong_password_is_no_pong),
        TEST(stopped_probe_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
