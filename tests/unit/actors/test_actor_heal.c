/* SPDX-License-Identifier: MIT */

/* What an actor does when the store is not as it left it: each step of actors/recovery.h, once. */

#include "actor_world.h"
#include "proto/poll/rev.h"

static char s_rev[40]; /* saved, as clients know it */

static void
s_remember_rev(void)
{
    (void) snprintf(s_rev, sizeof s_rev, "%s", s_rig.out->to);
}

/* READY, with Alice in it at version 2. */
static int
s_setup(void **state)
{
    (void) state;
    s_begin();
    pr_event_t create = t_rig_create(1, "nonce");
    s_event(1, &create);
    s_answer(AC_ANSWER_DONE, T_RIG_TOKEN);
    pr_event_t connect = t_rig_connect("c1", T_RIG_ALICE, PR_STR_NONE);
    s_event(1, &connect);
    s_remember_rev();
    s_answer(AC_ANSWER_DONE, "");
    (void) t_rig_count(&s_rig, PR_MSG_CONNECTED);
    return 0;
}

/* Bob's join is out. */
static void
s_send_batch(void)
{
    pr_event_t connect = t_rig_connect("c2", T_RIG_BOB, PR_STR_NONE);
    s_event(1, &connect);
    assert_non_null(s_rig.out);
    assert_int_equal(s_rig.out->script, AC_SCRIPT_WRITE);
    assert_string_equal(s_rig.out->from, s_rev);
    assert_int_equal(s_rig.out->ends_at, 0);
}

static void
assert_bob_is_shown(void)
{
    assert_string_equal(ac_actor_state_name(s_actor), "READY");
    (void) t_rig_expect(&s_rig, 1, PR_MSG_POLL_UPDATED);
    pr_event_t connected = t_rig_expect(&s_rig, 1, PR_MSG_CONNECTED);
    assert_true(pr_str_equal(connected.connected.conn, PR_STR("c2")));
    t_rig_expect_quiet(&s_rig);
}

static void
older_store_gets_the_whole_document(void **state)
{
    (void) state;
    s_send_batch();
    char to[40];
    (void) snprintf(to, sizeof to, "%s", s_rig.out->to);
    s_answer(AC_ANSWER_CONFLICT, "1-00000000000000ff");
    assert_string_equal(s_rig.out->from, "1-00000000000000ff");
    assert_string_equal(s_rig.out->to, to);
    assert_int_equal(s_rig.out->ends_at, T_RIG_ENDS_AT);
    assert_non_null(strstr(t_rig_body(&s_rig), "alice"));
    assert_non_null(strstr(t_rig_body(&s_rig), "bob"));
    assert_non_null(strstr(t_rig_body(&s_rig), "\"topic\":\"Lunch\""));
    s_answer(AC_ANSWER_DONE, to);
    assert_bob_is_shown();
}

static void
store_that_got_further_is_loaded_anew(void **state)
{
    (void) state;
    s_send_batch();
    s_answer(AC_ANSWER_CONFLICT, "5-00000000000000ff");
    assert_int_equal(s_rig.out->script, AC_SCRIPT_CLAIM);
    assert_string_equal(ac_actor_state_name(s_actor), "LOADING");
    t_rig_answer(
        &s_rig, AC_ANSWER_DONE, "7:2:00000000000000aa",
        "{\"id\":\"ABC123\",\"topic\":\"Fork\",\"votesPerVoter\":3,\"participants\":{},"
        "\"nominations\":{},\"rankings\":{},\"results\":[],\"adminID\":\"alice-alice-alice-ali\","
        "\"hasStarted\":false,\"meta\":{\"schema\":1,\"version\":5,\"rev\":\"5-00000000000000ff\","
        "\"state\":\"open\",\"endsAt\":1800003600000,\"ballots\":\"secret\",\"removed\":{},"
        "\"ballotSeq\":{},\"nonce\":\"nonce\"}}");
    t_rig_turn(&s_rig);
    pr_event_t snapshot = t_rig_expect(&s_rig, 1, PR_MSG_POLL_SNAPSHOT);
    assert_true(pr_str_equal(snapshot.poll_snapshot.rev, PR_STR("5-00000000000000ff")));
    assert_non_null(strstr(t_rig_body(&s_rig), "alice"));
    assert_non_null(strstr(t_rig_body(&s_rig), "bob"));
    assert_string_equal(s_rig.out->token, "7:2:00000000000000aa");
    s_answer(AC_ANSWER_DONE, "");
    assert_bob_is_shown();
}

static void
lost_document_is_written_from_none(void **state)
{
    (void) state;
    s_send_batch();
    s_answer(AC_ANSWER_NODOC_MISSING, "");
    assert_string_equal(s_rig.out->from, "none");
    assert_int_equal(s_rig.out->ends_at, T_RIG_ENDS_AT);
    s_answer(AC_ANSWER_DONE, "");
    assert_bob_is_shown();
}

static void
lost_record_is_claimed_and_the_batch_sent_again(void **state)
{
    (void) state;
    s_send_batch();
    char body[512];
    (void) snprintf(body, sizeof body, "%s", t_rig_body(&s_rig));
    s_answer(AC_ANSWER_FENCED, "none");
    assert_int_equal(s_rig.out->script, AC_SCRIPT_CLAIM);
    s_answer(AC_ANSWER_DONE, "7:4:00000000000000aa");
    assert_int_equal(s_rig.out->script, AC_SCRIPT_WRITE);
    assert_string_equal(s_rig.out->token, "7:4:00000000000000aa");
    assert_string_equal(t_rig_body(&s_rig), body);
    s_answer(AC_ANSWER_DONE, "");
    assert_bob_is_shown();
}

static void
store_that_lost_both_gets_them_created(void **state)
{
    (void) state;
    s_send_batch();
    s_answer(AC_ANSWER_FENCED, "none");
    s_answer(AC_ANSWER_NODOC_MISSING, "");
    assert_int_equal(s_rig.out->script, AC_SCRIPT_CREATE);
    assert_string_equal(s_rig.out->nonce, "nonce");
    assert_non_null(strstr(t_rig_body(&s_rig), "bob"));
    s_answer(AC_ANSWER_DONE, "7:1:00000000000000aa");
    assert_bob_is_shown();
}

static void
own_late_claim_is_adopted(void **state)
{
    (void) state;
    s_send_batch();
    s_answer(AC_ANSWER_FENCED, "7:9:00000000000000aa");
    assert_int_equal(s_rig.out->script, AC_SCRIPT_WRITE);
    assert_string_equal(s_rig.out->token, "7:9:00000000000000aa");
    s_answer(AC_ANSWER_ALREADY, "");
    assert_bob_is_shown();
}

static void
ended_poll_is_gone(void **state)
{
    (void) state;
    s_send_batch();
    s_answer(AC_ANSWER_FENCED, "7:1:ended");
    pr_event_t ended = t_rig_expect(&s_rig, 1, PR_MSG_POLL_ENDED);
    assert_true(pr_str_equal(ended.poll_ended.why, PR_STR("cancelled")));
    assert_true(s_rig.finished);
}

static void
new_owner_is_made_way_for(void **state)
{
    (void) state;
    s_send_batch();
    pr_event_t read = t_rig_command(3, "c1", "nominate");
    s_event(1, &read);
    s_answer(AC_ANSWER_FENCED, "8:2:00000000000000bb");
    pr_event_t reply = t_rig_expect(&s_rig, 1, PR_MSG_REPLY);
    assert_true(pr_str_equal(reply.reply.code, PR_STR("moved")));
    pr_event_t moved = t_rig_expect(&s_rig, 1, PR_MSG_MOVED);
    assert_int_equal(moved.moved.generation, 8);
    assert_string_equal(ac_actor_state_name(s_actor), "LOST");

    pr_event_t connect = t_rig_connect("c3", T_RIG_BOB, PR_STR_NONE);
    s_event(1, &connect);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_MOVED);
    assert_null(s_rig.out);
    ac_actor_roster(s_actor);
    assert_false(s_rig.finished);
    s_rig.env.generation = 8;
    ac_actor_roster(s_actor);
    assert_true(s_rig.finished);
}

/* A stray event made another process of the same roster load it: it is ours, and taken back,
 * once. */
static void
stray_owner_is_not_made_way_for(void **state)
{
    (void) state;
    s_rig.is_ours = true;
    s_send_batch();
    s_answer(AC_ANSWER_FENCED, "7:2:00000000000000bb");
    assert_int_equal(s_rig.out->script, AC_SCRIPT_CLAIM);
    assert_string_equal(ac_actor_state_name(s_actor), "LOADING");
    t_rig_expect_quiet(&s_rig);
    t_rig_answer(
        &s_rig, AC_ANSWER_DONE, "7:3:00000000000000aa",
        "{\"id\":\"ABC123\",\"topic\":\"Lunch\",\"votesPerVoter\":3,\"participants\":{"
        "\"alice-alice-alice-ali\":\"Name\"},"
        "\"nominations\":{},\"rankings\":{},\"results\":[],\"adminID\":\"alice-alice-alice-ali\","
        "\"hasStarted\":false,\"meta\":{\"schema\":1,\"version\":2,\"rev\":\"2-00000000000000ff\","
        "\"state\":\"open\",\"endsAt\":1800003600000,\"ballots\":\"secret\",\"removed\":{},"
        "\"ballotSeq\":{},\"nonce\":\"nonce\"}}");
    t_rig_turn(&s_rig);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_POLL_SNAPSHOT);
    assert_string_equal(s_rig.out->token, "7:3:00000000000000aa");
    s_answer(AC_ANSWER_FENCED, "7:4:00000000000000bb");
    (void) t_rig_expect(&s_rig, 1, PR_MSG_MOVED);
    /* No newer roster need come: whoever comes next loads it anew. */
    assert_true(s_rig.finished);
}

/* A roster took the poll away and another gave it back: who wrote meanwhile was not us. */
static void
newer_feed_is_believed_before_us(void **state)
{
    (void) state;
    s_rig.is_ours = false;
    pr_event_t sync = t_rig_connect("c4", T_RIG_BOB, PR_STR("9-00000000000000ff"));
    s_event(1, &sync);
    t_rig_expect_quiet(&s_rig);
    t_rig_turn(&s_rig);
    assert_int_equal(s_rig.out->script, AC_SCRIPT_WRITE);
    s_answer(AC_ANSWER_FENCED, "7:2:00000000000000bb");
    (void) t_rig_expect(&s_rig, 1, PR_MSG_MOVED);
    assert_string_equal(ac_actor_state_name(s_actor), "LOST");
}

static void
foreign_hand_is_quarantined(void **state)
{
    (void) state;
    s_send_batch();
    s_answer(AC_ANSWER_BADTYPE, "WRONGTYPE");
    (void) t_rig_expect(&s_rig, 1, PR_MSG_REFUSED);
    assert_string_equal(ac_actor_state_name(s_actor), "QUARANTINED");
    pr_event_t read = t_rig_read(4);
    s_event(1, &read);
    pr_event_t reply = t_rig_expect(&s_rig, 1, PR_MSG_REPLY);
    assert_true(pr_str_equal(reply.reply.code, PR_STR("unavailable")));
}

/* --- after the store was away --- */

static void
intact_store_is_only_asked(void **state)
{
    (void) state;
    assert_true(ac_actor_verify(s_actor));
    assert_string_equal(s_rig.out->from, s_rev);
    assert_string_equal(s_rig.out->to, s_rev);
    assert_false(ac_actor_verify(s_actor));
    s_answer(AC_ANSWER_ALREADY, s_rev);
    t_rig_expect_quiet(&s_rig);
    assert_string_equal(ac_actor_state_name(s_actor), "READY");
}

static void
rolled_back_store_is_healed_without_a_change(void **state)
{
    (void) state;
    assert_true(ac_actor_verify(s_actor));
    s_answer(AC_ANSWER_CONFLICT, "1-00000000000000ff");
    assert_int_equal(s_rig.out->ends_at, T_RIG_ENDS_AT);
    assert_true(strncmp(s_rig.out->to, "3-", 2) == 0);
    s_answer(AC_ANSWER_DONE, "");
    pr_event_t update = t_rig_expect(&s_rig, 1, PR_MSG_POLL_UPDATED);
    assert_true(pr_str_starts(update.poll_updated.to, PR_STR("3-")));
    assert_int_equal(update.poll_updated.patch.object->via.map.size, 2);
    t_rig_expect_quiet(&s_rig);
}

static void
emptied_store_gets_the_poll_back_as_it_was(void **state)
{
    (void) state;
    assert_true(ac_actor_verify(s_actor));
    s_answer(AC_ANSWER_FENCED, "none");
    s_answer(AC_ANSWER_NODOC_MISSING, "");
    assert_int_equal(s_rig.out->script, AC_SCRIPT_CREATE);
    char rev[64];
    (void) snprintf(rev, sizeof rev, "\"rev\":\"%s\"", s_rev);
    assert_non_null(strstr(t_rig_body(&s_rig), rev));
    s_answer(AC_ANSWER_DONE, "7:1:00000000000000aa");
    t_rig_expect_quiet(&s_rig);
    assert_string_equal(ac_actor_state_name(s_actor), "READY");
}

static void
put_back_twice_ends_in_a_write(void **state)
{
    (void) state;
    s_send_batch();
    s_answer(AC_ANSWER_FENCED, "none");
    s_answer(AC_ANSWER_NODOC_MISSING, "");
    s_answer(AC_ANSWER_ALREADY, "7:1:00000000000000aa");
    assert_int_equal(s_rig.out->script, AC_SCRIPT_CLAIM);
    s_answer(AC_ANSWER_DONE, "7:2:00000000000000aa");
    assert_int_equal(s_rig.out->script, AC_SCRIPT_WRITE);
    s_answer(AC_ANSWER_ALREADY, "");
    assert_bob_is_shown();
}

/* Another actor, without a roster, that was told that its poll's owner has one. */
static ac_actor_t *
s_stale_without_a_roster(t_rig_t *rig)
{
    t_rig_init(rig);
    rig->env.generation = 0;
    ac_actor_t *actor = ac_actor_new(&rig->env, T_RIG_POLL);
    pr_event_t connect = t_rig_connect("c1", T_RIG_ALICE, PR_STR_NONE);
    ac_actor_event(actor, 1, &connect);
    t_rig_answer(rig, AC_ANSWER_STALE, "7:1:00000000000000bb", NULL);
    return actor;
}

static void
claim_without_a_roster_waits_for_one(void **state)
{
    (void) state;
    t_rig_t rig;
    ac_actor_t *actor = s_stale_without_a_roster(&rig);
    t_rig_expect_quiet(&rig);
    assert_null(rig.out);
    rig.env.generation = 7;
    ac_actor_roster(actor);
    const ac_request_t *claim = rig.out;
    assert_true(claim && claim->script == AC_SCRIPT_CLAIM);
    t_rig_answer(&rig, AC_ANSWER_STALE, "9:1:00000000000000bb", NULL);
    pr_event_t moved = t_rig_expect(&rig, 1, PR_MSG_MOVED);
    assert_int_equal(moved.moved.generation, 9);
    assert_true(rig.finished);
    assert_int_equal(rig.env.generation_seen, 9);
    ac_actor_destroy(&actor);
    t_rig_fini(&rig);
}

/* The first roster says that it is somebody else's. */
static void
claim_without_a_roster_is_given_up_for_another_s(void **state)
{
    (void) state;
    t_rig_t rig;
    ac_actor_t *actor = s_stale_without_a_roster(&rig);
    rig.env.generation = 7;
    rig.is_ours = false;
    ac_actor_roster(actor);
    (void) t_rig_expect(&rig, 1, PR_MSG_MOVED);
    assert_true(rig.finished);
    ac_actor_destroy(&actor);
    t_rig_fini(&rig);
}

/* A newer roster: until the claim is as new, whoever has not heard of it could take the poll. */
static void
claim_is_renewed_under_a_newer_roster(void **state)
{
    (void) state;
    s_rig.is_ours = true;
    s_rig.env.generation = 8;
    ac_actor_roster(s_actor);
    t_rig_turn(&s_rig);
    assert_int_equal(s_rig.out->script, AC_SCRIPT_CLAIM);
    t_rig_answer(&s_rig, AC_ANSWER_DONE, "8:2:00000000000000aa", "{}");
    assert_string_equal(s_rig.out->token, "8:2:00000000000000aa");
    assert_string_equal(s_rig.out->from, s_rev);
    assert_string_equal(s_rig.out->to, s_rev);
    s_answer(AC_ANSWER_ALREADY, s_rev);
    assert_string_equal(ac_actor_state_name(s_actor), "READY");
    assert_null(s_rig.out);
    t_rig_expect_quiet(&s_rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(older_store_gets_the_whole_document),
        TEST(store_that_got_further_is_loaded_anew),
        TEST(lost_document_is_written_from_none),
        TEST(lost_record_is_claimed_and_the_batch_sent_again),
        TEST(store_that_lost_both_gets_them_created),
        TEST(own_late_claim_is_adopted),
        TEST(ended_poll_is_gone),
        TEST(new_owner_is_made_way_for),
        TEST(stray_owner_is_not_made_way_for),
        TEST(newer_feed_is_believed_before_us),
        TEST(claim_is_renewed_under_a_newer_roster),
        TEST(foreign_hand_is_quarantined),
        TEST(intact_store_is_only_asked),
        TEST(rolled_back_store_is_healed_without_a_change),
        TEST(emptied_store_gets_the_poll_back_as_it_was),
        TEST(put_back_twice_ends_in_a_write),
        TEST(claim_without_a_roster_waits_for_one),
        TEST(claim_without_a_roster_is_given_up_for_another_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
