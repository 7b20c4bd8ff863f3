/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "gateway/limit.h"

static gw_address_t
s_address(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        return gw_address_from((struct sockaddr *) &in);
    }
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return gw_address_from((struct sockaddr *) &in6);
}

static gw_limit_t *
s_limit(size_t most)
{
    /* 3 at once, then one each 500 ms; 2 at once, then 30 a minute. */
    const gw_limit_rate_t rates[GW_LIMIT_KINDS] = {
        [GW_LIMIT_CONNECTS] = {3, 2, 1000},
        [GW_LIMIT_CODES] = {2, 30, 60000},
    };
    gw_limit_t *limit = gw_limit_new(rates, most);
    assert_non_null(limit);
    return limit;
}

static int
s_taken(gw_limit_t *limit, gw_limit_kind_t kind, const char *text, int64_t now_ms)
{
    gw_address_t address = s_address(text);
    int count = 0;
    while (count < 1000 && gw_limit_take(limit, kind, &address, now_ms)) {
        count++;
    }
    return count;
}

static void
addresses_as_text(void **state)
{
    (void) state;
    static const char *const texts[] = {"127.0.0.1", "203.0.113.7", "::1", "2001:db8::1"};
    for (size_t i = 0; i < 4; i++) {
        char text[GW_ADDRESS_TEXT_MAX];
        gw_address_t address = s_address(texts[i]);
        assert_string_equal(gw_address_text(&address, text), texts[i]);
    }
    /* What a dual-stack listener sees is the same as IPv4. */
    gw_address_t mapped = s_address("::ffff:203.0.113.7");
    gw_address_t plain = s_address("203.0.113.7");
    assert_memory_equal(&mapped, &plain, sizeof plain);
}

static void
tokens_come_back(void **state)
{
    (void) state;
    gw_limit_t *limit = s_limit(10);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "10.0.0.1", 1000), 3);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "10.0.0.1", 1000), 0);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "10.0.0.1", 1499), 0);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "10.0.0.1", 1500), 1);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "10.0.0.1", 2500), 2);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "10.0.0.1", 1000000), 3);
    /* Other addresses and other kinds are not touched. */
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "10.0.0.2", 1000000), 3);
    assert_int_equal(s_taken(limit, GW_LIMIT_CODES, "10.0.0.1", 1000000), 2);
    assert_int_equal(s_taken(limit, GW_LIMIT_CODES, "10.0.0.1", 1002000), 1);
    /* A clock that goes back gives nothing. */
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "10.0.0.1", 0), 0);
    gw_limit_destroy(&limit);
}

static void
charges_run_up_a_bounded_debt(void **state)
{
    (void) state;
    gw_limit_t *limit = s_limit(10);
    gw_address_t address = s_address("10.0.0.1");
    assert_true(gw_limit_has(limit, GW_LIMIT_CODES, &address, 1000));
    for (int i = 0; i < 12; i++) {
        gw_limit_charge(limit, GW_LIMIT_CODES, &address, 1000);
    }
    assert_false(gw_limit_has(limit, GW_LIMIT_CODES, &address, 1000));
    assert_false(gw_limit_has(limit, GW_LIMIT_CODES, &address, 1000 + 10 * 2000));
    assert_true(gw_limit_has(limit, GW_LIMIT_CODES, &address, 1000 + 11 * 2000));
    for (int i = 0; i < 100000; i++) {
        gw_limit_charge(limit, GW_LIMIT_CODES, &address, 100000);
    }
    assert_true(gw_limit_has(limit, GW_LIMIT_CODES, &address, 100000 + 21 * 2000));
    gw_limit_destroy(&limit);
}

static void
an_ipv6_network_is_one_client(void **state)
{
    (void) state;
    gw_limit_t *limit = s_limit(10);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "2001:db8:0:1::1", 1000), 3);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "2001:db8:0:1:ffff::9", 1000), 0);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "2001:db8:0:2::1", 1000), 3);
    assert_int_equal(gw_limit_count(limit), 2);
    gw_limit_destroy(&limit);
}

static void
the_longest_silent_address_is_forgotten(void **state)
{
    (void) state;
    gw_limit_t *limit = s_limit(2);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "10.0.0.1", 1000), 3);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "10.0.0.2", 1000), 3);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "10.0.0.1", 1000), 0);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "10.0.0.3", 1000), 3);
    assert_int_equal(gw_limit_count(limit), 2);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "10.0.0.1", 1000), 0);
    assert_int_equal(s_taken(limit, GW_LIMIT_CONNECTS, "10.0.0.2", 1000), 3);
    gw_limit_destroy(&limit);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_as_text),
        cmocka_unit_test(tokens_come_back),
        cmocka_unit_test(charges_run_up_a_bounded_debt),
        cmocka_unit_test(an_ipv6_network_is_one_client),
        cmocka_unit_test(the_longest_silent_address_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
