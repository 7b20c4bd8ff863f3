/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/base/networks.h"
#include "proto/wire/error.h"

static bool
s_has(const char *list, const char *text)
{
    pr_networks_t networks;
    assert_int_equal(pr_networks_parse(list, &networks), 0);
    pr_address_t address;
    assert_true(pr_address_parse(pr_str(text), &address) > 0);
    return pr_networks_have(&networks, &address);
}

static void
networks_have_the_addresses_that_they_say(void **state)
{
    (void) state;
    assert_false(s_has("", "127.0.0.1"));
    assert_true(s_has("127.0.0.1", "127.0.0.1"));
    assert_true(s_has("127.0.0.1", "::ffff:127.0.0.1"));
    assert_false(s_has("127.0.0.1", "127.0.0.2"));
    assert_true(s_has("10.0.0.0/8 , 192.168.4.0/22", "10.255.0.1"));
    assert_true(s_has("10.0.0.0/8,192.168.4.0/22", "192.168.7.255"));
    assert_false(s_has("10.0.0.0/8,192.168.4.0/22", "192.168.8.0"));
    assert_false(s_has("10.0.0.0/8", "11.0.0.0"));
    assert_true(s_has("fd00::/8 ::1", "fdff::1"));
    assert_true(s_has("fd00::/8 ::1", "::1"));
    assert_false(s_has("fd00::/8 ::1", "::2"));
    assert_true(s_has("0.0.0.0/0", "8.8.8.8"));
    assert_false(s_has("0.0.0.0/0", "2001:db8::1"));
    assert_true(s_has("::/0", "8.8.8.8"));
}

static void
lists_that_are_none_are_refused(void **state)
{
    (void) state;
    static const char *const bad[] = {"x",         "1.2.3",      "1.2.3.4/33", "::1/129",
                                      "1.2.3.4/",  "1.2.3.4/-1", "/8",         "1.2.3.4/8/8",
                                      "1.2.3.4 x", "[::1]",      "1.2.3.4:80"};
    pr_networks_t networks;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(pr_networks_parse(bad[i], &networks), PR_E_MALFORMED);
    }
    char many[(PR_NETWORKS_MAX + 1) * 4 + 1] = "";
    for (size_t i = 0; i < sizeof many - 1; i += 4) {
        (void) snprintf(many + i, sizeof many - i, "::1 ");
    }
    assert_int_equal(pr_networks_parse(many, &networks), PR_E_FULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_have_the_addresses_that_they_say),
        cmocka_unit_test(lists_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
