/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/validate.h"

#define TOPIC_SHORT "\"topic must be longer than or equal to 1 characters\""
#define TOPIC_LONG "\"topic must be shorter than or equal to 100 characters\""
#define TOPIC_BOTH                                                                                 \
    "\"topic must be longer than or equal to 1 and shorter than or equal to 100 characters\""
#define TOPIC_STRING "\"topic must be a string\""
#define NAME_SHORT "\"name must be longer than or equal to 1 characters\""
#define NAME_LONG "\"name must be shorter than or equal to 25 characters\""
#define NAME_STRING "\"name must be a string\""
#define POLL_SHORT "\"pollID must be longer than or equal to 6 characters\""
#define POLL_LONG "\"pollID must be shorter than or equal to 6 characters\""
#define POLL_STRING "\"pollID must be a string\""
#define TEXT_SHORT "\"text must be longer than or equal to 1 characters\""
#define TEXT_STRING "\"text must be a string\""
#define VOTES_MOST "\"votesPerVoter must not be greater than 5\""
#define VOTES_LEAST "\"votesPerVoter must not be less than 1\""
#define VOTES_WHOLE "\"votesPerVoter must be an integer number\""

#define GRIN "\xf0\x9f\x98\x80" /* two UTF-16 units */
#define GRIN5 GRIN GRIN GRIN GRIN GRIN
#define GRIN25 GRIN5 GRIN5 GRIN5 GRIN5 GRIN5

static bool
s_is_create(const json_t *body, pr_buf_t *messages)
{
    gw_create_body_t create;
    return gw_validate_create(body, &create, messages);
}

static bool
s_is_join(const json_t *body, pr_buf_t *messages)
{
    gw_join_body_t join;
    return gw_validate_join(body, &join, messages);
}

static void
s_validate(bool (*is_valid)(const json_t *, pr_buf_t *), const char *json, const char *messages)
{
    pr_buf_t *out = pr_buf_new(0);
    json_t *body = gw_validate_parse(pr_str(json), out);
    assert_non_null(body);
    bool ok = is_valid(body, out);
    pr_buf_append_byte(out, '\0');
    assert_string_equal(pr_buf_data(out), messages);
    assert_int_equal(ok, messages[0] == '\0');
    json_decref(body);
    pr_buf_destroy(&out);
}

static void
s_create(const char *json, const char *messages)
{
    s_validate(s_is_create, json, messages);
}

static void
s_join(const char *json, const char *messages)
{
    s_validate(s_is_join, json, messages);
}

static void
creates(void **state)
{
    (void) state;
    static const char nothing[] = TOPIC_SHORT "," TOPIC_STRING "," VOTES_MOST "," VOTES_LEAST
                                              "," VOTES_WHOLE "," NAME_SHORT "," NAME_STRING;
    s_create("{\"topic\":\"Lunch\",\"votesPerVoter\":3,\"name\":\"Ann\"}", "");
    s_create("{\"topic\":\" \",\"votesPerVoter\":3.0,\"name\":\"   \",\"more\":[]}", "");
    s_create("", nothing);
    s_create("{}", nothing);
    s_create("[]", nothing);
    s_create("[1,2]", nothing);
}

/* {"topic":"t","votesPerVoter":VALUE,"name":"n"} */
static void
s_votes(const char *value, const char *messages)
{
    char json[200];
    (void) snprintf(json, sizeof json, "{\"topic\":\"t\",\"votesPerVoter\":%s,\"name\":\"n\"}",
                    value);
    s_create(json, messages);
}

static void
votes_are_a_number_from_1_to_5(void **state)
{
    (void) state;
    static const char all[] = VOTES_MOST "," VOTES_LEAST "," VOTES_WHOLE;
    s_votes("1", "");
    s_votes("5", "");
    s_votes("5e0", "");
    s_votes("6", VOTES_MOST);
    s_votes("0", VOTES_LEAST);
    s_votes("-0.0", VOTES_LEAST);
    s_votes("2.5", VOTES_WHOLE);
    s_votes("5.5", VOTES_MOST "," VOTES_WHOLE);
    s_votes("-1.5", VOTES_LEAST "," VOTES_WHOLE);
    s_votes("99999999999999999999", VOTES_MOST);
    s_votes("\"3\"", all);
    s_votes("null", all);
    s_votes("true", all);
    s_votes("[3]", all);
}

/* {"topic":VALUE,"votesPerVoter":1,"name":"n"} */
static void
s_topic(const char *value, const char *messages)
{
    char json[1200];
    (void) snprintf(json, sizeof json, "{\"topic\":%s,\"votesPerVoter\":1,\"name\":\"n\"}", value);
    s_create(json, messages);
}

static void
a_wrong_length_is_told_in_three_ways(void **state)
{
    (void) state;
    char digits[140];
    (void) snprintf(digits, sizeof digits, "\"%0100d\"", 1);
    s_topic(digits, "");
    (void) snprintf(digits, sizeof digits, "\"%0101d\"", 1);
    s_topic(digits, TOPIC_LONG);
    s_topic("\"\"", TOPIC_SHORT);
    s_topic("null", TOPIC_SHORT "," TOPIC_STRING);
    s_topic("false", TOPIC_SHORT "," TOPIC_STRING);
    s_topic("0", TOPIC_SHORT "," TOPIC_STRING);
    s_topic("-0.0", TOPIC_SHORT "," TOPIC_STRING);
    s_topic("7", TOPIC_BOTH "," TOPIC_STRING);
    s_topic("true", TOPIC_BOTH "," TOPIC_STRING);
    s_topic("{}", TOPIC_BOTH "," TOPIC_STRING);
    s_topic("{\"length\":0}", TOPIC_SHORT "," TOPIC_STRING);
    s_topic("{\"length\":101}", TOPIC_LONG "," TOPIC_STRING);
    s_topic("[]", TOPIC_SHORT "," TOPIC_STRING);
    s_topic("[1]", TOPIC_BOTH "," TOPIC_STRING);
    s_topic("\"\\u0000\"", "");
}

static void
lengths_are_code_points_forms_are_utf16(void **state)
{
    (void) state;
    s_join("{\"pollID\":\"ABC123\",\"name\":\"" GRIN25 "\"}", "");
    s_join("{\"pollID\":\"ABC123\",\"name\":\"" GRIN25 GRIN "\"}", NAME_LONG);
    /* 3 code points, 6 UTF-16 units: too short, yet neither of the short forms. */
    s_join("{\"pollID\":\"" GRIN GRIN GRIN "\",\"name\":\"n\"}",
           "\"pollID must be longer than or equal to 6 and shorter than or equal to 6 "
           "characters\"");
}

static void
joins(void **state)
{
    (void) state;
    s_join("{\"pollID\":\"abc 1!\",\"name\":\"n\"}", "");
    s_join("{\"pollID\":\"ABC12\",\"name\":\"n\"}", POLL_SHORT);
    s_join("{\"pollID\":\"ABC1234\",\"name\":\"n\"}", POLL_LONG);
    s_join("{\"name\":5}",
           POLL_SHORT "," POLL_STRING
                      ",\"name must be longer than or equal to 1 and shorter than or equal to 25 "
                      "characters\"," NAME_STRING);
}

static void
malformed_json_has_a_text(void **state)
{
    (void) state;
    static const char *const inputs[] = {"{",
                                         "{\"a\":1}x",
                                         "{\"a\":1,}",
                                         "nonsense",
                                         "5",
                                         "\"text\"",
                                         "null",
                                         "{\"a\":\"\\ud800\"}",
                                         "{\"a\":\"\xff\"}",
                                         "{'a':1}",
                                         "{\"a\":1e999}",
                                         " ",
                                         "\xef\xbb\xbf{}"};
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        pr_buf_t *error = pr_buf_new(0);
        assert_null(gw_validate_parse(pr_str(inputs[i]), error));
        assert_true(pr_buf_len(error) > 10);
        assert_null(memchr(pr_buf_data(error), '"', pr_buf_len(error)));
        pr_buf_destroy(&error);
    }
    /* Nesting is bounded. */
    char deep[10000];
    memset(deep, '[', sizeof deep);
    pr_buf_t *error = pr_buf_new(0);
    assert_null(gw_validate_parse((pr_str_t) {deep, sizeof deep}, error));
    pr_buf_destroy(&error);
}

static void
s_command(const char *verb, const char *json, const char *wanted)
{
    pr_buf_t *error = pr_buf_new(0);
    json_t *payload = gw_validate_parse(pr_str(json), error);
    assert_non_null(payload);
    pr_buf_t *flaws = gw_validate_command(pr_str(verb), payload);
    if (wanted) {
        assert_non_null(flaws);
        pr_buf_append_byte(flaws, '\0');
        assert_string_equal(pr_buf_data(flaws), wanted);
    } else {
        assert_null(flaws);
    }
    pr_buf_destroy(&flaws);
    json_decref(payload);
    pr_buf_destroy(&error);
}

static void
of_commands_only_nominations_are_checked(void **state)
{
    (void) state;
    s_command("nominate", "{\"text\":\"Soup\"}", NULL);
    s_command("nominate", "{\"text\":\"\"}", "[" TEXT_SHORT "]");
    s_command("nominate", "{}", "[" TEXT_SHORT "," TEXT_STRING "]");
    s_command("start_vote", "{}", NULL);
    pr_buf_t *flaws = gw_validate_command(PR_STR("nominate"), NULL);
    assert_non_null(flaws);
    pr_buf_destroy(&flaws);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates),
        cmocka_unit_test(votes_are_a_number_from_1_to_5),
        cmocka_unit_test(a_wrong_length_is_told_in_three_ways),
        cmocka_unit_test(lengths_are_code_points_forms_are_utf16),
        cmocka_unit_test(joins),
        cmocka_unit_test(malformed_json_has_a_text),
        cmocka_unit_test(of_commands_only_nominations_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
