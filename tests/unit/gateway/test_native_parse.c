/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "gateway/native_parse.h"
#include "proto/wire/error.h"
#include "proto/wire/json.h"
#include "tests/support/seeds.h"

#define BYTES(literal) ((pr_str_t) {literal, sizeof(literal) - 1})

/* The frame in both encodings: `json` as it is, and packed. */
static void
s_both(const char *json, void (*check)(const gw_native_frame_t *frame))
{
    gw_native_frame_t frame;
    assert_int_equal(gw_native_parse(GW_NATIVE_JSON, pr_str(json), &frame), 0);
    check(&frame);
    gw_native_clear(&frame);
    pr_buf_t *packed = pr_buf_new(64);
    assert_int_equal(pr_json_to_msgpack(pr_str(json), packed), 0);
    assert_int_equal(gw_native_parse(GW_NATIVE_MSGPACK, pr_buf_str(packed), &frame), 0);
    check(&frame);
    gw_native_clear(&frame);
    pr_buf_destroy(&packed);
}

static void
s_is_join(const gw_native_frame_t *frame)
{
    assert_true(pr_str_equal(frame->event, PR_STR("join")));
    assert_int_equal(frame->id.kind, GW_NATIVE_ID_NUMBER);
    assert_int_equal(frame->id.number, -7);
    assert_string_equal(json_string_value(json_object_get(frame->data, "token")), "t");
}

static void
s_is_bare(const gw_native_frame_t *frame)
{
    assert_true(pr_str_equal(frame->event, PR_STR("ping")));
    assert_int_equal(frame->id.kind, GW_NATIVE_ID_NONE);
    assert_null(frame->data);
}

static void
s_has_text_id(const gw_native_frame_t *frame)
{
    assert_int_equal(frame->id.kind, GW_NATIVE_ID_TEXT);
    assert_true(pr_str_equal((pr_str_t) {frame->id.text, frame->id.len}, BYTES("a\0\xc3\xbc")));
    assert_true(json_is_null(frame->data));
}

static void
s_has_everything(const gw_native_frame_t *frame)
{
    char *text = json_dumps(frame->data, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, "{\"a\":[1,-2,1.5,true,false,null,\"x\",{}],\"b\":{\"c\":[[]]}}");
    free(text);
}

static void
frames_are_read_in_both_encodings(void **state)
{
    (void) state;
    s_both("{\"event\":\"join\",\"id\":-7,\"data\":{\"token\":\"t\"},\"more\":[1]}", s_is_join);
    s_both("{\"event\":\"ping\"}", s_is_bare);
    s_both("{\"data\":null,\"id\":\"a\\u0000\xc3\xbc\",\"event\":\"\"}", s_has_text_id);
    s_both("{\"event\":\"e\",\"data\":"
           "{\"a\":[1,-2,1.5,true,false,null,\"x\",{}],\"b\":{\"c\":[[]]}}}",
           s_has_everything);
}

static void
s_refuses(gw_native_encoding_t encoding, pr_str_t bytes)
{
    gw_native_frame_t frame;
    int error = gw_native_parse(encoding, bytes, &frame);
    gw_native_clear(&frame);
    gw_native_clear(&frame);
    if (error != PR_E_MALFORMED) {
        fail_msg("taken: %.*s", PR_STR_ARG(bytes));
    }
}

static void
bad_json_is_refused(void **state)
{
    (void) state;
    static const char *const bad[] = {
        "",
        " ",
        "x",
        "1",
        "[]",
        "\"event\"",
        "{",
        "{}",
        "{\"event\":1}",
        "{\"event\":null}",
        "{\"event\":\"a\"",
        "{\"event\":\"a\"}x",
        "{\"event\":\"a\"}{\"event\":\"a\"}",
        "{\"event\":\"a\",\"id\":null}",
        "{\"event\":\"a\",\"id\":true}",
        "{\"event\":\"a\",\"id\":1.0}",
        "{\"event\":\"a\",\"id\":1e400}",
        "{\"event\":\"a\",\"id\":99999999999999999999}",
        "{\"event\":\"a\",\"id\":[]}",
        "{\"event\":\"a\",\"data\":1e999}",
        "{\"event\":\"\xff\"}",
        "{\"event\":\"\\ud800\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        s_refuses(GW_NATIVE_JSON, pr_str(bad[i]));
    }
}

static void
ids_have_a_length(void **state)
{
    (void) state;
    char json[128];
    for (int len = PR_NATIVE_ID_BYTES_MAX; len <= PR_NATIVE_ID_BYTES_MAX + 1; len++) {
        gw_native_frame_t frame;
        (void) snprintf(json, sizeof json, "{\"event\":\"a\",\"id\":\"%0*d\"}", len, 7);
        int error = gw_native_parse(GW_NATIVE_JSON, pr_str(json), &frame);
        assert_int_equal(error, len == PR_NATIVE_ID_BYTES_MAX ? 0 : PR_E_MALFORMED);
        gw_native_clear(&frame);
    }
}

static void
large_numbers_are_reals(void **state)
{
    (void) state;
    gw_native_frame_t frame;
    const char *json = "{\"event\":\"a\",\"data\":99999999999999999999}";
    assert_int_equal(gw_native_parse(GW_NATIVE_JSON, pr_str(json), &frame), 0);
    assert_true(json_is_real(frame.data));
    gw_native_clear(&frame);
    pr_str_t packed = BYTES("\x82\xa5"
                            "event\xa1"
                            "a\xa4"
                            "data\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
    assert_int_equal(gw_native_parse(GW_NATIVE_MSGPACK, packed, &frame), 0);
    assert_true(json_is_real(frame.data));
    gw_native_clear(&frame);
}

#define EVENT                                                                                      \
    "\xa5"                                                                                         \
    "event"
#define DATA                                                                                       \
    "\xa4"                                                                                         \
    "data"

static void
bad_msgpack_is_refused(void **state)
{
    (void) state;
    const pr_str_t bad[] = {
        BYTES(""),
        BYTES("\xc0"),
        BYTES("\xc1"),
        BYTES("\x90"),
        BYTES("\x80"),
        BYTES("\x81" EVENT),
        BYTES("\x81" EVENT "\x01"),
        BYTES("\x81" EVENT "\xa2\xff\xfe"),
        BYTES("\x81" EVENT "\xa1"
              "a\x00"),
        BYTES("\x81\x01\x02"),
        BYTES("\x81\xa6"
              "ev\0ent\xa1"
              "a"),
        BYTES("\x82" EVENT "\xa1"
              "a" DATA "\xc4\x01x"), /* binary */
        BYTES("\x82" EVENT "\xa1"
              "a" DATA "\xd4\x01x"), /* an extension */
        BYTES("\x82" EVENT "\xa1"
              "a" DATA "\xcb\x7f\xf8\0\0\0\0\0\0"), /* no number */
        BYTES("\x82" EVENT "\xa1"
              "a" DATA "\xca\x7f\x80\0\0"), /* infinite */
        BYTES("\x82" EVENT "\xa1"
              "a" DATA "\x91\x91\x91\x91\x91\x91\x91\x91\xc0"), /* deep */
        BYTES("\xdf\xff\xff\xff\xff"),
        BYTES("\xdd\x7f\xff\xff\xff\xc0"),
        BYTES("\x81" EVENT "\xdb\xff\xff\xff\xff"
              "a"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        s_refuses(GW_NATIVE_MSGPACK, bad[i]);
    }
}

/* --- whatever the bytes are, there is an answer, and nothing is read behind their end --- */

static uint64_t s_random;

static size_t
s_draw(size_t below)
{
    s_random = s_random * 6364136223846793005U + 1442695040888963407U;
    return (size_t) (s_random >> 33) % below;
}

/* A good frame, or one whose bytes are changed or cut; in memory of its own length. */
static char *
s_made(gw_native_encoding_t encoding, size_t *len)
{
    static const char *const frames[] = {
        "{\"event\":\"join\",\"id\":1,\"data\":{\"token\":\"t\",\"rev\":\"1-0\"}}",
        "{\"event\":\"submit_rankings\",\"id\":\"x\",\"data\":{\"rankings\":[\"a\",\"b\"]}}",
    };
    pr_str_t json = pr_str(frames[s_draw(2)]);
    pr_buf_t *made = pr_buf_new(64);
    if (encoding == GW_NATIVE_JSON) {
        pr_buf_append_str(made, json);
    } else {
        assert_int_equal(pr_json_to_msgpack(json, made), 0);
    }
    *len = s_draw(3) ? pr_buf_len(made) : s_draw(pr_buf_len(made) + 1);
    char *bytes = malloc(*len ? *len : 1);
    assert_non_null(bytes);
    memcpy(bytes, pr_buf_data(made), *len);
    for (size_t changes = s_draw(4); changes > 0 && *len > 0; changes--) {
        bytes[s_draw(*len)] = (char) s_draw(256);
    }
    pr_buf_destroy(&made);
    return bytes;
}

static char *
s_run(uint64_t seed)
{
    s_random = seed;
    for (int round = 0; round < 200; round++) {
        gw_native_frame_t frame;
        gw_native_encoding_t encoding = round % 2 ? GW_NATIVE_JSON : GW_NATIVE_MSGPACK;
        size_t len;
        char *bytes = s_made(encoding, &len);
        int error = gw_native_parse(encoding, (pr_str_t) {bytes, len}, &frame);
        free(bytes);
        bool good = error == PR_E_MALFORMED || (error == 0 && frame.event.ptr);
        gw_native_clear(&frame);
        if (!good) {
            return strdup("neither a frame nor malformed");
        }
    }
    return NULL;
}

static void
random_bytes_are_survived(void **state)
{
    (void) state;
    assert_true(t_seeds(1, 100, s_run));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_read_in_both_encodings),
        cmocka_unit_test(bad_json_is_refused),
        cmocka_unit_test(ids_have_a_length),
        cmocka_unit_test(large_numbers_are_reals),
        cmocka_unit_test(bad_msgpack_is_refused),
        cmocka_unit_test(random_bytes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
