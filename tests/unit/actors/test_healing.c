/* SPDX-License-Identifier: MIT */

/* Rows of actors/recovery.h on a real store that loses, rolls back and repeats things. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/forgetful_store.h"

#define STEPS(poll, ...) t_poll_assert_steps(poll, __VA_ARGS__, AC_STEP_COUNT)

enum { WAIT_MS = 20000, ROUNDS = 300 };

static void
s_assert_healed(const t_forgetful_t *rig)
{
    t_poll_assert_stored(&rig->poll, rig->server);
}

static void
same_bytes_again_are_saved_once(void **state)
{
    t_forgetful_t *rig = *state;
    t_poll_t copy = rig->poll;
    copy.request.body = NULL;
    copy.document = pr_buf_new(64);
    assert_int_equal(t_poll_add(&rig->poll, 3), AC_STEP_SAVED);
    assert_int_equal(rig->poll.kind, AC_ANSWER_DONE);
    assert_int_equal(t_poll_add(&copy, 3), AC_STEP_SAVED);
    assert_int_equal(copy.kind, AC_ANSWER_ALREADY);
    s_assert_healed(rig);
    t_poll_fini(&copy);
}

static void
both_keys_lost(void **state)
{
    t_forgetful_t *rig = *state;
    t_lose(rig, rig->key);
    t_lose(rig, rig->own);
    (void) t_poll_add(&rig->poll, 3);
    STEPS(&rig->poll, AC_STEP_CLAIM_THEN_RESEND, AC_STEP_CREATE_WHOLE, AC_STEP_SAVED);
    s_assert_healed(rig);
    assert_int_equal(t_poll_add(&rig->poll, 4), AC_STEP_SAVED);
    s_assert_healed(rig);
}

static void
document_lost(void **state)
{
    t_forgetful_t *rig = *state;
    t_lose(rig, rig->key);
    (void) t_poll_add(&rig->poll, 3);
    STEPS(&rig->poll, AC_STEP_ROOT_WRITE_ANEW, AC_STEP_SAVED);
    s_assert_healed(rig);
}

static void
record_lost(void **state)
{
    t_forgetful_t *rig = *state;
    t_lose(rig, rig->own);
    (void) t_poll_add(&rig->poll, 3);
    STEPS(&rig->poll, AC_STEP_CLAIM_THEN_RESEND, AC_STEP_RESEND, AC_STEP_SAVED);
    s_assert_healed(rig);
}

static void
record_of_an_older_owner(void **state)
{
    t_forgetful_t *rig = *state;
    t_set_record(rig, "6:1:" T_THEIRS);
    (void) t_poll_add(&rig->poll, 3);
    STEPS(&rig->poll, AC_STEP_CLAIM_THEN_RESEND, AC_STEP_RESEND, AC_STEP_SAVED);
    assert_string_equal(rig->poll.token, "7:2:" T_MINE);
    s_assert_healed(rig);
}

/* All of the store as it was two writes and a claim ago. */
static void
store_rolled_back(void **state)
{
    t_forgetful_t *rig = *state;
    pr_buf_t *then = t_poll_document(&rig->poll);
    char record[64];
    (void) snprintf(record, sizeof record, "%s", rig->poll.token);
    t_late_claim(rig);
    (void) t_poll_add(&rig->poll, 3);
    STEPS(&rig->poll, AC_STEP_ADOPT_AND_RESEND, AC_STEP_SAVED);
    assert_int_equal(t_poll_add(&rig->poll, 4), AC_STEP_SAVED);

    t_set_document(rig, then);
    t_set_record(rig, record);
    (void) t_poll_add(&rig->poll, 5);
    STEPS(&rig->poll, AC_STEP_ADOPT_AND_RESEND, AC_STEP_ROOT_WRITE, AC_STEP_SAVED);
    assert_int_equal(rig->poll.rev.version, 6);
    s_assert_healed(rig);
    pr_buf_destroy(&then);
}

/* Another history of the same length: the chain tells them apart. */
static void
fork_of_the_same_version(void **state)
{
    t_forgetful_t *rig = *state;
    t_poll_t fork = rig->poll;
    fork.rev.chain = 0xbad;
    fork.members[1] = 99;
    pr_buf_t *document = t_poll_document(&fork);
    t_set_document(rig, document);
    (void) t_poll_add(&rig->poll, 3);
    STEPS(&rig->poll, AC_STEP_ROOT_WRITE, AC_STEP_SAVED);
    assert_int_equal(rig->poll.rev.version, 4);
    s_assert_healed(rig);
    pr_buf_destroy(&document);
}

static void
store_that_has_got_further_wins(void **state)
{
    t_forgetful_t *rig = *state;
    t_poll_t ahead = rig->poll;
    ahead.rev = (pr_rev_t) {9, 0xf00};
    ahead.members[2] = 77;
    ahead.member_count = 3;
    pr_buf_t *document = t_poll_document(&ahead);
    t_set_document(rig, document);
    (void) t_poll_add(&rig->poll, 3);
    STEPS(&rig->poll, AC_STEP_RELOAD, AC_STEP_OPENED);
    assert_int_equal(rig->poll.rev.version, 9);
    assert_int_equal(rig->poll.member_count, 3);
    s_assert_healed(rig);
    pr_buf_destroy(&document);
}

static void
lost_past_its_end_is_gone(void **state)
{
    t_forgetful_t *rig = *state;
    rig->poll.past = true;
    t_lose(rig, rig->key);
    assert_int_equal(t_poll_add(&rig->poll, 3), AC_STEP_GONE);
    t_lose(rig, rig->own);
    (void) t_poll_add(&rig->poll, 3);
    STEPS(&rig->poll, AC_STEP_CLAIM_THEN_RESEND, AC_STEP_GONE);
}

/* The double fault: the document gone and the record another's. Nobody may write then. */
static void
document_lost_and_record_rolled_back(void **state)
{
    t_forgetful_t *rig = *state;
    t_lose(rig, rig->key);
    t_set_record(rig, "6:1:" T_THEIRS);
    (void) t_poll_add(&rig->poll, 3);
    STEPS(&rig->poll, AC_STEP_CLAIM_THEN_RESEND, AC_STEP_LOST);
    assert_string_equal(t_redis_server_ask(rig->server, "EXISTS", rig->key, NULL), "0");
}

static void
put_back_twice_is_saved_once(void **state)
{
    t_forgetful_t *rig = *state;
    rig->poll.adding = 0;
    rig->poll.from = rig->poll.to = rig->poll.rev;
    (void) t_poll_drive(&rig->poll, AC_SCRIPT_CREATE, AC_AIM_KEEP);
    STEPS(&rig->poll, AC_STEP_CLAIM_THEN_RESEND, AC_STEP_RESEND, AC_STEP_SAVED);
    assert_int_equal(rig->poll.kind, AC_ANSWER_ALREADY);
    s_assert_healed(rig);
}

static void
validation_finds_it_intact(void **state)
{
    t_forgetful_t *rig = *state;
    assert_int_equal(t_poll_validate(&rig->poll), AC_STEP_SAVED);
    assert_int_equal(rig->poll.kind, AC_ANSWER_ALREADY);
    assert_int_equal(rig->poll.rev.version, 3);
    s_assert_healed(rig);
}

static void
validation_heals_an_empty_store(void **state)
{
    t_forgetful_t *rig = *state;
    t_redis_server_kill(rig->server);
    t_redis_server_forget(rig->server);
    assert_true(pr_loop_run_until(rig->loop, t_forgetful_is_down, rig, WAIT_MS));
    t_redis_server_start(rig->server);
    assert_true(pr_loop_run_until(rig->loop, t_forgetful_is_up, rig, WAIT_MS));
    (void) t_poll_validate(&rig->poll);
    STEPS(&rig->poll, AC_STEP_CLAIM_THEN_RESEND, AC_STEP_CREATE_WHOLE, AC_STEP_SAVED);
    s_assert_healed(rig);
}

static void
validation_heals_an_older_document(void **state)
{
    t_forgetful_t *rig = *state;
    pr_buf_t *then = t_poll_document(&rig->poll);
    assert_int_equal(t_poll_add(&rig->poll, 3), AC_STEP_SAVED);
    t_set_document(rig, then);
    (void) t_poll_validate(&rig->poll);
    STEPS(&rig->poll, AC_STEP_ROOT_WRITE, AC_STEP_SAVED);
    s_assert_healed(rig);
    pr_buf_destroy(&then);
}

static uint32_t s_seed;

static uint32_t
s_chance(uint32_t below)
{
    s_seed = s_seed * 1664525U + 1013904223U;
    return (s_seed >> 8) % below;
}

/* Something that a store or a network may do between two writes. */
static void
s_misfortune(t_forgetful_t *rig, const pr_buf_t *older)
{
    switch (s_chance(8)) {
    case 0:
        t_lose(rig, rig->key);
        break;
    case 1:
        t_lose(rig, rig->own);
        break;
    case 2:
        t_lose(rig, rig->key);
        t_lose(rig, rig->own);
        break;
    case 3:
        t_set_document(rig, older);
        break;
    case 4:
        t_set_record(rig, "6:5:" T_THEIRS);
        break;
    case 5:
        t_late_claim(rig);
        break;
    case 6:
        t_set_document(rig, older);
        t_lose(rig, rig->own);
        break;
    default:
        break;
    }
}

/* Whatever befalls it, what was saved is in the store after the next write. */
static void
random_misfortunes_are_healed(void **state)
{
    t_forgetful_t *rig = *state;
    s_seed = 20261124;
    pr_buf_t *older = t_poll_document(&rig->poll);
    for (int round = 0; round < ROUNDS; round++) {
        s_misfortune(rig, older);
        if (s_chance(20) == 0) {
            pr_buf_destroy(&older);
            older = t_poll_document(&rig->poll);
        }
        ac_step_t step =
            s_chance(4) == 0 ? t_poll_validate(&rig->poll) : t_poll_add(&rig->poll, 100 + round);
        if (step != AC_STEP_SAVED) {
            fail_msg("round %d ended with %s", round, ac_step_name(step));
        }
        s_assert_healed(rig);
    }
    pr_buf_destroy(&older);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, t_forgetful_setup, t_forgetful_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(same_bytes_again_are_saved_once),
        EACH(both_keys_lost),
        EACH(document_lost),
        EACH(record_lost),
        EACH(record_of_an_older_owner),
        EACH(store_rolled_back),
        EACH(fork_of_the_same_version),
        EACH(store_that_has_got_further_wins),
        EACH(lost_past_its_end_is_gone),
        EACH(document_lost_and_record_rolled_back),
        EACH(put_back_twice_is_saved_once),
        EACH(validation_finds_it_intact),
        EACH(validation_heals_an_empty_store),
        EACH(validation_heals_an_older_document),
        EACH(random_misfortunes_are_healed),
    };
    return cmocka_run_group_tests(tests, t_forgetful_start, t_forgetful_stop);
}
