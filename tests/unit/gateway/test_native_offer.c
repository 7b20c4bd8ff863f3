/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/native_offer.h"

static void
offers_are_looked_through(void **state)
{
    (void) state;
    static const char *const spoken[] = {
        "",
        "  ",
        "rollcall.v1.json",
        "rollcall.v1.msgpack",
        "chat, rollcall.v1.json",
        "chat,\trollcall.v1.msgpack ,x",
        ",,rollcall.v1.json,",
    };
    static const char *const strange[] = {
        ",",
        "chat",
        "rollcall",
        "rollcall.v1",
        "rollcall.v1.jsonx",
        "xrollcall.v1.json",
        "Rollcall.v1.json",
        "rollcall.v1.json rollcall.v1.msgpack",
    };
    assert_true(gw_native_speaks(PR_STR_NONE));
    for (size_t i = 0; i < sizeof spoken / sizeof spoken[0]; i++) {
        assert_true(gw_native_speaks(pr_str(spoken[i])));
    }
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        if (gw_native_speaks(pr_str(strange[i]))) {
            fail_msg("%s", strange[i]);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_are_looked_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
