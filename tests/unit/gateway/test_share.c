/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/share.h"
#include "proto/base/loop.h"
#include "proto/wire/limits.h"
#include "tests/support/scratch.h"

enum { SLOT_BYTES = 64, FILE_BYTES = SLOT_BYTES * PR_ROLE_CHILDREN_MAX };

static const char *
s_path(void)
{
    static char path[128];
    (void) snprintf(path, sizeof path, "%s/shares", t_scratch());
    return path;
}

static int
s_clear(void **state)
{
    (void) state;
    (void) unlink(s_path());
    (void) rmdir(s_path());
    return 0;
}

static gw_share_t *
s_share(const char *name)
{
    gw_share_t *share = gw_share_new(t_scratch(), name);
    assert_non_null(share);
    return share;
}

/* Time goes on so far that nobody counts as alone because it was. */
static uint64_t
s_below(gw_share_t *share, uint32_t count)
{
    static int64_t now_ms = 0;
    now_ms += PR_SHARE_LOOK_MS;
    return gw_share_below(share, count, now_ms);
}

/* What another process wrote into its slot, the first is 1. */
static void
s_write(int slot, int64_t pid, uint32_t count)
{
    uint64_t word = (uint64_t) pid << 32 | count;
    int fd = open(s_path(), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    off_t at = (off_t) SLOT_BYTES * (slot - 1);
    assert_int_equal(pwrite(fd, &word, sizeof word, at), sizeof word);
    (void) close(fd);
}

static uint64_t
s_read(int slot)
{
    uint64_t word = 0;
    int fd = open(s_path(), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    off_t at = (off_t) SLOT_BYTES * (slot - 1);
    assert_int_equal(pread(fd, &word, sizeof word, at), sizeof word);
    (void) close(fd);
    return word;
}

/* --- another gateway, which does what it is told: a count to show, or to leave --- */

enum { LEAVE = -1 };

typedef struct {
    pid_t pid;
    int orders;
    int answers;
} other_t;

static void
s_obey(int orders, int answers, const char *name)
{
    gw_share_t *share = gw_share_new(t_scratch(), name);
    int order = 0;
    while (read(orders, &order, sizeof order) == sizeof order) {
        if (order == LEAVE) {
            gw_share_leave(share);
        } else {
            gw_share_show(share, (uint32_t) order);
        }
        (void) !write(answers, &order, sizeof order);
    }
    _exit(0);
}

static other_t
s_other(const char *name)
{
    int orders[2];
    int answers[2];
    assert_int_equal(pipe(orders), 0);
    assert_int_equal(pipe(answers), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void) close(orders[1]);
        s_obey(orders[0], answers[1], name);
    }
    (void) close(orders[0]);
    (void) close(answers[1]);
    return (other_t) {pid, orders[1], answers[0]};
}

static void
s_order(const other_t *other, int order)
{
    int answer = 0;
    assert_int_equal(write(other->orders, &order, sizeof order), sizeof order);
    assert_int_equal(read(other->answers, &answer, sizeof answer), sizeof answer);
}

static void
s_kill(const other_t *other)
{
    assert_int_equal(kill(other->pid, SIGKILL), 0);
    assert_int_equal(waitpid(other->pid, NULL, 0), other->pid);
    (void) close(other->orders);
    (void) close(other->answers);
}

/* --- tests --- */

static void
one_who_has_clearly_fewer_is_seen(void **state)
{
    (void) state;
    gw_share_t *share = s_share("g1");
    other_t other = s_other("g2");
    s_order(&other, 5);
    assert_int_equal(s_below(share, 0), 0);
    assert_int_equal(s_below(share, 5 + PR_SHARE_SLACK_MIN), 0);
    uint64_t mark = s_below(share, 6 + PR_SHARE_SLACK_MIN);
    assert_int_not_equal(mark, 0);
    assert_int_equal(s_below(share, 20), mark);
    s_order(&other, 6);
    assert_int_equal(s_below(share, 6 + PR_SHARE_SLACK_MIN), 0);
    assert_int_not_equal(s_below(share, 20), mark);
    /* Of many a few more are nothing. */
    s_order(&other, 1000);
    assert_int_equal(s_below(share, 1000 + 1000 / PR_SHARE_SLACK_PART), 0);
    assert_int_not_equal(s_below(share, 1010 + 1010 / PR_SHARE_SLACK_PART), 0);
    s_kill(&other);
    gw_share_destroy(&share);
}

static void
one_who_takes_none_does_not_count(void **state)
{
    (void) state;
    gw_share_t *share = s_share("g32");
    other_t other = s_other("g1");
    s_order(&other, 0);
    assert_int_not_equal(s_below(share, 10), 0);
    s_order(&other, LEAVE);
    assert_int_equal(s_below(share, 10), 0);
    s_order(&other, 0);
    assert_int_not_equal(s_below(share, 10), 0);
    s_kill(&other);
    gw_share_destroy(&share);
}

static void
a_dead_one_is_cleared_and_its_slot_used_again(void **state)
{
    (void) state;
    gw_share_t *share = s_share("g1");
    other_t other = s_other("g2");
    s_order(&other, 3);
    s_kill(&other);
    assert_int_equal(s_below(share, 3), 0);
    assert_int_not_equal(s_read(2), 0); /* not in the way */
    assert_int_equal(s_below(share, 10), 0);
    assert_int_equal(s_read(2), 0);
    other = s_other("g2");
    s_order(&other, 0);
    assert_int_not_equal(s_below(share, 10), 0);
    s_kill(&other);
    gw_share_destroy(&share);
}

static void
a_new_one_clears_what_it_left_when_it_died(void **state)
{
    (void) state;
    gw_share_t *share = s_share("g1");
    s_write(2, getppid(), 7);
    gw_share_t *second = s_share("g2");
    assert_int_equal(s_read(2), 0);
    gw_share_show(second, 9);
    assert_int_equal(s_read(2), (uint64_t) getpid() << 32 | 9);
    gw_share_destroy(&second);
    assert_int_equal(s_read(2), 0);
    gw_share_destroy(&share);
}

static void
one_who_is_alone_looks_now_and_then(void **state)
{
    (void) state;
    gw_share_t *share = s_share("g1");
    assert_int_equal(gw_share_below(share, 10, 1000), 0);
    s_write(2, getppid(), 0);
    assert_int_equal(gw_share_below(share, 10, 1000 + PR_SHARE_LOOK_MS - 1), 0);
    assert_int_not_equal(gw_share_below(share, 10, 1000 + PR_SHARE_LOOK_MS), 0);
    gw_share_destroy(&share);
}

static void
numbers_of_processes_that_can_not_be_gateways_are_cleared(void **state)
{
    (void) state;
    gw_share_t *share = s_share("g1");
    const int64_t pids[] = {0, getpid(), INT32_MAX, INT32_MIN, -1, -getppid()};
    for (size_t i = 0; i < sizeof pids / sizeof pids[0]; i++) {
        s_write(3, pids[i], 1);
        assert_int_equal(s_below(share, 10), 0);
        assert_int_equal(s_read(3), 0);
    }
    gw_share_destroy(&share);
}

static void
any_bytes_may_be_in_the_file(void **state)
{
    (void) state;
    gw_share_t *share = s_share("g1");
    int fd = open(s_path(), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    for (int byte = 0; byte < 256; byte += 5) {
        char bytes[FILE_BYTES];
        memset(bytes, byte, sizeof bytes);
        assert_int_equal(pwrite(fd, bytes, sizeof bytes, 0), sizeof bytes);
        (void) s_below(share, 10);
        (void) s_below(share, UINT32_MAX);
        gw_share_show(share, 10);
    }
    (void) close(fd);
    assert_int_equal(s_read(1), (uint64_t) getpid() << 32 | 10);
    gw_share_destroy(&share);
}

static void
a_short_file_grows_and_a_long_one_stays(void **state)
{
    (void) state;
    const off_t sizes[] = {0, 1, SLOT_BYTES + 3, FILE_BYTES, 3 * FILE_BYTES};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int fd = open(s_path(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, sizes[i]), 0);
        gw_share_t *share = s_share("g32");
        s_write(31, getppid(), 0);
        assert_int_not_equal(s_below(share, 10), 0);
        struct stat found;
        assert_int_equal(fstat(fd, &found), 0);
        assert_int_equal(found.st_size, sizes[i] > FILE_BYTES ? sizes[i] : FILE_BYTES);
        (void) close(fd);
        gw_share_destroy(&share);
    }
}

static void
without_a_file_nothing_is_shared(void **state)
{
    (void) state;
    assert_null(gw_share_new("/nowhere", "g1"));
    const char *const names[] = {"", "g", "g0", "g33", "g-1", "g1x", "gateway"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_null(gw_share_new(t_scratch(), names[i]));
    }
    assert_int_equal(mkdir(s_path(), 0700), 0);
    gw_share_t *share = gw_share_new(t_scratch(), "g1");
    assert_null(share);
    assert_int_equal(rmdir(s_path()), 0);
    assert_int_equal(symlink("elsewhere", s_path()), 0);
    assert_null(gw_share_new(t_scratch(), "g1"));
    gw_share_show(share, 1);
    gw_share_leave(share);
    assert_int_equal(gw_share_below(share, 10, 1), 0);
    gw_share_destroy(&share);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_who_has_clearly_fewer_is_seen, s_clear),
        cmocka_unit_test_setup(one_who_takes_none_does_not_count, s_clear),
        cmocka_unit_test_setup(a_dead_one_is_cleared_and_its_slot_used_again, s_clear),
        cmocka_unit_test_setup(a_new_one_clears_what_it_left_when_it_died, s_clear),
        cmocka_unit_test_setup(one_who_is_alone_looks_now_and_then, s_clear),
        cmocka_unit_test_setup(numbers_of_processes_that_can_not_be_gateways_are_cleared, s_clear),
        cmocka_unit_test_setup(any_bytes_may_be_in_the_file, s_clear),
        cmocka_unit_test_setup(a_short_file_grows_and_a_long_one_stays, s_clear),
        cmocka_unit_test_setup(without_a_file_nothing_is_shared, s_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
