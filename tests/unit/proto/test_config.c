/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/config.h"
#include "proto/base/networks.h"

static char s_path[64];
static char s_error[256];

static int
s_setup(void **state)
{
    (void) state;
    static const char *const names[] = {"PORT",
                                        "HOST",
                                        "REDIS_HOST",
                                        "ROLLCALL_HTTP_PORT",
                                        "ROLLCALL_GATEWAY_WRITE",
                                        "ROLLCALL_REDIS_URL",
                                        "ROLLCALL_HTTP_TRUSTED_PROXIES"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void) unsetenv(names[i]);
    }
    (void) strcpy(s_path, "/tmp/rollcall-config-XXXXXX");
    int fd = mkstemp(s_path);
    return fd < 0 ? -1 : close(fd);
}

static int
s_teardown(void **state)
{
    (void) state;
    return unlink(s_path);
}

static void
s_write(const char *text)
{
    FILE *file = fopen(s_path, "we");
    if (!file) {
        fail_msg("%s can not be written", s_path);
        return;
    }
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void
defaults_stand_without_file_and_environment(void **state)
{
    (void) state;
    pr_config_t *config = pr_config_load(NULL, s_error, sizeof s_error);
    assert_non_null(config);
    assert_int_equal(pr_config_int(config, PR_SET_HTTP_PORT), 3000);
    assert_string_equal(pr_config_text(config, PR_SET_GATEWAY_WRITE), "direct");
    pr_config_destroy(&config);
    assert_null(config);
}

static void
environment_wins_over_file(void **state)
{
    (void) state;
    s_write("http\n    port = 4000\n    host = \"127.0.0.1\"\ngateways = 2\n");
    assert_int_equal(setenv("PORT", "5000", 1), 0);
    pr_config_t *config = pr_config_load(s_path, s_error, sizeof s_error);
    assert_non_null(config);
    assert_int_equal(pr_config_int(config, PR_SET_HTTP_PORT), 5000);
    assert_int_equal(pr_config_int(config, PR_SET_GATEWAYS), 2);
    assert_string_equal(pr_config_text(config, PR_SET_HTTP_HOST), "127.0.0.1");
    pr_config_destroy(&config);

    /* Our own name wins over the original application's. */
    assert_int_equal(setenv("ROLLCALL_HTTP_PORT", "6000", 1), 0);
    config = pr_config_load(s_path, s_error, sizeof s_error);
    assert_int_equal(pr_config_int(config, PR_SET_HTTP_PORT), 6000);
    pr_config_destroy(&config);
}

static void
what_is_wrong_is_named(void **state)
{
    (void) state;
    s_write("http\n    prot = 4000\n");
    assert_null(pr_config_load(s_path, s_error, sizeof s_error));
    assert_non_null(strstr(s_error, "http.prot"));

    s_write("http\n    port = 70000\n");
    assert_null(pr_config_load(s_path, s_error, sizeof s_error));
    assert_non_null(strstr(s_error, "http.port"));

    assert_int_equal(setenv("PORT", "80x", 1), 0);
    assert_null(pr_config_load(NULL, s_error, sizeof s_error));
    assert_non_null(strstr(s_error, "80x"));
    assert_null(pr_config_load("/nowhere/rollcall.conf", s_error, sizeof s_error));
}

static void
a_word_is_one_of_the_list(void **state)
{
    (void) state;
    static const char *const wrong[] = {"orthodo", "orthodox ", "orthodoxy", " ",
                                        "direct orthodox"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(setenv("ROLLCALL_GATEWAY_WRITE", wrong[i], 1), 0);
        assert_null(pr_config_load(NULL, s_error, sizeof s_error));
        assert_non_null(strstr(s_error, "gateway.write"));
    }
    assert_int_equal(setenv("ROLLCALL_GATEWAY_WRITE", "orthodox", 1), 0);
    pr_config_t *config = pr_config_load(NULL, s_error, sizeof s_error);
    assert_non_null(config);
    assert_string_equal(pr_config_text(config, PR_SET_GATEWAY_WRITE), "orthodox");
    pr_config_destroy(&config);
}

/* `text` as the value of `name` is refused with a line that has `said`. */
static void
s_refuses(const char *name, const char *text, const char *said)
{
    assert_int_equal(setenv(name, text, 1), 0);
    pr_config_t *config = pr_config_load(NULL, s_error, sizeof s_error);
    if (config) {
        fail_msg("%s=%s is taken", name, text);
    }
    assert_non_null(strstr(s_error, said));
    assert_null(strchr(s_error, '\n'));
    assert_int_equal(unsetenv(name), 0);
}

static void
addresses_are_looked_at(void **state)
{
    (void) state;
    s_refuses("ROLLCALL_REDIS_URL", "http://user:hush@h", "redis.url must be redis://");
    assert_null(strstr(s_error, "hush"));
    s_refuses("ROLLCALL_REDIS_URL", "redis://h:70000", "redis.url");
    s_refuses("ROLLCALL_REDIS_URL", "redis://h/1", "redis.url");
    s_refuses("REDIS_HOST", "h/x", "redis.host \"h/x\"");
    s_refuses("ROLLCALL_HTTP_TRUSTED_PROXIES", "10.0.0.0/8 proxy", "http.trusted_proxies");
    s_refuses("ROLLCALL_HTTP_TRUSTED_PROXIES", "10.0.0.0/33", "http.trusted_proxies");
    char many[5 * PR_NETWORKS_MAX + 5] = "";
    for (size_t i = 0; i <= PR_NETWORKS_MAX; i++) {
        memcpy(many + 4 * i, "::1 ", 5);
    }
    s_refuses("ROLLCALL_HTTP_TRUSTED_PROXIES", many, "too many");

    assert_int_equal(setenv("ROLLCALL_REDIS_URL", "redis://ann:p%40ss@db.example:7000", 1), 0);
    assert_int_equal(setenv("ROLLCALL_HTTP_TRUSTED_PROXIES", "10.0.0.0/8, ::1", 1), 0);
    pr_config_t *config = pr_config_load(NULL, s_error, sizeof s_error);
    assert_non_null(config);
    pr_config_destroy(&config);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults_stand_without_file_and_environment),
        TEST(environment_wins_over_file),
        TEST(what_is_wrong_is_named),
        TEST(a_word_is_one_of_the_list),
        TEST(addresses_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
