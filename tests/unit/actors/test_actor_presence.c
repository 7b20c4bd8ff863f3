/* SPDX-License-Identifier: MIT */

/* An actor and time, and gateways that come, go and do not read: grace, idle, end, windows,
 * SYNC. */

#include "actor_world.h"

/* Ends early when the actor goes. Questions whether the poll is still its own are answered. */
static void
s_pass(int64_t ms)
{
    for (int64_t passed = 0; passed < ms && !s_rig.finished; passed += 100) {
        (void) t_rig_confirm(&s_rig);
        t_rig_turn(&s_rig);
        t_rig_pass(&s_rig, 100);
        t_rig_turn(&s_rig);
    }
    if (t_rig_confirm(&s_rig)) {
        t_rig_turn(&s_rig);
    }
}

static void
s_saved(void)
{
    while (s_rig.out) {
        s_answer(AC_ANSWER_DONE, "");
    }
}

static void
s_join(uint32_t gateway, const char *conn, pr_str_t user)
{
    pr_event_t connect = t_rig_connect(conn, user, PR_STR_NONE);
    s_event(gateway, &connect);
    s_saved();
}

/* READY, with Alice in it by conn "c1" of gateway 1. */
static int
s_setup(void **state)
{
    (void) state;
    s_begin();
    pr_event_t create = t_rig_create(1, "nonce");
    s_event(1, &create);
    s_answer(AC_ANSWER_DONE, T_RIG_TOKEN);
    s_join(1, "c1", T_RIG_ALICE);
    assert_int_equal(t_rig_count(&s_rig, PR_MSG_CONNECTED), 1);
    return 0;
}

static void
s_leave(uint32_t gateway, const char *conn, const char *why)
{
    pr_event_t disconnect = t_rig_disconnect(conn, why);
    s_event(gateway, &disconnect);
}

/* SYNC of gateway 1 with the conns c1 (Alice) and c2 (Bob), or the first of them. */
static void
s_sync(size_t conns, const char *rev, int64_t last)
{
    pr_buf_t *list = pr_buf_new(64);
    msgpack_packer packer = pr_packer(list);
    msgpack_pack_array(&packer, conns);
    const pr_str_t users[] = {T_RIG_ALICE, T_RIG_BOB};
    const pr_str_t ids[] = {PR_STR("c1"), PR_STR("c2")};
    for (size_t i = 0; i < conns; i++) {
        msgpack_pack_array(&packer, 3);
        pr_pack_str(&packer, ids[i]);
        pr_pack_str(&packer, users[i]);
        pr_pack_str(&packer, PR_STR("Name"));
    }
    pr_unpacked_t *memory = pr_unpacked_new();
    pr_event_t event = pr_event(PR_MSG_SYNC, T_RIG_POLL);
    assert_int_equal(pr_value_unpack(pr_buf_str(list), memory, &event.sync.conns.object), 0);
    event.sync.rev = pr_str(rev);
    event.sync.last = last;
    s_event(1, &event);
    pr_unpacked_destroy(&memory);
    pr_buf_destroy(&list);
}

/* --- grace --- */

static void
leave_is_at_once(void **state)
{
    (void) state;
    s_leave(1, "c1", "leave");
    assert_non_null(strstr(t_rig_body(&s_rig), "\"alice-alice-alice-ali\":null"));
    s_saved();
    /* Nobody there to be told, but for the tap. */
    t_rig_expect_quiet(&s_rig);
    assert_int_equal(s_rig.published, 2);
}

static void
reload_and_loss_have_their_grace(void **state)
{
    (void) state;
    s_leave(1, "c1", "reload");
    s_pass(1900);
    assert_null(s_rig.out);
    s_pass(300);
    assert_non_null(s_rig.out);
    s_saved();

    s_join(1, "c2", T_RIG_BOB);
    s_leave(1, "c2", "lost");
    s_pass(9900);
    assert_null(s_rig.out);
    s_pass(300);
    assert_non_null(s_rig.out);
    s_saved();
}

static void
return_ends_the_grace(void **state)
{
    (void) state;
    s_leave(1, "c1", "lost");
    s_pass(5000);
    pr_event_t back = t_rig_connect("c9", T_RIG_ALICE, PR_STR_NONE);
    s_event(2, &back);
    (void) t_rig_expect(&s_rig, 2, PR_MSG_POLL_SNAPSHOT);
    (void) t_rig_expect(&s_rig, 2, PR_MSG_CONNECTED);
    s_pass(20000);
    assert_null(s_rig.out);
}

/* Nothing changes and nobody comes: another may have taken the poll all the same. */
static void
quiet_actor_asks_whether_it_is_still_the_owner(void **state)
{
    (void) state;
    int64_t asked = s_rig.env.counters.scripts;
    s_pass(PR_ACTOR_CONFIRM_MS + 500);
    assert_int_equal(s_rig.env.counters.scripts, asked + 1);
    s_pass(PR_ACTOR_CONFIRM_MS + 500);
    assert_int_equal(s_rig.env.counters.scripts, asked + 2);
    /* Nobody to be shown anything. */
    s_leave(1, "c1", "lost");
    s_pass(PR_ACTOR_CONFIRM_MS + 500);
    assert_int_equal(s_rig.env.counters.scripts, asked + 2);
}

static void
two_tabs_are_one_participant(void **state)
{
    (void) state;
    s_join(2, "c1", T_RIG_ALICE);
    s_leave(1, "c1", "leave");
    assert_null(s_rig.out);
    s_leave(2, "c1", "leave");
    assert_non_null(s_rig.out);
    s_saved();
}

static void
dead_gateway_loses_its_conns(void **state)
{
    (void) state;
    s_join(2, "c2", T_RIG_BOB);
    (void) t_rig_count(&s_rig, PR_MSG_CONNECTED);
    ac_actor_gateway_lost(s_actor, 1);
    t_rig_turn(&s_rig);
    assert_int_equal(ac_actor_conn_count(s_actor), 1);
    s_pass(10300);
    assert_non_null(strstr(t_rig_body(&s_rig), "\"alice-alice-alice-ali\":null"));
    s_saved();
    (void) t_rig_expect(&s_rig, 2, PR_MSG_POLL_UPDATED);
    t_rig_expect_quiet(&s_rig);
}

/* --- the end --- */

static void
idle_actor_goes_and_a_busy_one_stays(void **state)
{
    (void) state;
    s_pass(60000);
    assert_false(s_rig.finished);
    s_leave(1, "c1", "leave");
    s_saved();
    s_pass(29000);
    assert_false(s_rig.finished);
    s_pass(1300);
    assert_true(s_rig.finished);
}

static void
poll_ends_at_its_time(void **state)
{
    (void) state;
    s_pass(3599000);
    assert_null(s_rig.out);
    s_pass(1300);
    assert_int_equal(s_rig.out->script, AC_SCRIPT_FINISH);
    pr_event_t late = t_rig_connect("c2", T_RIG_BOB, PR_STR_NONE);
    s_event(1, &late);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_REFUSED);
    pr_event_t read = t_rig_read(3);
    s_event(1, &read);
    pr_event_t reply = t_rig_expect(&s_rig, 1, PR_MSG_REPLY);
    assert_true(pr_str_equal(reply.reply.code, PR_STR("not_found")));
    s_answer(AC_ANSWER_DONE, "");
    (void) t_rig_expect(&s_rig, 1, PR_MSG_POLL_ENDED);
    assert_true(s_rig.finished);
}

static void
poll_loaded_past_its_end_is_finished_and_not_found(void **state)
{
    (void) state;
    t_rig_t rig;
    t_rig_init(&rig);
    ac_actor_t *actor = ac_actor_new(&rig.env, T_RIG_POLL);
    pr_event_t read = t_rig_read(5);
    ac_actor_event(actor, 1, &read);
    pr_event_t connect = t_rig_connect("c1", T_RIG_ALICE, PR_STR_NONE);
    ac_actor_event(actor, 1, &connect);
    t_rig_answer(&rig, AC_ANSWER_DONE, "7:2:00000000000000aa",
                 "{\"id\":\"ABC123\",\"topic\":\"Late\",\"votesPerVoter\":3,\"participants\":{},"
                 "\"nominations\":{},\"rankings\":{},\"results\":[],"
                 "\"adminID\":\"alice-alice-alice-ali\",\"hasStarted\":false,\"meta\":{"
                 "\"schema\":1,\"version\":1,\"rev\":\"1-00000000000000ff\",\"state\":\"open\","
                 "\"endsAt\":1700000000000,\"ballots\":\"secret\",\"removed\":{},"
                 "\"ballotSeq\":{},\"nonce\":\"nonce\"}}");
    pr_event_t reply = t_rig_expect(&rig, 1, PR_MSG_REPLY);
    assert_true(pr_str_equal(reply.reply.code, PR_STR("not_found")));
    (void) t_rig_expect(&rig, 1, PR_MSG_REFUSED);
    assert_int_equal(rig.out->script, AC_SCRIPT_FINISH);
    t_rig_answer(&rig, AC_ANSWER_DONE, "", NULL);
    assert_true(rig.finished);
    ac_actor_destroy(&actor);
    t_rig_fini(&rig);
}

/* --- windows --- */

static void
full_window_gets_one_snapshot_then_what_waited(void **state)
{
    (void) state;
    s_join(2, "c8", T_RIG_BOB);
    (void) t_rig_count(&s_rig, PR_MSG_CONNECTED);
    s_rig.full[1] = true;
    pr_event_t third = t_rig_connect("c3", PR_STR("carol-carol-carol-car"), PR_STR_NONE);
    s_event(1, &third);
    pr_event_t command = t_rig_command(7, "c1", "nominate");
    s_event(1, &command);
    s_saved();
    s_leave(2, "c8", "leave");
    s_saved();
    assert_true(s_rig.starved[1]);
    assert_int_equal(t_rig_count(&s_rig, PR_MSG_POLL_UPDATED), 1);

    s_rig.full[1] = false;
    ac_actor_writable(s_actor, 1);
    pr_event_t snapshot = t_rig_expect(&s_rig, 1, PR_MSG_POLL_SNAPSHOT);
    assert_true(pr_str_starts(snapshot.poll_snapshot.rev, PR_STR("5-")));
    pr_event_t connected = t_rig_expect(&s_rig, 1, PR_MSG_CONNECTED);
    assert_true(pr_str_equal(connected.connected.conn, PR_STR("c3")));
    (void) t_rig_expect(&s_rig, 1, PR_MSG_REPLY);
    t_rig_expect_quiet(&s_rig);

    s_leave(1, "c3", "leave");
    s_saved();
    (void) t_rig_expect(&s_rig, 1, PR_MSG_POLL_UPDATED);
}

static void
gateway_that_never_reads_is_given_up(void **state)
{
    (void) state;
    s_rig.full[1] = true;
    for (int i = 0; i < 40000 && !s_rig.given_up[1]; i++) {
        pr_event_t command = t_rig_command(i, "c1", "nominate");
        s_event(1, &command);
    }
    assert_true(s_rig.given_up[1]);
    ac_actor_gateway_lost(s_actor, 1);
    assert_int_equal(ac_actor_conn_count(s_actor), 0);
}

static void
answer_to_who_has_no_conn_waits_too(void **state)
{
    (void) state;
    s_rig.full[3] = true;
    pr_event_t read = t_rig_read(8);
    s_event(3, &read);
    read = t_rig_read(9);
    s_event(3, &read);
    t_rig_expect_quiet(&s_rig);
    s_rig.full[3] = false;
    ac_actor_writable(s_actor, 3);
    pr_event_t first = t_rig_expect(&s_rig, 3, PR_MSG_REPLY);
    assert_true(pr_str_equal(first.reply.code, PR_STR("ok")));
    pr_event_t second = t_rig_expect(&s_rig, 3, PR_MSG_REPLY);
    assert_true(pr_str_equal(second.reply.code, PR_STR("busy")));
    t_rig_expect_quiet(&s_rig);
}

/* --- SYNC and RESYNC --- */

static void
sync_at_the_saved_rev_brings_no_document(void **state)
{
    (void) state;
    pr_event_t read = t_rig_read(2);
    s_event(1, &read);
    pr_event_t reply = t_rig_expect(&s_rig, 1, PR_MSG_REPLY);
    char rev[40];
    (void) snprintf(rev, sizeof rev, "%.*s", PR_STR_ARG(reply.reply.rev));
    ac_actor_gateway_lost(s_actor, 1);
    s_sync(1, rev, 1);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_CONNECTED);
    t_rig_expect_quiet(&s_rig);
    s_sync(1, "1-0000000000000000", PR_INT_NONE);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_POLL_SNAPSHOT);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_CONNECTED);
    t_rig_expect_quiet(&s_rig);
}

static void
sync_in_parts_replaces_the_set_at_its_last(void **state)
{
    (void) state;
    s_join(1, "c2", T_RIG_BOB);
    s_join(1, "c3", PR_STR("carol-carol-carol-car"));
    (void) t_rig_count(&s_rig, PR_MSG_CONNECTED);
    s_sync(1, NULL, 0);
    assert_int_equal(ac_actor_conn_count(s_actor), 3);
    t_rig_expect_quiet(&s_rig);
    s_sync(2, NULL, 1);
    assert_int_equal(ac_actor_conn_count(s_actor), 2);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_POLL_SNAPSHOT);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_CONNECTED);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_CONNECTED);
    s_pass(10300);
    assert_non_null(strstr(t_rig_body(&s_rig), "\"carol-carol-carol-car\":null"));
    s_saved();
}

static void
resync_brings_the_document(void **state)
{
    (void) state;
    pr_event_t resync = pr_event(PR_MSG_RESYNC, T_RIG_POLL);
    s_event(1, &resync);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_POLL_SNAPSHOT);
    s_event(3, &resync);
    (void) t_rig_expect(&s_rig, 3, PR_MSG_POLL_SNAPSHOT);
    s_join(1, "c2", T_RIG_BOB);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_POLL_UPDATED);
    (void) t_rig_expect(&s_rig, 1, PR_MSG_CONNECTED);
    t_rig_expect_quiet(&s_rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(leave_is_at_once),
        TEST(reload_and_loss_have_their_grace),
        TEST(return_ends_the_grace),
        TEST(quiet_actor_asks_whether_it_is_still_the_owner),
        TEST(two_tabs_are_one_participant),
        TEST(dead_gateway_loses_its_conns),
        TEST(idle_actor_goes_and_a_busy_one_stays),
        TEST(poll_ends_at_its_time),
        TEST(poll_loaded_past_its_end_is_finished_and_not_found),
        TEST(full_window_gets_one_snapshot_then_what_waited),
        TEST(gateway_that_never_reads_is_given_up),
        TEST(answer_to_who_has_no_conn_waits_too),
        TEST(sync_at_the_saved_rev_brings_no_document),
        TEST(sync_in_parts_replaces_the_set_at_its_last),
        TEST(resync_brings_the_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
