/* SPDX-License-Identifier: MIT */

/* The rules of a poll, cell by cell: what each event does in each phase. */

#include "rules_world.h"

/* --- every cell --- */

typedef struct {
    const char *cell;
    ac_event_kind_t kind;
    bool is_admin;
    const char *args; /* %s: the first nomination */
    int code[3];      /* open, voting, closed */
    bool has_effect[3];
} cell_t;

static const cell_t s_cells[] = {
    {"connect", AC_EVENT_JOIN, false, NULL, {0, 0, 0}, {true, true, true}},
    {"leave", AC_EVENT_LEAVE, false, NULL, {0, 0, 0}, {true, false, false}},
    {"nominate",
     AC_EVENT_NOMINATE,
     false,
     "{\"text\":\"Bread\"}",
     {0, PR_E_BAD_REQUEST, PR_E_BAD_REQUEST},
     {true, false, false}},
    {"remove_nomination",
     AC_EVENT_REMOVE_NOMINATION,
     true,
     "{\"id\":\"%s\"}",
     {0, PR_E_BAD_REQUEST, PR_E_BAD_REQUEST},
     {true, false, false}},
    {"remove_participant",
     AC_EVENT_REMOVE_PARTICIPANT,
     true,
     "{\"id\":\"bobby-bobby-bobby-bob\"}",
     {0, 0, PR_E_BAD_REQUEST},
     {true, true, false}},
    {"start_vote", AC_EVENT_START_VOTE, true, NULL, {0, 0, PR_E_BAD_REQUEST}, {true, false, false}},
    {"submit_rankings",
     AC_EVENT_SUBMIT_RANKINGS,
     false,
     "{\"rankings\":[\"%s\"]}",
     {PR_E_BAD_REQUEST, 0, PR_E_BAD_REQUEST},
     {false, true, false}},
    {"close_poll", AC_EVENT_CLOSE_POLL, true, NULL, {PR_E_BAD_REQUEST, 0, 0}, {false, true, false}},
    {"cancel_poll", AC_EVENT_CANCEL_POLL, true, NULL, {0, 0, 0}, {false, false, false}},
};

static void
s_check_cell(const cell_t *cell, int phase)
{
    static const char *const phases[] = {"open", "voting", "closed"};
    world_t world = s_world(phase);
    pr_str_t user = cell->is_admin ? ADMIN : BOB;
    if (cell->kind == AC_EVENT_JOIN) {
        user = CAROL;
    }
    const char *args = cell->args;
    char text[128];
    if (args) {
        (void) snprintf(text, sizeof text, "%.*s%s%s", (int) strcspn(args, "%"), args,
                        strchr(args, '%') ? world.first : "",
                        strchr(args, '%') ? strchr(args, '%') + 2 : "");
        args = text;
    }
    int code = s_ask(&world, cell->kind, user, args);
    int effects = (int) ac_batch_count(world.batch);
    if (code != cell->code[phase] || (effects != 0) != cell->has_effect[phase]) {
        fail_msg("%s while %s: code %d, %d effects", cell->cell, phases[phase], code, effects);
    }
    assert_int_equal(pr_buf_len(world.words) > 0,
                     code == PR_E_BAD_REQUEST || (code == 0 && cell->kind == AC_EVENT_NOMINATE));
    if (cell->is_admin) {
        world_t other = s_world(phase);
        assert_int_equal(s_ask(&other, cell->kind, BOB, args), PR_E_UNAUTHORIZED);
        assert_int_equal(ac_batch_count(other.batch), 0);
        s_end(&other);
    }
    s_end(&world);
}

static void
every_event_in_every_phase(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof s_cells / sizeof s_cells[0]; i++) {
        for (int phase = 0; phase < 3; phase++) {
            s_check_cell(&s_cells[i], phase);
        }
    }
}

/* --- what a cell does --- */

static void
nomination_is_named_by_its_command_and_counted_once(void **state)
{
    (void) state;
    world_t world = s_world(0);
    pr_str_t id = PR_STR("inc.conn.1");
    assert_int_equal(s_ask_as(&world, AC_EVENT_NOMINATE, BOB, id, "{\"text\":\"Bread\"}"), 0);
    char made[16];
    (void) snprintf(made, sizeof made, "%s", s_words(&world));
    assert_int_equal(strlen(made), PR_NOMINATION_ID_LEN);
    /* Sent again, also after the vote has started: saved, nothing to do. */
    assert_int_equal(s_ask(&world, AC_EVENT_START_VOTE, ADMIN, NULL), 0);
    assert_int_equal(s_ask_as(&world, AC_EVENT_NOMINATE, BOB, id, "{\"text\":\"Bread\"}"), 0);
    assert_string_equal(s_words(&world), made);
    assert_int_equal(ac_batch_count(world.batch), 0);
    s_end(&world);
}

static void
nominations_are_bounded(void **state)
{
    (void) state;
    world_t world = s_world(0);
    assert_int_equal(s_ask(&world, AC_EVENT_NOMINATE, BOB, "{\"text\":\"A\"}"), 0);
    assert_int_equal(s_ask(&world, AC_EVENT_NOMINATE, BOB, "{\"text\":\"B\"}"), PR_E_BAD_REQUEST);
    assert_string_equal(s_words(&world), "You have added as many options as you may");
    assert_int_equal(s_ask(&world, AC_EVENT_NOMINATE, ADMIN, "{\"text\":\"C\"}"), 0);
    assert_int_equal(s_ask(&world, AC_EVENT_JOIN, CAROL, NULL), 0);
    assert_int_equal(s_ask(&world, AC_EVENT_NOMINATE, CAROL, "{\"text\":\"D\"}"), PR_E_BAD_REQUEST);
    assert_string_equal(s_words(&world), "This poll has as many options as it may have");
    s_end(&world);
}

static void
strange_arguments_are_refused(void **state)
{
    (void) state;
    static const struct {
        ac_event_kind_t kind;
        const char *args;
    } rows[] = {
        {AC_EVENT_NOMINATE, NULL},
        {AC_EVENT_NOMINATE, "{}"},
        {AC_EVENT_NOMINATE, "{\"text\":\"\"}"},
        {AC_EVENT_NOMINATE, "{\"text\":7}"},
        {AC_EVENT_NOMINATE, "[\"text\"]"},
        {AC_EVENT_REMOVE_NOMINATION, NULL},
        {AC_EVENT_REMOVE_NOMINATION, "{\"id\":7}"},
        {AC_EVENT_REMOVE_PARTICIPANT, "null"},
        {AC_EVENT_REMOVE_PARTICIPANT, "{\"id\":{}}"},
    };
    world_t world = s_world(0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(s_ask(&world, rows[i].kind, ADMIN, rows[i].args), PR_E_BAD_REQUEST);
        assert_int_equal(ac_batch_count(world.batch), 0);
    }
    /* What is not there is gone already. */
    assert_int_equal(s_ask(&world, AC_EVENT_REMOVE_NOMINATION, ADMIN, "{\"id\":\"x\"}"), 0);
    assert_int_equal(s_ask(&world, AC_EVENT_REMOVE_PARTICIPANT, ADMIN, "{\"id\":\"x\"}"), 0);
    s_end(&world);
}

static void
vote_needs_an_option(void **state)
{
    (void) state;
    world_t world = s_world(0);
    assert_int_equal(s_ask(&world, AC_EVENT_REMOVE_NOMINATION, ADMIN, s_id(world.first)), 0);
    assert_int_equal(s_ask(&world, AC_EVENT_REMOVE_NOMINATION, ADMIN, s_id(world.second)), 0);
    assert_int_equal(s_ask(&world, AC_EVENT_START_VOTE, ADMIN, NULL), PR_E_BAD_REQUEST);
    assert_string_equal(s_words(&world), "Add at least one option before the vote starts");
    s_end(&world);
}

/* The very command that started the vote may come again at any time; another one may not. */
static void
start_sent_again_is_saved_even_when_closed(void **state)
{
    (void) state;
    world_t world = s_world(0);
    pr_str_t id = PR_STR("inc.conn.9");
    assert_int_equal(s_ask_as(&world, AC_EVENT_START_VOTE, ADMIN, id, NULL), 0);
    assert_int_equal(s_ask(&world, AC_EVENT_CLOSE_POLL, ADMIN, NULL), 0);
    assert_int_equal(s_ask_as(&world, AC_EVENT_START_VOTE, ADMIN, id, NULL), 0);
    assert_int_equal(ac_batch_count(world.batch), 0);
    assert_int_equal(s_ask(&world, AC_EVENT_START_VOTE, ADMIN, NULL), PR_E_BAD_REQUEST);
    s_end(&world);
}

static void
ballots_are_read_strictly(void **state)
{
    (void) state;
    world_t world = s_world(1);
    const char *a = world.first;
    const char *b = world.second;
    static const char *const refused[] = {
        "{}",
        "{\"rankings\":7}",
        "{\"rankings\":[]}",
        "{\"rankings\":[7]}",
        "{\"rankings\":[\"nothere1\"]}",
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_equal(s_ask(&world, AC_EVENT_SUBMIT_RANKINGS, ADMIN, refused[i]),
                         PR_E_BAD_REQUEST);
    }
    /* Repetitions are dropped, the first one kept, before the number is looked at. */
    char args[128];
    (void) snprintf(args, sizeof args, "{\"rankings\":[\"%s\",\"%s\",\"%s\",\"%s\"]}", a, a, b, a);
    assert_int_equal(s_ask(&world, AC_EVENT_SUBMIT_RANKINGS, ADMIN, args), 0);
    char stored[128];
    (void) snprintf(stored, sizeof stored, "\"admin-admin-admin-adm\":[\"%s\",\"%s\"]", a, b);
    assert_true(s_stored_has(&world, stored));
    /* The same ballot again changes nothing; another one replaces it and keeps its place. */
    assert_int_equal(s_ask(&world, AC_EVENT_SUBMIT_RANKINGS, ADMIN, args), 0);
    assert_int_equal(ac_batch_count(world.batch), 0);
    assert_int_equal(s_ask(&world, AC_EVENT_SUBMIT_RANKINGS, ADMIN, s_rank(b, NULL)), 0);
    assert_true(s_stored_has(&world, "\"ballotSeq\":{\"bobby-bobby-bobby-bob\":[1,"));
    assert_true(s_stored_has(&world, "\"admin-admin-admin-adm\":[2,"));
    s_end(&world);
}

/* A command of the vote that may come again, and behind a later one, by another way. */
static void
ballot_that_a_later_one_of_its_conn_has_replaced_stays_replaced(void **state)
{
    (void) state;
    world_t world = s_world(1);
    char older[64];
    char newer[64];
    (void) snprintf(older, sizeof older, "{\"rankings\":[\"%s\"]}", world.first);
    (void) snprintf(newer, sizeof newer, "{\"rankings\":[\"%s\"]}", world.second);
    const ac_event_kind_t vote = AC_EVENT_SUBMIT_RANKINGS;
    assert_int_equal(s_ask_as(&world, vote, ADMIN, PR_STR("inc.k1.2"), older), 0);
    assert_int_equal(s_ask_as(&world, vote, ADMIN, PR_STR("inc.k1.10"), newer), 0);
    assert_int_equal(s_ask_as(&world, vote, ADMIN, PR_STR("inc.k1.2"), older), 0);
    assert_int_equal(ac_batch_count(world.batch), 0);
    /* Also for who loads it, and when the vote is over. */
    s_reload(&world);
    assert_int_equal(s_ask_as(&world, vote, ADMIN, PR_STR("inc.k1.9"), older), 0);
    assert_int_equal(ac_batch_count(world.batch), 0);
    /* Of another conn, or without an order, it is a newer one. */
    assert_int_equal(s_ask_as(&world, vote, ADMIN, PR_STR("inc.k2.1"), older), 0);
    assert_int_equal(ac_batch_count(world.batch), 2);
    assert_int_equal(s_ask_as(&world, vote, ADMIN, PR_STR("inc.k1"), newer), 0);
    assert_int_equal(ac_batch_count(world.batch), 2);
    assert_int_equal(s_ask_as(&world, vote, ADMIN, PR_STR("k2.9999999999999999999999"), older), 0);
    assert_int_equal(s_ask_as(&world, vote, ADMIN, PR_STR(".x"), newer), 0);
    assert_int_equal(s_ask_as(&world, vote, ADMIN, PR_STR("inc.k2.3"), older), 0);
    assert_int_equal(s_ask(&world, AC_EVENT_CLOSE_POLL, ADMIN, NULL), 0);
    assert_int_equal(s_ask_as(&world, vote, ADMIN, PR_STR("inc.k2.2"), newer), 0);
    assert_int_equal(s_ask_as(&world, vote, ADMIN, PR_STR("inc.k2.4"), newer), PR_E_BAD_REQUEST);
    s_end(&world);
}

static void
too_many_choices_are_refused(void **state)
{
    (void) state;
    world_t world = s_world(0);
    assert_int_equal(s_ask(&world, AC_EVENT_NOMINATE, ADMIN, "{\"text\":\"Bread\"}"), 0);
    char third[16];
    (void) snprintf(third, sizeof third, "%s", s_words(&world));
    assert_int_equal(s_ask(&world, AC_EVENT_START_VOTE, ADMIN, NULL), 0);
    char args[128];
    (void) snprintf(args, sizeof args, "{\"rankings\":[\"%s\",\"%s\",\"%s\"]}", world.first,
                    world.second, third);
    assert_int_equal(s_ask(&world, AC_EVENT_SUBMIT_RANKINGS, BOB, args), PR_E_BAD_REQUEST);
    assert_string_equal(s_words(&world), "Rank at most 2 options");
    s_end(&world);
}

static void
frozen_ballot_sent_again_is_saved(void **state)
{
    (void) state;
    world_t world = s_world(2);
    const char *same = s_rank(world.second, world.first);
    assert_int_equal(s_ask(&world, AC_EVENT_SUBMIT_RANKINGS, BOB, same), 0);
    assert_int_equal(ac_batch_count(world.batch), 0);
    s_end(&world);
}

static void
closing_counts_and_a_load_counts_again(void **state)
{
    (void) state;
    world_t world = s_world(2);
    assert_true(s_stored_has(&world, "\"nominationText\":\"Rice\",\"score\":1}"));
    assert_true(s_stored_has(&world, "\"nominationText\":\"Soup\",\"score\":0.5625}"));
    pr_rev_t rev = {7, 0xff};
    pr_buf_t *json = pr_buf_new(0);
    ac_poll_write_stored(world.poll, &rev, json);
    /* A store that moved the last place of a double. */
    char *score = strstr((char *) (uintptr_t) pr_buf_data(json), "0.5625");
    assert_non_null(score);
    score[5] = '4';
    ac_poll_t *again = NULL;
    assert_int_equal(ac_poll_from_json(pr_buf_str(json), PR_STR("ABC123"), &s_rules, &again), 0);
    ac_poll_destroy(&world.poll);
    world.poll = again;
    assert_true(s_stored_has(&world, "\"score\":0.5625}"));
    assert_true(s_stored_has(&world, "\"state\":\"closed\""));
    pr_buf_destroy(&json);
    s_end(&world);
}

/* Its command was saved, its answer lost; then an admin removed it; then it is sent again. */
static void
removed_option_does_not_come_back_with_a_repeat(void **state)
{
    (void) state;
    world_t world = s_world(0);
    const char *text = "{\"text\":\"Bread\"}";
    assert_int_equal(s_ask_as(&world, AC_EVENT_NOMINATE, ADMIN, PR_STR("same"), text), 0);
    char id[16];
    (void) snprintf(id, sizeof id, "%s", s_words(&world));
    assert_int_equal(s_ask(&world, AC_EVENT_REMOVE_NOMINATION, ADMIN, s_id(id)), 0);
    pr_rev_t rev = {7, 0xff};
    pr_buf_t *json = pr_buf_new(0);
    ac_poll_write_stored(world.poll, &rev, json);
    ac_poll_destroy(&world.poll);
    assert_int_equal(ac_poll_from_json(pr_buf_str(json), PR_STR("ABC123"), &s_rules, &world.poll),
                     0);
    pr_buf_destroy(&json);
    assert_int_equal(s_ask_as(&world, AC_EVENT_NOMINATE, ADMIN, PR_STR("same"), text), 0);
    assert_int_equal(ac_batch_count(world.batch), 0);
    assert_string_equal(s_words(&world), id);
    assert_int_equal(s_ask(&world, AC_EVENT_NOMINATE, ADMIN, text), 0);
    assert_true(ac_batch_count(world.batch) > 0);
    s_end(&world);
}

static void
removed_user_loses_its_ballot_and_may_not_come_back(void **state)
{
    (void) state;
    world_t world = s_world(1);
    const char *args = "{\"id\":\"bobby-bobby-bobby-bob\"}";
    assert_int_equal(s_ask(&world, AC_EVENT_REMOVE_PARTICIPANT, ADMIN, args), 0);
    assert_int_equal(ac_batch_removed_count(world.batch), 1);
    assert_true(ac_batch_removes(world.batch, BOB));
    assert_true(s_stored_has(&world, "\"rankings\":{}"));
    assert_true(s_stored_has(&world, "\"ballotSeq\":{}"));
    assert_int_equal(s_ask(&world, AC_EVENT_JOIN, BOB, NULL), PR_E_REMOVED);
    assert_int_equal(s_ask(&world, AC_EVENT_SUBMIT_RANKINGS, BOB, "{\"rankings\":[]}"),
                     PR_E_REMOVED);
    assert_int_equal(s_ask(&world, AC_EVENT_REMOVE_PARTICIPANT, ADMIN, args), 0);
    assert_int_equal(ac_batch_count(world.batch), 0);
    s_end(&world);
}

static void
cancelled_poll_is_gone_for_everybody(void **state)
{
    (void) state;
    world_t world = s_world(1);
    assert_int_equal(s_ask(&world, AC_EVENT_CANCEL_POLL, ADMIN, NULL), 0);
    assert_true(ac_poll_is_cancelled(world.poll));
    assert_int_equal(s_ask(&world, AC_EVENT_JOIN, CAROL, NULL), PR_E_NOT_FOUND);
    assert_int_equal(s_ask(&world, AC_EVENT_CLOSE_POLL, ADMIN, NULL), PR_E_NOT_FOUND);
    s_end(&world);
}

/* The patches of each cell, applied one by one, lead to the document that the core has. */
static void
published_patches_add_up_to_the_document(void **state)
{
    (void) state;
    world_t world = s_world(0);
    pr_rev_t rev = {1, 1};
    pr_buf_t *bytes = pr_buf_new(0);
    pr_document_t *document = NULL;
    const msgpack_object *object;
    ac_poll_write_public(world.poll, rev, bytes);
    assert_int_equal(pr_value_unpack(pr_buf_str(bytes), world.memory, &object), 0);
    assert_int_equal(pr_document_from_msgpack(object, &document), 0);
    char ballot[64];
    (void) snprintf(ballot, sizeof ballot, "{\"rankings\":[\"%s\"]}", world.first);
    const struct {
        ac_event_kind_t kind;
        pr_str_t user;
        const char *args;
    } steps[] = {
        {AC_EVENT_JOIN, CAROL, NULL},
        {AC_EVENT_NOMINATE, CAROL, "{\"text\":\"Bread \\\"& butter\\\"\"}"},
        {AC_EVENT_START_VOTE, ADMIN, NULL},
        {AC_EVENT_SUBMIT_RANKINGS, CAROL, ballot},
        {AC_EVENT_SUBMIT_RANKINGS, BOB, ballot},
        {AC_EVENT_REMOVE_PARTICIPANT, ADMIN, "{\"id\":\"bobby-bobby-bobby-bob\"}"},
        {AC_EVENT_CLOSE_POLL, ADMIN, NULL},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        assert_int_equal(s_ask(&world, steps[i].kind, steps[i].user, steps[i].args), 0);
        rev.version++;
        pr_buf_clear(bytes);
        ac_batch_write_published(world.batch, rev, bytes);
        assert_int_equal(pr_value_unpack(pr_buf_str(bytes), world.memory, &object), 0);
        assert_int_equal(pr_document_patch(document, object), 0);
    }
    pr_buf_t *whole = pr_buf_new(0);
    pr_document_t *expected = NULL;
    ac_poll_write_public(world.poll, rev, whole);
    assert_int_equal(pr_value_unpack(pr_buf_str(whole), world.memory, &object), 0);
    assert_int_equal(pr_document_from_msgpack(object, &expected), 0);
    pr_buf_clear(bytes);
    pr_buf_clear(whole);
    pr_document_write_json(document, bytes, PR_STR_NONE, PR_STR_NONE);
    pr_document_write_json(expected, whole, PR_STR_NONE, PR_STR_NONE);
    assert_true(pr_str_equal(pr_buf_str(bytes), pr_buf_str(whole)));
    pr_document_destroy(&document);
    pr_document_destroy(&expected);
    pr_buf_destroy(&bytes);
    pr_buf_destroy(&whole);
    s_end(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_in_every_phase),
        cmocka_unit_test(nomination_is_named_by_its_command_and_counted_once),
        cmocka_unit_test(nominations_are_bounded),
        cmocka_unit_test(strange_arguments_are_refused),
        cmocka_unit_test(vote_needs_an_option),
        cmocka_unit_test(start_sent_again_is_saved_even_when_closed),
        cmocka_unit_test(ballots_are_read_strictly),
        cmocka_unit_test(ballot_that_a_later_one_of_its_conn_has_replaced_stays_replaced),
        cmocka_unit_test(too_many_choices_are_refused),
        cmocka_unit_test(frozen_ballot_sent_again_is_saved),
        cmocka_unit_test(closing_counts_and_a_load_counts_again),
        cmocka_unit_test(removed_option_does_not_come_back_with_a_repeat),
        cmocka_unit_test(removed_user_loses_its_ballot_and_may_not_come_back),
        cmocka_unit_test(cancelled_poll_is_gone_for_everybody),
        cmocka_unit_test(published_patches_add_up_to_the_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
