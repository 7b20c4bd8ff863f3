/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/wire/json.h"
#include "proto/wire/limits.h"
#include "proto/wire/message.h"

static pr_buf_t *s_out;
static pr_unpacked_t *s_memory;

static int
s_setup(void **state)
{
    (void) state;
    s_out = pr_buf_new(0);
    s_memory = pr_unpacked_new();
    return s_out && s_memory ? 0 : -1;
}

static int
s_teardown(void **state)
{
    (void) state;
    pr_buf_destroy(&s_out);
    pr_unpacked_destroy(&s_memory);
    return 0;
}

static int
s_unpack(const char *bytes, size_t len, pr_event_t *event)
{
    return pr_event_unpack((pr_str_t) {bytes, len}, s_memory, event);
}

#define UNPACK(literal, event) s_unpack("" literal, sizeof(literal) - 1, event)

static void
event_comes_back_as_it_went(void **state)
{
    (void) state;
    pr_event_t out = pr_event(PR_MSG_CONNECT, PR_STR("ABCDEF"));
    out.connect.conn = PR_STR("c1");
    out.connect.user = PR_STR("u1");
    out.connect.name = PR_STR("Ann \xc3\xa9 \0 end");
    pr_event_pack(&out, s_out);

    pr_event_t in;
    assert_int_equal(pr_event_unpack(pr_buf_str(s_out), s_memory, &in), 0);
    assert_int_equal(in.type, PR_MSG_CONNECT);
    assert_true(pr_str_equal(in.poll, out.poll));
    assert_true(pr_str_equal(in.connect.conn, out.connect.conn));
    assert_true(pr_str_equal(in.connect.name, out.connect.name));
    assert_null(in.connect.rev.ptr);
}

static void
integers_bools_and_values_come_back(void **state)
{
    (void) state;
    pr_event_t out = pr_event(PR_MSG_SYNC, PR_STR("ABCDEF"));
    out.sync.last = 1;
    out.sync.conns.raw = PR_STR("\x91\x93\xa1"
                                "c\xa1"
                                "u\xa1"
                                "n");
    pr_event_pack(&out, s_out);
    pr_event_t in;
    assert_int_equal(pr_event_unpack(pr_buf_str(s_out), s_memory, &in), 0);
    assert_int_equal(in.sync.last, 1);
    assert_int_equal(in.sync.conns.object->via.array.size, 1);

    pr_buf_clear(s_out);
    out = pr_event(PR_MSG_ROSTER, PR_STR(""));
    out.roster.generation = PR_INTEGER_MAX;
    out.roster.actors.raw = out.roster.gateways.raw = PR_STR("\x90");
    pr_event_pack(&out, s_out);
    assert_int_equal(pr_event_unpack(pr_buf_str(s_out), s_memory, &in), 0);
    assert_true(in.roster.generation == PR_INTEGER_MAX);
    assert_null(in.roster.quarantined.object);
}

static void
unknown_members_are_ignored(void **state)
{
    (void) state;
    pr_event_t in;
    assert_int_equal(UNPACK("\x93\x0c\xa1P\x83\xa4"
                            "conn\xa1"
                            "c\xa3why\xa5leave\xa3new\x91\x80",
                            &in),
                     0);
    assert_true(pr_str_equal(in.disconnect.why, PR_STR("leave")));
}

static void
broken_events_are_told_apart(void **state)
{
    (void) state;
    pr_event_t in;
    assert_int_equal(UNPACK("", &in), PR_E_MALFORMED);
    assert_int_equal(UNPACK("\xc1", &in), PR_E_MALFORMED);
    assert_int_equal(UNPACK("\x92\x0b\xa1P", &in), PR_E_MALFORMED);
    assert_int_equal(UNPACK("\x93\x0b\xa1P\x90", &in), PR_E_MALFORMED);
    assert_int_equal(UNPACK("\x93\xa1"
                            "1\xa1P\x80",
                            &in),
                     PR_E_MALFORMED);
    /* Something behind the value. */
    assert_int_equal(UNPACK("\x93\x03\xa0\x80\xc0", &in), PR_E_MALFORMED);
    /* A claim of 268 million elements. */
    assert_int_equal(UNPACK("\xdd\x0f\xff\xff\xff", &in), PR_E_MALFORMED);
    assert_int_equal(UNPACK("\x93\x62\xa1P\x80", &in), PR_E_UNKNOWN_TYPE);
    assert_int_equal(in.number, 0x62);
    assert_int_equal(UNPACK("\x93\x0c\xa1P\x80", &in), PR_E_BAD_FIELD);
    assert_int_equal(UNPACK("\x93\x0c\xa1P\x82\xa4"
                            "conn\x01\xa3why\xa1x",
                            &in),
                     PR_E_BAD_FIELD);
}

static void
long_text_is_a_bad_field(void **state)
{
    (void) state;
    char text[PR_FIELD_BYTES_MAX + 1];
    memset(text, 'x', sizeof text);
    pr_event_t out = pr_event(PR_MSG_DISCONNECT, PR_STR("P"));
    out.disconnect.conn = (pr_str_t) {text, sizeof text};
    out.disconnect.why = PR_STR("leave");
    pr_event_pack(&out, s_out);
    pr_event_t in;
    assert_int_equal(pr_event_unpack(pr_buf_str(s_out), s_memory, &in), PR_E_BAD_FIELD);
}

static void
depth_is_bounded(void **state)
{
    (void) state;
    const msgpack_object *object;
    char nested[PR_MSGPACK_DEPTH_MAX + 2];
    memset(nested, '\x91', sizeof nested);
    nested[PR_MSGPACK_DEPTH_MAX] = '\xc0';
    pr_str_t allowed = {nested, PR_MSGPACK_DEPTH_MAX + 1};
    assert_int_equal(pr_value_unpack(allowed, s_memory, &object), 0);
    nested[PR_MSGPACK_DEPTH_MAX] = '\x91';
    nested[PR_MSGPACK_DEPTH_MAX + 1] = '\xc0';
    pr_str_t deeper = {nested, sizeof nested};
    assert_int_equal(pr_value_unpack(deeper, s_memory, &object), PR_E_MALFORMED);
}

static void
every_prefix_and_every_flipped_bit_is_survived(void **state)
{
    (void) state;
    pr_event_t out = pr_event(PR_MSG_CREATE, PR_STR("ABCDEF"));
    out.create.req = 1000000;
    out.create.topic = PR_STR("Lunch");
    out.create.votes = 3;
    out.create.admin = PR_STR("aaaaaaaaaaaaaaaaaaaaa");
    out.create.ends_at = 1790000000000;
    out.create.nonce = PR_STR("n");
    pr_event_pack(&out, s_out);
    size_t len = pr_buf_len(s_out);
    pr_event_t in;
    for (size_t i = 0; i < len; i++) {
        assert_int_not_equal(s_unpack(pr_buf_data(s_out), i, &in), 0);
    }
    char copy[512];
    assert_in_range(len, 1, sizeof copy);
    for (size_t bit = 0; bit < len * 8; bit++) {
        memcpy(copy, pr_buf_data(s_out), len);
        copy[bit / 8] = (char) (copy[bit / 8] ^ (1 << bit % 8));
        int error = s_unpack(copy, len, &in);
        (void) error; /* any answer is right, as long as there is one */
    }
}

static void
header_comes_back_and_is_checked(void **state)
{
    (void) state;
    pr_header_t out = {1, PR_STR("0123456789abcdef"), PR_STR(""), 7, 1 << 20, 12};
    pr_header_pack(&out, s_out);
    pr_header_t in;
    assert_int_equal(pr_header_unpack(pr_buf_str(s_out), s_memory, &in), 0);
    assert_int_equal(in.seq, 7);
    assert_int_equal(in.consumed_bytes, 1 << 20);
    assert_true(pr_str_equal(in.from_inc, out.from_inc));
    assert_int_equal(in.to_inc.len, 0);

    assert_int_equal(pr_header_unpack(PR_STR("\x90"), s_memory, &in), PR_E_MALFORMED);
    assert_int_equal(pr_header_unpack(PR_STR("\x96\x01\xa0\xa0\xff\x00\x00"), s_memory, &in),
                     PR_E_MALFORMED);
}

static void
json_makes_the_event_that_json_shows(void **state)
{
    (void) state;
    pr_str_t json =
        PR_STR("{\"type\":\"CONNECT\",\"poll\":\"ABCDEF\",\"conn\":\"c\",\"user\":\"u\","
               "\"name\":\"\\u00e9\\\"\"}");
    assert_int_equal(pr_event_pack_json(json, s_out), 0);
    pr_event_t event;
    assert_int_equal(pr_event_unpack(pr_buf_str(s_out), s_memory, &event), 0);
    pr_buf_t *text = pr_buf_new(0);
    pr_event_write_json(&event, text);
    pr_buf_append_byte(text, '\0');
    assert_string_equal(pr_buf_data(text),
                        "{\"type\":\"CONNECT\",\"poll\":\"ABCDEF\",\"conn\":\"c\",\"user\":\"u\","
                        "\"name\":\"\xc3\xa9\\\"\"}");
    pr_buf_destroy(&text);

    assert_int_equal(pr_event_pack_json(PR_STR("{\"type\":\"NONE\"}"), s_out), PR_E_MALFORMED);
    assert_int_equal(pr_event_pack_json(PR_STR("[]"), s_out), PR_E_MALFORMED);
    assert_int_equal(pr_event_pack_json(PR_STR("{"), s_out), PR_E_MALFORMED);
}

static void
doubles_are_written_as_javascript_does(void **state)
{
    (void) state;
    static const struct {
        double number;
        const char *text;
    } rows[] = {
        {1, "1"},
        {0.5625, "0.5625"},
        {0.6944444444444445, "0.6944444444444445"},
        {0.24009999999999992, "0.24009999999999992"},
        {0.1, "0.1"},
        {2.990740740740741, "2.990740740740741"},
        {-0.0078125, "-0.0078125"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        msgpack_object object = {.type = MSGPACK_OBJECT_FLOAT64, .via.f64 = rows[i].number};
        pr_buf_clear(s_out);
        pr_object_write_json(&object, s_out);
        pr_buf_append_byte(s_out, '\0');
        assert_string_equal(pr_buf_data(s_out), rows[i].text);
    }
}

/* PROTOCOL.md has a row `| number | NAME |` for every message and `| code |` for every error. */
static const char *const s_rows[] = {
#define PR_MESSAGE(number, NAME, name, way, members) "| " #number " | " #NAME " |",
#include "proto/wire/messages.def"
#undef PR_MESSAGE
#define PR_ERROR(number, NAME, wire, words) "| `" wire "` |",
#include "proto/wire/errors.def"
#undef PR_ERROR
};

static void
protocol_page_names_every_message(void **state)
{
    (void) state;
    static char text[1 << 18];
    FILE *page = fopen("proto/PROTOCOL.md", "re");
    if (!page) {
        fail_msg("no proto/PROTOCOL.md in the working folder");
        return;
    }
    size_t len = fread(text, 1, sizeof text - 1, page);
    (void) fclose(page);
    text[len] = '\0';
    for (size_t i = 0; i < sizeof s_rows / sizeof s_rows[0]; i++) {
        if (!strstr(text, s_rows[i])) {
            fail_msg("no row: %s", s_rows[i]);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(event_comes_back_as_it_went),
        TEST(integers_bools_and_values_come_back),
        TEST(unknown_members_are_ignored),
        TEST(broken_events_are_told_apart),
        TEST(long_text_is_a_bad_field),
        TEST(depth_is_bounded),
        TEST(every_prefix_and_every_flipped_bit_is_survived),
        TEST(header_comes_back_and_is_checked),
        TEST(json_makes_the_event_that_json_shows),
        TEST(doubles_are_written_as_javascript_does),
        TEST(protocol_page_names_every_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
