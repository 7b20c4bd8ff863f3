/* SPDX-License-Identifier: MIT */

/*
 * The state table, walked whole: every cell against the list of what it should do, then the stories
 * that lead through several of them. Time is a number.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/wire/limits.h"
#include "supervisor/child.h"

enum { START_MS = 15000, STOP_MS = 5000, NOW_MS = 1000000 };

static const sv_child_terms_t s_permanent = {SV_PERMANENT, START_MS, STOP_MS};

static unsigned
s_feed(sv_child_t *child, sv_child_event_t event, int64_t now_ms)
{
    return sv_child_handle(child, event, now_ms, 0);
}

/* A child that was led into `state` by events alone. */
static sv_child_t *
s_child_in(sv_child_state_t state, const sv_child_terms_t *terms, int64_t now_ms)
{
    if (state == SV_CHILD_ADOPTING) {
        return sv_child_new(terms, SV_CHILD_ADOPTING, now_ms);
    }
    sv_child_t *child = sv_child_new(terms, SV_CHILD_DOWN, now_ms);
    assert_non_null(child);
    if (state == SV_CHILD_DOWN) {
        return child;
    }
    assert_int_equal(s_feed(child, SV_CHILD_ON_START, now_ms), SV_DO_SPAWN);
    (void) s_feed(child, SV_CHILD_ON_SPAWNED, now_ms);
    if (state == SV_CHILD_READY) {
        (void) s_feed(child, SV_CHILD_ON_READY, now_ms);
    } else if (state == SV_CHILD_STOPPING) {
        (void) s_feed(child, SV_CHILD_ON_STOP, now_ms);
    } else if (state == SV_CHILD_KILLING) {
        (void) s_feed(child, SV_CHILD_ON_KILL, now_ms);
    } else if (state == SV_CHILD_BACKOFF) {
        (void) s_feed(child, SV_CHILD_ON_EXIT_BAD, now_ms);
    } else if (state == SV_CHILD_FAILED) {
        (void) s_feed(child, SV_CHILD_ON_EXIT_FINAL, now_ms);
    }
    assert_int_equal(sv_child_state(child), state);
    return child;
}

/* What each cell does to a permanent child: its next state and its orders. */
typedef struct {
    sv_child_state_t next;
    unsigned todo;
} cell_t;

#define STAY(state) {SV_CHILD_##state, 0}
#define BUG(state) {SV_CHILD_##state, SV_DO_COMPLAIN}
#define GO(state, todo) {SV_CHILD_##state, (todo)}

static const cell_t s_cells[SV_CHILD_STATE_COUNT][SV_CHILD_EVENT_COUNT] = {
    /* START, SPAWNED, SPAWN_FAILED, READY, EXIT_OK, EXIT_BAD, EXIT_FINAL, BEAT_LATE, STOP, KILL,
     * TIMER */
    [SV_CHILD_DOWN] = {GO(DOWN, SV_DO_SPAWN), GO(STARTING, 0), GO(BACKOFF, 0), STAY(DOWN),
                       BUG(DOWN), BUG(DOWN), BUG(DOWN), STAY(DOWN), STAY(DOWN), STAY(DOWN),
                       STAY(DOWN)},
    [SV_CHILD_ADOPTING] = {STAY(ADOPTING), BUG(ADOPTING), BUG(ADOPTING), GO(READY, 0),
                           GO(DOWN, SV_DO_SPAWN), GO(DOWN, SV_DO_SPAWN), GO(FAILED, 0),
                           STAY(ADOPTING), GO(STOPPING, SV_DO_ASK_STOP), GO(KILLING, SV_DO_KILL),
                           GO(KILLING, SV_DO_KILL)},
    [SV_CHILD_STARTING] = {STAY(STARTING), BUG(STARTING), BUG(STARTING), GO(READY, 0),
                           GO(BACKOFF, 0), GO(BACKOFF, 0), GO(FAILED, 0), STAY(STARTING),
                           GO(STOPPING, SV_DO_ASK_STOP), GO(KILLING, SV_DO_KILL),
                           GO(KILLING, SV_DO_KILL)},
    [SV_CHILD_READY] = {STAY(READY), BUG(READY), BUG(READY), STAY(READY), GO(BACKOFF, 0),
                        GO(BACKOFF, 0), GO(FAILED, 0), GO(KILLING, SV_DO_ABORT),
                        GO(STOPPING, SV_DO_ASK_STOP), GO(KILLING, SV_DO_KILL), STAY(READY)},
    [SV_CHILD_STOPPING] = {STAY(STOPPING), BUG(STOPPING), BUG(STOPPING), STAY(STOPPING),
                           GO(DOWN, 0), GO(DOWN, 0), GO(DOWN, 0), STAY(STOPPING), STAY(STOPPING),
                           GO(KILLING, SV_DO_KILL), GO(KILLING, SV_DO_KILL)},
    [SV_CHILD_KILLING] = {STAY(KILLING), BUG(KILLING), BUG(KILLING), STAY(KILLING), GO(BACKOFF, 0),
                          GO(BACKOFF, 0), GO(BACKOFF, 0), STAY(KILLING), STAY(KILLING),
                          GO(KILLING, SV_DO_KILL), GO(KILLING, SV_DO_KILL)},
    [SV_CHILD_BACKOFF] = {GO(BACKOFF, SV_DO_SPAWN), GO(STARTING, 0), GO(BACKOFF, 0), STAY(BACKOFF),
                          BUG(BACKOFF), BUG(BACKOFF), BUG(BACKOFF), STAY(BACKOFF), GO(DOWN, 0),
                          STAY(BACKOFF), GO(BACKOFF, SV_DO_SPAWN)},
    [SV_CHILD_FAILED] = {GO(FAILED, SV_DO_SPAWN), GO(STARTING, 0), GO(BACKOFF, 0), STAY(FAILED),
                         BUG(FAILED), BUG(FAILED), BUG(FAILED), STAY(FAILED), GO(DOWN, 0),
                         STAY(FAILED), GO(FAILED, SV_DO_SPAWN)},
};

static void
every_cell_does_what_the_design_says(void **state)
{
    (void) state;
    for (int from = 0; from < SV_CHILD_STATE_COUNT; from++) {
        for (int event = 0; event < SV_CHILD_EVENT_COUNT; event++) {
            sv_child_t *child = s_child_in((sv_child_state_t) from, &s_permanent, NOW_MS);
            unsigned todo = s_feed(child, (sv_child_event_t) event, NOW_MS);
            const cell_t *cell = &s_cells[from][event];
            if (todo != cell->todo || sv_child_state(child) != cell->next) {
                fail_msg("%s on %s: %s and orders %u, not %s and %u",
                         sv_child_state_name((sv_child_state_t) from),
                         sv_child_event_name((sv_child_event_t) event),
                         sv_child_state_name(sv_child_state(child)), todo,
                         sv_child_state_name(cell->next), cell->todo);
            }
            sv_child_destroy(&child);
        }
    }
}

static void
every_state_and_event_has_a_name(void **state)
{
    (void) state;
    for (int i = 0; i < SV_CHILD_STATE_COUNT; i++) {
        assert_true(strlen(sv_child_state_name((sv_child_state_t) i)) > 1);
    }
    for (int i = 0; i < SV_CHILD_EVENT_COUNT; i++) {
        assert_true(strlen(sv_child_event_name((sv_child_event_t) i)) > 1);
    }
    assert_string_equal(sv_child_state_name(SV_CHILD_STATE_COUNT), "?");
}

static void
ready_child_that_crashes_is_started_again_at_once(void **state)
{
    (void) state;
    sv_child_t *child = s_child_in(SV_CHILD_READY, &s_permanent, 0);
    (void) s_feed(child, SV_CHILD_ON_EXIT_BAD, 60000);
    assert_int_equal(sv_child_due_ms(child), 60000);
    assert_int_equal(s_feed(child, SV_CHILD_ON_TIMER, 60000), SV_DO_SPAWN);
    (void) s_feed(child, SV_CHILD_ON_SPAWNED, 60000);
    (void) s_feed(child, SV_CHILD_ON_READY, 60040);
    assert_int_equal(sv_child_restarts(child), 1);
    assert_int_equal(sv_child_ready_ms(child), 40);
    sv_child_destroy(&child);
}

static void
restart_types_keep_their_promise(void **state)
{
    (void) state;
    static const struct {
        sv_restart_t restart;
        sv_child_event_t exit;
        sv_child_state_t next;
    } s_rows[] = {
        {SV_PERMANENT, SV_CHILD_ON_EXIT_OK, SV_CHILD_BACKOFF},
        {SV_PERMANENT, SV_CHILD_ON_EXIT_BAD, SV_CHILD_BACKOFF},
        {SV_TRANSIENT, SV_CHILD_ON_EXIT_OK, SV_CHILD_DOWN},
        {SV_TRANSIENT, SV_CHILD_ON_EXIT_BAD, SV_CHILD_BACKOFF},
        {SV_TEMPORARY, SV_CHILD_ON_EXIT_OK, SV_CHILD_DOWN},
        {SV_TEMPORARY, SV_CHILD_ON_EXIT_BAD, SV_CHILD_DOWN},
    };
    for (size_t i = 0; i < sizeof s_rows / sizeof s_rows[0]; i++) {
        sv_child_terms_t terms = {s_rows[i].restart, START_MS, STOP_MS};
        sv_child_t *child = s_child_in(SV_CHILD_READY, &terms, 0);
        assert_int_equal(s_feed(child, s_rows[i].exit, 5000), 0);
        assert_int_equal(sv_child_state(child), s_rows[i].next);
        assert_int_equal(sv_child_wanted(child), s_rows[i].next != SV_CHILD_DOWN);
        sv_child_destroy(&child);
    }
}

static void
start_that_takes_too_long_is_killed_and_tried_again(void **state)
{
    (void) state;
    sv_child_t *child = s_child_in(SV_CHILD_STARTING, &s_permanent, 0);
    assert_int_equal(sv_child_due_ms(child), START_MS);
    assert_int_equal(s_feed(child, SV_CHILD_ON_TIMER, START_MS), SV_DO_KILL);
    assert_int_equal(sv_child_due_ms(child), START_MS + PR_CHILD_ABORT_MS);
    assert_int_equal(s_feed(child, SV_CHILD_ON_TIMER, 17000), SV_DO_KILL);
    (void) s_feed(child, SV_CHILD_ON_EXIT_BAD, 17000);
    assert_int_equal(sv_child_state(child), SV_CHILD_BACKOFF);
    sv_child_destroy(&child);
}

static void
hung_child_is_aborted_then_killed(void **state)
{
    (void) state;
    sv_child_t *child = s_child_in(SV_CHILD_READY, &s_permanent, 0);
    assert_int_equal(s_feed(child, SV_CHILD_ON_BEAT_LATE, 9000), SV_DO_ABORT);
    assert_int_equal(sv_child_due_ms(child), 9000 + PR_CHILD_ABORT_MS);
    assert_int_equal(s_feed(child, SV_CHILD_ON_TIMER, 9000 + PR_CHILD_ABORT_MS), SV_DO_KILL);
    (void) s_feed(child, SV_CHILD_ON_EXIT_BAD, 10100);
    assert_int_equal(sv_child_due_ms(child), 10100);
    sv_child_destroy(&child);
}

static void
stop_that_takes_too_long_is_killed_and_stays_down(void **state)
{
    (void) state;
    sv_child_t *child = s_child_in(SV_CHILD_READY, &s_permanent, 0);
    assert_int_equal(s_feed(child, SV_CHILD_ON_STOP, 100), SV_DO_ASK_STOP);
    assert_int_equal(sv_child_due_ms(child), 100 + STOP_MS);
    assert_int_equal(s_feed(child, SV_CHILD_ON_TIMER, 100 + STOP_MS), SV_DO_KILL);
    assert_int_equal(s_feed(child, SV_CHILD_ON_EXIT_BAD, 5200), 0);
    assert_int_equal(sv_child_state(child), SV_CHILD_DOWN);
    assert_int_equal(sv_child_due_ms(child), INT64_MAX);
    sv_child_destroy(&child);
}

static void
stop_while_killing_keeps_it_down(void **state)
{
    (void) state;
    sv_child_t *child = s_child_in(SV_CHILD_READY, &s_permanent, 0);
    (void) s_feed(child, SV_CHILD_ON_KILL, 5000);
    (void) s_feed(child, SV_CHILD_ON_STOP, 5000);
    assert_int_equal(s_feed(child, SV_CHILD_ON_EXIT_BAD, 5001), 0);
    assert_int_equal(sv_child_state(child), SV_CHILD_DOWN);
    sv_child_destroy(&child);
}

static void
restart_is_a_stop_with_a_start_behind_it(void **state)
{
    (void) state;
    for (int from = 0; from < SV_CHILD_STATE_COUNT; from++) {
        sv_child_t *child = s_child_in((sv_child_state_t) from, &s_permanent, 0);
        unsigned todo = s_feed(child, SV_CHILD_ON_STOP, 5000);
        todo |= s_feed(child, SV_CHILD_ON_START, 5000);
        if (sv_child_is_alive(child)) {
            assert_false(todo & SV_DO_SPAWN);
            todo = s_feed(child, SV_CHILD_ON_EXIT_OK, 5010);
        }
        /* At once, or after a back-off of nothing or a little. */
        if (!(todo & SV_DO_SPAWN)) {
            assert_int_equal(sv_child_state(child), SV_CHILD_BACKOFF);
            todo = s_feed(child, SV_CHILD_ON_TIMER, sv_child_due_ms(child));
        }
        assert_true(todo & SV_DO_SPAWN);
        assert_true(sv_child_wanted(child));
        sv_child_destroy(&child);
    }
}

static void
child_that_keeps_dying_fails_and_is_probed(void **state)
{
    (void) state;
    int64_t now_ms = 0;
    sv_child_t *child = s_child_in(SV_CHILD_STARTING, &s_permanent, now_ms);
    int deaths = 0;
    while (sv_child_state(child) != SV_CHILD_FAILED) {
        (void) s_feed(child, SV_CHILD_ON_EXIT_BAD, now_ms);
        deaths++;
        assert_true(deaths <= PR_CHILD_INTENSITY);
        if (sv_child_state(child) == SV_CHILD_BACKOFF) {
            now_ms = sv_child_due_ms(child);
            (void) s_feed(child, SV_CHILD_ON_TIMER, now_ms);
            (void) s_feed(child, SV_CHILD_ON_SPAWNED, now_ms);
        }
    }
    assert_int_equal(deaths, PR_CHILD_INTENSITY);
    assert_int_equal(sv_child_due_ms(child), now_ms + PR_CHILD_PROBE_MS);

    /* A probe that dies goes back at once; one that gets ready is a child like any other. */
    now_ms = sv_child_due_ms(child);
    assert_int_equal(s_feed(child, SV_CHILD_ON_TIMER, now_ms), SV_DO_SPAWN);
    (void) s_feed(child, SV_CHILD_ON_SPAWNED, now_ms);
    (void) s_feed(child, SV_CHILD_ON_EXIT_BAD, now_ms);
    assert_int_equal(sv_child_state(child), SV_CHILD_FAILED);
    now_ms = sv_child_due_ms(child);
    (void) s_feed(child, SV_CHILD_ON_TIMER, now_ms);
    (void) s_feed(child, SV_CHILD_ON_SPAWNED, now_ms);
    (void) s_feed(child, SV_CHILD_ON_READY, now_ms);
    (void) s_feed(child, SV_CHILD_ON_EXIT_BAD, now_ms + 2000);
    assert_int_equal(sv_child_state(child), SV_CHILD_BACKOFF);
    sv_child_destroy(&child);
}

static void
final_exit_is_not_tried_again_by_itself(void **state)
{
    (void) state;
    sv_child_t *child = s_child_in(SV_CHILD_FAILED, &s_permanent, 0);
    assert_int_equal(sv_child_due_ms(child), INT64_MAX);
    assert_int_equal(s_feed(child, SV_CHILD_ON_START, 1000), SV_DO_SPAWN);
    sv_child_destroy(&child);
}

static void
extend_starts_a_deadline_anew(void **state)
{
    (void) state;
    sv_child_t *child = s_child_in(SV_CHILD_STARTING, &s_permanent, 0);
    sv_child_extend(child, 14000);
    assert_int_equal(sv_child_due_ms(child), 14000 + START_MS);
    sv_child_destroy(&child);
    child = s_child_in(SV_CHILD_READY, &s_permanent, 0);
    sv_child_extend(child, 14000);
    assert_int_equal(sv_child_due_ms(child), INT64_MAX);
    sv_child_destroy(&child);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_does_what_the_design_says),
        cmocka_unit_test(every_state_and_event_has_a_name),
        cmocka_unit_test(ready_child_that_crashes_is_started_again_at_once),
        cmocka_unit_test(restart_types_keep_their_promise),
        cmocka_unit_test(start_that_takes_too_long_is_killed_and_tried_again),
        cmocka_unit_test(hung_child_is_aborted_then_killed),
        cmocka_unit_test(stop_that_takes_too_long_is_killed_and_stays_down),
        cmocka_unit_test(stop_while_killing_keeps_it_down),
        cmocka_unit_test(restart_is_a_stop_with_a_start_behind_it),
        cmocka_unit_test(child_that_keeps_dying_fails_and_is_probed),
        cmocka_unit_test(final_exit_is_not_tried_again_by_itself),
        cmocka_unit_test(extend_starts_a_deadline_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
