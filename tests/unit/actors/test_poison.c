/* SPDX-License-Identifier: MIT */

/* The file that names the poll in hand, as another process finds it. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "actors/poison.h"
#include "proto/wire/limits.h"

static void
s_assert_file(const char *path, const char *text)
{
    char content[PR_POISON_BYTES + 1];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(content, 1, sizeof content, file), PR_POISON_BYTES);
    assert_int_equal(content[PR_POISON_BYTES - 1], '\0');
    assert_string_equal(content, text);
    (void) fclose(file);
}

static void
file_names_the_poll_while_it_is_in_hand(void **state)
{
    (void) state;
    char path[] = "/tmp/rcXXXXXX";
    (void) close(mkstemp(path));
    ac_poison_t *self = ac_poison_new(path);
    assert_non_null(self);
    s_assert_file(path, "");
    ac_poison_enter(self, PR_STR("ABC123"), "CONNECT");
    s_assert_file(path, "ABC123 CONNECT");
    ac_poison_enter(self, PR_STR("XYZ999"), "a");
    s_assert_file(path, "XYZ999 a");
    ac_poison_leave(self);
    s_assert_file(path, "");
    char longest[200];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    ac_poison_enter(self, PR_STR("ABC123"), longest);
    memcpy(longest, "ABC123 ", 7);
    longest[PR_POISON_BYTES - 1] = '\0';
    s_assert_file(path, longest);
    ac_poison_destroy(&self);
    assert_null(self);
    s_assert_file(path, "");
    (void) unlink(path);
}

static void
file_outlives_a_crash(void **state)
{
    (void) state;
    char path[] = "/tmp/rcXXXXXX";
    (void) close(mkstemp(path));
    pid_t child = fork();
    if (child == 0) {
        ac_poison_t *self = ac_poison_new(path);
        ac_poison_enter(self, PR_STR("ABC123"), "THINK");
        (void) raise(SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    s_assert_file(path, "ABC123 THINK");
    /* The next process begins with a clean one. */
    ac_poison_t *next = ac_poison_new(path);
    s_assert_file(path, "");
    ac_poison_destroy(&next);
    (void) unlink(path);
}

static void
without_a_file_nothing_happens(void **state)
{
    (void) state;
    assert_null(ac_poison_new("/no/such/folder/a1.poison"));
    ac_poison_enter(NULL, PR_STR("ABC123"), "THINK");
    ac_poison_leave(NULL);
    ac_poison_t *none = NULL;
    ac_poison_destroy(&none);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_names_the_poll_while_it_is_in_hand),
        cmocka_unit_test(file_outlives_a_crash),
        cmocka_unit_test(without_a_file_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
