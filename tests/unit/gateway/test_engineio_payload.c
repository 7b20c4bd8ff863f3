/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/engineio_payload.h"
#include "gateway/engineio_refusal.h"
#include "gateway/engineio_sid.h"
#include "gateway/socket.h"
#include "proto/base/clock.h"
#include "proto/wire/limits.h"

/* The packets of a body, each in brackets. */
static const char *
s_packets(pr_str_t body)
{
    static char text[256];
    size_t len = 0;
    gw_payload_t payload = gw_payload(body);
    pr_str_t packet;
    while (gw_payload_next(&payload, &packet)) {
        len += (size_t) snprintf(text + len, sizeof text - len, "[%.*s]", PR_STR_ARG(packet));
    }
    return text;
}

static void
body_falls_into_packets(void **state)
{
    (void) state;
    assert_string_equal(s_packets(PR_STR("4a")), "[4a]");
    assert_string_equal(s_packets(PR_STR("4a\x1e"
                                         "4b\x1e"
                                         "bAA==")),
                        "[4a][4b][bAA==]");
    assert_string_equal(s_packets(PR_STR("")), "[]");
    assert_string_equal(s_packets(PR_STR_NONE), "[]");
    assert_string_equal(s_packets(PR_STR("4a\x1e")), "[4a][]");
    assert_string_equal(s_packets(PR_STR("\x1e\x1e")), "[][][]");
}

static void
base64_is_read_strictly(void **state)
{
    const struct {
        const char *base64;
        pr_str_t bytes;
    } good[] = {
        {"", {"", 0}},        {"AA==", {"\0", 1}},           {"aGk=", {"hi", 2}},
        {"aGkh", {"hi!", 3}}, {"+/+/", {"\xfb\xff\xbf", 3}}, {"aGkhaGk=", {"hi!hi", 5}},
    };
    const char *bad[] = {
        "A", "AA", "AAA", "A===", "====", "aGk", "aG-_", "aG k", "AA==AA==", "=AAA"};
    (void) state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        pr_buf_t *bytes = gw_payload_decode(pr_str(good[i].base64));
        assert_non_null(bytes);
        assert_true(pr_str_equal(pr_buf_str(bytes), good[i].bytes));
        pr_buf_destroy(&bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_null(gw_payload_decode(pr_str(bad[i])));
    }
}

static void
s_expect_body(const char *body, size_t count, pr_buf_t **frames)
{
    pr_buf_t *out = pr_buf_new(0);
    size_t most = 0;
    for (size_t i = 0; i < count; i++) {
        gw_payload_append_frames(out, pr_buf_str(frames[i]));
        most += gw_payload_frames_max(pr_buf_str(frames[i]));
        pr_buf_destroy(&frames[i]);
    }
    assert_in_range(most, pr_buf_len(out), pr_buf_len(out) + 6 * count);
    pr_buf_append_byte(out, '\0');
    assert_string_equal(pr_buf_data(out), body);
    pr_buf_destroy(&out);
}

static void
frames_become_packets(void **state)
{
    (void) state;
    pr_buf_t *frames[] = {
        gw_frame_text(PR_STR("4a")),
        gw_frame_binary(PR_STR("hi!")),
        gw_frame_text(PR_STR("")),
        gw_frame_binary(PR_STR("")),
        gw_frame_text2(PR_STR("4"), PR_STR("b")),
    };
    /* Several frames one behind the other are a frame as well. */
    pr_buf_t *both = pr_buf_copy(pr_buf_str(frames[0]));
    pr_buf_append_str(both, pr_buf_str(frames[1]));
    s_expect_body("4a\x1e"
                  "baGkh\x1e"
                  "\x1e"
                  "b\x1e"
                  "4b",
                  5, frames);
    s_expect_body("4a\x1e"
                  "baGkh",
                  1, &both);
}

/* Messages longer than a fragment, of any length of base64's last group. */
static void
fragments_become_one_packet(void **state)
{
    (void) state;
    for (size_t more = 0; more < 4; more++) {
        size_t len = 2 * PR_FRAGMENT_BYTES + more;
        char *bytes = malloc(len);
        assert_non_null(bytes);
        pr_random_bytes(bytes, len);
        pr_buf_t *frame = gw_frame_binary((pr_str_t) {bytes, len});
        pr_buf_t *body = pr_buf_new(0);
        gw_payload_append_frames(body, pr_buf_str(frame));
        pr_str_t packet = pr_buf_str(body);
        size_t most = gw_payload_frames_max(pr_buf_str(frame));
        assert_in_range(most, packet.len, packet.len + 64);
        assert_int_equal(packet.ptr[0], 'b');
        pr_buf_t *back = gw_payload_decode((pr_str_t) {packet.ptr + 1, packet.len - 1});
        assert_non_null(back);
        assert_true(pr_str_equal(pr_buf_str(back), (pr_str_t) {bytes, len}));
        pr_buf_destroy(&back);
        pr_buf_destroy(&body);
        pr_buf_destroy(&frame);
        free(bytes);
    }
}

static void
sid_names_its_owner(void **state)
{
    (void) state;
    char tag[GW_SID_TAG_MAX + 1];
    char sid[GW_SID_MAX + 1];
    char other[GW_SID_MAX + 1];
    gw_sid_tag("g12", "0123456789abcdef", tag);
    assert_string_equal(tag, "g12-01234567");
    gw_sid_new(tag, sid);
    gw_sid_new(tag, other);
    assert_string_not_equal(sid, other);
    assert_int_equal(
        strspn(sid, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        strlen(tag) + 1 + 22);
    assert_true(pr_str_equal(gw_sid_owner(pr_str(sid)), pr_str(tag)));
}

static void
sid_of_nobody_has_no_owner(void **state)
{
    const char *bad[] = {"", "abc", "0123456789012345678901", "-0123456789012345678901",
                         "g1_0123456789012345678901"};
    char longer[GW_SID_MAX + 2];
    (void) state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_null(gw_sid_owner(pr_str(bad[i])).ptr);
    }
    memset(longer, '-', sizeof longer);
    assert_null(gw_sid_owner((pr_str_t) {longer, sizeof longer}).ptr);
    assert_null(gw_sid_owner(PR_STR_NONE).ptr);
}

static void
refusals_come_in_the_stock_order(void **state)
{
    (void) state;
    gw_handshake_t asked = {.transport = PR_STR("x"), .sid = PR_STR_NONE};
    assert_int_equal(gw_refusal_check(&asked), GW_REFUSAL_TRANSPORT);
    asked.transport = PR_STR("polling");
    assert_int_equal(gw_refusal_check(&asked), GW_REFUSAL_FORBIDDEN);
    asked.origin_allowed = true;
    assert_int_equal(gw_refusal_check(&asked), GW_REFUSAL_METHOD);
    asked.is_get = true;
    asked.is_upgrade = true;
    assert_int_equal(gw_refusal_check(&asked), GW_REFUSAL_REQUEST);
    asked.transport = PR_STR("websocket");
    assert_int_equal(gw_refusal_check(&asked), GW_REFUSAL_PROTOCOL);
    asked.eio = PR_STR("4");
    assert_int_equal(gw_refusal_check(&asked), GW_REFUSAL_NONE);
    asked.sid = PR_STR("s");
    asked.session = GW_REFUSAL_SESSION;
    asked.eio = PR_STR("3");
    assert_int_equal(gw_refusal_check(&asked), GW_REFUSAL_SESSION);
    asked.session = GW_REFUSAL_NONE;
    assert_int_equal(gw_refusal_check(&asked), GW_REFUSAL_REQUEST);
    asked.eio = PR_STR("4");
    assert_int_equal(gw_refusal_check(&asked), GW_REFUSAL_NONE);
    asked.session = GW_REFUSAL_REQUEST;
    assert_int_equal(gw_refusal_check(&asked), GW_REFUSAL_REQUEST);
    assert_int_equal(gw_refusal_status(GW_REFUSAL_FORBIDDEN), 403);
    assert_int_equal(gw_refusal_status(GW_REFUSAL_SESSION), 400);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body_falls_into_packets),
        cmocka_unit_test(base64_is_read_strictly),
        cmocka_unit_test(frames_become_packets),
        cmocka_unit_test(fragments_become_one_packet),
        cmocka_unit_test(sid_names_its_owner),
        cmocka_unit_test(sid_of_nobody_has_no_owner),
        cmocka_unit_test(refusals_come_in_the_stock_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
