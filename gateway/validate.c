/* SPDX-License-Identifier: MIT */

#include "gateway/validate.h"

#include <math.h>

#include "proto/base/utf8.h"
#include "proto/wire/limits.h"

#define PARSE_FLAGS (JSON_ALLOW_NUL | JSON_DECODE_ANY)

/* --- parsing --- */

static void
s_append_parse_error(pr_buf_t *error, const json_error_t *why)
{
    if (json_error_code(why) == json_error_premature_end_of_input) {
        pr_buf_append_str(error, PR_STR("Unexpected end of JSON input"));
    } else if (json_error_code(why) == json_error_invalid_utf8) {
        pr_buf_append_str(error, PR_STR("Invalid UTF-8 in JSON"));
    } else {
        pr_buf_append_fmt(error, "Unexpected token in JSON at position %d", why->position);
    }
}

json_t *
gw_validate_parse(pr_str_t text, pr_buf_t *error)
{
    json_error_t why = {.position = 0};
    if (text.len == 0) {
        return json_object();
    }
    json_t *body = json_loadb(text.ptr, text.len, PARSE_FLAGS, &why);
    if (!body && json_error_code(&why) == json_error_numeric_overflow) {
        /* JavaScript has no large integers either, and reads them as numbers. */
        body = json_loadb(text.ptr, text.len, PARSE_FLAGS | JSON_DECODE_INT_AS_REAL, &why);
    }
    if (!body) {
        s_append_parse_error(error, &why);
    } else if (!json_is_object(body) && !json_is_array(body)) {
        json_decref(body);
        body = NULL;
        pr_buf_append_str(error, PR_STR("Unexpected token in JSON at position 0"));
    }
    return body;
}

/* --- rules --- */

static void
s_begin_message(pr_buf_t *messages)
{
    if (pr_buf_len(messages) > 0) {
        pr_buf_append_byte(messages, ',');
    }
}

/* `rest` begins with the blank behind the property's name. */
static void
s_add_message(pr_buf_t *messages, const char *property, const char *rest)
{
    s_begin_message(messages);
    pr_buf_append_fmt(messages, "\"%s%s\"", property, rest);
}

/* JavaScript's idea of false. */
static bool
s_is_falsy(const json_t *value)
{
    if (json_is_string(value)) {
        return json_string_length(value) == 0;
    }
    if (json_is_number(value)) {
        return fpclassify(json_number_value(value)) == FP_ZERO;
    }
    return !value || json_is_null(value) || json_is_false(value);
}

/* JavaScript's `value.length`; false if there is none that is a number. */
static bool
s_js_length(const json_t *value, double *length)
{
    if (json_is_string(value)) {
        pr_str_t text = {json_string_value(value), json_string_length(value)};
        *length = (double) pr_utf8_utf16_units(text);
        return true;
    }
    if (json_is_array(value)) {
        *length = (double) json_array_size(value);
        return true;
    }
    const json_t *member = json_object_get(value, "length");
    *length = json_number_value(member);
    return json_is_number(member);
}

static void
s_add_length_message(
    pr_buf_t *messages, const char *property, const json_t *value, size_t least, size_t most)
{
    double length = 0;
    bool has_length = s_js_length(value, &length);
    s_begin_message(messages);
    if (s_is_falsy(value) || (has_length && length < (double) least)) {
        pr_buf_append_fmt(messages, "\"%s must be longer than or equal to %zu characters\"",
                          property, least);
    } else if (has_length && length > (double) most) {
        pr_buf_append_fmt(messages, "\"%s must be shorter than or equal to %zu characters\"",
                          property, most);
    } else {
        pr_buf_append_fmt(messages,
                          "\"%s must be longer than or equal to %zu and shorter than or equal to "
                          "%zu characters\"",
                          property, least, most);
    }
}

/* One text of `least` to `most` characters, under the name `property`; `value` may be NULL. */
static bool
s_validate_text(
    const json_t *value, const char *property, size_t least, size_t most, pr_buf_t *messages)
{
    size_t chars = 0;
    if (json_is_string(value)) {
        pr_str_t text = {json_string_value(value), json_string_length(value)};
        chars = pr_utf8_chars(text);
        if (chars >= least && chars <= most) {
            return true;
        }
    }
    s_add_length_message(messages, property, value, least, most);
    if (!json_is_string(value)) {
        s_add_message(messages, property, " must be a string");
    }
    return false;
}

static bool
s_validate_votes(const json_t *value, int *votes, pr_buf_t *messages)
{
    bool is_number = json_is_number(value);
    double number = json_number_value(value);
    bool small = is_number && number <= PR_VOTES_MAX;
    bool large = is_number && number >= 1;
    bool whole = is_number && trunc(number) >= number && trunc(number) <= number;
    if (!small) {
        s_begin_message(messages);
        pr_buf_append_fmt(messages, "\"votesPerVoter must not be greater than %d\"", PR_VOTES_MAX);
    }
    if (!large) {
        s_add_message(messages, "votesPerVoter", " must not be less than 1");
    }
    if (!whole) {
        s_add_message(messages, "votesPerVoter", " must be an integer number");
    }
    if (!small || !large || !whole) {
        return false;
    }
    *votes = (int) number;
    return true;
}

/* --- bodies --- */

static pr_str_t
s_text(const json_t *value)
{
    return (pr_str_t) {json_string_value(value), json_string_length(value)};
}

bool
gw_validate_create(const json_t *body, gw_create_body_t *out, pr_buf_t *messages)
{
    const json_t *topic = json_object_get(body, "topic");
    const json_t *votes = json_object_get(body, "votesPerVoter");
    const json_t *name = json_object_get(body, "name");
    const char *ballots = json_string_value(json_object_get(body, "ballots"));
    bool ok = s_validate_text(topic, "topic", 1, PR_TOPIC_CHARS_MAX, messages);
    ok = s_validate_votes(votes, &out->votes, messages) && ok;
    ok = s_validate_text(name, "name", 1, PR_NAME_CHARS_MAX, messages) && ok;
    out->topic = s_text(topic);
    out->name = s_text(name);
    out->open_ballots = ballots && strcmp(ballots, "open") == 0;
    return ok;
}

bool
gw_validate_join(const json_t *body, gw_join_body_t *out, pr_buf_t *messages)
{
    const json_t *poll = json_object_get(body, "pollID");
    const json_t *name = json_object_get(body, "name");
    bool ok = s_validate_text(poll, "pollID", PR_POLL_ID_LEN, PR_POLL_ID_LEN, messages);
    ok = s_validate_text(name, "name", 1, PR_NAME_CHARS_MAX, messages) && ok;
    out->poll = s_text(poll);
    out->name = s_text(name);
    return ok;
}

pr_buf_t *
gw_validate_command(pr_str_t verb, const json_t *payload)
{
    if (!pr_str_equal(verb, PR_STR("nominate"))) {
        return NULL;
    }
    pr_buf_t *messages = pr_buf_new(128);
    pr_buf_t *flaws = NULL;
    const json_t *text = json_object_get(payload, "text");
    if (messages && !s_validate_text(text, "text", 1, PR_TEXT_CHARS_MAX, messages)) {
        flaws = pr_buf_new(128);
    }
    if (flaws) {
        pr_buf_append_byte(flaws, '[');
        pr_buf_append_str(flaws, pr_buf_str(messages));
        pr_buf_append_byte(flaws, ']');
    }
    pr_buf_destroy(&messages);
    return flaws;
}
