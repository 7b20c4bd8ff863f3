/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/recovery.h"

/* --- the table alone --- */

/* The same rules as the table, said once more and in another way: what follows an answer. */
static ac_step_t
s_after_fenced(const ac_finding_t *finding)
{
    switch (finding->record) {
    case AC_RECORD_NONE:
    case AC_RECORD_OLDER:
        return AC_STEP_CLAIM_THEN_RESEND;
    case AC_RECORD_OWN:
        return AC_STEP_ADOPT_AND_RESEND;
    case AC_RECORD_OTHER:
        return AC_STEP_LOST;
    case AC_RECORD_ENDED:
        return AC_STEP_GONE;
    case AC_RECORD_UNREADABLE:
    case AC_RECORD_COUNT:
        break;
    }
    return AC_STEP_QUARANTINE;
}

static ac_step_t
s_after_create(const ac_finding_t *finding)
{
    bool opens = finding->aim == AC_AIM_OPEN;
    if (finding->aim == AC_AIM_END) {
        return AC_STEP_QUARANTINE;
    }
    switch ((int) finding->answer) {
    case AC_ANSWER_DONE:
        return opens ? AC_STEP_OPENED : AC_STEP_SAVED;
    case AC_ANSWER_ALREADY:
        return opens ? AC_STEP_CLAIM_THEN_SERVE : AC_STEP_CLAIM_THEN_RESEND;
    case AC_ANSWER_TAKEN_POLL:
        return opens ? AC_STEP_REDRAW_ID : AC_STEP_GONE;
    case AC_ANSWER_TAKEN_RECORD:
        return opens ? AC_STEP_REDRAW_ID : AC_STEP_CLAIM_THEN_RESEND;
    case AC_ANSWER_BADARG:
        return finding->alive ? AC_STEP_QUARANTINE : AC_STEP_GONE;
    default:
        return AC_STEP_QUARANTINE;
    }
}

static ac_step_t
s_after_claim(const ac_finding_t *finding)
{
    bool opens = finding->aim == AC_AIM_OPEN;
    bool keeps = finding->aim == AC_AIM_KEEP && finding->alive;
    switch ((int) finding->answer) {
    case AC_ANSWER_DONE:
        return opens ? AC_STEP_OPENED : AC_STEP_RESEND;
    case AC_ANSWER_STALE:
        return AC_STEP_MOVED;
    case AC_ANSWER_NODOC_ENDED:
        return opens ? AC_STEP_NOT_FOUND : AC_STEP_GONE;
    case AC_ANSWER_NODOC_MISSING:
        return opens ? AC_STEP_NOT_FOUND : keeps ? AC_STEP_CREATE_WHOLE : AC_STEP_GONE;
    case AC_ANSWER_NODOC_LOST:
        return opens ? AC_STEP_NOT_FOUND : keeps ? AC_STEP_LOST : AC_STEP_GONE;
    default:
        return AC_STEP_QUARANTINE;
    }
}

static ac_step_t
s_after_write(const ac_finding_t *finding)
{
    if (finding->aim == AC_AIM_OPEN) {
        return AC_STEP_QUARANTINE;
    }
    if (finding->answer == AC_ANSWER_FENCED) {
        return s_after_fenced(finding);
    }
    if (finding->aim != AC_AIM_KEEP) {
        return AC_STEP_QUARANTINE;
    }
    switch ((int) finding->answer) {
    case AC_ANSWER_DONE:
    case AC_ANSWER_ALREADY:
        return AC_STEP_SAVED;
    case AC_ANSWER_NODOC_MISSING:
        return finding->alive ? AC_STEP_ROOT_WRITE_ANEW : AC_STEP_GONE;
    case AC_ANSWER_BADARG:
        return finding->alive ? AC_STEP_QUARANTINE : AC_STEP_GONE;
    case AC_ANSWER_CONFLICT:
        if (finding->stored == AC_STORED_NOT_ABOVE) {
            return finding->alive ? AC_STEP_ROOT_WRITE : AC_STEP_GONE;
        }
        return finding->stored == AC_STORED_ABOVE ? AC_STEP_RELOAD : AC_STEP_QUARANTINE;
    default:
        return AC_STEP_QUARANTINE;
    }
}

static ac_step_t
s_after_finish(const ac_finding_t *finding)
{
    if (finding->aim == AC_AIM_OPEN) {
        return AC_STEP_QUARANTINE;
    }
    if (finding->answer == AC_ANSWER_FENCED) {
        return s_after_fenced(finding);
    }
    bool done = finding->answer == AC_ANSWER_DONE || finding->answer == AC_ANSWER_ALREADY;
    return done && finding->aim == AC_AIM_END ? AC_STEP_GONE : AC_STEP_QUARANTINE;
}

static void
s_check(const ac_finding_t *finding, int *seen)
{
    static ac_step_t (*const after[])(const ac_finding_t *) = {s_after_create, s_after_claim,
                                                               s_after_write, s_after_finish};
    ac_step_t expected = after[finding->script](finding);
    ac_step_t step = ac_recovery_next(finding);
    if (step != expected) {
        fail_msg("script %d aim %d answer %d record %d stored %d alive %d: %s instead of %s",
                 (int) finding->script, (int) finding->aim, (int) finding->answer,
                 (int) finding->record, (int) finding->stored, finding->alive, ac_step_name(step),
                 ac_step_name(expected));
    }
    seen[step]++;
}

static void
each_cell_of_the_table_is_as_written(void **state)
{
    (void) state;
    int seen[AC_STEP_COUNT] = {0};
    enum { SCRIPTS = AC_SCRIPT_FINISH + 1 };
    int total = SCRIPTS * AC_AIM_COUNT * AC_ANSWER_COUNT * AC_RECORD_COUNT * AC_STORED_COUNT * 2;
    for (int i = 0; i < total; i++) {
        int rest = i;
        ac_finding_t finding = {0};
        finding.script = (ac_script_t) (rest % SCRIPTS);
        rest /= SCRIPTS;
        finding.aim = (ac_aim_t) (rest % AC_AIM_COUNT);
        rest /= AC_AIM_COUNT;
        finding.answer = (ac_answer_kind_t) (rest % AC_ANSWER_COUNT);
        rest /= AC_ANSWER_COUNT;
        finding.record = (ac_record_t) (rest % AC_RECORD_COUNT);
        rest /= AC_RECORD_COUNT;
        finding.stored = (ac_stored_t) (rest % AC_STORED_COUNT);
        finding.alive = rest / AC_STORED_COUNT != 0;
        s_check(&finding, seen);
    }
    for (int step = 0; step < AC_STEP_COUNT; step++) {
        assert_true(seen[step] > 0);
        assert_true(strlen(ac_step_name((ac_step_t) step)) > 0);
    }
}

static void
records_are_sorted(void **state)
{
    (void) state;
    static const struct {
        const char *text;
        ac_record_t record;
    } cases[] = {
        {"none", AC_RECORD_NONE},
        {"6:3:other", AC_RECORD_OLDER},
        {"7:3:other", AC_RECORD_OTHER},
        {"7:2:other", AC_RECORD_OLDER},
        {"7:4:other", AC_RECORD_OTHER},
        {"8:1:other", AC_RECORD_OTHER},
        {"6:3:mine", AC_RECORD_OWN},
        {"8:3:mine", AC_RECORD_OWN},
        {"6:3:ended", AC_RECORD_ENDED},
        {"9:3:ended", AC_RECORD_ENDED},
        {"1764000000000:3:other", AC_RECORD_OTHER},
        {"", AC_RECORD_UNREADABLE},
        {"none ", AC_RECORD_UNREADABLE},
        {"7:3:", AC_RECORD_UNREADABLE},
        {"7:3", AC_RECORD_UNREADABLE},
        {"7::mine", AC_RECORD_UNREADABLE},
        {":3:mine", AC_RECORD_UNREADABLE},
        {"x:3:mine", AC_RECORD_UNREADABLE},
        {"-7:3:mine", AC_RECORD_UNREADABLE},
        {"99999999999999999999:3:mine", AC_RECORD_UNREADABLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (ac_recovery_record(pr_str(cases[i].text), "7:3:mine") != cases[i].record) {
            fail_msg("wrong: %s", cases[i].text);
        }
    }
}

static void
versions_are_compared(void **state)
{
    (void) state;
    static const struct {
        const char *rev;
        ac_stored_t stored;
    } cases[] = {
        {"4-000000000000000a", AC_STORED_NOT_ABOVE},
        {"5-000000000000000a", AC_STORED_NOT_ABOVE},
        {"6-000000000000000a", AC_STORED_ABOVE},
        {"none", AC_STORED_UNREADABLE},
        {"6-a", AC_STORED_UNREADABLE},
        {"", AC_STORED_UNREADABLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ac_answer_t answer = {.kind = AC_ANSWER_CONFLICT, .text = pr_str(cases[i].rev)};
        ac_finding_t finding = {.script = AC_SCRIPT_WRITE, .aim = AC_AIM_KEEP};
        ac_recovery_read(&finding, &answer, "7:3:mine", 5);
        assert_int_equal(finding.stored, cases[i].stored);
        assert_int_equal(finding.record, AC_RECORD_UNREADABLE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cell_of_the_table_is_as_written),
        cmocka_unit_test(records_are_sorted),
        cmocka_unit_test(versions_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
