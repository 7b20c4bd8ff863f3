/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "actors/answer.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

typedef struct {
    ac_script_t script;
    const char *bytes; /* as they come from the server */
    ac_verdict_t verdict;
    ac_answer_kind_t kind;
    const char *text;
} case_t;

#define YES AC_VERDICT_DEFINITE
#define ANY AC_ANSWER_COUNT

static const case_t s_cases[] = {
    {AC_SCRIPT_CREATE, "*2\r\n:1\r\n$5\r\n7:1:a\r\n", YES, AC_ANSWER_DONE, "7:1:a"},
    {AC_SCRIPT_CREATE, "*2\r\n:0\r\n$4\r\nnone\r\n", YES, AC_ANSWER_ALREADY, "none"},
    {AC_SCRIPT_CREATE, "-TAKEN poll\r\n", YES, AC_ANSWER_TAKEN_POLL, "poll"},
    {AC_SCRIPT_CREATE, "-TAKEN record\r\n", YES, AC_ANSWER_TAKEN_RECORD, "record"},
    {AC_SCRIPT_CLAIM, "*3\r\n:1\r\n$1\r\nt\r\n$2\r\n{}\r\n", YES, AC_ANSWER_DONE, "t"},
    {AC_SCRIPT_CLAIM, "-STALE 8:1:b\r\n", YES, AC_ANSWER_STALE, "8:1:b"},
    {AC_SCRIPT_CLAIM, "-NODOC ended\r\n", YES, AC_ANSWER_NODOC_ENDED, "ended"},
    {AC_SCRIPT_CLAIM, "-NODOC lost\r\n", YES, AC_ANSWER_NODOC_LOST, "lost"},
    {AC_SCRIPT_WRITE, "-NODOC missing\r\n", YES, AC_ANSWER_NODOC_MISSING, "missing"},
    {AC_SCRIPT_WRITE, "-FENCED none\r\n", YES, AC_ANSWER_FENCED, "none"},
    {AC_SCRIPT_WRITE, "-CONFLICT 4-b\r\n", YES, AC_ANSWER_CONFLICT, "4-b"},
    {AC_SCRIPT_WRITE, "-BADARG rev\r\n", YES, AC_ANSWER_BADARG, "rev"},
    {AC_SCRIPT_FINISH, "*1\r\n:1\r\n", YES, AC_ANSWER_DONE, NULL},
    {AC_SCRIPT_FINISH, "*1\r\n:0\r\n", YES, AC_ANSWER_ALREADY, NULL},
    {AC_SCRIPT_FINISH, "-BADTYPE a b c\r\n", YES, AC_ANSWER_BADTYPE, "a b c"},

    {AC_SCRIPT_WRITE, "-NOSCRIPT No matching script.\r\n", AC_VERDICT_NOSCRIPT, ANY, NULL},
    {AC_SCRIPT_WRITE, "-READONLY You can't.\r\n", AC_VERDICT_MOVED, ANY, NULL},
    {AC_SCRIPT_WRITE, "-LOADING Redis is\r\n", AC_VERDICT_MOVED, ANY, NULL},
    {AC_SCRIPT_WRITE, "-MASTERDOWN Link\r\n", AC_VERDICT_MOVED, ANY, NULL},
    {AC_SCRIPT_CLAIM, "-OOM command not allowed. script: x\r\n", AC_VERDICT_LATER, ANY, NULL},
    {AC_SCRIPT_FINISH, "-MISCONF Errors\r\n", AC_VERDICT_LATER, ANY, NULL},
    {AC_SCRIPT_WRITE, "-NOREPLICAS Not enough\r\n", AC_VERDICT_LATER, ANY, NULL},
    {AC_SCRIPT_WRITE, "-BUSY Redis is\r\n", AC_VERDICT_LATER, ANY, NULL},
    {AC_SCRIPT_WRITE, "-CLUSTERDOWN Hash slot\r\n", AC_VERDICT_LATER, ANY, NULL},
    {AC_SCRIPT_WRITE, "-TRYAGAIN\r\n", AC_VERDICT_LATER, ANY, NULL},

    /* What no script of ours says, or not this one. */
    {AC_SCRIPT_WRITE, "-ERR user_script:1\r\n", YES, AC_ANSWER_OTHER, "ERR user_script:1"},
    {AC_SCRIPT_WRITE, "-TAKEN poll\r\n", YES, AC_ANSWER_OTHER, "TAKEN poll"},
    {AC_SCRIPT_WRITE, "-NODOC ended\r\n", YES, AC_ANSWER_OTHER, "NODOC ended"},
    {AC_SCRIPT_CREATE, "-TAKEN\r\n", YES, AC_ANSWER_OTHER, "TAKEN"},
    {AC_SCRIPT_CLAIM, "-\r\n", YES, AC_ANSWER_OTHER, ""},
    {AC_SCRIPT_WRITE, "-FENCED\r\n", YES, AC_ANSWER_FENCED, ""},
    {AC_SCRIPT_WRITE, "$-1\r\n", YES, AC_ANSWER_OTHER, "unexpected reply"},
    {AC_SCRIPT_WRITE, "+OK\r\n", YES, AC_ANSWER_OTHER, "unexpected reply"},
    {AC_SCRIPT_WRITE, "*0\r\n", YES, AC_ANSWER_OTHER, "unexpected reply"},
    {AC_SCRIPT_WRITE, "*2\r\n:2\r\n$1\r\nt\r\n", YES, AC_ANSWER_OTHER, "unexpected reply"},
    {AC_SCRIPT_WRITE, "*2\r\n:1\r\n$-1\r\n", YES, AC_ANSWER_OTHER, "unexpected reply"},
    {AC_SCRIPT_WRITE, "*2\r\n:1\r\n:1\r\n", YES, AC_ANSWER_OTHER, "unexpected reply"},
    {AC_SCRIPT_CLAIM, "*2\r\n:1\r\n$1\r\nt\r\n", YES, AC_ANSWER_OTHER, "unexpected reply"},
    {AC_SCRIPT_CLAIM, "*3\r\n:0\r\n$1\r\nt\r\n$2\r\n{}\r\n", YES, AC_ANSWER_OTHER,
     "unexpected reply"},
    {AC_SCRIPT_CLAIM, "*3\r\n:1\r\n$1\r\nt\r\n*0\r\n", YES, AC_ANSWER_OTHER, "unexpected reply"},
};

static ac_reply_t *
s_parse(ac_reply_reader_t *reader, const char *bytes)
{
    ac_reply_t *reply = NULL;
    assert_int_equal(ac_reply_reader_feed(reader, bytes, strlen(bytes)), 0);
    assert_int_equal(ac_reply_reader_next(reader, &reply), 0);
    assert_non_null(reply);
    return reply;
}

static void
each_answer_is_read(void **state)
{
    (void) state;
    ac_reply_reader_t *reader = ac_reply_reader_new();
    assert_non_null(reader);
    for (size_t i = 0; i < sizeof s_cases / sizeof s_cases[0]; i++) {
        const case_t *each = &s_cases[i];
        ac_reply_t *reply = s_parse(reader, each->bytes);
        ac_answer_t answer = {.kind = AC_ANSWER_COUNT};
        ac_verdict_t verdict = ac_answer_read(each->script, reply, &answer);
        bool right = verdict == each->verdict && answer.kind == each->kind;
        if (right && each->text) {
            right = pr_str_equal(answer.text, pr_str(each->text));
        }
        if (!right) {
            fail_msg("case %d read as verdict %d, kind %d", (int) i, (int) verdict, answer.kind);
        }
        if (verdict == AC_VERDICT_DEFINITE) {
            assert_true(strlen(ac_answer_name(answer.kind)) > 0);
        }
        ac_reply_destroy(&reply);
    }
    ac_reply_reader_destroy(&reader);
}

/* The bytes of all cases in one stream, cut anywhere. */
static void
bytes_may_come_one_by_one(void **state)
{
    (void) state;
    ac_reply_reader_t *reader = ac_reply_reader_new();
    assert_non_null(reader);
    for (size_t i = 0; i < sizeof s_cases / sizeof s_cases[0]; i++) {
        const char *bytes = s_cases[i].bytes;
        ac_reply_t *reply = NULL;
        for (size_t at = 0; bytes[at]; at++) {
            assert_null(reply);
            assert_int_equal(ac_reply_reader_feed(reader, bytes + at, 1), 0);
            assert_int_equal(ac_reply_reader_next(reader, &reply), 0);
        }
        assert_non_null(reply);
        ac_reply_destroy(&reply);
    }
    ac_reply_reader_destroy(&reader);
}

static void
answers_are_bounded(void **state)
{
    (void) state;
    /* Too many parts. */
    ac_reply_reader_t *reader = ac_reply_reader_new();
    ac_reply_t *reply = NULL;
    char count[32];
    (void) snprintf(count, sizeof count, "*%d\r\n", PR_STORE_REPLY_ELEMENTS_MAX + 1);
    assert_int_equal(ac_reply_reader_feed(reader, count, strlen(count)), 0);
    assert_int_equal(ac_reply_reader_next(reader, &reply), PR_E_MALFORMED);
    ac_reply_reader_destroy(&reader);

    /* A text that never ends. */
    reader = ac_reply_reader_new();
    enum { CHUNK = 1 << 20 };
    char *chunk = calloc(1, CHUNK);
    assert_non_null(chunk);
    assert_int_equal(ac_reply_reader_feed(reader, "$1000000000\r\n", 13), 0);
    int error = 0;
    int chunks = 0;
    while (error == 0 && chunks <= PR_STORE_REPLY_BYTES_MAX / CHUNK) {
        error = ac_reply_reader_feed(reader, chunk, CHUNK);
        chunks++;
    }
    assert_int_equal(error, PR_E_TOO_LARGE);
    free(chunk);
    ac_reply_reader_destroy(&reader);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_is_read),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(answers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
