/* SPDX-License-Identifier: MIT */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/buffer.h"

static void
s_assert_content(const pr_buf_t *buf, const char *expected)
{
    if (!pr_str_equal(pr_buf_str(buf), pr_str(expected))) {
        fail_msg("\"%.*s\" is not \"%s\"", PR_STR_ARG(pr_buf_str(buf)), expected);
    }
}

static void
grows_as_needed(void **state)
{
    (void) state;
    pr_buf_t *buf = pr_buf_new(0);
    s_assert_content(buf, "");
    pr_buf_append_str(buf, PR_STR_NONE);
    for (int i = 0; i < 100000; i++) {
        pr_buf_append_byte(buf, (char) ('a' + i % 26));
    }
    assert_int_equal(pr_buf_len(buf), 100000);
    for (size_t i = 0; i < 100000; i++) {
        assert_int_equal(pr_buf_data(buf)[i], 'a' + i % 26);
    }
    pr_buf_truncate(buf, 3);
    s_assert_content(buf, "abc");
    pr_buf_clear(buf);
    s_assert_content(buf, "");
    pr_buf_destroy(&buf);
    assert_null(buf);
    pr_buf_destroy(&buf);
}

static void
writes_numbers(void **state)
{
    (void) state;
    const int64_t numbers[] = {0, 7, -7, 10, 9007199254740991, INT64_MAX, INT64_MIN};
    pr_buf_t *buf = pr_buf_new(4);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char text[32];
        (void) snprintf(text, sizeof text, "%" PRId64, numbers[i]);
        pr_buf_clear(buf);
        pr_buf_append_int(buf, numbers[i]);
        s_assert_content(buf, text);
    }
    pr_buf_destroy(&buf);
}

static void
formats_short_and_long_texts(void **state)
{
    (void) state;
    char text[2001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    pr_buf_t *buf = pr_buf_new(0);
    for (size_t len = 500; len < 530; len++) {
        pr_buf_clear(buf);
        pr_buf_append_fmt(buf, "%.*s|%d", (int) len, text, 42);
        assert_int_equal(pr_buf_len(buf), len + 3);
        assert_memory_equal(pr_buf_data(buf) + len, "|42", 3);
    }
    pr_buf_clear(buf);
    pr_buf_append_fmt(buf, "%s", text);
    s_assert_content(buf, text);
    pr_buf_destroy(&buf);
}

static void
escapes_json(void **state)
{
    (void) state;
    pr_buf_t *buf = pr_buf_new(0);
    pr_buf_append_json(buf, PR_STR(""));
    pr_buf_append_json(buf, PR_STR("plain \xed\x95\x9c\xea\xb5\xad /"));
    pr_buf_append_json(buf, PR_STR("\"\\\n\r\t\b\f\x01\x1f\x7f\0."));
    s_assert_content(buf, "\"\"\"plain \xed\x95\x9c\xea\xb5\xad /\""
                          "\"\\\"\\\\\\n\\r\\t\\b\\f\\u0001\\u001f\x7f\\u0000.\"");
    pr_buf_destroy(&buf);
}

static void
is_shared_by_references(void **state)
{
    (void) state;
    pr_buf_t *first = pr_buf_copy(PR_STR("shared"));
    pr_buf_t *second = pr_buf_ref(first);
    assert_ptr_equal(first, second);
    pr_buf_destroy(&first);
    s_assert_content(second, "shared");
    pr_buf_destroy(&second);
}

static void
memory_that_runs_out_sticks(void **state)
{
    (void) state;
    pr_buf_t *buf = pr_buf_copy(PR_STR("kept"));
    assert_null(pr_buf_reserve(buf, SIZE_MAX / 2));
    assert_true(pr_buf_failed(buf));
    pr_buf_append(buf, "more", 4);
    s_assert_content(buf, "kept");
    pr_buf_clear(buf);
    assert_false(pr_buf_failed(buf));
    pr_buf_append(buf, "more", 4);
    s_assert_content(buf, "more");
    pr_buf_destroy(&buf);
}

static void
reserved_room_counts_when_it_is_taken(void **state)
{
    (void) state;
    pr_buf_t *buf = pr_buf_copy(PR_STR("a"));
    char *at = pr_buf_reserve(buf, 1000);
    assert_non_null(at);
    at[0] = 'b';
    s_assert_content(buf, "a");
    pr_buf_grow(buf, 1);
    s_assert_content(buf, "ab");
    pr_buf_destroy(&buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_as_needed),
        cmocka_unit_test(writes_numbers),
        cmocka_unit_test(formats_short_and_long_texts),
        cmocka_unit_test(escapes_json),
        cmocka_unit_test(is_shared_by_references),
        cmocka_unit_test(memory_that_runs_out_sticks),
        cmocka_unit_test(reserved_room_counts_when_it_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
