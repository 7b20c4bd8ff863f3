/* SPDX-License-Identifier: MIT */

/* The two queues of an actor: requests that wait, and answers that a full window holds up. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/mailbox.h"
#include "actors/receivers.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

static void
s_push(ac_mailbox_t *mailbox, uint32_t gateway, int64_t req)
{
    ac_call_t like = {.gateway = gateway, .req = req, .deadline_ms = 100 + req};
    like.user = PR_STR("user");
    ac_call_t *call = ac_call_new(&like);
    assert_non_null(call);
    ac_mailbox_push(mailbox, &call);
    assert_null(call);
}

static void
assert_pop(ac_mailbox_t *mailbox, int64_t req)
{
    ac_call_t *call = ac_mailbox_pop(mailbox);
    assert_non_null(call);
    assert_int_equal(call->req, req);
    assert_true(pr_str_equal(call->user, PR_STR("user")));
    assert_null(call->nonce.ptr);
    ac_call_destroy(&call);
}

static void
first_in_first_out_and_its_time_is_up_first(void **state)
{
    (void) state;
    ac_mailbox_t *mailbox = ac_mailbox_new();
    assert_int_equal(ac_mailbox_due_ms(mailbox), INT64_MAX);
    assert_null(ac_mailbox_pop(mailbox));
    s_push(mailbox, 1, 1);
    s_push(mailbox, 2, 2);
    s_push(mailbox, 1, 3);
    assert_int_equal(ac_mailbox_due_ms(mailbox), 101);
    assert_pop(mailbox, 1);
    assert_int_equal(ac_mailbox_due_ms(mailbox), 102);
    ac_mailbox_drop_gateway(mailbox, 2);
    assert_int_equal(ac_mailbox_count(mailbox), 1);
    assert_pop(mailbox, 3);
    s_push(mailbox, 1, 4);
    ac_mailbox_destroy(&mailbox);
}

static void
mailbox_is_bounded_in_calls_and_bytes(void **state)
{
    (void) state;
    ac_mailbox_t *mailbox = ac_mailbox_new();
    for (int i = 0; i < PR_MAILBOX_COMMANDS_MAX && !ac_mailbox_is_full(mailbox, 0); i++) {
        s_push(mailbox, 1, i);
    }
    assert_true(ac_mailbox_is_full(mailbox, 1));
    ac_mailbox_destroy(&mailbox);

    mailbox = ac_mailbox_new();
    assert_false(ac_mailbox_is_full(mailbox, PR_MAILBOX_BYTES_MAX));
    assert_true(ac_mailbox_is_full(mailbox, PR_MAILBOX_BYTES_MAX + 1));
    ac_mailbox_destroy(&mailbox);
}

static void
receivers_come_and_go(void **state)
{
    (void) state;
    ac_receivers_t *receivers = ac_receivers_new();
    assert_null(ac_receivers_get(receivers, 5));
    assert_non_null(ac_receivers_need(receivers, 5));
    ac_receivers_need(receivers, 6)->known = true;
    ac_receivers_need(receivers, 7)->dirty = true;
    ac_receivers_drop(receivers, 5);
    assert_int_equal(ac_receivers_count(receivers), 2);
    assert_true(ac_receivers_get(receivers, 6)->known);
    assert_true(ac_receivers_get(receivers, 7)->dirty);
    ac_receivers_drop(receivers, 5);
    ac_receivers_destroy(&receivers);
}

static void
held_events_are_bounded_and_in_order(void **state)
{
    (void) state;
    static char text[PR_HELD_BYTES_MAX - 3];
    memset(text, 'x', sizeof text);
    ac_receivers_t *receivers = ac_receivers_new();
    ac_receiver_t *receiver = ac_receivers_need(receivers, 1);
    assert_null(ac_receiver_held(receiver).ptr);
    assert_int_equal(ac_receiver_hold(receiver, PR_STR("abc")), 0);
    assert_int_equal(ac_receiver_hold(receiver, (pr_str_t) {text, sizeof text}), 0);
    assert_int_equal(ac_receiver_hold(receiver, PR_STR("d")), PR_E_FULL);
    assert_true(pr_str_equal(ac_receiver_held(receiver), PR_STR("abc")));
    ac_receiver_unhold(receiver);
    assert_int_equal(ac_receiver_held(receiver).len, sizeof text);
    assert_int_equal(ac_receiver_hold(receiver, PR_STR("d")), 0);
    ac_receivers_destroy(&receivers);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out_and_its_time_is_up_first),
        cmocka_unit_test(mailbox_is_bounded_in_calls_and_bytes),
        cmocka_unit_test(receivers_come_and_go),
        cmocka_unit_test(held_events_are_bounded_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
