/* SPDX-License-Identifier: MIT */

/* Documents as the store gives them. One that is taken can be written, and be read again. */

#include "actors/poll.h"
#include "tests/fuzz/fuzz.h"

static const ac_rules_t s_rules = {
    .participants_max = 100, .nominations_max = 20, .nominations_per_user_max = 5};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ac_poll_t *poll = NULL;
    pr_str_t json = {(const char *) data, size};
    if (ac_poll_from_json(json, PR_STR("ABC123"), &s_rules, &poll) == 0) {
        PR_ASSERT(poll);
    }
    ac_poll_destroy(&poll);
    return 0;
}
