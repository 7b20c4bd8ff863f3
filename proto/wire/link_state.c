/* SPDX-License-Identifier: MIT */

#include "proto/wire/link_state.h"

#include "proto/base/assert.h"

#define GO(action, next) {PR_LINK_DO_##action, PR_LINK_##next}

/*
 * A reset that meets GREETING is an answer to the session before: had it an effect, each message of
 * that session still under way would cost one more greeting.
 */
static const pr_link_step_t
    s_table[PR_LINK_SIDE_COUNT][PR_LINK_STATE_COUNT][PR_LINK_INPUT_COUNT] =
        {
            [PR_LINK_DIALLER] =
                {
                    [PR_LINK_IDLE] =
                        {
                            [PR_LINK_ON_DIAL] = GO(GREET, GREETING),
                            [PR_LINK_ON_HELLO] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_STALE] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_WELCOME] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_OTHER] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_NEXT] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_OLD] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_GAP] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_RESET] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_REFUSAL] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_SILENCE] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_FAILED] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_DROP] = GO(IGNORE, IDLE),
                        },
                    [PR_LINK_GREETING] =
                        {
                            [PR_LINK_ON_DIAL] = GO(GREET, GREETING),
                            [PR_LINK_ON_HELLO] = GO(IGNORE, GREETING),
                            [PR_LINK_ON_STALE] = GO(IGNORE, GREETING),
                            [PR_LINK_ON_WELCOME] = GO(JOIN, OPEN),
                            [PR_LINK_ON_OTHER] = GO(IGNORE, GREETING),
                            [PR_LINK_ON_NEXT] = GO(IGNORE, GREETING),
                            [PR_LINK_ON_OLD] = GO(IGNORE, GREETING),
                            [PR_LINK_ON_GAP] = GO(IGNORE, GREETING),
                            [PR_LINK_ON_RESET] = GO(IGNORE, GREETING),
                            [PR_LINK_ON_REFUSAL] =
                                GO(NOTE, GREETING),
                            [PR_LINK_ON_SILENCE] =
                                GO(GREET, GREETING),
                            [PR_LINK_ON_FAILED] = GO(AGAIN, GREETING),
                            [PR_LINK_ON_DROP] = GO(IGNORE, IDLE),
                        },
                    [PR_LINK_OPEN] =
                        {
                            [PR_LINK_ON_DIAL] = GO(LOSE_GREET, GREETING),
                            [PR_LINK_ON_HELLO] = GO(IGNORE, OPEN),
                            [PR_LINK_ON_STALE] = GO(IGNORE, OPEN),
                            [PR_LINK_ON_WELCOME] = GO(REPEAT, OPEN),
                            [PR_LINK_ON_OTHER] = GO(IGNORE, OPEN),
                            [PR_LINK_ON_NEXT] = GO(DELIVER, OPEN),
                            [PR_LINK_ON_OLD] = GO(REPEAT, OPEN),
                            [PR_LINK_ON_GAP] = GO(LOSE_GREET, GREETING),
                            [PR_LINK_ON_RESET] = GO(LOSE_GREET, GREETING),
                            [PR_LINK_ON_REFUSAL] = GO(TELL, OPEN),
                            [PR_LINK_ON_SILENCE] = GO(LOSE_GREET, GREETING),
                            [PR_LINK_ON_FAILED] = GO(LOSE_GREET, GREETING),
                            [PR_LINK_ON_DROP] = GO(LOSE, IDLE),
                        },
                },
            [PR_LINK_LISTENER] =
                {
                    [PR_LINK_IDLE] =
                        {
                            [PR_LINK_ON_DIAL] = GO(BUG, IDLE),
                            [PR_LINK_ON_HELLO] = GO(ACCEPT, OPEN),
                            [PR_LINK_ON_STALE] = GO(ACCEPT, OPEN),
                            [PR_LINK_ON_WELCOME] = GO(REFUSE, IDLE),
                            [PR_LINK_ON_OTHER] = GO(REFUSE, IDLE),
                            [PR_LINK_ON_NEXT] = GO(REFUSE, IDLE),
                            [PR_LINK_ON_OLD] = GO(REFUSE, IDLE),
                            [PR_LINK_ON_GAP] = GO(REFUSE, IDLE),
                            [PR_LINK_ON_RESET] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_REFUSAL] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_SILENCE] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_FAILED] = GO(IGNORE, IDLE),
                            [PR_LINK_ON_DROP] = GO(IGNORE, IDLE),
                        },
                    /* A listener never greets: this row is not reached, and all of it says BUG. */
                    [PR_LINK_GREETING] = {{PR_LINK_DO_BUG, PR_LINK_IDLE}},
                    [PR_LINK_OPEN] =
                        {
                            [PR_LINK_ON_DIAL] = GO(BUG, OPEN),
                            [PR_LINK_ON_HELLO] = GO(LOSE_ACCEPT, OPEN),
                            [PR_LINK_ON_STALE] = GO(REPEAT, OPEN),
                            [PR_LINK_ON_WELCOME] = GO(IGNORE, OPEN),
                            [PR_LINK_ON_OTHER] = GO(IGNORE, OPEN),
                            [PR_LINK_ON_NEXT] = GO(DELIVER, OPEN),
                            [PR_LINK_ON_OLD] = GO(REPEAT, OPEN),
                            [PR_LINK_ON_GAP] = GO(LOSE_REFUSE, IDLE),
                            [PR_LINK_ON_RESET] = GO(LOSE, IDLE),
                            [PR_LINK_ON_REFUSAL] = GO(TELL, OPEN),
                            [PR_LINK_ON_SILENCE] = GO(LOSE, IDLE),
                            [PR_LINK_ON_FAILED] = GO(LOSE, IDLE),
                            [PR_LINK_ON_DROP] = GO(LOSE, IDLE),
                        },
                },
};

pr_link_step_t
pr_link_step(pr_link_side_t side, pr_link_state_t state, pr_link_input_t input)
{
    PR_ASSERT((unsigned) side < PR_LINK_SIDE_COUNT);
    PR_ASSERT((unsigned) state < PR_LINK_STATE_COUNT);
    PR_ASSERT((unsigned) input < PR_LINK_INPUT_COUNT);
    return s_table[side][state][input];
}

#define NAME(name) #name,

const char *
pr_link_state_name(pr_link_state_t state)
{
    static const char *const names[] = {PR_LINK_STATES(NAME)};
    PR_ASSERT((unsigned) state < PR_LINK_STATE_COUNT);
    return names[state];
}

const char *
pr_link_input_name(pr_link_input_t input)
{
    static const char *const names[] = {PR_LINK_INPUTS(NAME)};
    PR_ASSERT((unsigned) input < PR_LINK_INPUT_COUNT);
    return names[input];
}

const char *
pr_link_action_name(pr_link_action_t action)
{
    static const char *const names[] = {PR_LINK_ACTIONS(NAME)};
    PR_ASSERT((unsigned) action < PR_LINK_ACTION_COUNT);
    return names[action];
}
