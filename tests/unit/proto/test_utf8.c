/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/utf8.h"

static void
valid_and_invalid_sequences_are_told_apart(void **state)
{
    (void) state;
    static const struct {
        pr_str_t text;
        bool valid;
    } rows[] = {
        {{"", 0}, true},
        {{"a\0b", 3}, true},
        {{"\xc3\xa9", 2}, true},
        {{"\xed\x9f\xbf", 3}, true},
        {{"\xf4\x8f\xbf\xbf", 4}, true},
        {{"\x80", 1}, false},
        {{"\xc0\x80", 2}, false},
        {{"\xc1\xbf", 2}, false},
        {{"\xe0\x9f\xbf", 3}, false},
        {{"\xed\xa0\x80", 3}, false},
        {{"\xf0\x8f\xbf\xbf", 4}, false},
        {{"\xf4\x90\x80\x80", 4}, false},
        {{"\xf8\x88\x80\x80\x80", 5}, false},
        {{"\xc3", 1}, false},
        {{"\xe2\x82", 2}, false},
        {{"\xe2\x28\xa1", 3}, false},
        {{"\xff", 1}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(pr_utf8_is_valid(rows[i].text), rows[i].valid);
    }
}

static void
characters_and_units_are_counted(void **state)
{
    (void) state;
    pr_str_t text = PR_STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_int_equal(pr_utf8_chars(text), 4);
    assert_int_equal(pr_utf8_utf16_units(text), 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_and_invalid_sequences_are_told_apart),
        cmocka_unit_test(characters_and_units_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
