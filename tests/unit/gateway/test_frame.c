/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/frame.h"
#include "gateway/socket.h"
#include "proto/wire/limits.h"

static pr_str_t
s_payload(size_t len)
{
    static char bytes[3 * PR_FRAGMENT_BYTES + 100];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char) ('a' + i % 23);
    }
    return (pr_str_t) {bytes, len};
}

static void
short_frames_are_exact(void **state)
{
    (void) state;
    pr_buf_t *frame = gw_frame_text(PR_STR("hi"));
    assert_int_equal(pr_buf_len(frame), 4);
    assert_memory_equal(pr_buf_data(frame), "\x81\x02hi", 4);
    pr_buf_destroy(&frame);
    frame = gw_frame_binary((pr_str_t) {"", 0});
    assert_int_equal(pr_buf_len(frame), 2);
    assert_memory_equal(pr_buf_data(frame), "\x82\x00", 2);
    pr_buf_destroy(&frame);
    frame = gw_frame_text(s_payload(126));
    assert_memory_equal(pr_buf_data(frame), "\x81\x7e\x00\x7e", 4);
    assert_int_equal(pr_buf_len(frame), 130);
    pr_buf_destroy(&frame);
    frame = gw_frame_close(1009, "big");
    assert_int_equal(pr_buf_len(frame), 7);
    assert_memory_equal(pr_buf_data(frame),
                        "\x88\x05\x03\xf1"
                        "big",
                        7);
    pr_buf_destroy(&frame);
    frame = gw_frame_close(0, "not said");
    assert_int_equal(pr_buf_len(frame), 2);
    assert_memory_equal(pr_buf_data(frame), "\x88\x00", 2);
    pr_buf_destroy(&frame);
    char reason[301];
    memset(reason, 'r', sizeof reason - 1);
    reason[300] = '\0';
    frame = gw_frame_close(1000, reason);
    assert_int_equal(pr_buf_len(frame), 2 + 125); /* the most that a control frame holds */
    pr_buf_destroy(&frame);
}

/* Puts the payload of `frames` together; counts the fragments. */
static size_t
s_join(pr_str_t frames, pr_buf_t *out)
{
    size_t count = 0;
    size_t at = 0;
    while (at < frames.len) {
        const unsigned char *byte = (const unsigned char *) frames.ptr + at;
        size_t head = byte[1] < 126 ? 2 : byte[1] == 126 ? 4 : 10;
        size_t end = gw_frame_boundary(frames, at, at + 1);
        assert_true(end > at && end <= frames.len);
        assert_int_equal(byte[0] & 0x0f, count == 0 ? 1 : 0);
        assert_int_equal((byte[0] & 0x80) != 0, end == frames.len);
        assert_true(end - at - head <= PR_FRAGMENT_BYTES);
        pr_buf_append(out, frames.ptr + at + head, end - at - head);
        at = end;
        count++;
    }
    return count;
}

static void
long_messages_are_fragments(void **state)
{
    (void) state;
    static const size_t lens[] = {0, 1, PR_FRAGMENT_BYTES, PR_FRAGMENT_BYTES + 1,
                                  3 * PR_FRAGMENT_BYTES + 100};
    static const size_t counts[] = {1, 1, 1, 2, 4};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        for (size_t cut = 0; cut <= lens[i]; cut += lens[i] / 3 + 1) {
            pr_str_t all = s_payload(lens[i]);
            pr_buf_t *frame = gw_frame_text2((pr_str_t) {all.ptr, cut},
                                             (pr_str_t) {all.ptr + cut, all.len - cut});
            pr_buf_t *out = pr_buf_new(0);
            assert_int_equal(s_join(pr_buf_str(frame), out), counts[i]);
            assert_true(pr_str_equal(pr_buf_str(out), all));
            pr_buf_destroy(&out);
            pr_buf_destroy(&frame);
        }
    }
}

static void
boundaries_of_frames_behind_each_other(void **state)
{
    (void) state;
    pr_str_t frames = PR_STR("\x81\x02hi\x81\x00\x81\x03yes");
    static const size_t want[] = {0, 4, 4, 4, 4, 6, 6, 11, 11, 11, 11, 11};
    for (size_t at = 0; at <= frames.len; at++) {
        assert_int_equal(gw_frame_boundary(frames, 0, at), want[at]);
    }
    assert_int_equal(gw_frame_boundary(frames, 6, 7), 11);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_frames_are_exact),
        cmocka_unit_test(long_messages_are_fragments),
        cmocka_unit_test(boundaries_of_frames_behind_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
