/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "supervisor/spec.h"

static const char *const s_variables[] = {
    "ROLLCALL_ACTORS", "ROLLCALL_GATEWAYS", "ROLLCALL_REDIS_URL", "REDIS_HOST", "ROLLCALL_DRAIN_MS",
};

static int
s_clean(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof s_variables / sizeof s_variables[0]; i++) {
        (void) unsetenv(s_variables[i]);
    }
    return 0;
}

static void
s_list(sv_spec_list_t *list)
{
    char error[256];
    pr_config_t *config = pr_config_load(NULL, error, sizeof error);
    assert_non_null(config);
    sv_spec_list(config, list);
    pr_config_destroy(&config);
}

static void
default_is_one_of_each(void **state)
{
    (void) state;
    sv_spec_list_t list;
    s_list(&list);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.specs[0].name, "redis");
    assert_string_equal(list.specs[1].name, "a1");
    assert_string_equal(list.specs[2].name, "g1");
}

static void
many_are_numbered_in_start_order(void **state)
{
    (void) state;
    (void) setenv("ROLLCALL_ACTORS", "32", 1);
    (void) setenv("ROLLCALL_GATEWAYS", "32", 1);
    sv_spec_list_t list;
    s_list(&list);
    assert_int_equal(list.count, PR_CHILDREN_MAX);
    assert_string_equal(list.specs[32].name, "a32");
    assert_string_equal(list.specs[64].name, "g32");
    for (size_t i = 1; i < list.count; i++) {
        assert_true(list.specs[i].role >= list.specs[i - 1].role);
        assert_int_equal(list.specs[i].terms.restart, SV_PERMANENT);
    }
    assert_int_equal(list.specs[64].slot, 32);
}

static void
server_of_ones_own_is_not_started(void **state)
{
    (void) state;
    sv_spec_list_t list;
    (void) setenv("REDIS_HOST", "db.example", 1);
    s_list(&list);
    assert_string_equal(list.specs[0].name, "a1");
    (void) unsetenv("REDIS_HOST");
    (void) setenv("ROLLCALL_REDIS_URL", "unix:/run/redis.sock", 1);
    s_list(&list);
    assert_string_equal(list.specs[0].name, "a1");
}

static void
gateways_have_time_to_send_their_clients_away(void **state)
{
    (void) state;
    (void) setenv("ROLLCALL_DRAIN_MS", "60000", 1);
    sv_spec_list_t list;
    s_list(&list);
    assert_int_equal(list.specs[2].stop_within_ms, 60000);
    assert_true(list.specs[2].terms.stop_ms > 60000);
}

static void
more_are_as_those_of_the_settings(void **state)
{
    (void) state;
    (void) setenv("ROLLCALL_DRAIN_MS", "60000", 1);
    sv_spec_list_t list;
    s_list(&list);
    const sv_spec_t *gateway = sv_spec_add(&list, SV_ROLE_GATEWAY, 2);
    assert_string_equal(gateway->name, "g2");
    assert_string_equal(gateway->program, "rollcall-gateway");
    assert_true(gateway->terms.stop_ms > 60000);
    assert_string_equal(sv_spec_add(&list, SV_ROLE_ACTORS, 32)->name, "a32");
    assert_null(sv_spec_add(&list, SV_ROLE_REDIS, 2));
    while (list.count < PR_CHILDREN_MAX) {
        assert_non_null(sv_spec_add(&list, SV_ROLE_GATEWAY, (int) list.count));
    }
    assert_null(sv_spec_add(&list, SV_ROLE_GATEWAY, 99));
    assert_string_equal(gateway->name, "g2");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(default_is_one_of_each, s_clean),
        cmocka_unit_test_setup(many_are_numbered_in_start_order, s_clean),
        cmocka_unit_test_setup(server_of_ones_own_is_not_started, s_clean),
        cmocka_unit_test_setup(more_are_as_those_of_the_settings, s_clean),
        cmocka_unit_test_setup(gateways_have_time_to_send_their_clients_away, s_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
