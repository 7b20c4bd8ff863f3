/* SPDX-License-Identifier: MIT */

/* Polls that make actors crash, and what is left of them in a file. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/wire/limits.h"
#include "proto/wire/roster.h"
#include "supervisor/quarantine.h"

static void
two_crashes_within_a_minute(void **state)
{
    (void) state;
    sv_quarantine_t *self = sv_quarantine_new();
    assert_false(sv_quarantine_blame(self, PR_STR("AAAAAA"), 1000));
    assert_false(sv_quarantine_blame(self, PR_STR("BBBBBB"), 1001));
    /* Too late to count; but the next one is not. */
    assert_false(sv_quarantine_blame(self, PR_STR("AAAAAA"), 1001 + PR_POISON_MS));
    assert_int_equal(sv_quarantine_count(self), 0);
    assert_true(sv_quarantine_blame(self, PR_STR("AAAAAA"), 1001 + 2 * PR_POISON_MS));
    assert_int_equal(sv_quarantine_count(self), 1);
    assert_true(pr_str_equal(sv_quarantine_at(self, 0), PR_STR("AAAAAA")));
    /* It is in already. */
    assert_false(sv_quarantine_blame(self, PR_STR("AAAAAA"), 1002 + 2 * PR_POISON_MS));
    assert_int_equal(sv_quarantine_count(self), 1);
    sv_quarantine_destroy(&self);
    assert_null(self);
}

/* Poll number `i`. */
static pr_str_t
s_poll(char *text, size_t i)
{
    (void) snprintf(text, PR_POLL_ID_LEN + 1, "P%05u", (unsigned) i);
    return pr_str(text);
}

static void
suspects_are_bounded(void **state)
{
    (void) state;
    char text[PR_POLL_ID_LEN + 1];
    sv_quarantine_t *self = sv_quarantine_new();
    for (size_t i = 0; i < PR_POISON_SUSPECTS_MAX + 1; i++) {
        assert_false(sv_quarantine_blame(self, s_poll(text, i), (int64_t) i));
    }
    /* The first one is forgotten, and takes the place of the second now. */
    assert_false(sv_quarantine_blame(self, s_poll(text, 0), 1000));
    assert_false(sv_quarantine_blame(self, s_poll(text, 1), 1000));
    assert_true(sv_quarantine_blame(self, s_poll(text, 3), 1000));
    sv_quarantine_destroy(&self);
}

static void
quarantine_is_bounded(void **state)
{
    (void) state;
    char text[PR_POLL_ID_LEN + 1];
    sv_quarantine_t *self = sv_quarantine_new();
    for (size_t i = 0; i < PR_ROSTER_QUARANTINED_MAX + 2; i++) {
        assert_false(sv_quarantine_blame(self, s_poll(text, i), 0));
        assert_true(sv_quarantine_blame(self, s_poll(text, i), 0));
    }
    assert_int_equal(sv_quarantine_count(self), PR_ROSTER_QUARANTINED_MAX);
    assert_true(pr_str_equal(sv_quarantine_at(self, 0), PR_STR("P00002")));
    sv_quarantine_destroy(&self);
}

static void
s_leave_file(const char *path, const char *text, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void
file_of_a_dead_child_is_read(void **state)
{
    (void) state;
    char path[] = "/tmp/rcXXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void) close(fd);
    sv_quarantine_t *self = sv_quarantine_new();
    char named[PR_POISON_BYTES] = "CCCCCC nominate";
    char nobody[PR_POISON_BYTES] = "\0CCCCC nominate";
    char wild[PR_POISON_BYTES];
    memset(wild, 0xff, sizeof wild);
    /* Nobody, nothing, half of it, garbage: no poll is to blame. */
    for (int i = 0; i < 2; i++) {
        s_leave_file(path, nobody, sizeof nobody);
        assert_false(sv_quarantine_examine(self, path, "a1", 5));
        s_leave_file(path, named, 20);
        assert_false(sv_quarantine_examine(self, path, "a1", 5));
        s_leave_file(path, wild, sizeof wild);
        assert_false(sv_quarantine_examine(self, path, "a1", 5));
        assert_false(sv_quarantine_examine(self, "/no/such/file", "a1", 5));
    }
    s_leave_file(path, named, sizeof named);
    assert_false(sv_quarantine_examine(self, path, "a1", 5));
    memset(named + PR_POLL_ID_LEN, 0xff, sizeof named - PR_POLL_ID_LEN);
    s_leave_file(path, named, sizeof named);
    assert_true(sv_quarantine_examine(self, path, "a2", 6));
    assert_true(pr_str_equal(sv_quarantine_at(self, 0), PR_STR("CCCCCC")));
    (void) unlink(path);
    sv_quarantine_destroy(&self);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_crashes_within_a_minute),
        cmocka_unit_test(suspects_are_bounded),
        cmocka_unit_test(quarantine_is_bounded),
        cmocka_unit_test(file_of_a_dead_child_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
