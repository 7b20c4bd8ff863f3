/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/link_model.h"
#include "tests/support/seeds.h"

/* Greetings that are out may have to be given up once more before a session stands. */
enum { HEAL_MS = 16000, SETTLE_MS = 2000, IDLE_MS = 20000 };

static const t_link_faults_t s_all = {
    .cut = true,
    .delay = true,
    .duplicate = true,
    .pause = true,
    .reset = true,
    .refuse = true,
    .drop = true,
};

static t_link_tally_t s_seen[2];

static void
s_count(const t_link_model_t *model)
{
    for (int end = 0; end < 2; end++) {
        t_link_tally_t tally = t_link_model_tally(model, end);
        s_seen[end].opened += tally.opened;
        s_seen[end].lost += tally.lost;
        s_seen[end].received += tally.received;
        s_seen[end].busy += tally.busy;
        s_seen[end].writable += tally.writable;
    }
}

/* A storm, then calm; then events must flow, and an idle link must be nearly silent. */
static char *
s_run(uint64_t seed, t_link_faults_t faults, int steps)
{
    t_link_model_t *model = t_link_model_new(seed, faults);
    t_link_model_run(model, steps);
    t_link_model_quiet(model, HEAL_MS, false);
    t_link_model_quiet(model, SETTLE_MS, true);
    t_link_model_check_whole(model);

    t_link_tally_t before[2] = {t_link_model_tally(model, 0), t_link_model_tally(model, 1)};
    t_link_model_quiet(model, IDLE_MS, true);
    t_link_model_check_whole(model);
    char text[300] = "";
    for (int end = 0; end < 2; end++) {
        t_link_tally_t after = t_link_model_tally(model, end);
        if (after.transmitted - before[end].transmitted > IDLE_MS / 1000 + 2) {
            (void) snprintf(text, sizeof text, "an idle end sent %d messages",
                            (int) (after.transmitted - before[end].transmitted));
        }
        if (after.lost != before[end].lost) {
            (void) snprintf(text, sizeof text, "an idle session was lost");
        }
    }
    if (t_link_model_failure(model)) {
        (void) snprintf(text, sizeof text, "%s", t_link_model_failure(model));
    }
    s_count(model);
    t_link_model_destroy(&model);
    return text[0] ? strdup(text) : NULL;
}

static char *
s_run_all(uint64_t seed)
{
    return s_run(seed, s_all, 400);
}

static void
survives_everything_at_once(void **state)
{
    (void) state;
    memset(s_seen, 0, sizeof s_seen);
    assert_true(t_seeds(1, 120, s_run_all));
    if (!getenv("ROLLCALL_SEED")) {
        assert_true(s_seen[0].lost > 120 && s_seen[1].lost > 120);
        assert_true(s_seen[0].received > 20000 && s_seen[1].received > 20000);
    }
}

/* Each kind of fault alone, or none: a seed chooses. */
static char *
s_run_one(uint64_t seed)
{
    t_link_faults_t faults = {
        .cut = seed % 8 == 1,
        .delay = seed % 8 == 2,
        .duplicate = seed % 8 == 3,
        .pause = seed % 8 == 4,
        .reset = seed % 8 == 5,
        .refuse = seed % 8 == 6,
        .drop = seed % 8 == 7,
    };
    return s_run(seed, faults, 300);
}

static void
survives_each_fault_alone(void **state)
{
    (void) state;
    assert_true(t_seeds(1, 80, s_run_one));
}

static char *
s_run_calm(uint64_t seed)
{
    t_link_faults_t harmless = {.duplicate = true};
    t_link_model_t *model = t_link_model_new(seed, harmless);
    t_link_model_run(model, 300);
    t_link_model_quiet(model, SETTLE_MS, true);
    t_link_model_check_whole(model);
    const char *failure = t_link_model_failure(model);
    if (!failure && t_link_model_tally(model, 0).lost + t_link_model_tally(model, 1).lost > 0) {
        failure = "a session was lost for nothing";
    }
    char *copy = failure ? strdup(failure) : NULL;
    t_link_model_destroy(&model);
    return copy;
}

static void
loses_nothing_to_repeats(void **state)
{
    (void) state;
    assert_true(t_seeds(1, 60, s_run_calm));
}

static char *
s_run_large(uint64_t seed)
{
    t_link_faults_t faults = s_all;
    faults.large = true;
    return s_run(seed, faults, 150);
}

static void
fills_windows_and_gets_room_again(void **state)
{
    (void) state;
    memset(s_seen, 0, sizeof s_seen);
    assert_true(t_seeds(1, 4, s_run_large));
    if (!getenv("ROLLCALL_SEED")) {
        assert_true(s_seen[0].busy > 0 && s_seen[1].busy > 0);
        assert_true(s_seen[0].writable > 0 && s_seen[1].writable > 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_everything_at_once),
        cmocka_unit_test(survives_each_fault_alone),
        cmocka_unit_test(loses_nothing_to_repeats),
        cmocka_unit_test(fills_windows_and_gets_room_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
