/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/ring.h"

enum { BYTES_MAX = 1000 };

static void
s_add(gw_ring_t *ring, uint64_t seq, size_t len)
{
    pr_buf_t *frame = pr_buf_new(len);
    for (size_t i = 0; i < len; i++) {
        pr_buf_append_byte(frame, (char) ('a' + seq % 26));
    }
    gw_ring_add(ring, seq, (pr_rev_t) {(int64_t) seq, seq * 7}, &frame);
    assert_null(frame);
}

static void
frames_are_read_from_a_cursor_on(void **state)
{
    (void) state;
    gw_ring_t *ring = gw_ring_new(BYTES_MAX);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        s_add(ring, seq, 2);
    }
    uint64_t cursor = 1;
    assert_true(gw_ring_covers(ring, cursor, 3));
    pr_buf_t *frames = gw_ring_read(ring, &cursor, 3, 100);
    assert_true(pr_str_equal(pr_buf_str(frames), PR_STR("ccdd")));
    assert_int_equal(cursor, 3);
    pr_buf_destroy(&frames);
    assert_true(gw_ring_covers(ring, 3, 3));
    gw_ring_destroy(&ring);
}

static void
large_reads_go_in_parts(void **state)
{
    (void) state;
    gw_ring_t *ring = gw_ring_new(BYTES_MAX);
    for (uint64_t seq = 5; seq <= 9; seq++) {
        s_add(ring, seq, 40);
    }
    uint64_t cursor = 4;
    size_t parts = 0;
    while (cursor != 9) {
        pr_buf_t *frames = gw_ring_read(ring, &cursor, 9, 100);
        assert_true(pr_buf_len(frames) <= 100);
        pr_buf_destroy(&frames);
        parts++;
    }
    assert_int_equal(parts, 3);
    /* One that is larger than asked for comes alone. */
    cursor = 8;
    pr_buf_t *frame = gw_ring_read(ring, &cursor, 9, 1);
    assert_int_equal(pr_buf_len(frame), 40);
    pr_buf_destroy(&frame);
    gw_ring_destroy(&ring);
}

static void
oldest_frames_go_first(void **state)
{
    (void) state;
    gw_ring_t *ring = gw_ring_new(BYTES_MAX);
    for (uint64_t seq = 1; seq <= 100; seq++) {
        s_add(ring, seq, 100);
        assert_true(gw_ring_bytes(ring) <= BYTES_MAX);
        assert_int_equal(gw_ring_covers(ring, 0, seq), seq <= 10);
    }
    assert_true(gw_ring_covers(ring, 90, 100));
    assert_false(gw_ring_covers(ring, 89, 100));
    assert_false(gw_ring_covers(ring, 101, 100));
    /* One that is larger than all of it leaves nothing. */
    s_add(ring, 101, BYTES_MAX + 1);
    assert_int_equal(gw_ring_bytes(ring), 0);
    assert_false(gw_ring_covers(ring, 100, 101));
    s_add(ring, 102, 10);
    assert_true(gw_ring_covers(ring, 101, 102));
    gw_ring_destroy(&ring);
}

static void
gap_forgets_what_was_before(void **state)
{
    (void) state;
    gw_ring_t *ring = gw_ring_new(BYTES_MAX);
    s_add(ring, 1, 10);
    s_add(ring, 2, 10);
    s_add(ring, 4, 10);
    assert_false(gw_ring_covers(ring, 1, 4));
    assert_true(gw_ring_covers(ring, 3, 4));
    /* A frame that could not be made is a gap as well. */
    pr_buf_t *none = NULL;
    gw_ring_add(ring, 5, (pr_rev_t) {5, 35}, &none);
    assert_false(gw_ring_covers(ring, 4, 5));
    gw_ring_clear(ring);
    assert_int_equal(gw_ring_bytes(ring), 0);
    gw_ring_destroy(&ring);
    gw_ring_destroy(&ring);
}

static void
rev_has_its_cursor(void **state)
{
    (void) state;
    gw_ring_t *ring = gw_ring_new(BYTES_MAX);
    uint64_t cursor = 99;
    assert_false(gw_ring_find(ring, (pr_rev_t) {1, 7}, &cursor));
    for (uint64_t seq = 1; seq <= 30; seq++) {
        s_add(ring, seq, 100);
    }
    /* The last ten are there: frame 21 leads on from version 21. */
    for (int64_t version = 0; version <= 40; version++) {
        bool there = version >= 21 && version <= 30;
        pr_rev_t rev = {version, (uint64_t) version * 7};
        assert_int_equal(gw_ring_find(ring, rev, &cursor), there);
        if (there) {
            assert_int_equal(cursor, version - 1);
            assert_true(gw_ring_covers(ring, cursor, 30));
        }
    }
    /* The same version of another history. */
    assert_false(gw_ring_find(ring, (pr_rev_t) {25, 176}, &cursor));
    assert_false(gw_ring_find(ring, (pr_rev_t) {INT64_MAX, 7}, &cursor));
    assert_false(gw_ring_find(ring, (pr_rev_t) {-1, 7}, &cursor));
    gw_ring_destroy(&ring);
}

static void
frames_are_searched(void **state)
{
    (void) state;
    gw_ring_t *ring = gw_ring_new(BYTES_MAX);
    s_add(ring, 1, 10);
    s_add(ring, 2, 10);
    s_add(ring, 3, 10);
    assert_true(gw_ring_mentions(ring, 0, 3, PR_STR("bbb")));
    assert_false(gw_ring_mentions(ring, 1, 3, PR_STR("bbb")));
    assert_true(gw_ring_mentions(ring, 1, 3, PR_STR("dd")));
    assert_false(gw_ring_mentions(ring, 0, 3, PR_STR("bc")));
    assert_false(gw_ring_mentions(ring, 3, 3, PR_STR("d")));
    gw_ring_destroy(&ring);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_read_from_a_cursor_on),
        cmocka_unit_test(large_reads_go_in_parts),
        cmocka_unit_test(oldest_frames_go_first),
        cmocka_unit_test(gap_forgets_what_was_before),
        cmocka_unit_test(rev_has_its_cursor),
        cmocka_unit_test(frames_are_searched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
