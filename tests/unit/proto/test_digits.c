/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/digits.h"
#include "proto/wire/limits.h"

static void
digits_alone_are_a_number(void **state)
{
    (void) state;
    static const struct {
        pr_str_t text;
        int64_t most;
        int64_t number; /* -1: refused */
    } rows[] = {
        {{"0", 1}, 0, 0},
        {{"007", 3}, 7, 7},
        {{"65535", 5}, 65535, 65535},
        {{"65536", 5}, 65535, -1},
        {{"9007199254740991", 16}, PR_INTEGER_MAX, PR_INTEGER_MAX},
        {{"9007199254740992", 16}, PR_INTEGER_MAX, -1},
        {{"99999999999999999999999999", 26}, PR_INTEGER_MAX, -1},
        {{"", 0}, 9, -1},
        {{NULL, 0}, 9, -1},
        {{"-1", 2}, 9, -1},
        {{"+1", 2}, 9, -1},
        {{" 1", 2}, 9, -1},
        {{"1 ", 2}, 9, -1},
        {{"1\0", 2}, 9, -1},
        {{"0x1", 3}, 9, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t number = -1;
        bool is_number = pr_digits_parse(rows[i].text, rows[i].most, &number);
        assert_int_equal(is_number, rows[i].number >= 0);
        assert_int_equal(number, rows[i].number);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(digits_alone_are_a_number)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
