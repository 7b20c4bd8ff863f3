/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/poll/document.h"
#include "proto/wire/json.h"

static const char s_first[] =
    "{\"id\":\"ABCDEF\",\"topic\":\"Lunch \\\"now\\\"\",\"votesPerVoter\":3,"
    "\"participants\":{\"u1\":\"Ann\",\"u2\":\"\xec\x97\xb0\"},"
    "\"nominations\":{\"n1\":{\"userID\":\"u1\",\"text\":\"Soup\"}},"
    "\"rankings\":{\"u1\":[],\"u2\":[\"n1\"]},\"results\":[],\"adminID\":\"u1\","
    "\"hasStarted\":false,\"version\":2,\"rev\":\"2-00000000000000ab\",\"state\":\"open\","
    "\"endsAt\":1790000000000}";

/* Decodes JSON into a msgpack object that lives until the next call. */
static const msgpack_object *
s_object(const char *json)
{
    static pr_buf_t *bytes;
    static pr_unpacked_t *memory;
    if (!json) {
        pr_buf_destroy(&bytes);
        pr_unpacked_destroy(&memory);
        return NULL;
    }
    if (!bytes) {
        bytes = pr_buf_new(0);
        memory = pr_unpacked_new();
    }
    pr_buf_clear(bytes);
    const msgpack_object *object;
    assert_int_equal(pr_json_to_msgpack(pr_str(json), bytes), 0);
    assert_int_equal(pr_value_unpack(pr_buf_str(bytes), memory, &object), 0);
    return object;
}

static pr_document_t *
s_document(void)
{
    pr_document_t *document;
    assert_int_equal(pr_document_from_msgpack(s_object(s_first), &document), 0);
    return document;
}

static void
s_assert_json(const pr_document_t *document, pr_str_t user, pr_str_t ballot, const char *expected)
{
    pr_buf_t *text = pr_buf_new(0);
    pr_document_write_json(document, text, user, ballot);
    pr_buf_append_byte(text, '\0');
    assert_string_equal(pr_buf_data(text), expected);
    pr_buf_destroy(&text);
}

static void
document_is_written_as_it_was_read(void **state)
{
    (void) state;
    pr_document_t *document = s_document();
    s_assert_json(document, PR_STR_NONE, PR_STR_NONE, s_first);

    pr_buf_t *bytes = pr_buf_new(0);
    pr_unpacked_t *memory = pr_unpacked_new();
    pr_document_write_msgpack(document, bytes);
    const msgpack_object *object;
    assert_int_equal(pr_value_unpack(pr_buf_str(bytes), memory, &object), 0);
    pr_document_t *again;
    assert_int_equal(pr_document_from_msgpack(object, &again), 0);
    s_assert_json(again, PR_STR_NONE, PR_STR_NONE, s_first);
    pr_document_destroy(&again);
    pr_unpacked_destroy(&memory);
    pr_buf_destroy(&bytes);
    pr_document_destroy(&document);
}

static void
patch_adds_replaces_and_removes(void **state)
{
    (void) state;
    pr_document_t *document = s_document();
    assert_int_equal(
        pr_document_patch(
            document,
            s_object("{\"participants\":{\"u1\":null,\"u3\":\"Cy\",\"u2\":\"Bo\"},"
                     "\"nominations\":{\"n1\":null},\"rankings\":{\"u1\":null,\"u2\":null},"
                     "\"results\":[{\"nominationID\":\"n1\",\"nominationText\":\"Soup\",\"score\":"
                     "0.6944444444444445}],\"hasStarted\":true,\"state\":\"closed\",\"unknown\":1,"
                     "\"version\":3,\"rev\":\"3-00000000000000ac\"}")),
        0);
    s_assert_json(document, PR_STR_NONE, PR_STR_NONE,
                  "{\"id\":\"ABCDEF\",\"topic\":\"Lunch \\\"now\\\"\",\"votesPerVoter\":3,"
                  "\"participants\":{\"u2\":\"Bo\",\"u3\":\"Cy\"},\"nominations\":{},"
                  "\"rankings\":{},\"results\":[{\"nominationID\":\"n1\",\"nominationText\":"
                  "\"Soup\",\"score\":0.6944444444444445}],\"adminID\":\"u1\",\"hasStarted\":true,"
                  "\"version\":3,\"rev\":\"3-00000000000000ac\",\"state\":\"closed\","
                  "\"endsAt\":1790000000000}");
    assert_true(pr_document_lists(document, PR_STR("u3")));
    assert_false(pr_document_lists(document, PR_STR("u1")));
    assert_int_equal(pr_document_participant_count(document), 2);
    assert_int_equal(pr_document_rev(document).version, 3);
    pr_document_destroy(&document);
}

static void
own_ballot_is_shown_to_its_voter(void **state)
{
    (void) state;
    pr_document_t *document = s_document();
    pr_buf_t *text = pr_buf_new(0);
    pr_document_write_json(document, text, PR_STR("u1"), PR_STR("[\"n1\"]"));
    pr_buf_append_byte(text, '\0');
    assert_non_null(strstr(pr_buf_data(text), "\"rankings\":{\"u1\":[\"n1\"],\"u2\":[\"n1\"]}"));
    assert_true(pr_document_has_voted(document, PR_STR("u1")));
    assert_false(pr_document_has_voted(document, PR_STR("u3")));
    pr_buf_destroy(&text);
    pr_document_destroy(&document);
}

static void
broken_documents_and_patches_are_refused(void **state)
{
    (void) state;
    pr_document_t *document;
    assert_int_equal(pr_document_from_msgpack(s_object("{}"), &document), PR_E_MALFORMED);
    assert_int_equal(pr_document_from_msgpack(s_object("[]"), &document), PR_E_MALFORMED);
    static const char *const patches[] = {
        "[]",
        "{\"participants\":[]}",
        "{\"participants\":{\"u\":1}}",
        "{\"nominations\":{\"n\":{\"text\":\"x\"}}}",
        "{\"nominations\":{\"n\":1}}",
        "{\"rankings\":{\"u\":{}}}",
        "{\"rankings\":{\"u\":[1]}}",
        "{\"results\":{}}",
        "{\"hasStarted\":1}",
        "{\"rev\":\"x\"}",
        "{\"version\":\"1\"}",
        "{\"topic\":null}",
    };
    for (size_t i = 0; i < sizeof patches / sizeof patches[0]; i++) {
        document = s_document();
        assert_int_equal(pr_document_patch(document, s_object(patches[i])), PR_E_MALFORMED);
        pr_document_destroy(&document);
    }
}

static void
revs_are_read_strictly(void **state)
{
    (void) state;
    pr_rev_t rev;
    assert_true(pr_rev_parse(PR_STR("12-0123456789abcdef"), &rev));
    assert_string_equal(pr_rev_format(rev).text, "12-0123456789abcdef");
    static const char *const broken[] = {"",
                                         "-",
                                         "1",
                                         "1-",
                                         "01-0123456789abcdef",
                                         "1-0123456789ABCDEF",
                                         "1-0123456789abcde",
                                         "1-0123456789abcdef0",
                                         "99999999999999999-0123456789abcdef",
                                         "x-0123456789abcdef"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        assert_false(pr_rev_parse(pr_str(broken[i]), &rev));
    }
    assert_false(pr_rev_parse(PR_STR_NONE, &rev));
}

static void
chain_depends_on_all_that_led_here(void **state)
{
    (void) state;
    pr_rev_t start = {3, 7};
    pr_rev_t next = pr_rev_next(start, PR_STR("1:1:a"), PR_STR("{}"));
    assert_int_equal(next.version, 4);
    assert_true(pr_rev_equal(next, pr_rev_next(start, PR_STR("1:1:a"), PR_STR("{}"))));
    assert_false(pr_rev_equal(next, pr_rev_next(start, PR_STR("1:1:b"), PR_STR("{}"))));
    assert_false(pr_rev_equal(next, pr_rev_next(start, PR_STR("1:1:a"), PR_STR("{ }"))));
    assert_false(pr_rev_equal(next, pr_rev_next((pr_rev_t) {3, 8}, PR_STR("1:1:a"), PR_STR("{}"))));
}

static int
s_teardown(void **state)
{
    (void) state;
    (void) s_object(NULL);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(document_is_written_as_it_was_read),
        cmocka_unit_test(patch_adds_replaces_and_removes),
        cmocka_unit_test(own_ballot_is_shown_to_its_voter),
        cmocka_unit_test(broken_documents_and_patches_are_refused),
        cmocka_unit_test(revs_are_read_strictly),
        cmocka_unit_test(chain_depends_on_all_that_led_here),
    };
    return cmocka_run_group_tests(tests, NULL, s_teardown);
}
