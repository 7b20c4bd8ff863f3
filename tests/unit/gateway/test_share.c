/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/share.h"
#include "proto/wire/limits.h"
#include "tests/support/scratch.h"

enum { SLOT_BYTES = 64, FILE_BYTES = SLOT_BYTES * PR_ROLE_CHILDREN_MAX, NOW_MS = 1000000 };

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

/* What another process wrote into its slot, the first is 1. */
static void
s_write(int slot, int64_t now_ms, uint32_t count)
{
    uint64_t word = (uint64_t) now_ms << 32 | count;
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

static void
one_who_has_clearly_fewer_is_seen(void **state)
{
    (void) state;
    gw_share_t *share = s_share("g1");
    gw_share_t *other = s_share("g2");
    gw_share_show(other, 5, NOW_MS);
    assert_int_equal(gw_share_below(share, 0, NOW_MS), 0);
    assert_int_equal(gw_share_below(share, 5 + PR_SHARE_SLACK_MIN, NOW_MS), 0);
    assert_int_not_equal(gw_share_below(share, 6 + PR_SHARE_SLACK_MIN, NOW_MS), 0);
    /* Of many a few more are nothing. */
    gw_share_show(other, 1000, NOW_MS);
    assert_int_equal(gw_share_below(share, 1000 + 1000 / PR_SHARE_SLACK_PART, NOW_MS), 0);
    assert_int_not_equal(gw_share_below(share, 1010 + 1010 / PR_SHARE_SLACK_PART, NOW_MS), 0);
    gw_share_destroy(&other);
    gw_share_destroy(&share);
}

static void
the_mark_says_whether_one_of_them_took_some(void **state)
{
    (void) state;
    gw_share_t *share = s_share("g1");
    gw_share_t *second = s_share("g2");
    gw_share_t *third = s_share("g3");
    gw_share_show(second, 0, NOW_MS);
    gw_share_show(third, 0, NOW_MS);
    uint64_t mark = gw_share_below(share, 10, NOW_MS);
    assert_int_not_equal(mark, 0);
    gw_share_show(second, 0, NOW_MS + 2);
    assert_int_equal(gw_share_below(share, 12, NOW_MS + 2), mark);
    gw_share_show(third, 1, NOW_MS + 2);
    assert_int_not_equal(gw_share_below(share, 12, NOW_MS + 2), mark);
    gw_share_destroy(&third);
    gw_share_destroy(&second);
    gw_share_destroy(&share);
}

static void
one_who_takes_none_does_not_count(void **state)
{
    (void) state;
    gw_share_t *share = s_share("g32");
    gw_share_t *other = s_share("g1");
    gw_share_show(other, 0, NOW_MS);
    assert_int_not_equal(gw_share_below(share, 10, NOW_MS), 0);
    gw_share_leave(other);
    assert_int_equal(gw_share_below(share, 10, NOW_MS), 0);
    gw_share_show(other, 0, NOW_MS);
    assert_int_not_equal(gw_share_below(share, 10, NOW_MS + PR_SHARE_LOOK_MS), 0);
    gw_share_destroy(&other);
    assert_int_equal(gw_share_below(share, 10, NOW_MS + PR_SHARE_LOOK_MS), 0);
    gw_share_destroy(&share);
}

static void
one_who_is_silent_does_not_count_until_it_speaks(void **state)
{
    (void) state;
    gw_share_t *share = s_share("g1");
    s_write(2, NOW_MS, 0);
    assert_int_not_equal(gw_share_below(share, 10, NOW_MS + PR_SHARE_SILENT_MS - 1), 0);
    int64_t late_ms = NOW_MS + PR_SHARE_SILENT_MS;
    assert_int_equal(gw_share_below(share, 10, late_ms), 0);
    /* It woke up, or there is a new one. */
    late_ms += PR_SHARE_LOOK_MS;
    s_write(2, late_ms, 0);
    assert_int_not_equal(gw_share_below(share, 10, late_ms), 0);
    gw_share_destroy(&share);
}

/* Each has the time of its turn. */
static void
the_time_of_another_may_be_a_little_ahead(void **state)
{
    (void) state;
    gw_share_t *share = s_share("g1");
    const int64_t wrap_ms = 1LL << 32;
    const int64_t nows_ms[] = {NOW_MS, wrap_ms - 1, 7 * wrap_ms};
    for (size_t i = 0; i < sizeof nows_ms / sizeof nows_ms[0]; i++) {
        int64_t now_ms = nows_ms[i];
        s_write(2, now_ms + 100, 0);
        assert_int_not_equal(gw_share_below(share, 10, now_ms), 0);
        /* From before the machine was started anew. */
        s_write(2, now_ms + 100000, 0);
        assert_int_equal(gw_share_below(share, 10, now_ms), 0);
    }
    gw_share_destroy(&share);
}

static void
one_who_is_alone_looks_now_and_then(void **state)
{
    (void) state;
    gw_share_t *share = s_share("g1");
    gw_share_show(share, 0, NOW_MS);
    assert_int_equal(gw_share_below(share, 10, NOW_MS), 0);
    s_write(2, NOW_MS, 0);
    assert_int_equal(gw_share_below(share, 10, NOW_MS + PR_SHARE_LOOK_MS - 1), 0);
    assert_int_not_equal(gw_share_below(share, 10, NOW_MS + PR_SHARE_LOOK_MS), 0);
    gw_share_destroy(&share);
}

static void
any_bytes_may_be_in_the_file(void **state)
{
    (void) state;
    gw_share_t *share = s_share("g1");
    int fd = open(s_path(), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    int64_t now_ms = 0;
    for (int byte = 0; byte < 256; byte++) {
        char bytes[FILE_BYTES];
        memset(bytes, byte, sizeof bytes);
        assert_int_equal(pwrite(fd, bytes, sizeof bytes, 0), sizeof bytes);
        now_ms += PR_SHARE_LOOK_MS;
        (void) gw_share_below(share, 10, now_ms);
        (void) gw_share_below(share, UINT32_MAX, now_ms);
        /* As if all of it had been written just now. */
        (void) gw_share_below(share, UINT32_MAX, byte * 0x01010101LL + PR_SHARE_LOOK_MS);
        gw_share_show(share, 10, now_ms);
        assert_int_equal(s_read(1), (uint64_t) now_ms << 32 | 10);
    }
    (void) close(fd);
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
        s_write(31, NOW_MS, 0);
        assert_int_not_equal(gw_share_below(share, 10, NOW_MS), 0);
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
    gw_share_show(share, 1, NOW_MS);
    gw_share_leave(share);
    assert_int_equal(gw_share_below(share, 10, NOW_MS), 0);
    gw_share_destroy(&share);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_who_has_clearly_fewer_is_seen, s_clear),
        cmocka_unit_test_setup(the_mark_says_whether_one_of_them_took_some, s_clear),
        cmocka_unit_test_setup(one_who_takes_none_does_not_count, s_clear),
        cmocka_unit_test_setup(one_who_is_silent_does_not_count_until_it_speaks, s_clear),
        cmocka_unit_test_setup(the_time_of_another_may_be_a_little_ahead, s_clear),
        cmocka_unit_test_setup(one_who_is_alone_looks_now_and_then, s_clear),
        cmocka_unit_test_setup(any_bytes_may_be_in_the_file, s_clear),
        cmocka_unit_test_setup(a_short_file_grows_and_a_long_one_stays, s_clear),
        cmocka_unit_test_setup(without_a_file_nothing_is_shared, s_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
