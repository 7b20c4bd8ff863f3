/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/origin.h"

static void
knows_friends(void **state)
{
    (void) state;
    static const struct {
        const char *origin;
        const char *host;
        bool allowed;
    } cases[] = {
        {NULL, "poll.example:3000", true},
        {NULL, NULL, true},
        {"http://localhost:8080", "anything", true},
        {"http://localhost:8080", NULL, true},
        {"http://LOCALHOST:8080", "anything", true},
        {"http://localhost:8081", "localhost:3000", false},
        {"https://localhost:8080", "localhost:3000", false},
        {"http://poll.example:3000", "poll.example:3000", true},
        {"HTTP://Poll.Example:3000", "poll.example:3000", true},
        {"https://poll.example", "poll.example", true},
        {"https://poll.example", "poll.example:443", true},
        {"http://poll.example:80", "poll.example", true},
        {"http://poll.example", "poll.example:3000", false},
        {"http://poll.example.evil.com", "poll.example", false},
        {"http://evil.com/poll.example", "poll.example", false},
        {"http://", "", false},
        {"http://", NULL, false},
        {"", "", false},
        {"null", "null", false},
        {"ftp://poll.example", "poll.example", false},
        {"poll.example", "poll.example", false},
        {"https://one.example", "x", true},
        {"http://two.example:99", "x", true},
        {"https://one.example:443", "x", false},
        {"https://one.exampl", "x", false},
        {"https://one.example http://two.example:99", "x", false},
    };
    gw_origin_t *origin = gw_origin_new(8080, "  https://one.example   http://two.example:99");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (gw_origin_allows(origin, pr_str(cases[i].origin), pr_str(cases[i].host)) !=
            cases[i].allowed) {
            fail_msg("%s at %s", cases[i].origin, cases[i].host);
        }
    }
    gw_origin_destroy(&origin);
    gw_origin_destroy(&origin);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_friends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
