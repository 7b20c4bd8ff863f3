/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/presence.h"

#define ALICE PR_STR("alice-alice-alice-ali")
#define BOB PR_STR("bob-bob-bob-bob-bob-b")

static const ac_grace_t s_grace = {.lost_ms = 10000, .reload_ms = 2000};

static ac_presence_t *s_set;

static int
s_setup(void **state)
{
    (void) state;
    s_set = ac_presence_new(&s_grace);
    return s_set ? 0 : -1;
}

static int
s_teardown(void **state)
{
    (void) state;
    ac_presence_destroy(&s_set);
    return 0;
}

static void
s_connect(uint32_t gateway, const char *conn, pr_str_t user)
{
    ac_conn_t *out = NULL;
    assert_int_equal(ac_presence_connect(s_set, gateway, pr_str(conn), user, PR_STR("Name"), &out),
                     0);
    assert_string_equal(out->id, conn);
    assert_int_equal(out->gateway, gateway);
}

/* The next change must be of that user, with so many conns. */
static void
assert_change(int64_t now_ms, pr_str_t user, size_t conns)
{
    assert_true(ac_presence_has_change(s_set, now_ms));
    const ac_user_t *changed = ac_presence_next_change(s_set, now_ms);
    assert_non_null(changed);
    assert_true(pr_str_equal(pr_str(changed->id), user));
    assert_int_equal(changed->conn_count, conns);
}

static void
assert_no_change(int64_t now_ms)
{
    assert_false(ac_presence_has_change(s_set, now_ms));
    assert_null(ac_presence_next_change(s_set, now_ms));
}

static void
first_and_last_conn_are_changes(void **state)
{
    (void) state;
    s_connect(1, "a", ALICE);
    assert_change(0, ALICE, 1);
    s_connect(2, "a", ALICE);
    assert_no_change(0);
    ac_presence_disconnect(s_set, 1, PR_STR("a"), AC_WHY_LEAVE, 0);
    assert_no_change(0);
    ac_presence_disconnect(s_set, 2, PR_STR("a"), AC_WHY_LEAVE, 0);
    assert_change(0, ALICE, 0);
    assert_no_change(INT64_MAX - 1);
    assert_int_equal(ac_presence_gateway_count(s_set), 0);
}

static void
to_and_fro_before_anybody_looks_is_one_change(void **state)
{
    (void) state;
    for (int i = 0; i < 5; i++) {
        s_connect(1, "a", ALICE);
        ac_presence_disconnect(s_set, 1, PR_STR("a"), AC_WHY_LEAVE, 0);
    }
    s_connect(1, "b", ALICE);
    assert_change(0, ALICE, 1);
    assert_no_change(0);
}

static void
last_reason_decides_the_grace(void **state)
{
    (void) state;
    s_connect(1, "a", ALICE);
    s_connect(1, "b", ALICE);
    assert_change(0, ALICE, 2);
    ac_presence_disconnect(s_set, 1, PR_STR("a"), AC_WHY_LOST, 100);
    ac_presence_disconnect(s_set, 1, PR_STR("b"), AC_WHY_RELOAD, 200);
    assert_int_equal(ac_presence_due_ms(s_set), 2200);
    assert_no_change(2199);
    assert_change(2200, ALICE, 0);
    assert_int_equal(ac_presence_due_ms(s_set), INT64_MAX);
}

static void
return_within_the_grace_is_no_leave(void **state)
{
    (void) state;
    s_connect(1, "a", ALICE);
    assert_change(0, ALICE, 1);
    ac_presence_disconnect(s_set, 1, PR_STR("a"), AC_WHY_LOST, 0);
    s_connect(2, "b", ALICE);
    assert_change(5000, ALICE, 1);
    assert_no_change(20000);
}

static void
dead_gateway_loses_only_its_own(void **state)
{
    (void) state;
    s_connect(1, "a", ALICE);
    s_connect(2, "b", BOB);
    assert_change(0, ALICE, 1);
    assert_change(0, BOB, 1);
    ac_presence_gateway_lost(s_set, 1, 1000);
    assert_int_equal(ac_presence_conn_count(s_set), 1);
    assert_false(ac_presence_has_gateway(s_set, 1));
    assert_no_change(10999);
    assert_change(11000, ALICE, 0);
}

static void
sync_loses_what_it_does_not_name(void **state)
{
    (void) state;
    s_connect(1, "a", ALICE);
    s_connect(1, "b", BOB);
    assert_change(0, ALICE, 1);
    assert_change(0, BOB, 1);
    ac_presence_sync_begin(s_set, 1);
    s_connect(1, "b", BOB);
    s_connect(1, "c", BOB);
    assert_false(ac_presence_was_synced(s_set, 1));
    ac_presence_sync_end(s_set, 1, 0);
    assert_true(ac_presence_was_synced(s_set, 1));
    assert_int_equal(ac_presence_conn_count(s_set), 2);
    assert_null(ac_presence_conn(s_set, 1, PR_STR("a")));
    assert_no_change(9999);
    assert_change(10000, ALICE, 0);
}

static void
listed_users_without_a_conn_are_lost_from_now(void **state)
{
    (void) state;
    s_connect(1, "b", BOB);
    assert_int_equal(ac_presence_listed(s_set, ALICE, 500), 0);
    assert_int_equal(ac_presence_listed(s_set, BOB, 500), 0);
    assert_change(500, BOB, 1);
    assert_no_change(10499);
    assert_change(10500, ALICE, 0);
    /* One that comes after all brings its name. */
    assert_int_equal(ac_presence_listed(s_set, ALICE, 20000), 0);
    s_connect(1, "a", ALICE);
    const ac_user_t *user = ac_presence_next_change(s_set, 20000);
    assert_string_equal(user->name, "Name");
}

static void
recheck_names_everybody_who_is_here(void **state)
{
    (void) state;
    s_connect(1, "a", ALICE);
    s_connect(1, "b", BOB);
    (void) ac_presence_next_change(s_set, 0);
    (void) ac_presence_next_change(s_set, 0);
    ac_presence_disconnect(s_set, 1, PR_STR("b"), AC_WHY_LOST, 0);
    assert_no_change(0);
    ac_presence_recheck(s_set);
    assert_change(0, ALICE, 1);
    assert_no_change(0);
}

static void
waiting_conns_are_in_order_and_answered_once(void **state)
{
    (void) state;
    s_connect(1, "a", ALICE);
    s_connect(1, "b", BOB);
    s_connect(1, "c", BOB);
    s_connect(2, "x", BOB);
    ac_conn_t *conn = ac_presence_waiting(s_set, 1);
    assert_string_equal(conn->id, "a");
    assert_string_equal(conn->waiting_next->id, "b");
    ac_presence_answered(s_set, conn->waiting_next);
    assert_string_equal(conn->waiting_next->id, "c");
    ac_presence_answered(s_set, conn);
    ac_presence_disconnect(s_set, 1, PR_STR("c"), AC_WHY_LEAVE, 0);
    assert_null(ac_presence_waiting(s_set, 1));
    assert_string_equal(ac_presence_waiting(s_set, 2)->id, "x");
    /* Announced again: waits again. */
    s_connect(1, "a", ALICE);
    assert_string_equal(ac_presence_waiting(s_set, 1)->id, "a");
}

static void
conn_may_change_hands(void **state)
{
    (void) state;
    s_connect(1, "a", ALICE);
    assert_change(0, ALICE, 1);
    s_connect(1, "a", BOB);
    assert_change(0, ALICE, 0);
    assert_change(0, BOB, 1);
    assert_int_equal(ac_presence_conn_count(s_set), 1);
}

static void
dismissed_user_has_no_conns_and_no_grace(void **state)
{
    (void) state;
    s_connect(1, "a", ALICE);
    s_connect(2, "b", ALICE);
    ac_user_t *user = ac_presence_next_change(s_set, 0);
    ac_presence_dismiss(s_set, user);
    assert_int_equal(ac_presence_conn_count(s_set), 0);
    assert_int_equal(ac_presence_gateway_count(s_set), 0);
    assert_no_change(INT64_MAX - 1);
}

/* Against a plain array that counts: whoever is drained is as the array says, in any order of
 * events. */
static void
random_walk_keeps_the_set_right(void **state)
{
    (void) state;
    enum { GATEWAYS = 3, CONNS = 8, USERS = 4, STEPS = 20000 };
    int owner[GATEWAYS][CONNS];
    int64_t now_ms = 0;
    memset(owner, -1, sizeof owner);
    srand(20261124);
    for (int step = 0; step < STEPS; step++) {
        int gateway = rand() % GATEWAYS;
        int conn = rand() % CONNS;
        char id[8];
        char user[32];
        (void) snprintf(id, sizeof id, "c%d", conn);
        int who = rand() % USERS;
        (void) snprintf(user, sizeof user, "user-%016d", who);
        switch (rand() % 10) {
        case 0:
            ac_presence_gateway_lost(s_set, (uint32_t) gateway, now_ms);
            memset(owner[gateway], -1, sizeof owner[gateway]);
            break;
        case 1:
        case 2:
        case 3:
            ac_presence_disconnect(s_set, (uint32_t) gateway, pr_str(id), (ac_why_t) (rand() % 3),
                                   now_ms);
            owner[gateway][conn] = -1;
            break;
        case 4:
            now_ms += rand() % 4000;
            break;
        case 5: {
            const ac_user_t *changed = ac_presence_next_change(s_set, now_ms);
            size_t conns = 0;
            for (int i = 0; changed && i < GATEWAYS * CONNS; i++) {
                int o = owner[i / CONNS][i % CONNS];
                conns += o >= 0 && o == changed->id[20] - '0';
            }
            assert_true(!changed || changed->conn_count == conns);
            break;
        }
        default:
            s_connect((uint32_t) gateway, id, pr_str(user));
            owner[gateway][conn] = who;
        }
        size_t total = 0;
        for (int i = 0; i < GATEWAYS * CONNS; i++) {
            total += owner[i / CONNS][i % CONNS] >= 0;
        }
        assert_int_equal(ac_presence_conn_count(s_set), total);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)
    const struct CMUnitTest tests[] = {
        TEST(first_and_last_conn_are_changes),
        TEST(to_and_fro_before_anybody_looks_is_one_change),
        TEST(last_reason_decides_the_grace),
        TEST(return_within_the_grace_is_no_leave),
        TEST(dead_gateway_loses_only_its_own),
        TEST(sync_loses_what_it_does_not_name),
        TEST(listed_users_without_a_conn_are_lost_from_now),
        TEST(recheck_names_everybody_who_is_here),
        TEST(waiting_conns_are_in_order_and_answered_once),
        TEST(conn_may_change_hands),
        TEST(dismissed_user_has_no_conns_and_no_grace),
        TEST(random_walk_keeps_the_set_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
