/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/pace.h"

enum { RATE = 1000000 }; /* bytes a second; so a poll may owe 10,000 */

static void
first_broadcast_goes_at_once_whatever_its_size(void **state)
{
    (void) state;
    gw_pace_t *pace = gw_pace_new(RATE, 5000);
    gw_pacer_t poll = {0};
    assert_int_equal(gw_pace_wait_ms(pace, &poll, 5000), 0);
    gw_pace_spend(pace, &poll, 50 * RATE, 5000);
    assert_true(gw_pace_wait_ms(pace, &poll, 5000) > 0);
    gw_pace_forget(pace, &poll);
    gw_pace_destroy(&pace);
}

static void
small_debts_do_not_wait(void **state)
{
    (void) state;
    gw_pace_t *pace = gw_pace_new(RATE, 0);
    gw_pacer_t poll = {0};
    for (int i = 0; i < 10; i++) {
        assert_int_equal(gw_pace_wait_ms(pace, &poll, 0), 0);
        gw_pace_spend(pace, &poll, 1000, 0);
    }
    gw_pace_spend(pace, &poll, 1000, 0);
    assert_true(gw_pace_wait_ms(pace, &poll, 0) > 0);
    gw_pace_forget(pace, &poll);
    gw_pace_destroy(&pace);
}

/* What one poll that always has something to say sends in ten seconds. */
static uint64_t
s_run(gw_pace_t *pace, gw_pacer_t *pacers, const uint64_t *sizes, size_t count, uint64_t *sent)
{
    uint64_t total = 0;
    for (int64_t now_ms = 1; now_ms <= 10000; now_ms++) {
        for (size_t i = 0; i < count; i++) {
            if (gw_pace_wait_ms(pace, &pacers[i], now_ms) == 0) {
                gw_pace_spend(pace, &pacers[i], sizes[i], now_ms);
                sent[i] += sizes[i];
                total += sizes[i];
            }
        }
    }
    return total;
}

static void
one_poll_gets_the_whole_budget(void **state)
{
    (void) state;
    gw_pace_t *pace = gw_pace_new(RATE, 0);
    gw_pacer_t poll = {0};
    uint64_t sent = 0;
    uint64_t size = 100000;
    uint64_t total = s_run(pace, &poll, &size, 1, &sent);
    assert_in_range(total, 10 * RATE - size, 10 * RATE + 2 * size);
    gw_pace_forget(pace, &poll);
    gw_pace_destroy(&pace);
}

static void
big_and_small_broadcasts_get_equal_shares(void **state)
{
    (void) state;
    gw_pace_t *pace = gw_pace_new(RATE, 0);
    gw_pacer_t polls[4] = {0};
    const uint64_t sizes[4] = {500000, 20000, 20000, 3000};
    uint64_t sent[4] = {0};
    uint64_t total = s_run(pace, polls, sizes, 4, sent);
    assert_in_range(total, 9 * RATE, 11 * RATE + 500000);
    for (size_t i = 0; i < 4; i++) {
        assert_in_range(sent[i], 2000000, 3100000);
        gw_pace_forget(pace, &polls[i]);
    }
    gw_pace_destroy(&pace);
}

static void
quiet_poll_does_not_wait_for_the_loud_ones(void **state)
{
    (void) state;
    gw_pace_t *pace = gw_pace_new(RATE, 0);
    gw_pacer_t loud = {0};
    gw_pacer_t quiet = {0};
    gw_pace_spend(pace, &loud, 100 * RATE, 0);
    for (int64_t now_ms = 0; now_ms < 5000; now_ms += 100) {
        assert_int_equal(gw_pace_wait_ms(pace, &quiet, now_ms), 0);
        gw_pace_spend(pace, &quiet, 10000, now_ms);
    }
    gw_pace_forget(pace, &loud);
    gw_pace_forget(pace, &quiet);
    gw_pace_destroy(&pace);
}

static void
wait_is_what_it_says_and_the_debt_ends(void **state)
{
    (void) state;
    gw_pace_t *pace = gw_pace_new(RATE, 0);
    gw_pacer_t poll = {0};
    gw_pace_spend(pace, &poll, RATE / 2, 0);
    int64_t wait_ms = gw_pace_wait_ms(pace, &poll, 0);
    assert_in_range(wait_ms, 480, 500);
    assert_true(gw_pace_wait_ms(pace, &poll, wait_ms - 10) > 0);
    assert_int_equal(gw_pace_wait_ms(pace, &poll, wait_ms), 0);
    assert_int_equal(gw_pace_debtors(pace), 1);
    assert_int_equal(gw_pace_wait_ms(pace, &poll, 501), 0);
    assert_int_equal(gw_pace_debtors(pace), 0);
    gw_pace_destroy(&pace);
}

static void
clock_that_stands_still_or_jumps_is_harmless(void **state)
{
    (void) state;
    gw_pace_t *pace = gw_pace_new(RATE, 1000);
    gw_pacer_t poll = {0};
    gw_pace_spend(pace, &poll, RATE / 2, 1000);
    assert_true(gw_pace_wait_ms(pace, &poll, 900) > 0);
    assert_int_equal(gw_pace_wait_ms(pace, &poll, INT64_MAX / 2), 0);
    gw_pace_forget(pace, &poll);
    gw_pace_forget(pace, &poll);
    gw_pace_destroy(&pace);
    assert_null(pace);
    gw_pace_destroy(&pace);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_broadcast_goes_at_once_whatever_its_size),
        cmocka_unit_test(small_debts_do_not_wait),
        cmocka_unit_test(one_poll_gets_the_whole_budget),
        cmocka_unit_test(big_and_small_broadcasts_get_equal_shares),
        cmocka_unit_test(quiet_poll_does_not_wait_for_the_loud_ones),
        cmocka_unit_test(wait_is_what_it_says_and_the_debt_ends),
        cmocka_unit_test(clock_that_stands_still_or_jumps_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
