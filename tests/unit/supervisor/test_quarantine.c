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
    sv_quarantine_t *self = sv_quarantine_new(NULL);
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
    sv_quarantine_t *self = sv_quarantine_new(NULL);
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
    sv_quarantine_t *self = sv_quarantine_new(NULL);
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
    sv_quarantine_t *self = sv_quarantine_new(NULL);
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

/* What a file with `text` in it makes of a quarantine: its polls, a blank behind each. */
static const char *
s_loaded(const char *path, const char *text, size_t len)
{
    static char list[(PR_ROSTER_QUARANTINED_MAX + 1) * (PR_POLL_ID_LEN + 1)];
    s_leave_file(path, text, len);
    sv_quarantine_t *self = sv_quarantine_new(path);
    assert_non_null(self);
    list[0] = '\0';
    for (size_t i = 0; i < sv_quarantine_count(self); i++) {
        (void) snprintf(list + strlen(list), sizeof list - strlen(list), "%.*s ",
                        PR_STR_ARG(sv_quarantine_at(self, i)));
    }
    sv_quarantine_destroy(&self);
    return list;
}

static void
it_outlives_its_supervisor_until_the_release(void **state)
{
    (void) state;
    char dir[] = "/tmp/rqXXXXXX";
    char path[64];
    assert_non_null(mkdtemp(dir));
    (void) snprintf(path, sizeof path, "%s/quarantine", dir);
    sv_quarantine_t *self = sv_quarantine_new(path);
    static const char *const polls[] = {"AAAAAA", "BBBBBB", "CCCCCC"};
    for (size_t i = 0; i < 3; i++) {
        (void) sv_quarantine_blame(self, pr_str(polls[i]), 1);
        assert_true(sv_quarantine_blame(self, pr_str(polls[i]), 2));
    }
    sv_quarantine_destroy(&self);
    self = sv_quarantine_new(path);
    assert_int_equal(sv_quarantine_count(self), 3);
    assert_true(sv_quarantine_release(self, PR_STR("BBBBBB")));
    assert_false(sv_quarantine_release(self, PR_STR("BBBBBB")));
    assert_false(sv_quarantine_release(self, PR_STR("")));
    sv_quarantine_destroy(&self);
    self = sv_quarantine_new(path);
    assert_int_equal(sv_quarantine_count(self), 2);
    assert_true(pr_str_equal(sv_quarantine_at(self, 1), PR_STR("CCCCCC")));
    /* Out is out: it takes two more. */
    assert_false(sv_quarantine_blame(self, PR_STR("BBBBBB"), 3));
    sv_quarantine_destroy(&self);
    (void) unlink(path);
    (void) rmdir(dir);
}

static void
a_file_of_rubbish_is_no_obstacle(void **state)
{
    (void) state;
    char path[] = "/tmp/rcXXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void) close(fd);
#define LOADED(text) s_loaded(path, text, sizeof(text) - 1)
    assert_string_equal(LOADED(""), "");
    assert_string_equal(LOADED("\n\n\n"), "");
    assert_string_equal(LOADED("AAAAAA\nAAAAAA\nBBBBBB"), "AAAAAA BBBBBB ");
    assert_string_equal(LOADED("aaaaaa\n..\nAAAAAA \nAAAAAA\0\nCCCCCC\n\xff\xff"), "CCCCCC ");
#undef LOADED
    char text[PR_POLL_ID_LEN + 1];
    static char many[(PR_ROSTER_QUARANTINED_MAX + 9) * (PR_POLL_ID_LEN + 1)];
    for (size_t i = 0; i < sizeof many; i += PR_POLL_ID_LEN + 1) {
        memcpy(many + i, s_poll(text, i).ptr, PR_POLL_ID_LEN);
        many[i + PR_POLL_ID_LEN] = '\n';
    }
    assert_int_equal(strlen(s_loaded(path, many, sizeof many)),
                     PR_ROSTER_QUARANTINED_MAX * (PR_POLL_ID_LEN + 1));
    (void) unlink(path);
    sv_quarantine_t *self = sv_quarantine_new("/no/such/folder/quarantine");
    (void) sv_quarantine_blame(self, PR_STR("AAAAAA"), 1);
    assert_true(sv_quarantine_blame(self, PR_STR("AAAAAA"), 2));
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
        cmocka_unit_test(it_outlives_its_supervisor_until_the_release),
        cmocka_unit_test(a_file_of_rubbish_is_no_obstacle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
