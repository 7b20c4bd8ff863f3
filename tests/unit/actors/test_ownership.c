/* SPDX-License-Identifier: MIT */

/* Rows of actors/recovery.h on a real store: who may open, write and end a poll. */

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

static void
s_assert_healed(const t_forgetful_t *rig)
{
    t_poll_assert_stored(&rig->poll, rig->server);
}

static void
creating_again_claims(void **state)
{
    t_forgetful_t *rig = *state;
    t_poll_t again;
    t_poll_init(&again, rig->loop, rig->mine, rig->poll.request.poll);
    (void) t_poll_create(&again);
    STEPS(&again, AC_STEP_CLAIM_THEN_SERVE, AC_STEP_OPENED);
    assert_int_equal(again.rev.version, 3);
    t_poll_assert_stored(&again, rig->server);
    t_poll_fini(&again);
}

static void
taken_id_is_drawn_again(void **state)
{
    t_forgetful_t *rig = *state;
    t_poll_t another;
    t_poll_init(&another, rig->loop, rig->theirs, rig->poll.request.poll);
    (void) snprintf(another.nonce, sizeof another.nonce, "another");
    assert_int_equal(t_poll_create(&another), AC_STEP_REDRAW_ID);
    assert_int_equal(another.kind, AC_ANSWER_TAKEN_POLL);
    assert_int_equal(t_poll_end(&rig->poll), AC_STEP_GONE);
    assert_int_equal(t_poll_create(&another), AC_STEP_REDRAW_ID);
    assert_int_equal(another.kind, AC_ANSWER_TAKEN_RECORD);
    t_poll_fini(&another);
}

static void
creating_past_its_end_is_gone(void **state)
{
    t_forgetful_t *rig = *state;
    t_poll_t late;
    t_poll_init(&late, rig->loop, rig->mine, "HLATE1");
    late.ends_at = 1000;
    late.past = true;
    assert_int_equal(t_poll_create(&late), AC_STEP_GONE);
    assert_int_equal(late.kind, AC_ANSWER_BADARG);
    late.past = false;
    assert_int_equal(t_poll_create(&late), AC_STEP_QUARANTINE);
    t_poll_fini(&late);
}

static void
loading_finds_what_is_there(void **state)
{
    t_forgetful_t *rig = *state;
    t_poll_t *other = &rig->other;
    assert_int_equal(t_poll_load(other), AC_STEP_OPENED);
    assert_int_equal(other->rev.version, 3);
    t_poll_assert_stored(other, rig->server);

    /* An old roster learns that it is old. */
    ac_store_set_generation(rig->theirs, T_OURS - 1);
    assert_int_equal(t_poll_load(other), AC_STEP_MOVED);
    ac_store_set_generation(rig->theirs, T_OURS);

    t_lose(rig, rig->key);
    assert_int_equal(t_poll_load(other), AC_STEP_NOT_FOUND);
    assert_int_equal(other->kind, AC_ANSWER_NODOC_LOST);
    t_lose(rig, rig->own);
    assert_int_equal(t_poll_load(other), AC_STEP_NOT_FOUND);
    assert_int_equal(other->kind, AC_ANSWER_NODOC_MISSING);
    assert_string_equal(t_redis_server_ask(rig->server, "EXISTS", rig->own, NULL), "0");
}

static void
ended_poll_is_not_found(void **state)
{
    t_forgetful_t *rig = *state;
    assert_int_equal(t_poll_end(&rig->poll), AC_STEP_GONE);
    assert_int_equal(rig->poll.kind, AC_ANSWER_DONE);
    assert_int_equal(t_poll_end(&rig->poll), AC_STEP_GONE);
    assert_int_equal(rig->poll.kind, AC_ANSWER_ALREADY);
    assert_int_equal(t_poll_load(&rig->other), AC_STEP_NOT_FOUND);
    assert_int_equal(rig->other.kind, AC_ANSWER_NODOC_ENDED);
}

static void
late_claim_of_ours_is_adopted(void **state)
{
    t_forgetful_t *rig = *state;
    t_late_claim(rig);
    (void) t_poll_add(&rig->poll, 3);
    STEPS(&rig->poll, AC_STEP_ADOPT_AND_RESEND, AC_STEP_SAVED);
    assert_string_equal(rig->poll.token, "7:2:" T_MINE);
    s_assert_healed(rig);
}

static void
other_owner_has_it(void **state)
{
    t_forgetful_t *rig = *state;
    assert_int_equal(t_poll_load(&rig->other), AC_STEP_OPENED);
    assert_int_equal(t_poll_add(&rig->poll, 3), AC_STEP_LOST);
    assert_int_equal(t_poll_add(&rig->other, 4), AC_STEP_SAVED);
    /* Nor does a newer roster help who is not in it yet. */
    ac_store_set_generation(rig->theirs, T_OURS + 1);
    assert_int_equal(t_poll_load(&rig->other), AC_STEP_OPENED);
    assert_int_equal(t_poll_add(&rig->poll, 5), AC_STEP_LOST);
    t_poll_assert_stored(&rig->other, rig->server);
}

/* Theirs is from before our claim: the store went back, and we own it still. */
static void
earlier_claim_is_overruled(void **state)
{
    t_forgetful_t *rig = *state;
    (void) t_redis_server_ask(rig->server, "SET", rig->own, "6:9:" T_THEIRS, NULL);
    (void) t_poll_add(&rig->poll, 3);
    STEPS(&rig->poll, AC_STEP_CLAIM_THEN_RESEND, AC_STEP_RESEND, AC_STEP_SAVED);
    s_assert_healed(rig);
}

/* They claimed after us, though under a roster that is older than the one we have by now. */
static void
later_claim_is_not_overruled(void **state)
{
    t_forgetful_t *rig = *state;
    assert_int_equal(t_poll_load(&rig->other), AC_STEP_OPENED);
    ac_store_set_generation(rig->mine, T_OURS + 1);
    assert_int_equal(t_poll_add(&rig->poll, 3), AC_STEP_LOST);
    assert_int_equal(t_poll_add(&rig->other, 4), AC_STEP_SAVED);
    t_poll_assert_stored(&rig->other, rig->server);
}

static void
ended_by_another_is_gone(void **state)
{
    t_forgetful_t *rig = *state;
    assert_int_equal(t_poll_load(&rig->other), AC_STEP_OPENED);
    assert_int_equal(t_poll_end(&rig->other), AC_STEP_GONE);
    assert_int_equal(t_poll_add(&rig->poll, 3), AC_STEP_GONE);
    assert_int_equal(t_poll_validate(&rig->poll), AC_STEP_GONE);
    assert_string_equal(t_redis_server_ask(rig->server, "EXISTS", rig->key, NULL), "0");
}

/* Somebody was given the id in between: ours is no more, and nobody is sent to theirs. */
static void
id_given_to_another_poll_meanwhile(void **state)
{
    t_forgetful_t *rig = *state;
    t_lose(rig, rig->key);
    t_lose(rig, rig->own);
    (void) snprintf(rig->other.nonce, sizeof rig->other.nonce, "another");
    assert_int_equal(t_poll_create(&rig->other), AC_STEP_OPENED);
    assert_int_equal(t_poll_drive(&rig->poll, AC_SCRIPT_CREATE, AC_AIM_KEEP), AC_STEP_GONE);
    t_poll_assert_stored(&rig->other, rig->server);
}

static void
ending_what_was_forgotten(void **state)
{
    t_forgetful_t *rig = *state;
    t_lose(rig, rig->own);
    (void) t_poll_end(&rig->poll);
    STEPS(&rig->poll, AC_STEP_CLAIM_THEN_RESEND, AC_STEP_RESEND, AC_STEP_GONE);
    assert_string_equal(t_redis_server_ask(rig->server, "EXISTS", rig->key, NULL), "0");
    t_lose(rig, rig->own);
    (void) t_poll_end(&rig->poll);
    STEPS(&rig->poll, AC_STEP_CLAIM_THEN_RESEND, AC_STEP_GONE);
}

static void
ending_under_a_late_claim_and_another_owner(void **state)
{
    t_forgetful_t *rig = *state;
    assert_int_equal(t_poll_load(&rig->other), AC_STEP_OPENED);
    assert_int_equal(t_poll_end(&rig->poll), AC_STEP_LOST);
    t_late_claim(rig);
    (void) t_poll_end(&rig->poll);
    STEPS(&rig->poll, AC_STEP_ADOPT_AND_RESEND, AC_STEP_GONE);
}

static void
foreign_values_are_left_alone(void **state)
{
    t_forgetful_t *rig = *state;
    t_lose(rig, rig->own);
    (void) t_redis_server_ask(rig->server, "RPUSH", rig->own, "x", NULL);
    assert_int_equal(t_poll_add(&rig->poll, 3), AC_STEP_QUARANTINE);
    assert_int_equal(rig->poll.kind, AC_ANSWER_BADTYPE);
    assert_int_equal(t_poll_load(&rig->other), AC_STEP_QUARANTINE);
    assert_int_equal(t_poll_end(&rig->poll), AC_STEP_QUARANTINE);

    t_lose(rig, rig->own);
    (void) t_redis_server_ask(rig->server, "SET", rig->own, "something else", NULL);
    assert_int_equal(t_poll_add(&rig->poll, 3), AC_STEP_QUARANTINE);
    assert_int_equal(rig->poll.kind, AC_ANSWER_FENCED);

    (void) t_redis_server_ask(rig->server, "SET", rig->own, rig->poll.token, NULL);
    (void) t_redis_server_ask(rig->server, "JSON.SET", rig->key, "$", "{\"a\":1}", NULL);
    assert_int_equal(t_poll_add(&rig->poll, 3), AC_STEP_QUARANTINE);
    assert_int_equal(rig->poll.kind, AC_ANSWER_CONFLICT);
    t_lose(rig, rig->key);
    (void) t_redis_server_ask(rig->server, "SET", rig->key, "no document", NULL);
    assert_int_equal(t_poll_add(&rig->poll, 3), AC_STEP_QUARANTINE);
    assert_int_equal(rig->poll.kind, AC_ANSWER_BADTYPE);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, t_forgetful_setup, t_forgetful_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(creating_again_claims),
        EACH(taken_id_is_drawn_again),
        EACH(creating_past_its_end_is_gone),
        EACH(loading_finds_what_is_there),
        EACH(ended_poll_is_not_found),
        EACH(late_claim_of_ours_is_adopted),
        EACH(other_owner_has_it),
        EACH(earlier_claim_is_overruled),
        EACH(later_claim_is_not_overruled),
        EACH(ended_by_another_is_gone),
        EACH(id_given_to_another_poll_meanwhile),
        EACH(ending_what_was_forgotten),
        EACH(ending_under_a_late_claim_and_another_owner),
        EACH(foreign_values_are_left_alone),
    };
    return cmocka_run_group_tests(tests, t_forgetful_start, t_forgetful_stop);
}
