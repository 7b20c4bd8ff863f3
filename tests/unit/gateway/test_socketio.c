/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/socketio.h"
#include "proto/wire/error.h"

typedef struct {
    const char *text;
    gw_sio_type_t type;
    const char *nsp;
    int64_t ack;
    const char *json; /* NULL: none */
} valid_t;

static const valid_t s_valid[] = {
    {"0", GW_SIO_CONNECT, "/", -1, NULL},
    {"0{}", GW_SIO_CONNECT, "/", -1, "{}"},
    {"0/polls,", GW_SIO_CONNECT, "/polls", -1, NULL},
    {"0/polls", GW_SIO_CONNECT, "/polls", -1, NULL},
    {"0/polls,{\"token\":\"a.b.c\"}", GW_SIO_CONNECT, "/polls", -1, "{\"token\":\"a.b.c\"}"},
    {"0/polls?a=b,{}", GW_SIO_CONNECT, "/polls?a=b", -1, "{}"},
    {"0/,", GW_SIO_CONNECT, "/", -1, NULL},
    {"1", GW_SIO_DISCONNECT, "/", -1, NULL},
    {"1/polls,", GW_SIO_DISCONNECT, "/polls", -1, NULL},
    {"1/polls", GW_SIO_DISCONNECT, "/polls", -1, NULL},
    {"2[\"a\"]", GW_SIO_EVENT, "/", -1, "[\"a\"]"},
    {"2[7]", GW_SIO_EVENT, "/", -1, "[7]"},
    {"2[\"a\",1,99999999999999999999]", GW_SIO_EVENT, "/", -1,
     "[\"a\",1.0,1e20]"}, /* as JavaScript reads it */
    {"2[\"a\",[[]],null]", GW_SIO_EVENT, "/", -1, "[\"a\",[[]],null]"},
    {"2/polls,[\"a\",{\"b\":1}]", GW_SIO_EVENT, "/polls", -1, "[\"a\",{\"b\":1}]"},
    {"2/polls,0[\"a\"]", GW_SIO_EVENT, "/polls", 0, "[\"a\"]"},
    {"2/polls,007[\"a\"]", GW_SIO_EVENT, "/polls", 7, "[\"a\"]"},
    {"2/polls,999999999999999[\"a\"]", GW_SIO_EVENT, "/polls", 999999999999999, "[\"a\"]"},
    {"2/p,[\"a,b\"]", GW_SIO_EVENT, "/p", -1, "[\"a,b\"]"},
    {"212[\"a\"]", GW_SIO_EVENT, "/", 12, "[\"a\"]"},
    {"2[\"a\\u0000b\"]", GW_SIO_EVENT, "/", -1, "[\"a\\u0000b\"]"},
    {"2[\"connected\"]", GW_SIO_EVENT, "/", -1, "[\"connected\"]"},
    {"2[\"a\"] ", GW_SIO_EVENT, "/", -1, "[\"a\"]"},
    {"3/polls,4[]", GW_SIO_ACK, "/polls", 4, "[]"},
    {"31[1,2]", GW_SIO_ACK, "/", 1, "[1,2]"},
    {"4/polls,{\"message\":\"m\"}", GW_SIO_CONNECT_ERROR, "/polls", -1, "{\"message\":\"m\"}"},
    {"51-[\"a\",{\"_placeholder\":true,\"num\":0}]", GW_SIO_BINARY_EVENT, "/", -1,
     "[\"a\",{\"_placeholder\":true,\"num\":0}]"},
    {"510-/polls,3[\"a\"]", GW_SIO_BINARY_EVENT, "/polls", 3, "[\"a\"]"},
    {"61-/polls,3[]", GW_SIO_BINARY_ACK, "/polls", 3, "[]"},
};

/* Each of these ends the connection of who sends it. */
static const char *const s_invalid[] = {
    "",
    "7",
    "9[\"a\"]",
    "a",
    "-1",
    " 2[\"a\"]",
    "\"",
    /* JSON that does not parse, or has something behind it */
    "2[\"a\"",
    "2[\"a\",]",
    "2[\"a\"]x",
    "2[\"a\"][\"b\"]",
    "2['a']",
    "2[\"a\",undefined]",
    "2[\"a\xff\"]",
    "2[\"a\",1e999]",
    "0{\"a\":1",
    "0{}{}",
    /* CONNECT: an object or nothing */
    "0[]",
    "0null",
    "0\"a\"",
    "0true",
    "0/polls,5",
    "0/polls,5{}",
    "0/polls,[]",
    "0/polls, {}",
    /* DISCONNECT: nothing */
    "1{}",
    "1\"\"",
    "1/polls,[]",
    "1/polls,7",
    /* EVENT: a non-empty array, a name first */
    "2",
    "2/polls,",
    "2/polls",
    "2/polls,5",
    "2{}",
    "2\"a\"",
    "2[]",
    "2[null]",
    "2[true]",
    "2[[\"a\"]]",
    "2[{}]",
    "2[\"connect\"]",
    "2[\"connect_error\"]",
    "2[\"disconnect\"]",
    "2[\"disconnecting\"]",
    "2[\"newListener\"]",
    "2[\"removeListener\"]",
    /* ids */
    "2/polls,1000000000000000[\"a\"]",
    "2/polls,99999999999999999999999999[\"a\"]",
    "2/polls,1 2[\"a\"]",
    "2/polls, 1[\"a\"]",
    "2/polls,-1[\"a\"]",
    "2/polls,1.5[\"a\"]",
    "2 [\"a\"]",
    /* ACK */
    "3",
    "3[]",
    "3/polls,[1]",
    "3/polls,1",
    "3/polls,1{}",
    "3/polls,1null",
    /* CONNECT_ERROR */
    "4",
    "4[]",
    "4/polls,1",
    /* attachments */
    "5",
    "5[\"a\"]",
    "5-[\"a\"]",
    "50-[\"a\"]",
    "511-[\"a\"]",
    "5100-[\"a\"]",
    "51[\"a\"]",
    "51/polls,[\"a\"]",
    "5 1-[\"a\"]",
    "51-[]",
    "51-[\"disconnect\"]",
    "61-[]",
    "6-1[]",
};

static void
valid_packets_are_read(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof s_valid / sizeof s_valid[0]; i++) {
        const valid_t *want = &s_valid[i];
        gw_sio_packet_t got;
        if (gw_sio_parse(pr_str(want->text), &got) != 0) {
            fail_msg("%s is refused", want->text);
        }
        assert_int_equal(got.type, want->type);
        assert_true(pr_str_equal(got.nsp, pr_str(want->nsp)));
        assert_int_equal(got.ack, want->ack);
        char *json =
            got.data ? json_dumps(got.data, JSON_COMPACT | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER)
                     : NULL;
        if (want->json) {
            assert_non_null(json);
            assert_string_equal(json, want->json);
        } else {
            assert_null(json);
        }
        free(json);
        gw_sio_clear(&got);
    }
}

static void
invalid_packets_are_refused(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof s_invalid / sizeof s_invalid[0]; i++) {
        gw_sio_packet_t got;
        if (gw_sio_parse(pr_str(s_invalid[i]), &got) != PR_E_MALFORMED) {
            fail_msg("%s is accepted", s_invalid[i]);
        }
        assert_null(got.data);
        gw_sio_clear(&got);
    }
}

static void
s_read(const char *text, size_t len)
{
    gw_sio_packet_t got;
    int error = gw_sio_parse((pr_str_t) {text, len}, &got);
    assert_true(error == 0 || error == PR_E_MALFORMED);
    gw_sio_clear(&got);
}

/* Every byte in every place of a valid packet, and every beginning of one: an answer, never more.
 * The text lies at the end of its memory, so that the sanitizer sees a read past it. */
static void
no_text_reads_past_its_end(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof s_valid / sizeof s_valid[0]; i++) {
        size_t len = strlen(s_valid[i].text);
        for (size_t cut = 0; cut <= len; cut++) {
            char *text = malloc(cut ? cut : 1);
            assert_non_null(text);
            memcpy(text, s_valid[i].text, cut);
            s_read(text, cut);
            for (int byte = 0; cut == len && byte < 256 * (int) len; byte++) {
                text[byte / 256] = (char) byte;
                s_read(text, cut);
                text[byte / 256] = s_valid[i].text[byte / 256];
            }
            free(text);
        }
    }
}

static void
deep_nesting_is_refused(void **state)
{
    (void) state;
    enum { DEPTH = 30000 };
    char *text = malloc(2 + DEPTH);
    assert_non_null(text);
    memset(text, '[', 2 + DEPTH);
    text[0] = '2';
    gw_sio_packet_t got;
    assert_int_equal(gw_sio_parse((pr_str_t) {text, 2 + DEPTH}, &got), PR_E_MALFORMED);
    free(text);
}

static void
event_has_name_and_arguments(void **state)
{
    (void) state;
    gw_sio_packet_t packet;
    assert_int_equal(gw_sio_parse(PR_STR("2[\"vote\",{\"a\":1},2]"), &packet), 0);
    assert_true(pr_str_equal(gw_sio_event_name(&packet), PR_STR("vote")));
    assert_int_equal(gw_sio_event_args(&packet), 2);
    assert_true(json_is_object(gw_sio_event_arg(&packet, 0)));
    assert_true(json_is_integer(gw_sio_event_arg(&packet, 1)));
    assert_null(gw_sio_event_arg(&packet, 2));
    gw_sio_clear(&packet);

    assert_int_equal(gw_sio_parse(PR_STR("2[1]"), &packet), 0);
    assert_null(gw_sio_event_name(&packet).ptr);
    assert_int_equal(gw_sio_event_args(&packet), 0);
    gw_sio_clear(&packet);
}

static void
head_is_written(void **state)
{
    (void) state;
    pr_buf_t *out = pr_buf_new(0);
    gw_sio_write_head(out, GW_SIO_CONNECT, PR_STR("/polls"), GW_SIO_ACK_NONE);
    gw_sio_write_head(out, GW_SIO_ACK, PR_STR("/polls"), 12);
    gw_sio_write_head(out, GW_SIO_CONNECT, PR_STR("/"), GW_SIO_ACK_NONE);
    assert_true(pr_str_equal(pr_buf_str(out), PR_STR("0/polls,3/polls,120")));
    pr_buf_destroy(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_packets_are_read),
        cmocka_unit_test(invalid_packets_are_refused),
        cmocka_unit_test(no_text_reads_past_its_end),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(event_has_name_and_arguments),
        cmocka_unit_test(head_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
