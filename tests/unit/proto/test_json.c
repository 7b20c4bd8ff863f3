/* SPDX-License-Identifier: MIT */

/* JSON to msgpack and back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "proto/wire/json.h"
#include "proto/wire/limits.h"

/* Through msgpack, at most `depth` deep, and back. */
static void
s_assert_packed(const char *json, int depth, const char *expected)
{
    pr_buf_t *packed = pr_buf_new(0);
    pr_buf_t *text = pr_buf_new(0);
    pr_unpacked_t *memory = pr_unpacked_new();
    const msgpack_object *object;
    json_t *value = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(value);
    pr_json_pack(value, depth, packed);
    assert_int_equal(pr_value_unpack(pr_buf_str(packed), memory, &object), 0);
    pr_object_write_json(object, text);
    pr_buf_append_byte(text, '\0');
    assert_string_equal(pr_buf_data(text), expected);
    json_decref(value);
    pr_unpacked_destroy(&memory);
    pr_buf_destroy(&packed);
    pr_buf_destroy(&text);
}

static void
values_come_back(void **state)
{
    (void) state;
    const char *same[] = {"null", "true",        "[]",    "{}",          "-9223372036854775807",
                          "0.1",  "\"\\u0000\"", "1e+30", "[1,[2,[3]]]", "{\"a\":{\"b\":[null]}}"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        s_assert_packed(same[i], PR_ARGS_DEPTH_MAX, same[i]);
    }
}

static void
what_lies_too_deep_is_nil(void **state)
{
    (void) state;
    s_assert_packed("{\"a\":[],\"b\":1}", 0, "null");
    s_assert_packed("7", 0, "7");
    s_assert_packed("{\"a\":[],\"b\":1}", 1, "{\"a\":null,\"b\":1}");
    s_assert_packed("[[[[[[[[[[[[[[]]]]]]]]]]]]],[[[[5]]]]]", 4, "[[[[null]]],[[[null]]]]");
    s_assert_packed("{\"rankings\":[\"a\",[{\"b\":{}}]]}", 4,
                    "{\"rankings\":[\"a\",[{\"b\":null}]]}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back),
        cmocka_unit_test(what_lies_too_deep_is_nil),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
