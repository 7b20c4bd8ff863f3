/* SPDX-License-Identifier: MIT */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "actors/redis.h"
#include "proto/base/clock.h"
#include "proto/wire/limits.h"
#include "tests/support/redis_server.h"

enum { WAIT_MS = 20000 };

/* A connection and what it told. */
typedef struct {
    pr_loop_t *loop;
    ac_redis_t *redis;
    int readies;
    int downs;
    int answers;
    int losses;
    int next; /* number that the next ECHO has to have */
    bool in_order;
    int sends_on_down;
} rig_t;

static void
s_echo(void *arg, const ac_reply_t *reply);

static void
s_ready(void *arg)
{
    ((rig_t *) arg)->readies++;
}

static void
s_down(void *arg)
{
    rig_t *rig = arg;
    rig->downs++;
    /* Nothing is taken any more, so nothing can be forgotten. */
    const pr_str_t argv[] = {PR_STR("PING")};
    rig->sends_on_down += ac_redis_send(rig->redis, 1, argv, s_echo, rig) ? 1 : 0;
}

static const ac_redis_ops_t s_ops = {s_ready, s_down};

static void
s_echo(void *arg, const ac_reply_t *reply)
{
    rig_t *rig = arg;
    if (!reply) {
        rig->losses++;
        return;
    }
    char number[16];
    (void) snprintf(number, sizeof number, "%d", rig->next++);
    rig->in_order = rig->in_order && pr_str_equal(ac_reply_text(reply), pr_str(number));
    rig->answers++;
}

static bool
s_send_echo(rig_t *rig, int number)
{
    char text[16];
    (void) snprintf(text, sizeof text, "%d", number);
    const pr_str_t argv[] = {PR_STR("ECHO"), pr_str(text)};
    return ac_redis_send(rig->redis, 2, argv, s_echo, rig);
}

static void
s_open(rig_t *rig, const char *url)
{
    *rig = (rig_t) {.loop = pr_loop_new(), .in_order = true};
    assert_non_null(rig->loop);
    rig->redis = ac_redis_new(rig->loop, url, &s_ops, rig);
    assert_non_null(rig->redis);
}

static void
s_close(rig_t *rig)
{
    ac_redis_destroy(&rig->redis);
    pr_loop_destroy(&rig->loop);
}

static bool
s_is_ready(void *arg)
{
    return ac_redis_is_ready(((rig_t *) arg)->redis);
}

static bool
s_is_down(void *arg)
{
    return ((rig_t *) arg)->downs > 0;
}

static bool
s_never(void *arg)
{
    (void) arg;
    return false;
}

/* --- a real server --- */

static bool
s_has_500(void *arg)
{
    rig_t *rig = arg;
    return rig->answers + rig->losses >= 500;
}

static void
pipelined_answers_come_in_order(void **state)
{
    t_redis_server_t *server = *state;
    t_redis_server_start(server);
    rig_t rig;
    s_open(&rig, t_redis_server_url(server));
    assert_false(s_send_echo(&rig, 0));
    assert_true(pr_loop_run_until(rig.loop, s_is_ready, &rig, WAIT_MS));
    for (int i = 0; i < 500; i++) {
        assert_true(s_send_echo(&rig, i));
    }
    assert_true(pr_loop_run_until(rig.loop, s_has_500, &rig, WAIT_MS));
    assert_int_equal(rig.answers, 500);
    assert_true(rig.in_order);
    assert_int_equal(rig.downs, 0);
    s_close(&rig);
    t_redis_server_kill(server);
}

static void
destroying_answers_what_is_open(void **state)
{
    t_redis_server_t *server = *state;
    t_redis_server_start(server);
    rig_t rig;
    s_open(&rig, t_redis_server_url(server));
    assert_true(pr_loop_run_until(rig.loop, s_is_ready, &rig, WAIT_MS));
    assert_true(s_send_echo(&rig, 0));
    assert_true(s_send_echo(&rig, 1));
    s_close(&rig);
    assert_int_equal(rig.losses, 2);
    assert_int_equal(rig.downs, 0);
    t_redis_server_kill(server);
}

static void
killed_server_is_found_again_at_once(void **state)
{
    t_redis_server_t *server = *state;
    t_redis_server_start(server);
    rig_t rig;
    s_open(&rig, t_redis_server_url(server));
    assert_true(pr_loop_run_until(rig.loop, s_is_ready, &rig, WAIT_MS));
    t_redis_server_pause(server);
    for (int i = 0; i < 500; i++) {
        assert_true(s_send_echo(&rig, i));
    }
    /* On its way, and then the server dies. */
    (void) pr_loop_run_until(rig.loop, s_never, NULL, 50);
    t_redis_server_kill(server);
    assert_true(pr_loop_run_until(rig.loop, s_is_down, &rig, WAIT_MS));
    assert_int_equal(rig.losses, 500);
    assert_int_equal(rig.sends_on_down, 0);

    /* Away for longer than the first few dials. */
    (void) pr_loop_run_until(rig.loop, s_never, NULL, 1000);
    assert_int_equal(rig.readies, 1);
    t_redis_server_start(server);
    int64_t since_ms = pr_clock_mono_ms();
    assert_true(pr_loop_run_until(rig.loop, s_is_ready, &rig, WAIT_MS));
    /* 80 ms between dials; the rest is for a busy machine. */
    assert_true(pr_clock_mono_ms() - since_ms < 400);
    assert_int_equal(rig.readies, 2);
    assert_int_equal(rig.downs, 1);
    s_close(&rig);
    t_redis_server_kill(server);
}

static void
stopped_server_is_given_up(void **state)
{
    t_redis_server_t *server = *state;
    t_redis_server_start(server);
    rig_t rig;
    s_open(&rig, t_redis_server_url(server));
    assert_true(pr_loop_run_until(rig.loop, s_is_ready, &rig, WAIT_MS));
    t_redis_server_pause(server);
    int64_t since_ms = pr_clock_mono_ms();
    assert_true(s_send_echo(&rig, 0));
    assert_true(pr_loop_run_until(rig.loop, s_is_down, &rig, WAIT_MS));
    int64_t took_ms = pr_clock_mono_ms() - since_ms;
    assert_in_range(took_ms, PR_STORE_ANSWER_MS - 50, PR_STORE_ANSWER_MS + 1000);
    assert_int_equal(rig.losses, 1);
    t_redis_server_resume(server);
    assert_true(pr_loop_run_until(rig.loop, s_is_ready, &rig, WAIT_MS));
    s_close(&rig);
    t_redis_server_kill(server);
}

static void
wrong_password_is_not_hammered(void **state)
{
    (void) state;
    static const char *const more[] = {"--aclfile", "../users", NULL};
    t_redis_server_t *server = t_redis_server_new(true, more);
    t_redis_server_write(server, "users", "user default on nopass ~* +@all\n" T_REDIS_ACL "\n");
    t_redis_server_start(server);
    char url[200];
    rig_t rig;
    (void) snprintf(url, sizeof url, "%s?user=poll&pass=wrong", t_redis_server_url(server));
    s_open(&rig, url);
    assert_false(pr_loop_run_until(rig.loop, s_is_ready, &rig, 1000));
    assert_int_equal(rig.readies, 0);
    s_close(&rig);
    const char *log = t_redis_server_ask(server, "ACL", "LOG", NULL);
    if (!strstr(log, "count 1 reason auth")) {
        fail_msg("tried more than once: %s", log);
    }

    (void) snprintf(url, sizeof url, "%s?user=poll&pass=secret", t_redis_server_url(server));
    s_open(&rig, url);
    assert_true(pr_loop_run_until(rig.loop, s_is_ready, &rig, WAIT_MS));
    s_close(&rig);
    t_redis_server_destroy(&server);
}

/* A port that was free a moment ago. */
static int
s_free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    assert_int_equal(bind(fd, (const struct sockaddr *) &address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &address, &len), 0);
    (void) close(fd);
    return ntohs(address.sin_port);
}

static void
tcp_by_number_and_by_name(void **state)
{
    (void) state;
    char port[8];
    (void) snprintf(port, sizeof port, "%d", s_free_port());
    const char *const more[] = {"--port", port, "--bind", "127.0.0.1", NULL};
    t_redis_server_t *server = t_redis_server_new(false, more);
    t_redis_server_start(server);
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    for (size_t i = 0; i < 2; i++) {
        char url[64];
        (void) snprintf(url, sizeof url, "redis://%s:%s", hosts[i], port);
        rig_t rig;
        s_open(&rig, url);
        assert_true(pr_loop_run_until(rig.loop, s_is_ready, &rig, WAIT_MS));
        s_close(&rig);
    }
    t_redis_server_destroy(&server);
}

/* --- a server that says what it likes --- */

/* Accepts, says `says` at once, and hangs up if told to. */
typedef struct {
    uv_pipe_t listener;
    uv_pipe_t peers[64];
    uv_write_t writes[64];
    int peer_count;
    const char *says;
    size_t says_len;
    bool hangs_up;
} liar_t;

static void
s_said(uv_write_t *request, int status)
{
    (void) status;
    liar_t *liar = request->data;
    if (liar->hangs_up && !uv_is_closing((uv_handle_t *) request->handle)) {
        uv_close((uv_handle_t *) request->handle, NULL);
    }
}

static void
s_accept(uv_stream_t *listener, int status)
{
    liar_t *liar = listener->data;
    if (status != 0 || liar->peer_count == 64) {
        return;
    }
    uv_pipe_t *peer = &liar->peers[liar->peer_count];
    uv_write_t *request = &liar->writes[liar->peer_count++];
    (void) uv_pipe_init(listener->loop, peer, 0);
    assert_int_equal(uv_accept(listener, (uv_stream_t *) peer), 0);
    uv_buf_t bytes = {(char *) (uintptr_t) liar->says, liar->says_len};
    request->data = liar;
    (void) uv_write(request, (uv_stream_t *) peer, &bytes, 1, s_said);
}

static void
s_lie(const char *says, size_t len, bool hangs_up)
{
    char path[64];
    (void) snprintf(path, sizeof path, "/tmp/rollcall-liar-%d.sock", (int) getpid());
    (void) unlink(path);
    char url[80];
    (void) snprintf(url, sizeof url, "unix:%s", path);
    rig_t rig;
    s_open(&rig, url);
    liar_t *liar = calloc(1, sizeof *liar);
    assert_non_null(liar);
    *liar = (liar_t) {.says = says, .says_len = len, .hangs_up = hangs_up};
    (void) uv_pipe_init(pr_loop_uv(rig.loop), &liar->listener, 0);
    liar->listener.data = liar;
    assert_int_equal(uv_pipe_bind(&liar->listener, path), 0);
    assert_int_equal(uv_listen((uv_stream_t *) &liar->listener, 16, s_accept), 0);

    /* It comes back, again and again, and the process lives. */
    assert_false(pr_loop_run_until(rig.loop, s_never, &rig, 400));
    assert_true(liar->peer_count >= 2);
    assert_true(liar->peer_count <= 16);

    uv_close((uv_handle_t *) &liar->listener, NULL);
    for (int i = 0; i < liar->peer_count; i++) {
        if (!uv_is_closing((uv_handle_t *) &liar->peers[i])) {
            uv_close((uv_handle_t *) &liar->peers[i], NULL);
        }
    }
    s_close(&rig);
    free(liar);
    (void) unlink(path);
}

static void
nothing_that_a_server_says_ends_the_process(void **state)
{
    (void) state;
    static const char *const lies[] = {
        "+OK\r\n+OK\r\n",
        "-ERR max number of clients reached\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "*1000000000\r\n",
        "*-7\r\n",
        "$99999999999999999999\r\n",
        ":12x\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
        "$-1\r\n*-1\r\n",
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        s_lie(lies[i], strlen(lies[i]), false);
    }
    s_lie("", 0, true);
    s_lie("$10\r\nabc", 8, true);
    static char noise[100000];
    memset(noise, 0, sizeof noise);
    s_lie(noise, sizeof noise, false);
}

static int
s_setup(void **state)
{
    *state = t_redis_server_new(false, NULL);
    return 0;
}

static int
s_teardown(void **state)
{
    t_redis_server_destroy((t_redis_server_t **) state);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pipelined_answers_come_in_order, s_setup, s_teardown),
        cmocka_unit_test_setup_teardown(destroying_answers_what_is_open, s_setup, s_teardown),
        cmocka_unit_test_setup_teardown(killed_server_is_found_again_at_once, s_setup, s_teardown),
        cmocka_unit_test_setup_teardown(stopped_server_is_given_up, s_setup, s_teardown),
        cmocka_unit_test(wrong_password_is_not_hammered),
        cmocka_unit_test(tcp_by_number_and_by_name),
        cmocka_unit_test(nothing_that_a_server_says_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
