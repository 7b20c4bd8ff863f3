/* SPDX-License-Identifier: MIT */

/* The pure core: join and leave in every phase, and the documents it reads and writes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/poll.h"
#include "proto/poll/document.h"
#include "proto/wire/error.h"
#include "proto/wire/message.h"

#define ENDS_AT 1800000000000
#define NOW (ENDS_AT - 1000)
#define ALICE PR_STR("alice-alice-alice-ali")
#define BOB PR_STR("bob-bob-bob-bob-bob-b")

static const ac_rules_t s_rules = {
    .participants_max = 2, .nominations_max = 200, .nominations_per_user_max = 5};

/* A stored poll of that phase, with Alice in it, Bob removed and one ballot. */
#define STORED(phase, started)                                                                     \
    "{\"id\":\"ABC123\",\"topic\":\"Mittag \\u0000 \xf0\x9f\x8d\x9c\",\"votesPerVoter\":3,"        \
    "\"participants\":{\"alice-alice-alice-ali\":\"Al \\\"ice\\\"\"},"                             \
    "\"nominations\":{\"nomi-001\":{\"userID\":\"alice-alice-alice-ali\",\"text\":\"Soup\"}},"     \
    "\"rankings\":{\"alice-alice-alice-ali\":[\"nomi-001\"]},"                                     \
    "\"results\":[],"                                                                              \
    "\"adminID\":\"alice-alice-alice-ali\",\"hasStarted\":" started                                \
    ",\"meta\":{\"schema\":1,\"version\":4,\"rev\":\"4-00000000000000ff\",\"state\":\"" phase      \
    "\",\"endsAt\":1800000000000,\"ballots\":\"secret\","                                          \
    "\"removed\":{\"bob-bob-bob-bob-bob-b\":1},\"ballotSeq\":{"                                    \
    "\"alice-alice-alice-ali\":[1,\"conn-001\",3]},"                                               \
    "\"nonce\":\"nonce\"}}"

static ac_poll_t *
s_created(void)
{
    ac_creation_t creation = {.id = PR_STR("ABC123"),
                              .topic = PR_STR("Lunch"),
                              .admin = ALICE,
                              .nonce = PR_STR("nonce"),
                              .votes = 3,
                              .ends_at = ENDS_AT};
    assert_true(ac_creation_is_valid(&creation));
    return ac_poll_new_created(&creation, &s_rules);
}

static ac_poll_t *
s_loaded(const char *json)
{
    ac_poll_t *poll = NULL;
    assert_int_equal(ac_poll_from_json(pr_str(json), PR_STR("ABC123"), &s_rules, &poll), 0);
    return poll;
}

static int
s_decide(ac_poll_t *poll, ac_event_kind_t kind, pr_str_t user, ac_batch_t *batch)
{
    ac_event_t event = {.kind = kind, .user = user, .name = PR_STR("Name")};
    return ac_poll_decide(poll, &event, NOW, batch);
}

static void
joins_and_leaves_while_it_is_open(void **state)
{
    (void) state;
    ac_poll_t *poll = s_created();
    ac_batch_t *batch = ac_batch_new();
    assert_int_equal(s_decide(poll, AC_EVENT_JOIN, ALICE, batch), 0);
    assert_true(ac_poll_lists(poll, ALICE));
    assert_true(pr_str_equal(ac_poll_name(poll, ALICE), PR_STR("Name")));
    assert_int_equal(ac_batch_count(batch), 1);

    ac_batch_clear(batch);
    assert_int_equal(s_decide(poll, AC_EVENT_JOIN, ALICE, batch), 0);
    assert_int_equal(ac_batch_count(batch), 0);

    assert_int_equal(s_decide(poll, AC_EVENT_LEAVE, ALICE, batch), 0);
    assert_false(ac_poll_lists(poll, ALICE));
    assert_true(ac_batch_removes(batch, ALICE));
    ac_batch_clear(batch);
    assert_int_equal(s_decide(poll, AC_EVENT_LEAVE, ALICE, batch), 0);
    assert_int_equal(ac_batch_count(batch), 0);
    ac_batch_destroy(&batch);
    ac_poll_destroy(&poll);
}

static void
full_poll_takes_nobody(void **state)
{
    (void) state;
    ac_poll_t *poll = s_created();
    ac_batch_t *batch = ac_batch_new();
    assert_int_equal(s_decide(poll, AC_EVENT_JOIN, ALICE, batch), 0);
    assert_int_equal(s_decide(poll, AC_EVENT_JOIN, BOB, batch), 0);
    assert_int_equal(s_decide(poll, AC_EVENT_JOIN, PR_STR("carol-carol-carol-car"), batch),
                     PR_E_FULL);
    assert_int_equal(ac_batch_count(batch), 2);
    ac_batch_destroy(&batch);
    ac_poll_destroy(&poll);
}

static void
past_its_end_it_is_not_found(void **state)
{
    (void) state;
    ac_poll_t *poll = s_created();
    ac_batch_t *batch = ac_batch_new();
    ac_event_t event = {.kind = AC_EVENT_JOIN, .user = ALICE, .name = PR_STR("Name")};
    assert_int_equal(ac_poll_decide(poll, &event, ENDS_AT, batch), PR_E_NOT_FOUND);
    ac_batch_destroy(&batch);
    ac_poll_destroy(&poll);
}

static void
who_leaves_after_the_start_stays_listed(void **state)
{
    (void) state;
    const char *stored[] = {STORED("voting", "true"), STORED("closed", "true")};
    for (size_t i = 0; i < 2; i++) {
        ac_poll_t *poll = s_loaded(stored[i]);
        ac_batch_t *batch = ac_batch_new();
        assert_int_equal(s_decide(poll, AC_EVENT_LEAVE, ALICE, batch), 0);
        assert_true(ac_poll_lists(poll, ALICE));
        assert_int_equal(ac_batch_count(batch), 0);
        assert_int_equal(s_decide(poll, AC_EVENT_JOIN, PR_STR("carol-carol-carol-car"), batch), 0);
        assert_int_equal(ac_batch_count(batch), 1);
        ac_batch_destroy(&batch);
        ac_poll_destroy(&poll);
    }
}

static void
removed_user_is_refused(void **state)
{
    (void) state;
    ac_poll_t *poll = s_loaded(STORED("open", "false"));
    ac_batch_t *batch = ac_batch_new();
    assert_true(ac_poll_has_removed(poll, BOB));
    assert_int_equal(s_decide(poll, AC_EVENT_JOIN, BOB, batch), PR_E_REMOVED);
    ac_batch_destroy(&batch);
    ac_poll_destroy(&poll);
}

static void
verbs_have_events(void **state)
{
    (void) state;
    assert_int_equal(ac_event_from_verb(PR_STR("nominate")), AC_EVENT_NOMINATE);
    assert_int_equal(ac_event_from_verb(PR_STR("cancel_poll")), AC_EVENT_CANCEL_POLL);
    assert_int_equal(ac_event_from_verb(PR_STR("")), AC_EVENT_COUNT);
    assert_int_equal(ac_event_from_verb(PR_STR("join")), AC_EVENT_COUNT);
}

/* --- documents --- */

static void
stored_document_survives_a_round_byte_for_byte(void **state)
{
    (void) state;
    const char *json = STORED("voting", "true");
    ac_poll_t *poll = s_loaded(json);
    pr_rev_t rev = ac_poll_loaded_rev(poll);
    assert_int_equal(rev.version, 4);
    pr_buf_t *out = pr_buf_new(0);
    ac_poll_write_stored(poll, &rev, out);
    assert_int_equal(pr_buf_len(out), strlen(json));
    assert_memory_equal(pr_buf_data(out), json, strlen(json));
    pr_buf_destroy(&out);
    ac_poll_destroy(&poll);
}

static void
public_document_hides_ballots_and_what_is_ours(void **state)
{
    (void) state;
    ac_poll_t *poll = s_loaded(STORED("voting", "true"));
    pr_buf_t *out = pr_buf_new(0);
    ac_poll_write_public(poll, ac_poll_loaded_rev(poll), out);
    pr_unpacked_t *memory = pr_unpacked_new();
    const msgpack_object *map = NULL;
    assert_int_equal(pr_value_unpack(pr_buf_str(out), memory, &map), 0);
    pr_document_t *document = NULL;
    assert_int_equal(pr_document_from_msgpack(map, &document), 0);
    assert_true(pr_document_lists(document, ALICE));
    assert_true(pr_document_has_voted(document, ALICE));
    pr_buf_clear(out);
    pr_document_write_json(document, out, PR_STR_NONE, PR_STR_NONE);
    pr_buf_append_byte(out, '\0');
    assert_non_null(strstr(pr_buf_data(out), "\"rankings\":{\"alice-alice-alice-ali\":[]}"));
    assert_non_null(strstr(pr_buf_data(out), "\"rev\":\"4-00000000000000ff\""));
    assert_null(strstr(pr_buf_data(out), "nonce"));
    assert_null(strstr(pr_buf_data(out), "removed"));
    pr_document_destroy(&document);
    pr_unpacked_destroy(&memory);
    pr_buf_destroy(&out);
    ac_poll_destroy(&poll);
}

/* What no build of ours would have written. */
static void
foreign_documents_are_refused(void **state)
{
    (void) state;
    const char *good = STORED("open", "false");
    const struct {
        const char *from;
        const char *to;
        int code;
    } rows[] = {
        {"\"schema\":1", "\"schema\":2", PR_E_VERSION},
        {"\"id\":\"ABC123\"", "\"id\":\"XYZ123\"", PR_E_MALFORMED},
        {"\"version\":4,", "\"version\":5,", PR_E_MALFORMED},
        {"4-00000000000000ff", "4-00000000000000fg", PR_E_MALFORMED},
        {"\"state\":\"open\"", "\"state\":\"shut\"", PR_E_MALFORMED},
        {"\"participants\":{", "\"participants\":[{", PR_E_MALFORMED},
        {"\"participants\":{\"alice", "\"participants\":{\"1lice", PR_E_MALFORMED},
        {"\"votesPerVoter\":3", "\"votesPerVoter\":6", PR_E_MALFORMED},
        {"\"votesPerVoter\":3", "\"votesPerVoter\":\"3\"", PR_E_MALFORMED},
        {"\"adminID\":\"alice", "\"adminID\":\"a.ice", PR_E_MALFORMED},
        {"[\"nomi-001\"]", "[\"nomi-00*\"]", PR_E_MALFORMED},
        {"[\"nomi-001\"]", "\"nomi-001\"", PR_E_MALFORMED},
        {"\"results\":[]", "\"results\":{}", PR_E_MALFORMED},
        {"\"nonce\":\"nonce\"", "\"nonce\":\"no nce\"", PR_E_MALFORMED},
        {"\"hasStarted\":false", "\"hasStarted\":0", PR_E_MALFORMED},
        {"\"meta\":{", "\"mata\":{", PR_E_MALFORMED},
        {"\"ballotSeq\":{\"alice", "\"ballotSeq\":{\"$lice", PR_E_MALFORMED},
        {"[1,\"conn-001\",3]", "[]", PR_E_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *at = strstr(good, rows[i].from);
        assert_non_null(at);
        pr_buf_t *json = pr_buf_new(0);
        pr_buf_append(json, good, (size_t) (at - good));
        pr_buf_append_str(json, pr_str(rows[i].to));
        pr_buf_append_str(json, pr_str(at + strlen(rows[i].from)));
        ac_poll_t *poll = NULL;
        int rc = ac_poll_from_json(pr_buf_str(json), PR_STR("ABC123"), &s_rules, &poll);
        assert_int_equal(rc, rows[i].code);
        assert_null(poll);
        pr_buf_destroy(&json);
    }
    ac_poll_t *poll = NULL;
    assert_int_equal(ac_poll_from_json(PR_STR("{} junk"), PR_STR("ABC123"), &s_rules, &poll),
                     PR_E_MALFORMED);
    assert_int_equal(ac_poll_from_json(PR_STR_NONE, PR_STR("ABC123"), &s_rules, &poll),
                     PR_E_MALFORMED);
}

static void
first_rev_depends_on_all_that_was_created(void **state)
{
    (void) state;
    ac_poll_t *poll = s_created();
    pr_rev_t one;
    pr_rev_t other;
    assert_int_equal(ac_poll_first_rev(poll, PR_STR("7:1:aa"), &one), 0);
    assert_int_equal(ac_poll_first_rev(poll, PR_STR("7:1:aa"), &other), 0);
    assert_int_equal(one.version, 1);
    assert_true(pr_rev_equal(one, other));
    assert_int_equal(ac_poll_first_rev(poll, PR_STR("7:1:bb"), &other), 0);
    assert_false(pr_rev_equal(one, other));
    ac_poll_destroy(&poll);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_and_leaves_while_it_is_open),
        cmocka_unit_test(full_poll_takes_nobody),
        cmocka_unit_test(past_its_end_it_is_not_found),
        cmocka_unit_test(who_leaves_after_the_start_stays_listed),
        cmocka_unit_test(removed_user_is_refused),
        cmocka_unit_test(verbs_have_events),
        cmocka_unit_test(stored_document_survives_a_round_byte_for_byte),
        cmocka_unit_test(public_document_hides_ballots_and_what_is_ours),
        cmocka_unit_test(foreign_documents_are_refused),
        cmocka_unit_test(first_rev_depends_on_all_that_was_created),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
