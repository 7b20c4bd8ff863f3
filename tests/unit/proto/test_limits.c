/* SPDX-License-Identifier: MIT */

/* The defaults of settings are the limits that limits.h names. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/config.h"
#include "proto/wire/limits.h"

extern char **environ;

static const struct {
    pr_setting_t setting;
    int64_t limit;
} s_rows[] = {
    {PR_SET_POLL_PARTICIPANTS_MAX, PR_PARTICIPANTS_MAX},
    {PR_SET_POLL_NOMINATIONS_MAX, PR_NOMINATIONS_MAX},
    {PR_SET_POLL_NOMINATIONS_PER_USER_MAX, PR_NOMINATIONS_PER_USER_MAX},
    {PR_SET_PRESENCE_GRACE_MS, PR_GRACE_LOST_MS},
    {PR_SET_PRESENCE_RELOAD_MS, PR_GRACE_RELOAD_MS},
    {PR_SET_GATEWAY_PACE_BYTES_PER_S, PR_PACE_BYTES_PER_S},
    {PR_SET_GATEWAY_COMMANDS_PER_S, PR_COMMANDS_PER_S},
    {PR_SET_GATEWAY_ADDRESS_BURST, PR_ADDRESS_BURST},
    {PR_SET_GATEWAY_ADDRESS_PER_S, PR_ADDRESS_PER_S},
    {PR_SET_GATEWAY_UNKNOWN_CODES_PER_MIN, PR_UNKNOWN_CODES_PER_MIN},
    {PR_SET_GATEWAY_PING_INTERVAL_MS, PR_PING_INTERVAL_MS},
    {PR_SET_GATEWAY_PING_TIMEOUT_MS, PR_PING_TIMEOUT_MS},
};

static void
settings_begin_as_limits_say(void **state)
{
    (void) state;
    static char *none[] = {NULL};
    environ = none;
    char error[256];
    pr_config_t *config = pr_config_load(NULL, error, sizeof error);
    assert_non_null(config);
    for (size_t i = 0; i < sizeof s_rows / sizeof s_rows[0]; i++) {
        assert_int_equal(pr_config_int(config, s_rows[i].setting), s_rows[i].limit);
    }
    pr_config_destroy(&config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_begin_as_limits_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
