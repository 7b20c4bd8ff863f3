/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/handover.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

#define G1 "1111111111111111"
#define G2 "2222222222222222"

enum { DEADLINE_MS = 5000 };

typedef struct {
    pr_loop_t *loop;
    char dir[64];
    gw_handover_t *g1;
    gw_handover_t *g2;
    int taken;
    int fd;
    gw_address_t address;
    char head[PR_HANDOVER_HEAD_MAX + 1];
} world_t;

static void
s_take(void *arg, int fd, const gw_address_t *address, pr_str_t head)
{
    world_t *world = arg;
    world->taken++;
    if (world->fd >= 0) {
        (void) close(world->fd);
    }
    world->fd = fd;
    world->address = *address;
    (void) snprintf(world->head, sizeof world->head, "%.*s", PR_STR_ARG(head));
}

static gw_handover_t *
s_new(world_t *world, const char *name, const char *incarnation)
{
    const gw_handover_options_t options = {
        .loop = world->loop,
        .run_dir = world->dir,
        .name = name,
        .incarnation = incarnation,
        .take = s_take,
        .arg = world,
    };
    return gw_handover_new(&options);
}

static int
s_setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    *state = world;
    world->fd = -1;
    world->loop = pr_loop_new();
    (void) snprintf(world->dir, sizeof world->dir, "/tmp/rollcall-hand-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    world->g1 = s_new(world, "g1", G1);
    world->g2 = s_new(world, "g2", G2);
    assert_true(world->g1 && world->g2);
    return 0;
}

static int
s_teardown(void **state)
{
    world_t *world = *state;
    gw_handover_destroy(&world->g1);
    gw_handover_destroy(&world->g2);
    if (world->fd >= 0) {
        (void) close(world->fd);
    }
    pr_loop_destroy(&world->loop);
    assert_int_equal(rmdir(world->dir), 0); /* nothing is left in it */
    free(world);
    return 0;
}

static bool
s_is_taken(void *arg)
{
    return ((world_t *) arg)->taken > 0;
}

static bool
s_is_malformed(void *arg)
{
    return gw_handover_counters(((world_t *) arg)->g2)->malformed > 0;
}

static void
connection_comes_with_its_request_and_address(void **state)
{
    world_t *world = *state;
    int pair[2];
    char byte = 0;
    const gw_address_t address = {{1, 2, 3}};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(
        gw_handover_give(world->g1, "g2", G2, pair[0], &address, PR_STR("GET / HTTP/1.1")), 0);
    (void) close(pair[0]);
    assert_true(pr_loop_run_until(world->loop, s_is_taken, world, DEADLINE_MS));
    assert_string_equal(world->head, "GET / HTTP/1.1");
    assert_memory_equal(&world->address, &address, sizeof address);
    assert_int_equal(write(world->fd, "x", 1), 1);
    assert_int_equal(read(pair[1], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    (void) close(pair[1]);
    assert_int_equal(gw_handover_counters(world->g1)->given, 1);
    assert_int_equal(gw_handover_counters(world->g2)->taken, 1);
}

static void
nobody_takes_it(void **state)
{
    world_t *world = *state;
    static char s_long[PR_HANDOVER_HEAD_MAX + 1];
    const gw_address_t address = {{0}};
    pr_str_t head = PR_STR("x");
    int result = gw_handover_give(world->g1, "g2", G1, 0, &address, head);
    assert_int_equal(result, PR_E_UNREACHABLE);
    pr_str_t longer = {s_long, sizeof s_long};
    result = gw_handover_give(world->g1, "g2", G2, 0, &address, longer);
    assert_int_equal(result, PR_E_TOO_LARGE);
    /* It is there, and does not look: it has room for some. */
    int given = 0;
    while ((result = gw_handover_give(world->g1, "g2", G2, 0, &address, head)) == 0) {
        given++;
        assert_true(given < 100000);
    }
    assert_int_equal(result, PR_E_BUSY);
    assert_int_equal(gw_handover_counters(world->g1)->not_given, 2);
}

static void
s_post(world_t *world, const void *bytes, size_t len, const int *fds, size_t count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {.bytes = {0}};
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    (void) snprintf(to.sun_path, sizeof to.sun_path, "%s/g2-%s.fd", world->dir, G2);
    struct iovec part = {(void *) (uintptr_t) bytes, len};
    struct msghdr message = {
        .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(head), fds, count * sizeof(int));
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(sendmsg(fd, &message, 0), (ssize_t) len);
    (void) close(fd);
}

static void
what_is_no_connection_is_dropped(void **state)
{
    world_t *world = *state;
    static char s_bytes[PR_HANDOVER_HEAD_MAX + 64];
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    const int file[] = {STDERR_FILENO};
    s_post(world, s_bytes, 100, NULL, 0);
    s_post(world, s_bytes, sizeof(gw_address_t), pair, 1);
    s_post(world, s_bytes, sizeof s_bytes, pair, 1);
    s_post(world, s_bytes, 100, file, 1);
    assert_true(pr_loop_run_until(world->loop, s_is_malformed, world, DEADLINE_MS));
    assert_int_equal(gw_handover_counters(world->g2)->malformed, 4);
    assert_int_equal(world->taken, 0);
    /* Of two, one is too many. */
    s_post(world, s_bytes, 100, pair, 2);
    (void) close(pair[0]);
    (void) close(pair[1]);
    assert_true(pr_loop_run_until(world->loop, s_is_taken, world, DEADLINE_MS));
    char byte = 0;
    assert_int_equal(read(world->fd, &byte, 1), 0); /* its other end is closed */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(connection_comes_with_its_request_and_address),
        TEST(nobody_takes_it),
        TEST(what_is_no_connection_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
