/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/wire/limits.h"
#include "tests/support/link_pair.h"

/* --- greetings --- */

static void
a_greeting_opens_both_sides(void **state)
{
    t_link_pair_t *pair = *state;
    assert_int_equal(t_link_read(&pair->dialler, 0), PR_E_UNREACHABLE);
    pr_link_dial(pair->dialler.link, pair->now_ms);
    assert_int_equal(pair->dialler.out_count, 1);
    pr_header_t header = t_link_header_of(pair, &pair->dialler.out[0]);
    assert_int_equal(header.seq, 1);
    assert_int_equal(header.to_inc.len, 0);
    pr_event_t hello = t_link_event_of(pair, &pair->dialler.out[0], 1);
    assert_int_equal(hello.type, PR_MSG_HELLO);
    assert_int_equal(hello.hello.min, PR_PROTO_MIN);
    assert_true(pr_str_equal(hello.hello.name, PR_STR("g1")));
    t_link_exchange(pair);
    assert_int_equal(pair->dialler.opened, 1);
    assert_int_equal(pair->listener.opened, 1);
    assert_string_equal(pr_link_peer_incarnation(pair->dialler.link), T_LINK_LISTENER);
    assert_string_equal(pr_link_peer_incarnation(pair->listener.link), T_LINK_DIALLER);
    assert_string_equal(pr_link_peer_role(pair->listener.link), "gateway");
}

static void
what_is_sent_in_open_comes_after_the_welcome(void **state)
{
    t_link_pair_t *pair = *state;
    pair->listener.send_in_open = pair->dialler.send_in_open = true;
    t_link_connect(pair);
    assert_int_equal(pair->dialler.last_req, 77);
    assert_int_equal(pair->listener.last_req, 77);
    assert_int_equal(pair->dialler.lost + pair->listener.lost, 0);
}

static void
no_common_version_is_refused(void **state)
{
    t_link_pair_t *pair = *state;
    pr_event_t hello = pr_event(PR_MSG_HELLO, PR_STR(""));
    hello.hello.min = PR_PROTO_MAX + 1;
    hello.hello.max = PR_PROTO_MAX + 3;
    hello.hello.role = hello.hello.name = PR_STR("x");
    hello.hello.session = 1;
    pr_event_pack(&hello, pair->buf);
    t_link_forge(pair, T_LINK_DIALLER, "", 1, pr_buf_str(pair->buf));
    t_link_assert_refused(pair, "version");
    assert_int_equal(pair->listener.opened, 0);
}

static void
a_wild_name_is_refused(void **state)
{
    t_link_pair_t *pair = *state;
    const char *names[] = {"", "g1 level=error", "g1\n", "a-name-of-more-than-31-characters"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        pr_event_t hello = pr_event(PR_MSG_HELLO, PR_STR(""));
        hello.hello.min = hello.hello.max = PR_PROTO_MAX;
        hello.hello.role = PR_STR("gateway");
        hello.hello.name = pr_str(names[i]);
        hello.hello.session = 1;
        pr_buf_clear(pair->buf);
        pr_event_pack(&hello, pair->buf);
        t_link_forge(pair, T_LINK_DIALLER, "", 1, pr_buf_str(pair->buf));
        t_link_assert_refused(pair, "bad_field");
    }
    assert_int_equal(pair->listener.opened, 0);
}

static void
a_refused_greeting_is_remembered_and_repeated(void **state)
{
    t_link_pair_t *pair = *state;
    pair->listener.open_with = PR_E_FULL;
    pr_link_dial(pair->dialler.link, pair->now_ms);
    t_link_exchange(pair);
    assert_int_equal(pr_link_refusal(pair->dialler.link), PR_E_FULL);
    assert_false(pr_link_is_open(pair->listener.link));
    pair->listener.open_with = 0;
    t_link_tick(pair, PR_LINK_DEAD_MS);
    t_link_exchange(pair);
    assert_true(pr_link_is_open(pair->dialler.link));
    assert_int_equal(pr_link_refusal(pair->dialler.link), 0);
}

static void
a_greeting_that_was_not_taken_goes_out_with_a_later_flush(void **state)
{
    t_link_pair_t *pair = *state;
    pair->dialler.refuse = PR_E_BUSY;
    pr_link_dial(pair->dialler.link, pair->now_ms);
    t_link_tick(pair, 10000);
    pair->dialler.refuse = 0;
    t_link_exchange(pair);
    assert_true(pr_link_is_open(pair->dialler.link));
    assert_int_equal(pr_link_counters(pair->listener.link)->sessions, 1);
}

static void
a_repeated_greeting_is_dropped_a_new_one_begins_anew(void **state)
{
    t_link_pair_t *pair = *state;
    pr_link_dial(pair->dialler.link, pair->now_ms);
    t_link_message_t hello = pair->dialler.out[0];
    pair->dialler.out_count = 0;
    pr_link_receive(pair->listener.link, hello.parts, hello.count, pair->now_ms);
    pr_link_receive(pair->listener.link, hello.parts, hello.count, pair->now_ms);
    free(hello.parts);
    assert_int_equal(pair->listener.out_count, 1);
    assert_int_equal(pr_link_counters(pair->listener.link)->duplicates, 1);
    t_link_exchange(pair);
    pr_link_dial(pair->dialler.link, pair->now_ms);
    t_link_exchange(pair);
    assert_int_equal(pair->listener.lost, 1);
    assert_int_equal(pair->listener.opened, 2);
    assert_int_equal(pair->dialler.lost, 1);
    assert_true(pr_link_is_open(pair->dialler.link));
}

/* --- endings --- */

static void
a_gap_ends_the_session_on_both_sides(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    assert_int_equal(t_link_read(&pair->dialler, 1), 0);
    pr_link_flush(pair->dialler.link, pair->now_ms);
    t_link_discard(&pair->dialler);
    assert_int_equal(t_link_read(&pair->dialler, 2), 0);
    t_link_exchange(pair);
    assert_int_equal(pair->listener.events, 0);
    assert_int_equal(pair->listener.lost_error, PR_E_RESET);
    assert_int_equal(pair->dialler.lost_error, PR_E_RESET);
    assert_int_equal(pair->dialler.opened, 2);
    assert_int_equal(pair->listener.opened, 2);
}

static void
silence_ends_it_but_not_our_own_sleep(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    t_link_tick(pair, 100);
    pair->now_ms += 10 * PR_LINK_DEAD_MS; /* stopped, say */
    pr_link_tick(pair->listener.link, pair->now_ms);
    assert_int_equal(pair->listener.lost, 0);
    t_link_tick(pair, PR_LINK_DEAD_MS + 100);
    assert_int_equal(pair->listener.lost, 1);
    assert_int_equal(pair->listener.lost_error, PR_E_TIMEOUT);
}

static void
a_callback_may_drop_or_dial(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    pair->dialler.drop_in_lost = true;
    t_link_tick(pair, PR_LINK_DEAD_MS + 100);
    t_link_discard(&pair->dialler);
    t_link_tick(pair, 10000);
    assert_int_equal(pair->dialler.out_count, 0);
    t_link_discard(&pair->listener);

    pair->dialler.drop_in_lost = false;
    t_link_connect(pair);
    pair->dialler.dial_in_lost = true;
    pr_link_drop(pair->dialler.link, PR_E_CLOSED);
    t_link_exchange(pair);
    assert_true(pr_link_is_open(pair->dialler.link));
    assert_int_equal(pair->dialler.opened, 3);
}

static void
a_broken_transport_ends_it(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_connect(pair);
    assert_int_equal(t_link_read(&pair->listener, 1), 0);
    pair->listener.refuse = PR_E_UNREACHABLE;
    pr_link_flush(pair->listener.link, pair->now_ms);
    assert_int_equal(pair->listener.lost_error, PR_E_UNREACHABLE);
    assert_int_equal(t_link_read(&pair->listener, 2), PR_E_UNREACHABLE);
}

/* --- what is refused --- */

static void
strange_messages_are_answered(void **state)
{
    t_link_pair_t *pair = *state;
    pr_str_t event = PR_STR("\x93\x0f\xa6"
                            "ABC123"
                            "\x81\xa3req\x01");
    t_link_forge(pair, T_LINK_DIALLER, "", 5, event);
    t_link_assert_refused(pair, "reset");
    t_link_forge(pair, T_LINK_DIALLER, "2222222222222222", 5, event);
    t_link_assert_refused(pair, "reset");
    t_link_forge(pair, "", "", 5, event);
    t_link_assert_refused(pair, "bad_field");
    t_link_forge(pair, "../../etc", "", 5, event);
    t_link_assert_refused(pair, "bad_field");
    t_link_forge(pair, "longer than an incarnation", "", 5, event);
    t_link_assert_refused(pair, "malformed");
    t_link_connect(pair);
    t_link_forge(pair, T_LINK_DIALLER, T_LINK_LISTENER, 2,
                 PR_STR("\x93\x63\xa0\x80")); /* type 99 */
    t_link_assert_refused(pair, "unknown_type");
    t_link_forge(pair, T_LINK_DIALLER, T_LINK_LISTENER, 3, PR_STR("\xc1"));
    t_link_assert_refused(pair, "malformed");
    assert_true(pr_link_is_open(pair->listener.link));
    assert_int_equal(pr_link_counters(pair->listener.link)->unknown_types, 1);
}

static void
refusals_are_not_answered(void **state)
{
    t_link_pair_t *pair = *state;
    pr_event_t refusal = pr_event(PR_MSG_EVENT_REFUSED, PR_STR(""));
    refusal.event_refused.type = 0;
    refusal.event_refused.code = PR_STR("malformed");
    refusal.event_refused.text = PR_STR("");
    pr_event_pack(&refusal, pair->buf);
    t_link_forge(pair, T_LINK_DIALLER, "", 0, pr_buf_str(pair->buf));
    t_link_connect(pair);
    t_link_forge(pair, T_LINK_DIALLER, "", 0, pr_buf_str(pair->buf));
    t_link_forge(pair, T_LINK_DIALLER, "2222222222222222", 0, pr_buf_str(pair->buf));
    assert_int_equal(pair->listener.out_count, 0);
    assert_int_equal(pair->listener.last_type, PR_MSG_EVENT_REFUSED); /* the user is told */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, t_link_setup, t_link_teardown)
        WITH_PAIR(a_greeting_opens_both_sides),
        WITH_PAIR(what_is_sent_in_open_comes_after_the_welcome),
        WITH_PAIR(no_common_version_is_refused),
        WITH_PAIR(a_wild_name_is_refused),
        WITH_PAIR(a_refused_greeting_is_remembered_and_repeated),
        WITH_PAIR(a_greeting_that_was_not_taken_goes_out_with_a_later_flush),
        WITH_PAIR(a_repeated_greeting_is_dropped_a_new_one_begins_anew),
        WITH_PAIR(a_gap_ends_the_session_on_both_sides),
        WITH_PAIR(silence_ends_it_but_not_our_own_sleep),
        WITH_PAIR(a_callback_may_drop_or_dial),
        WITH_PAIR(a_broken_transport_ends_it),
        WITH_PAIR(strange_messages_are_answered),
        WITH_PAIR(refusals_are_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
