/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/wire/limits.h"
#include "proto/wire/outbox.h"

enum { MIB = 1 << 20 };

static char s_bytes[9 * MIB];

static int
s_setup(void **state)
{
    memset(s_bytes, 0x2a, sizeof s_bytes);
    *state = pr_outbox_new();
    return *state ? 0 : -1;
}

static int
s_teardown(void **state)
{
    pr_outbox_destroy((pr_outbox_t **) state);
    return 0;
}

static int
s_put(pr_outbox_t *out, size_t len)
{
    return pr_outbox_put_packed(out, (pr_str_t) {s_bytes, len});
}

/* Takes all that is queued; how many messages it was. */
static int
s_take_all(pr_outbox_t *out)
{
    pr_str_t parts[PR_LINK_BATCH_EVENTS];
    int64_t seq = 0;
    int messages = 0;
    while (pr_outbox_take(out, parts, &seq) > 0) {
        messages++;
    }
    return messages;
}

static void
messages_hold_so_many_events_or_bytes(void **state)
{
    pr_outbox_t *out = *state;
    pr_str_t parts[PR_LINK_BATCH_EVENTS];
    int64_t seq = 0;
    for (int i = 0; i < PR_LINK_BATCH_EVENTS + 1; i++) {
        assert_int_equal(s_put(out, 10), 0);
    }
    assert_int_equal(pr_outbox_open_messages(out), 2);
    assert_int_equal(pr_outbox_take(out, parts, &seq), PR_LINK_BATCH_EVENTS);
    assert_int_equal(seq, 1);
    assert_int_equal(pr_outbox_take(out, parts, &seq), 1);
    assert_int_equal(pr_outbox_take(out, parts, &seq), 0);
    assert_int_equal(seq, 2);

    size_t sizes[] = {MIB / 2, MIB / 2, 1, 3 * MIB, 5};
    size_t expected[] = {2, 1, 1, 1};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(s_put(out, sizes[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pr_outbox_take(out, parts, &seq), expected[i]);
    }
    assert_int_equal(pr_outbox_take(out, parts, &seq), 0);
    assert_true(pr_outbox_is_empty(out));
}

static void
the_window_closes_by_bytes(void **state)
{
    pr_outbox_t *out = *state;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(s_put(out, MIB), 0);
    }
    assert_int_equal(pr_outbox_open_bytes(out), PR_LINK_WINDOW_BYTES);
    assert_false(pr_outbox_is_writable(out));
    assert_int_equal(s_put(out, 1), PR_E_BUSY);
    assert_int_equal(s_take_all(out), 8);
    assert_int_equal(s_put(out, 1), PR_E_BUSY);

    assert_true(pr_outbox_consumed(out, 3 * MIB, 3));
    assert_true(pr_outbox_is_writable(out));
    assert_false(pr_outbox_has_reopened(out)); /* not half of it yet */
    assert_true(pr_outbox_consumed(out, 4 * MIB, 4));
    assert_true(pr_outbox_has_reopened(out));
    assert_false(pr_outbox_has_reopened(out)); /* told once */
}

static void
the_window_closes_by_messages(void **state)
{
    pr_outbox_t *out = *state;
    for (int i = 0; i < PR_LINK_WINDOW_MESSAGES; i++) {
        assert_int_equal(s_put(out, 10), 0);
        assert_int_equal(s_take_all(out), 1);
    }
    assert_int_equal(s_put(out, 10), PR_E_BUSY);
    assert_int_equal(pr_outbox_own(out, 20), PR_LINK_WINDOW_MESSAGES + 1); /* beats pass */
    assert_true(pr_outbox_consumed(out, 20, 2));
    assert_int_equal(s_put(out, 10), 0);
    assert_int_equal(s_put(out, 10), 0); /* into the same message */
    assert_int_equal(s_take_all(out), 1);
    assert_int_equal(s_put(out, 10), PR_E_BUSY);
}

static void
an_event_as_large_as_the_window_goes_alone(void **state)
{
    pr_outbox_t *out = *state;
    assert_int_equal(s_put(out, 8 * MIB + 1), PR_E_TOO_LARGE);
    assert_int_equal(pr_outbox_own(out, 300), 1); /* an unconsumed beat does not keep it out */
    assert_int_equal(s_put(out, 8 * MIB), 0);
    assert_int_equal(s_take_all(out), 1);
    assert_int_equal(s_put(out, 10), PR_E_BUSY);
    assert_true(pr_outbox_consumed(out, 8 * MIB + 300, 2));
    assert_int_equal(s_put(out, 10), 0);
    assert_int_equal(s_put(out, 8 * MIB), PR_E_BUSY);
}

static void
the_links_own_events_are_not_for_users(void **state)
{
    pr_outbox_t *out = *state;
    pr_event_t beat = pr_event(PR_MSG_BEAT, PR_STR(""));
    assert_int_equal(pr_outbox_put(out, &beat), PR_E_BAD_FIELD);
    assert_int_equal(pr_outbox_put_packed(out, PR_STR("\x93\x01\xa0\x80")), PR_E_BAD_FIELD);
    assert_int_equal(pr_outbox_put_packed(out, PR_STR("")), PR_E_MALFORMED);
    assert_true(pr_outbox_is_empty(out));
    assert_int_equal(pr_outbox_open_bytes(out), 0);
}

static void
more_consumed_than_sent_is_not_believed(void **state)
{
    pr_outbox_t *out = *state;
    assert_int_equal(s_put(out, 10), 0);
    assert_int_equal(s_take_all(out), 1);
    assert_false(pr_outbox_consumed(out, 11, 1));
    assert_false(pr_outbox_consumed(out, 10, 2));
    assert_false(pr_outbox_consumed(out, -1, 0));
    assert_int_equal(pr_outbox_open_bytes(out), 10);
    assert_true(pr_outbox_consumed(out, 10, 1));
    assert_true(pr_outbox_consumed(out, 0, 0)); /* an old report takes nothing back */
    assert_int_equal(pr_outbox_open_bytes(out), 0);
}

static void
a_new_session_starts_from_nothing(void **state)
{
    pr_outbox_t *out = *state;
    pr_str_t parts[PR_LINK_BATCH_EVENTS];
    int64_t seq = 0;
    for (int i = 0; i < 3 * PR_LINK_BATCH_EVENTS; i++) {
        assert_int_equal(s_put(out, 1000), 0);
    }
    assert_true(pr_outbox_take(out, parts, &seq) > 0);
    pr_outbox_reset(out);
    assert_true(pr_outbox_is_empty(out));
    assert_int_equal(pr_outbox_open_messages(out), 0);
    assert_int_equal(s_put(out, 10), 0);
    assert_int_equal(pr_outbox_take(out, parts, &seq), 1);
    assert_int_equal(seq, 1);
    assert_int_equal(parts[0].len, 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_OUTBOX(test) cmocka_unit_test_setup_teardown(test, s_setup, s_teardown)
        WITH_OUTBOX(messages_hold_so_many_events_or_bytes),
        WITH_OUTBOX(the_window_closes_by_bytes),
        WITH_OUTBOX(the_window_closes_by_messages),
        WITH_OUTBOX(an_event_as_large_as_the_window_goes_alone),
        WITH_OUTBOX(the_links_own_events_are_not_for_users),
        WITH_OUTBOX(more_consumed_than_sent_is_not_believed),
        WITH_OUTBOX(a_new_session_starts_from_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
