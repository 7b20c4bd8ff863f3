/* SPDX-License-Identifier: MIT */

/* Who is there, and where a poll belongs. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/wire/json.h"
#include "proto/wire/placement.h"
#include "proto/wire/roster.h"

#define INC_A "00000000000000aa"
#define INC_B "00000000000000bb"

static pr_roster_t *
s_roster(int slots)
{
    pr_roster_t *roster = pr_roster_new(7);
    for (int i = 1; i <= slots; i++) {
        char endpoint[32];
        (void) snprintf(endpoint, sizeof endpoint, "ipc://a%d", i);
        assert_int_equal(pr_roster_add_actors(roster, i, INC_A, endpoint, true), 0);
    }
    return roster;
}

static void
message_brings_the_same_roster(void **state)
{
    (void) state;
    pr_roster_t *roster = s_roster(1);
    assert_int_equal(pr_roster_add_actors(roster, 2, NULL, NULL, false), 0);
    assert_int_equal(pr_roster_add_gateway(roster, 1, INC_B, "ipc://g1"), 0);
    assert_int_equal(pr_roster_add_quarantined(roster, PR_STR("BAD001")), 0);
    pr_buf_t *packed = pr_buf_new(0);
    assert_int_equal(pr_roster_pack(roster, packed), 0);
    pr_roster_destroy(&roster);

    pr_unpacked_t *memory = pr_unpacked_new();
    pr_event_t event;
    assert_int_equal(pr_event_unpack(pr_buf_str(packed), memory, &event), 0);
    assert_int_equal(event.type, PR_MSG_ROSTER);
    assert_int_equal(pr_roster_decode(&event.roster, &roster), 0);
    pr_unpacked_destroy(&memory);
    pr_buf_destroy(&packed);

    assert_int_equal(pr_roster_generation(roster), 7);
    assert_int_equal(pr_roster_actors_count(roster), 2);
    assert_string_equal(pr_roster_actors(roster, 1)->endpoint, "ipc://a1");
    assert_string_equal(pr_roster_actors(roster, 1)->inc, INC_A);
    assert_true(pr_roster_actors(roster, 1)->up);
    assert_false(pr_roster_actors(roster, 2)->up);
    assert_string_equal(pr_roster_actors(roster, 2)->inc, "");
    assert_null(pr_roster_actors(roster, 3));
    assert_int_equal(pr_roster_gateway_count(roster), 1);
    assert_string_equal(pr_roster_gateway_at(roster, 0)->endpoint, "ipc://g1");
    assert_true(pr_roster_has_incarnation(roster, INC_B));
    assert_false(pr_roster_has_incarnation(roster, "00000000000000cc"));
    assert_false(pr_roster_has_incarnation(roster, ""));
    assert_true(pr_roster_is_quarantined(roster, PR_STR("BAD001")));
    assert_false(pr_roster_is_quarantined(roster, PR_STR("GOOD01")));
    pr_roster_destroy(&roster);
}

static void
crooked_lists_are_malformed(void **state)
{
    (void) state;
    const char *rows[] = {
        "\"actors\":{},\"gateways\":[]",
        "\"actors\":[],\"gateways\":7",
        "\"actors\":[[1,\"" INC_A "\",\"ipc://x\"]],\"gateways\":[]",
        "\"actors\":[[1,\"" INC_A "\",\"ipc://x\",\"maybe\"]],\"gateways\":[]",
        "\"actors\":[[\"1\",\"" INC_A "\",\"ipc://x\",\"up\"]],\"gateways\":[]",
        "\"actors\":[[-1,\"" INC_A "\",\"ipc://x\",\"up\"]],\"gateways\":[]",
        "\"actors\":[[1,\"nothex\",\"ipc://x\",\"up\"]],\"gateways\":[]",
        "\"actors\":[[1,\"" INC_A "\",7,\"up\"]],\"gateways\":[]",
        "\"actors\":[[1,\"" INC_A "\",\"x\",\"up\"],[1,\"" INC_B "\",\"y\",\"up\"]],"
        "\"gateways\":[]",
        "\"actors\":[],\"gateways\":[\"g1\"]",
        "\"actors\":[],\"gateways\":[],\"quarantined\":[7]",
        "\"actors\":[],\"gateways\":[],\"quarantined\":\"BAD001\"",
    };
    pr_unpacked_t *memory = pr_unpacked_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[512];
        (void) snprintf(json, sizeof json, "{\"type\":\"ROSTER\",\"generation\":1,%s}", rows[i]);
        pr_buf_t *packed = pr_buf_new(0);
        pr_event_t event;
        pr_roster_t *roster = NULL;
        assert_int_equal(pr_event_pack_json(pr_str(json), packed), 0);
        assert_int_equal(pr_event_unpack(pr_buf_str(packed), memory, &event), 0);
        assert_int_equal(pr_roster_decode(&event.roster, &roster), PR_E_MALFORMED);
        assert_null(roster);
        pr_buf_destroy(&packed);
    }
    pr_unpacked_destroy(&memory);
}

static void
oldest_of_too_many_quarantined_is_let_out(void **state)
{
    (void) state;
    pr_roster_t *roster = pr_roster_new(1);
    for (int i = 0; i <= PR_ROSTER_QUARANTINED_MAX; i++) {
        char poll[8];
        (void) snprintf(poll, sizeof poll, "P%05d", i);
        assert_int_equal(pr_roster_add_quarantined(roster, pr_str(poll)), 0);
    }
    assert_false(pr_roster_is_quarantined(roster, PR_STR("P00000")));
    assert_true(pr_roster_is_quarantined(roster, PR_STR("P00001")));
    assert_true(pr_roster_is_quarantined(roster, PR_STR("P00256")));
    pr_roster_destroy(&roster);
}

/* --- placement --- */

static void
poll_at(int i, char *out)
{
    (void) snprintf(out, 7, "%06d", i);
}

static void
polls_are_spread_evenly(void **state)
{
    (void) state;
    pr_roster_t *roster = s_roster(4);
    int counts[5] = {0};
    for (int i = 0; i < 8000; i++) {
        char poll[7];
        poll_at(i, poll);
        counts[pr_placement(pr_str(poll), roster)->slot]++;
    }
    for (int slot = 1; slot <= 4; slot++) {
        assert_in_range(counts[slot], 1800, 2200);
    }
    pr_roster_destroy(&roster);
}

static void
new_slot_moves_only_its_own_share(void **state)
{
    (void) state;
    pr_roster_t *three = s_roster(3);
    pr_roster_t *four = s_roster(4);
    int moved = 0;
    for (int i = 0; i < 8000; i++) {
        char poll[7];
        poll_at(i, poll);
        int64_t before = pr_placement(pr_str(poll), three)->slot;
        int64_t after = pr_placement(pr_str(poll), four)->slot;
        assert_true(after == before || after == 4);
        moved += after != before;
    }
    assert_in_range(moved, 1800, 2200);
    pr_roster_destroy(&three);
    pr_roster_destroy(&four);
}

static void
slot_that_is_down_keeps_its_polls(void **state)
{
    (void) state;
    pr_roster_t *up = s_roster(1);
    pr_roster_t *down = s_roster(1);
    assert_int_equal(pr_roster_add_actors(up, 2, INC_B, "ipc://a2", true), 0);
    assert_int_equal(pr_roster_add_actors(down, 2, "", "", false), 0);
    for (int i = 0; i < 100; i++) {
        char poll[7];
        poll_at(i, poll);
        assert_int_equal(pr_placement(pr_str(poll), up)->slot,
                         pr_placement(pr_str(poll), down)->slot);
    }
    pr_roster_destroy(&up);
    pr_roster_destroy(&down);
}

/* Gateways and actors of different builds must agree: these never change. */
static void
placement_is_for_ever(void **state)
{
    (void) state;
    pr_roster_t *roster = s_roster(4);
    const struct {
        const char *poll;
        int64_t slot;
    } rows[] = {{"ABC123", 1}, {"ZZZZZZ", 3}, {"234567", 2}, {"HLEOKJ", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(pr_placement(pr_str(rows[i].poll), roster)->slot, rows[i].slot);
    }
    pr_roster_destroy(&roster);
    roster = pr_roster_new(1);
    assert_null(pr_placement(PR_STR("ABC123"), roster));
    pr_roster_destroy(&roster);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_brings_the_same_roster),
        cmocka_unit_test(crooked_lists_are_malformed),
        cmocka_unit_test(oldest_of_too_many_quarantined_is_let_out),
        cmocka_unit_test(polls_are_spread_evenly),
        cmocka_unit_test(new_slot_moves_only_its_own_share),
        cmocka_unit_test(slot_that_is_down_keeps_its_polls),
        cmocka_unit_test(placement_is_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
