/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "supervisor/backoff.h"

static void
child_that_was_ready_is_started_at_once(void **state)
{
    (void) state;
    sv_backoff_t backoff;
    sv_backoff_init(&backoff);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(sv_backoff_died(&backoff, (int64_t) i * 1000, PR_CHILD_PROVEN_MS, 7), 0);
    }
}

static void
delay_doubles_within_a_quarter_up_to_its_bound(void **state)
{
    (void) state;
    sv_backoff_t backoff;
    sv_backoff_init(&backoff);
    int64_t expected_ms = PR_CHILD_BACKOFF_MS;
    int64_t now_ms = 0;
    for (uint32_t i = 0; i < 20; i++) {
        int64_t delay_ms = sv_backoff_died(&backoff, now_ms, -1, i * 2654435761u);
        assert_in_range(delay_ms, expected_ms * 3 / 4, expected_ms * 5 / 4);
        assert_true(delay_ms <= PR_CHILD_BACKOFF_MAX_MS);
        expected_ms =
            expected_ms * 2 < PR_CHILD_BACKOFF_MAX_MS ? expected_ms * 2 : PR_CHILD_BACKOFF_MAX_MS;
        now_ms += PR_CHILD_INTENSITY_MS; /* slow enough not to be too many */
    }
}

static void
ready_forgets_the_failures(void **state)
{
    (void) state;
    sv_backoff_t backoff;
    sv_backoff_init(&backoff);
    (void) sv_backoff_died(&backoff, 0, -1, 0);
    (void) sv_backoff_died(&backoff, 20000, -1, 0);
    assert_int_equal(sv_backoff_died(&backoff, 40000, 5000, 0), 0);
    assert_int_equal(sv_backoff_died(&backoff, 60000, -1, 0), PR_CHILD_BACKOFF_MS * 3 / 4);
}

static void
too_many_early_deaths_are_given_up(void **state)
{
    (void) state;
    sv_backoff_t backoff;
    sv_backoff_init(&backoff);
    for (int i = 0; i < PR_CHILD_INTENSITY - 1; i++) {
        assert_true(sv_backoff_died(&backoff, (int64_t) i * 100, -1, 0) >= 0);
    }
    assert_int_equal(sv_backoff_died(&backoff, PR_CHILD_INTENSITY_MS - 1, -1, 0), -1);
}

static void
a_death_soon_after_ready_counts(void **state)
{
    (void) state;
    sv_backoff_t backoff;
    sv_backoff_init(&backoff);
    for (int i = 0; i < PR_CHILD_INTENSITY - 1; i++) {
        assert_int_equal(sv_backoff_died(&backoff, i, PR_CHILD_PROVEN_MS - 1, 0), 0);
    }
    assert_int_equal(sv_backoff_died(&backoff, 99, 0, 0), -1);
}

static void
deaths_of_long_ago_do_not_count(void **state)
{
    (void) state;
    sv_backoff_t backoff;
    sv_backoff_init(&backoff);
    for (int i = 0; i < 50; i++) {
        int64_t now_ms = (int64_t) i * PR_CHILD_INTENSITY_MS / (PR_CHILD_INTENSITY - 1);
        assert_true(sv_backoff_died(&backoff, now_ms, -1, 0) >= 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(child_that_was_ready_is_started_at_once),
        cmocka_unit_test(delay_doubles_within_a_quarter_up_to_its_bound),
        cmocka_unit_test(ready_forgets_the_failures),
        cmocka_unit_test(too_many_early_deaths_are_given_up),
        cmocka_unit_test(a_death_soon_after_ready_counts),
        cmocka_unit_test(deaths_of_long_ago_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
