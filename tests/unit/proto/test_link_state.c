/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/wire/link_state.h"

static bool
s_loses(pr_link_action_t action)
{
    return action == PR_LINK_DO_LOSE || action == PR_LINK_DO_LOSE_GREET ||
           action == PR_LINK_DO_LOSE_ACCEPT || action == PR_LINK_DO_LOSE_REFUSE;
}

static void
s_check_cell(pr_link_side_t side, pr_link_state_t state, pr_link_input_t input)
{
    pr_link_step_t step = pr_link_step(side, state, input);
    bool listens = side == PR_LINK_LISTENER;
    bool can_not_be = listens && (state == PR_LINK_GREETING || input == PR_LINK_ON_DIAL);
    if ((step.action == PR_LINK_DO_BUG) != can_not_be) {
        fail_msg("%s, %s: %s", pr_link_state_name(state), pr_link_input_name(input),
                 pr_link_action_name(step.action));
    }
    if (can_not_be) {
        return;
    }
    bool leaves = state == PR_LINK_OPEN && step.next != PR_LINK_OPEN;
    bool enters = state != PR_LINK_OPEN && step.next == PR_LINK_OPEN;
    bool begins = step.action == PR_LINK_DO_JOIN || step.action == PR_LINK_DO_ACCEPT;
    assert_true(s_loses(step.action) == (leaves || step.action == PR_LINK_DO_LOSE_ACCEPT));
    assert_true(begins == enters);
    assert_false(listens && step.next == PR_LINK_GREETING);
    bool greets = step.action == PR_LINK_DO_GREET || step.action == PR_LINK_DO_LOSE_GREET;
    assert_false(listens && greets);
    assert_true(!greets || step.next == PR_LINK_GREETING);
    bool answers = step.action == PR_LINK_DO_REFUSE || step.action == PR_LINK_DO_LOSE_REFUSE;
    assert_false(!listens && answers);
    /* Neither a refusal nor a reset is ever answered by one. */
    assert_false(answers && (input == PR_LINK_ON_RESET || input == PR_LINK_ON_REFUSAL));
}

static void
every_cell_of_the_table_makes_sense(void **state)
{
    (void) state;
    for (int side = 0; side < PR_LINK_SIDE_COUNT; side++) {
        for (int at = 0; at < PR_LINK_STATE_COUNT; at++) {
            for (int input = 0; input < PR_LINK_INPUT_COUNT; input++) {
                s_check_cell((pr_link_side_t) side, (pr_link_state_t) at, (pr_link_input_t) input);
            }
        }
    }
}

static void
names_are_those_of_the_lists(void **state)
{
    (void) state;
    assert_string_equal(pr_link_state_name(PR_LINK_OPEN), "OPEN");
    assert_string_equal(pr_link_input_name(PR_LINK_ON_DIAL), "DIAL");
    assert_string_equal(pr_link_input_name(PR_LINK_ON_DROP), "DROP");
    assert_string_equal(pr_link_action_name(PR_LINK_DO_LOSE_REFUSE), "LOSE_REFUSE");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_the_table_makes_sense),
        cmocka_unit_test(names_are_those_of_the_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
