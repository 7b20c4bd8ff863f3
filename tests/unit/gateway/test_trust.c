/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/proxy_protocol.h"
#include "gateway/trust.h"
#include "proto/wire/error.h"

static gw_address_t
s_address(const char *text)
{
    gw_address_t address;
    assert_true(gw_address_parse(pr_str(text), &address));
    return address;
}

static void
the_client_is_the_last_who_is_not_trusted(void **state)
{
    (void) state;
    static const struct {
        const char *from;
        const char *chain;
        const char *client;
    } rows[] = {
        {"127.0.0.1", NULL, "127.0.0.1"},
        {"127.0.0.1", "", "127.0.0.1"},
        {"127.0.0.1", "192.0.2.1", "192.0.2.1"},
        {"192.0.2.9", "192.0.2.1", "192.0.2.9"},
        {"127.0.0.1", "1.1.1.1, 192.0.2.1", "192.0.2.1"},
        {"127.0.0.1", "1.1.1.1,192.0.2.1,10.0.0.1 , 10.0.0.2", "192.0.2.1"},
        {"127.0.0.1", "10.0.0.1, 10.0.0.2", "10.0.0.1"},
        {"127.0.0.1", "junk, 10.0.0.2", "10.0.0.2"},
        {"127.0.0.1", "1.1.1.1, junk", "127.0.0.1"},
        {"127.0.0.1", ",", "127.0.0.1"},
        {"127.0.0.1", "[2001:db8::1]:443", "2001:db8::1"},
        {"127.0.0.1", "192.0.2.1:443", "192.0.2.1"},
    };
    gw_trust_t trust;
    assert_int_equal(pr_networks_parse("127.0.0.1 10.0.0.0/8", &trust), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gw_address_t from = s_address(rows[i].from);
        gw_address_t wanted = s_address(rows[i].client);
        pr_str_t chain = rows[i].chain ? pr_str(rows[i].chain) : PR_STR_NONE;
        gw_address_t client = gw_trust_client(&trust, &from, chain);
        assert_memory_equal(&client, &wanted, sizeof client);
    }
}

/* Whatever comes in whatever pieces: never more is taken than the head. */
static void
a_head_is_taken_to_its_end_and_no_further(void **state)
{
    (void) state;
    static const char bytes[] = "PROXY TCP4 192.0.2.7 127.0.0.1 1 80\r\nGET / HTTP/1.1\r\n";
    const size_t head = sizeof "PROXY TCP4 192.0.2.7 127.0.0.1 1 80\r\n" - 1;
    gw_address_t wanted = s_address("192.0.2.7");
    for (size_t len = 0; len < sizeof bytes; len++) {
        size_t used;
        gw_address_t client = {{0}};
        int result = gw_proxy_parse((pr_str_t) {bytes, len}, &used, &client);
        assert_int_equal(result, len < head ? PR_E_AGAIN : 0);
        assert_int_equal(used, len < head ? len : head);
        if (result == 0) {
            assert_memory_equal(&client, &wanted, sizeof client);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_is_the_last_who_is_not_trusted),
        cmocka_unit_test(a_head_is_taken_to_its_end_and_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
