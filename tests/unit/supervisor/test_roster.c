/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/wire/limits.h"
#include "proto/wire/roster.h"
#include "supervisor/roster.h"

enum { WALL_MS = 1764000000 };

static const char s_inc_1[] = "00000000000000a1";
static const char s_inc_2[] = "00000000000000a2";

static sv_roster_slot_t
s_slot(int slot, const char *incarnation, bool up)
{
    return (sv_roster_slot_t) {slot, incarnation, "ipc:///run/x.sock", up, false, 0};
}

/* Two actors slots and one gateway. */
static bool
s_paint(sv_roster_t *roster, sv_roster_slot_t a1, sv_roster_slot_t a2, bool g1_up, int64_t now_ms)
{
    sv_roster_slot_t g1 = s_slot(1, "00000000000000b1", g1_up);
    sv_roster_begin(roster);
    sv_roster_add_actors(roster, &a1);
    sv_roster_add_actors(roster, &a2);
    sv_roster_add_gateway(roster, &g1);
    return sv_roster_commit(roster, now_ms, WALL_MS);
}

/* What a child reads from the event; the caller destroys it. */
static pr_roster_t *
s_read(const sv_roster_t *roster)
{
    pr_unpacked_t *memory = pr_unpacked_new();
    pr_event_t event;
    pr_roster_t *read = NULL;
    assert_int_equal(pr_event_unpack(sv_roster_packed(roster), memory, &event), 0);
    assert_int_equal(event.type, PR_MSG_ROSTER);
    assert_int_equal(pr_roster_decode(&event.roster, &read), 0);
    pr_unpacked_destroy(&memory);
    return read;
}

static void
children_read_what_was_painted(void **state)
{
    (void) state;
    sv_roster_t *roster = sv_roster_new(0);
    assert_int_equal(sv_roster_packed(roster).len, 0);
    assert_true(s_paint(roster, s_slot(1, s_inc_1, true), s_slot(2, "", false), true, 0));
    pr_roster_t *read = s_read(roster);
    assert_int_equal(pr_roster_generation(read), WALL_MS);
    assert_int_equal(pr_roster_actors_count(read), 2);
    assert_true(pr_roster_actors(read, 1)->up);
    assert_string_equal(pr_roster_actors(read, 1)->inc, s_inc_1);
    assert_string_equal(pr_roster_actors(read, 1)->endpoint, "ipc:///run/x.sock");
    assert_false(pr_roster_actors(read, 2)->up);
    assert_string_equal(pr_roster_actors(read, 2)->endpoint, "");
    assert_int_equal(pr_roster_gateway_count(read), 1);
    pr_roster_destroy(&read);
    sv_roster_destroy(&roster);
}

static void
generation_rises_with_each_change_and_only_then(void **state)
{
    (void) state;
    sv_roster_t *roster = sv_roster_new(0);
    sv_roster_slot_t a1 = s_slot(1, s_inc_1, true);
    sv_roster_slot_t a2 = s_slot(2, s_inc_2, true);
    assert_true(s_paint(roster, a1, a2, true, 0));
    assert_int_equal(sv_roster_generation(roster), WALL_MS);
    assert_false(s_paint(roster, a1, a2, true, 0));
    assert_false(s_paint(roster, a1, a2, true, 99999));

    a1.up = false;
    assert_true(s_paint(roster, a1, a2, true, 0));
    assert_int_equal(sv_roster_generation(roster), WALL_MS + 1);
    a1 = s_slot(1, "00000000000000c1", true);
    assert_true(s_paint(roster, a1, a2, true, 0));
    assert_true(s_paint(roster, a1, a2, false, 0)); /* a gateway's death is told as well */
    assert_int_equal(sv_roster_generation(roster), WALL_MS + 3);
    pr_roster_t *read = s_read(roster);
    assert_int_equal(pr_roster_gateway_count(read), 0);
    pr_roster_destroy(&read);
    sv_roster_destroy(&roster);
}

static void
generation_never_falls(void **state)
{
    (void) state;
    sv_roster_slot_t a1 = s_slot(1, s_inc_1, true);
    sv_roster_slot_t a2 = s_slot(2, s_inc_2, true);
    /* The clock was set back since the last run, or a child has seen a newer roster. */
    sv_roster_t *roster = sv_roster_new(WALL_MS + 5000);
    assert_true(s_paint(roster, a1, a2, true, 0));
    assert_int_equal(sv_roster_generation(roster), WALL_MS + 5001);
    sv_roster_saw(roster, 12);
    assert_true(sv_roster_is_settled(roster));
    assert_false(s_paint(roster, a1, a2, true, 0));
    sv_roster_saw(roster, WALL_MS + 9000);
    assert_false(sv_roster_is_settled(roster));
    assert_true(s_paint(roster, a1, a2, true, 0));
    assert_int_equal(sv_roster_generation(roster), WALL_MS + 9001);
    sv_roster_destroy(&roster);
}

static void
slot_that_is_down_keeps_its_polls_for_a_while(void **state)
{
    (void) state;
    sv_roster_t *roster = sv_roster_new(0);
    sv_roster_slot_t a1 = s_slot(1, s_inc_1, true);
    sv_roster_slot_t a2 = s_slot(2, s_inc_2, false);
    assert_true(s_paint(roster, a1, a2, true, 0));
    assert_false(sv_roster_is_settled(roster));
    assert_false(s_paint(roster, a1, a2, true, PR_SLOT_DOWN_MS - 1));
    assert_true(s_paint(roster, a1, a2, true, PR_SLOT_DOWN_MS));
    assert_true(sv_roster_is_settled(roster));
    pr_roster_t *read = s_read(roster);
    assert_int_equal(pr_roster_actors_count(read), 1);
    assert_null(pr_roster_actors(read, 2));
    pr_roster_destroy(&read);
    a2.up = true;
    assert_true(s_paint(roster, a1, a2, true, PR_SLOT_DOWN_MS + 1));
    sv_roster_destroy(&roster);
}

static void
failed_slot_is_left_out_at_once_unless_it_is_the_last(void **state)
{
    (void) state;
    sv_roster_t *roster = sv_roster_new(0);
    sv_roster_slot_t a1 = s_slot(1, s_inc_1, true);
    sv_roster_slot_t a2 = s_slot(2, s_inc_2, false);
    a2.failed = true;
    assert_true(s_paint(roster, a1, a2, true, 0));
    pr_roster_t *read = s_read(roster);
    assert_int_equal(pr_roster_actors_count(read), 1);
    pr_roster_destroy(&read);

    a1.up = false;
    a1.failed = true;
    assert_true(s_paint(roster, a1, a2, true, 0));
    read = s_read(roster);
    assert_int_equal(pr_roster_actors_count(read), 2);
    pr_roster_destroy(&read);
    sv_roster_destroy(&roster);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_read_what_was_painted),
        cmocka_unit_test(generation_rises_with_each_change_and_only_then),
        cmocka_unit_test(generation_never_falls),
        cmocka_unit_test(slot_that_is_down_keeps_its_polls_for_a_while),
        cmocka_unit_test(failed_slot_is_left_out_at_once_unless_it_is_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
