/* SPDX-License-Identifier: MIT */

/* What an actor says to gateways and to a store that does as it is told. */

#include "actor_world.h"
#include "actors/actor_body.h"
#include "proto/wire/error.h"

static int
s_setup(void **state)
{
    (void) state;
    s_begin();
    return 0;
}

static void
s_pass(int64_t ms)
{
    for (int64_t passed = 0; passed < ms; passed += 100) {
        t_rig_pass(&s_rig, 100);
        t_rig_turn(&s_rig);
    }
}

/* A poll that exists, READY, nobody in it. */
static void
s_open(void)
{
    pr_event_t create = t_rig_create(1, "nonce");
    s_event(1, &create);
    s_answer(AC_ANSWER_DONE, "7:1:00000000000000aa");
    (void) t_rig_expect(&s_rig, 1, PR_MSG_REPLY);
    assert_string_equal(ac_actor_state_name(s_actor), "READY");
}

/* Alice is in it, by conn "c1" of gateway 1. */
static void
s_open_with_alice(void)
{
    s_open();
    pr_event_t connect = t_rig_connect("c1", T_RIG_ALICE, PR_STR_NONE);
    s_event(1, &connect);
    s_answer(AC_ANSWER_DONE, "");
    assert_int_equal(t_rig_count(&s_rig, PR_MSG_CONNECTED), 1);
}

static void
assert_reply(int64_t req, const char *code, const char *outcome)
{
    pr_event_t reply = t_rig_expect(&s_rig, 1, PR_MSG_REPLY);
    assert_int_equal(reply.reply.req, req);
    assert_true(pr_str_equal(reply.reply.code, pr_str(code)));
    assert_true(pr_str_equal(reply.reply.outcome, pr_str(outcome)));
}

/* --- the table --- */

static void
every_cell_of_the_table_is_filled(void **state)
{
    (void) state;
    for (int on = 0; on < AC_ON_COUNT; on++) {
        assert_non_null(ac_on_name((ac_on_t) on));
        for (int st = 0; st < AC_STATE_COUNT; st++) {
            assert_non_null(ac_actor_cell((ac_on_t) on, (ac_state_t) st));
            assert_non_null(ac_state_name((ac_state_t) st));
        }
    }
}

/* --- coming --- */

static void
create_is_answered_when_it_is_saved(void **state)
{
    (void) state;
    pr_event_t create = t_rig_create(42, "nonce-1");
    s_event(1, &create);
    assert_int_equal(s_rig.out->script, AC_SCRIPT_CREATE);
    assert_string_equal(s_rig.out->nonce, "nonce-1");
    assert_int_equal(s_rig.out->ends_at, T_RIG_ENDS_AT);
    assert_non_null(strstr(t_rig_body(&s_rig), "\"nonce\":\"nonce-1\""));
    t_rig_expect_quiet(&s_rig);

    s_answer(AC_ANSWER_DONE, "7:1:00000000000000aa");
    pr_event_t reply = t_rig_expect(&s_rig, 1, PR_MSG_REPLY);
    assert_int_equal(reply.reply.req, 42);
    assert_true(pr_str_equal(reply.reply.outcome, PR_STR("saved")));
    const msgpack_object *document = pr_object_member(reply.reply.data.object, PR_STR("document"));
    assert_true(
        pr_str_equal(pr_object_str(pr_object_member(document, PR_STR("topic"))), PR_STR("Lunch")));
    t_rig_expect_quiet(&s_rig);
}

static void
create_again_is_saved_and_another_nonce_is_taken(void **state)
{
    (void) state;
    s_open();
    pr_event_t again = t_rig_create(2, "nonce");
    s_event(1, &again);
    assert_reply(2, "ok", "saved");
    pr_event_t other = t_rig_create(3, "other");
    s_event(1, &other);
    assert_reply(3, "taken", "none");
    assert_null(s_rig.out);
}

static void
create_of_an_id_in_use_is_taken(void **state)
{
    (void) state;
    pr_event_t create = t_rig_create(5, "nonce");
    s_event(1, &create);
    s_answer(AC_ANSWER_TAKEN_POLL, "");
    assert_reply(5, "taken", "none");
    assert_true(s_rig.finished);
}

static void
create_that_was_applied_before_is_claimed(void **state)
{
    (void) state;
    pr_event_t create = t_rig_create(5, "nonce");
    s_event(1, &create);
    char document[2048];
    (void) snprintf(document, sizeof document, "%s", t_rig_body(&s_rig));
    s_answer(AC_ANSWER_ALREADY, "7:1:00000000000000bb");
    assert_int_equal(s_rig.out->script, AC_SCRIPT_CLAIM);
    t_rig_answer(&s_rig, AC_ANSWER_DONE, "7:2:00000000000000aa", document);
    t_rig_turn(&s_rig);
    assert_reply(5, "ok", "saved");
}

static void
poll_that_does_not_exist(void **state)
{
    (void) state;
    pr_event_t connect = t_rig_connect("c1", T_RIG_ALICE, PR_STR_NONE);
    s_event(1, &connect);
    pr_event_t read = t_rig_read(9);
    s_event(1, &read);
    assert_int_equal(s_rig.out->script, AC_SCRIPT_CLAIM);
    s_answer(AC_ANSWER_NODOC_MISSING, "");
    assert_reply(9, "not_found", "none");
    pr_event_t refused = t_rig_expect(&s_rig, 1, PR_MSG_REFUSED);
    assert_true(pr_str_equal(refused.refused.text, PR_STR("Poll not found")));
    assert_true(s_rig.finished);
}

static void
load_waits_for_the_store_but_its_requests_do_not(void **state)
{
    (void) state;
    pr_event_t read = t_rig_read(9);
    s_event(1, &read);
    s_pass(9900);
    t_rig_expect_quiet(&s_rig);
    s_pass(400);
    assert_reply(9, "unavailable", "none");
    assert_true(s_rig.finished);
    assert_int_equal(s_rig.cancelled, 1);
}

static void
deadline_of_a_create_is_unknown(void **state)
{
    (void) state;
    pr_event_t create = t_rig_create(5, "nonce");
    s_event(1, &create);
    s_pass(10300);
    assert_reply(5, "unknown", "unknown");
    s_answer(AC_ANSWER_DONE, "7:1:00000000000000aa");
    t_rig_expect_quiet(&s_rig);
}

/* --- turns --- */

static void
connected_follows_the_update_that_lists_the_user(void **state)
{
    (void) state;
    s_open();
    pr_event_t connect = t_rig_connect("c1", T_RIG_ALICE, PR_STR_NONE);
    s_event(1, &connect);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_POLL_SNAPSHOT);
    t_rig_expect_quiet(&s_rig);
    const char *body = t_rig_body(&s_rig);
    assert_non_null(strstr(body, "{\"participants\":{\"alice-alice-alice-ali\":\"Name\"},"));
    char rev[64];
    (void) snprintf(rev, sizeof rev, "\"rev\":\"%s\"", s_rig.out->to);
    assert_non_null(strstr(body, rev));

    s_answer(AC_ANSWER_DONE, "");
    pr_event_t update = t_rig_expect(&s_rig, 1, PR_MSG_POLL_UPDATED);
    assert_true(pr_str_starts(update.poll_updated.from, PR_STR("1-")));
    assert_true(pr_str_starts(update.poll_updated.to, PR_STR("2-")));
    pr_event_t connected = t_rig_expect(&s_rig, 1, PR_MSG_CONNECTED);
    assert_true(pr_str_equal(connected.connected.conn, PR_STR("c1")));
    assert_true(pr_str_starts(connected.connected.rev, PR_STR("2-")));
    t_rig_expect_quiet(&s_rig);
    assert_int_equal(s_rig.published, 1);
}

static void
storm_of_joins_is_a_handful_of_scripts(void **state)
{
    (void) state;
    s_open();
    for (int i = 0; i < 500; i++) {
        char conn[16];
        char user[32];
        (void) snprintf(conn, sizeof conn, "c%d", i);
        (void) snprintf(user, sizeof user, "user-%016d", i);
        pr_event_t connect = t_rig_connect(conn, pr_str(user), PR_STR_NONE);
        ac_actor_event(s_actor, 1 + (uint32_t) i % 2, &connect);
    }
    t_rig_turn(&s_rig);
    size_t before = s_rig.submitted;
    while (s_rig.out) {
        s_answer(AC_ANSWER_DONE, "");
    }
    assert_int_equal(s_rig.submitted - before, 1);
    assert_int_equal(s_rig.env.counters.snapshots, 2);
    assert_int_equal(s_rig.env.counters.updates, 4);
    assert_int_equal(t_rig_count(&s_rig, PR_MSG_CONNECTED), 500);
}

static void
nothing_is_decided_while_a_batch_is_out(void **state)
{
    (void) state;
    s_open_with_alice();
    pr_event_t bob = t_rig_connect("c2", T_RIG_BOB, PR_STR_NONE);
    s_event(1, &bob);
    assert_string_equal(ac_actor_state_name(s_actor), "SAVING");
    pr_event_t leave = t_rig_disconnect("c1", "leave");
    s_event(1, &leave);
    assert_null(strstr(t_rig_body(&s_rig), "alice"));
    s_answer(AC_ANSWER_DONE, "");
    assert_non_null(strstr(t_rig_body(&s_rig), "\"alice-alice-alice-ali\":null"));
    s_answer(AC_ANSWER_DONE, "");
    assert_int_equal(t_rig_count(&s_rig, PR_MSG_POLL_UPDATED), 2);
}

static void
second_tab_is_answered_at_once_unless_the_batch_removes_its_user(void **state)
{
    (void) state;
    s_open_with_alice();
    s_rig.env.store_up = false;
    pr_event_t bob = t_rig_connect("c2", T_RIG_BOB, PR_STR_NONE);
    s_event(1, &bob);
    assert_string_equal(ac_actor_state_name(s_actor), "UNSURE");
    pr_event_t tab = t_rig_connect("c3", T_RIG_ALICE, PR_STR_NONE);
    s_event(1, &tab);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_CONNECTED);
    t_rig_expect_quiet(&s_rig);
    s_answer(AC_ANSWER_DONE, "");
    (void) t_rig_count(&s_rig, PR_MSG_CONNECTED);

    pr_event_t one = t_rig_disconnect("c1", "leave");
    pr_event_t three = t_rig_disconnect("c3", "leave");
    s_event(1, &one);
    s_event(1, &three);
    pr_event_t back = t_rig_connect("c4", T_RIG_ALICE, PR_STR_NONE);
    s_event(1, &back);
    t_rig_expect_quiet(&s_rig);
    s_answer(AC_ANSWER_DONE, "");
    (void) t_rig_expect(&s_rig, 1, PR_MSG_POLL_UPDATED);
    t_rig_expect_quiet(&s_rig);
    s_answer(AC_ANSWER_DONE, "");
    (void) t_rig_expect(&s_rig, 1, PR_MSG_POLL_UPDATED);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_CONNECTED);
}

static void
commands_that_are_not_here_yet_are_refused(void **state)
{
    (void) state;
    s_open_with_alice();
    pr_event_t command = t_rig_command(11, "c1", "nominate");
    s_event(1, &command);
    assert_reply(11, "bad_request", "none");
    command = t_rig_command(12, "c1", "no_such_verb");
    s_event(1, &command);
    assert_reply(12, "bad_request", "none");
    assert_null(s_rig.out);
}

static void
ninth_command_of_a_conn_is_busy(void **state)
{
    (void) state;
    s_open_with_alice();
    pr_event_t bob = t_rig_connect("c2", T_RIG_BOB, PR_STR_NONE);
    s_event(1, &bob);
    for (int i = 0; i < 8; i++) {
        pr_event_t command = t_rig_command(i, "c1", "nominate");
        s_event(1, &command);
    }
    t_rig_expect_quiet(&s_rig);
    pr_event_t command = t_rig_command(99, "c1", "nominate");
    s_event(1, &command);
    assert_reply(99, "busy", "none");
    s_answer(AC_ANSWER_DONE, "");
    assert_int_equal(t_rig_count(&s_rig, PR_MSG_REPLY), 8);
}

static void
full_poll_refuses(void **state)
{
    (void) state;
    s_rig.env.rules.participants_max = 1;
    s_open_with_alice();
    pr_event_t bob = t_rig_connect("c2", T_RIG_BOB, PR_STR_NONE);
    s_event(1, &bob);
    pr_event_t refused = t_rig_expect(&s_rig, 1, PR_MSG_REFUSED);
    assert_true(pr_str_equal(refused.refused.code, PR_STR("full")));
    assert_int_equal(ac_actor_conn_count(s_actor), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_cell_of_the_table_is_filled),
        TEST(create_is_answered_when_it_is_saved),
        TEST(create_again_is_saved_and_another_nonce_is_taken),
        TEST(create_of_an_id_in_use_is_taken),
        TEST(create_that_was_applied_before_is_claimed),
        TEST(poll_that_does_not_exist),
        TEST(load_waits_for_the_store_but_its_requests_do_not),
        TEST(deadline_of_a_create_is_unknown),
        TEST(connected_follows_the_update_that_lists_the_user),
        TEST(storm_of_joins_is_a_handful_of_scripts),
        TEST(nothing_is_decided_while_a_batch_is_out),
        TEST(second_tab_is_answered_at_once_unless_the_batch_removes_its_user),
        TEST(commands_that_are_not_here_yet_are_refused),
        TEST(ninth_command_of_a_conn_is_busy),
        TEST(full_poll_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
