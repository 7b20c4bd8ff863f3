/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/redis_url.h"
#include "proto/wire/limits.h"

static void
urls_are_read(void **state)
{
    (void) state;
    pr_redis_url_t url;
    assert_true(pr_redis_url_parse("redis://ann:p%40ss@db.example:7000/0", &url));
    assert_string_equal(url.host, "db.example");
    assert_int_equal(url.port, 7000);
    assert_string_equal(url.user, "ann");
    assert_string_equal(url.pass, "p@ss");
    assert_false(url.is_local);
    assert_string_equal(url.where, "db.example:7000");

    assert_true(pr_redis_url_parse("redis://:word@[::1]", &url));
    assert_string_equal(url.host, "::1");
    assert_int_equal(url.port, 6379);
    assert_string_equal(url.user, "");
    assert_string_equal(url.pass, "word");
    assert_true(url.is_local);

    assert_true(pr_redis_url_parse("unix:/run/r%3F.sock?user=ann&pass=p%26s", &url));
    assert_true(url.is_unix);
    assert_string_equal(url.host, "/run/r?.sock");
    assert_string_equal(url.user, "ann");
    assert_string_equal(url.pass, "p&s");
    assert_string_equal(url.where, "unix:/run/r?.sock");
    assert_true(pr_redis_url_parse("unix:///run/r.sock", &url));
    assert_string_equal(url.host, "/run/r.sock");
}

static void
bad_urls_are_refused(void **state)
{
    (void) state;
    static const char *const bad[] = {"",
                                      "redis:",
                                      "redis://",
                                      "redis://:6379",
                                      "redis://h:0",
                                      "redis://h:65536",
                                      "redis://h:99999999999",
                                      "redis://h:6x",
                                      "redis://h/1",
                                      "redis://ann@h",
                                      "redis://ann:@h",
                                      "redis://[::1",
                                      "redis://[::1]x",
                                      "redis://a%2",
                                      "redis://a%zz",
                                      "redis://a%00b",
                                      "http://h",
                                      "unix:",
                                      "unix:/s?user=ann",
                                      "unix:/s?word=x",
                                      "unix:/s?pass"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pr_redis_url_t url;
        if (pr_redis_url_parse(bad[i], &url)) {
            fail_msg("taken: %s", bad[i]);
        }
    }
    char path[PR_IPC_PATH_MAX + 16];
    memset(path, 'x', sizeof path);
    memcpy(path, "unix:/", 6);
    path[sizeof path - 1] = '\0';
    pr_redis_url_t url;
    assert_false(pr_redis_url_parse(path, &url));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_read),
        cmocka_unit_test(bad_urls_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
