/* SPDX-License-Identifier: MIT */

/* Lines of the log, and how many there may be. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/wire/limits.h"

/* What `run` writes to stderr. */
static const char *
s_written(void (*run)(void))
{
    static char text[1 << 16];
    FILE *file = tmpfile();
    assert_non_null(file);
    int saved = dup(STDERR_FILENO);
    (void) dup2(fileno(file), STDERR_FILENO);
    run();
    (void) dup2(saved, STDERR_FILENO);
    (void) close(saved);
    assert_int_equal(fseek(file, 0, SEEK_SET), 0);
    size_t len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    (void) fclose(file);
    return text;
}

static size_t
s_count(const char *text, const char *piece)
{
    size_t count = 0;
    for (const char *at = strstr(text, piece); at; at = strstr(at + 1, piece)) {
        count++;
    }
    return count;
}

static void
s_say_little(void)
{
    pr_log_init("t1", PR_LOG_INFO);
    pr_log_debug("test.hidden", "a=%d", 1);
    pr_log_info("test.shown", "a=%d b=\"%s\"", 1, "two");
    char longest[4000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    pr_log_warn("test.long", "c=%s", longest);
}

static void
lines_have_time_level_process_and_event(void **state)
{
    (void) state;
    const char *text = s_written(s_say_little);
    assert_null(strstr(text, "test.hidden"));
    assert_non_null(strstr(text, "Z info t1 test.shown a=1 b=\"two\"\n"));
    assert_int_equal(s_count(text, "\n"), 2);
    assert_in_range(strlen(text), 900, 1200);
}

/* One event all the time until it may be told again, at most three seconds. */
static void
s_say_much(void)
{
    int64_t begun_ms = pr_clock_mono_ms();
    while (pr_clock_mono_ms() / 1000 == begun_ms / 1000) {
        /* From the start of a second. */
    }
    begun_ms = pr_clock_mono_ms();
    for (int i = 0; i < 3 * PR_LOG_LINES_PER_S; i++) {
        pr_log_info("test.noisy", "n=%d", 7);
    }
    pr_log_info("test.other", "n=%d", 7);
    while (pr_clock_mono_ms() / 1000 == begun_ms / 1000) {
    }
    pr_log_info("test.noisy", "n=%d", 7);
}

static void
noisy_event_is_cut_short_and_counted(void **state)
{
    (void) state;
    const char *text = s_written(s_say_much);
    assert_in_range(s_count(text, "test.noisy"), 1, PR_LOG_LINES_PER_S + 1);
    assert_int_equal(s_count(text, "test.other"), 1);
    assert_non_null(strstr(text, "test.noisy n=7 left_out="));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_have_time_level_process_and_event),
        cmocka_unit_test(noisy_event_is_cut_short_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
