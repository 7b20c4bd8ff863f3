/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/wire/limits.h"
#include "tests/support/link_pair.h"

/* --- consumption --- */

static void
what_was_consumed_is_reported_soon_and_once(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(t_link_read(&pair->dialler, i), 0);
        t_link_exchange(pair);
    }
    assert_int_equal(pair->listener.out_count, 0);
    t_link_tick(pair, PR_LINK_REPORT_MS);
    assert_int_equal(pair->listener.out_count, 1);
    pr_header_t header = t_link_header_of(pair, &pair->listener.out[0]);
    assert_int_equal(header.consumed_messages, 6); /* HELLO and five */
    assert_int_equal(t_link_event_of(pair, &pair->listener.out[0], 1).type, PR_MSG_BEAT);
    t_link_tick(pair, 5 * PR_LINK_REPORT_MS);
    assert_int_equal(pair->listener.out_count, 1);
    t_link_exchange(pair);
    /* A report asks for none: else two idle ends would go on for ever. */
    t_link_tick(pair, 2 * PR_LINK_REPORT_MS);
    assert_int_equal(pair->dialler.out_count, 0);
}

static void
many_messages_are_reported_at_once(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    for (int i = 0; i < PR_LINK_REPORT_MESSAGES - 1; i++) {
        assert_int_equal(t_link_read(&pair->dialler, i), 0);
        pr_link_flush(pair->dialler.link, pair->now_ms);
    }
    t_link_carry(pair, &pair->dialler, &pair->listener);
    pr_link_flush(pair->listener.link, pair->now_ms);
    assert_int_equal(pair->listener.out_count, 0);
    assert_int_equal(t_link_read(&pair->dialler, 1), 0);
    pr_link_flush(pair->dialler.link, pair->now_ms);
    t_link_carry(pair, &pair->dialler, &pair->listener);
    pr_link_flush(pair->listener.link, pair->now_ms);
    assert_int_equal(pair->listener.out_count, 1);
}

static void
a_message_with_events_is_report_enough(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    assert_int_equal(t_link_read(&pair->dialler, 1), 0);
    pr_link_flush(pair->dialler.link, pair->now_ms);
    t_link_carry(pair, &pair->dialler, &pair->listener);
    assert_int_equal(t_link_read(&pair->listener, 1), 0);
    pr_link_flush(pair->listener.link, pair->now_ms);
    t_link_tick(pair, 2 * PR_LINK_REPORT_MS);
    assert_int_equal(pair->listener.out_count, 1);
    assert_int_equal(t_link_header_of(pair, &pair->listener.out[0]).consumed_messages, 2);
}

static void
a_closed_window_opens_with_the_report(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    int error = 0;
    int sent = 0;
    while ((error = t_link_read(&pair->dialler, sent)) == 0) {
        pr_link_flush(pair->dialler.link, pair->now_ms);
        sent++;
    }
    assert_int_equal(error, PR_E_BUSY);
    assert_in_range(sent, PR_LINK_WINDOW_MESSAGES - 1, PR_LINK_WINDOW_MESSAGES);
    assert_false(pr_link_is_writable(pair->dialler.link));
    assert_int_equal(t_link_read(&pair->dialler, sent), PR_E_BUSY);
    t_link_exchange(pair);
    assert_int_equal(pair->listener.events, sent);
    assert_int_equal(pair->dialler.writable, 1);
    assert_true(pr_link_is_writable(pair->dialler.link));
    assert_int_equal(pr_link_counters(pair->dialler.link)->refused_busy, 2);
}

static void
more_consumed_than_sent_moves_no_window(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    pr_header_t header = {PR_PROTO_MIN, PR_STR(T_LINK_DIALLER), PR_STR(T_LINK_LISTENER), 2, 1 << 30,
                          1 << 20};
    pr_header_pack(&header, pair->buf);
    pr_str_t part = pr_buf_str(pair->buf);
    pr_link_receive(pair->listener.link, &part, 1, pair->now_ms);
    assert_int_equal(pr_link_counters(pair->listener.link)->malformed, 1);
    t_link_assert_refused(pair, "bad_field");
    assert_true(pr_link_is_open(pair->listener.link));
}

/* --- beats --- */

static void
beats_come_each_second_and_keep_it_alive(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    pr_link_set_beat(pair->dialler.link, 5, PR_STR("\x81\xa1n\x07"));
    for (int i = 0; i < 100; i++) {
        t_link_tick(pair, 100);
        t_link_carry(pair, &pair->dialler, &pair->listener);
        t_link_carry(pair, &pair->listener, &pair->dialler);
    }
    assert_int_equal(pair->dialler.lost + pair->listener.lost, 0);
    assert_int_equal(pair->listener.last_type, PR_MSG_BEAT);
    assert_in_range(pair->listener.events, 10, 11);
    assert_in_range(pair->dialler.events, 9, 10);
}

static void
a_new_generation_is_told_at_once(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    pr_link_set_beat(pair->dialler.link, 7, PR_STR_NONE);
    pr_link_flush(pair->dialler.link, pair->now_ms);
    assert_int_equal(pair->dialler.out_count, 1);
    pr_event_t beat = t_link_event_of(pair, &pair->dialler.out[0], 1);
    assert_int_equal(beat.beat.generation, 7);
    pr_link_set_beat(pair->dialler.link, 7, PR_STR("\x80"));
    pr_link_flush(pair->dialler.link, pair->now_ms);
    assert_int_equal(pair->dialler.out_count, 1);
}

/* --- messages that are not of this session --- */

static void
a_stranger_ends_the_session_and_is_not_heard(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    pr_str_t event = PR_STR("\x93\x0f\xa6"
                            "ABC123"
                            "\x81\xa3req\x01");
    t_link_forge(pair, "2222222222222222", T_LINK_LISTENER, 2, event);
    assert_int_equal(pair->listener.events, 0);
    assert_int_equal(pair->listener.lost, 1);
    t_link_assert_refused(pair, "reset");
}

static void
what_another_incarnation_was_meant_to_get_is_not_heard(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    pr_str_t event = PR_STR("\x93\x0f\xa6"
                            "ABC123"
                            "\x81\xa3req\x01");
    t_link_forge(pair, T_LINK_DIALLER, "2222222222222222", 2, event);
    assert_int_equal(pair->listener.events, 0);
    assert_int_equal(pair->listener.lost, 0);
    assert_int_equal(pr_link_counters(pair->listener.link)->misdirected, 1);
    t_link_assert_refused(pair, "reset");
}

static void
resets_of_the_session_before_cause_no_greetings(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    pr_link_drop(pair->listener.link, PR_E_CLOSED);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(t_link_read(&pair->dialler, i), 0);
        pr_link_flush(pair->dialler.link, pair->now_ms);
    }
    t_link_carry(pair, &pair->dialler, &pair->listener);
    assert_int_equal(pair->listener.out_count, 5);
    t_link_carry(pair, &pair->listener, &pair->dialler);
    assert_int_equal(pair->dialler.out_count, 1);
    assert_int_equal(pair->dialler.lost, 1);
    t_link_exchange(pair);
    assert_int_equal(pair->dialler.opened, 2);
    assert_int_equal(pair->listener.opened, 2);
    assert_int_equal(pair->listener.events, 0);
}

static void
a_gap_that_the_dialler_sees_is_told_by_its_greeting(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    assert_int_equal(t_link_read(&pair->listener, 1), 0);
    pr_link_flush(pair->listener.link, pair->now_ms);
    t_link_discard(&pair->listener);
    assert_int_equal(t_link_read(&pair->listener, 2), 0);
    t_link_exchange(pair);
    assert_int_equal(pair->dialler.events, 0);
    assert_int_equal(pair->dialler.lost_error, PR_E_RESET);
    assert_int_equal(pair->listener.lost_error, PR_E_RESET);
    assert_int_equal(pair->dialler.opened, 2);
    assert_int_equal(pr_link_counters(pair->dialler.link)->gaps, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, t_link_setup, t_link_teardown)
        WITH_PAIR(what_was_consumed_is_reported_soon_and_once),
        WITH_PAIR(many_messages_are_reported_at_once),
        WITH_PAIR(a_message_with_events_is_report_enough),
        WITH_PAIR(a_closed_window_opens_with_the_report),
        WITH_PAIR(more_consumed_than_sent_moves_no_window),
        WITH_PAIR(beats_come_each_second_and_keep_it_alive),
        WITH_PAIR(a_new_generation_is_told_at_once),
        WITH_PAIR(a_stranger_ends_the_session_and_is_not_heard),
        WITH_PAIR(what_another_incarnation_was_meant_to_get_is_not_heard),
        WITH_PAIR(resets_of_the_session_before_cause_no_greetings),
        WITH_PAIR(a_gap_that_the_dialler_sees_is_told_by_its_greeting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
