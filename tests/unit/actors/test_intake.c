/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/intake.h"
#include "proto/wire/json.h"

/* Events as rollcallctl would send them, and what becomes of them. */
static const struct {
    const char *json;
    int code;
} s_rows[] = {
#define USER "alice-alice-alice-ali"
#define CONNECT(poll, conn, user, name, more)                                                      \
    "{\"type\":\"CONNECT\",\"poll\":\"" poll "\",\"conn\":\"" conn "\",\"user\":\"" user           \
    "\",\"name\":\"" name "\"" more "}"
    {CONNECT("ABC123", "c1", USER, "Ada", ""), 0},
    {CONNECT("ABC123", "c.1_-", USER, "Ada", ",\"rev\":\"3-00000000000000ff\""), 0},
    {CONNECT("ABC123", "c1", USER, "Ada", ",\"rev\":\"3\""), PR_E_BAD_FIELD},
    {CONNECT("abc123", "c1", USER, "Ada", ""), PR_E_BAD_FIELD},
    {CONNECT("ABC12", "c1", USER, "Ada", ""), PR_E_BAD_FIELD},
    {CONNECT("ABC1234", "c1", USER, "Ada", ""), PR_E_BAD_FIELD},
    {CONNECT("", "c1", USER, "Ada", ""), PR_E_BAD_FIELD},
    {CONNECT("ABC123", "", USER, "Ada", ""), PR_E_BAD_FIELD},
    {CONNECT("ABC123", "c 1", USER, "Ada", ""), PR_E_BAD_FIELD},
    {CONNECT("ABC123", "c1", "1lice-alice-alice-ali", "Ada", ""), PR_E_BAD_FIELD},
    {CONNECT("ABC123", "c1", "alice", "Ada", ""), PR_E_BAD_FIELD},
    {CONNECT("ABC123", "c1", "alice.alice.alice.ali", "Ada", ""), PR_E_BAD_FIELD},
    {CONNECT("ABC123", "c1", USER, "", ""), PR_E_BAD_FIELD},
    {CONNECT("ABC123", "c1", USER, "\xf0\x9f\x8d\x9c\xf0\x9f\x8d\x9c", ""), 0},
    {CONNECT("ABC123", "c1", USER, "1234567890123456789012345", ""), 0},
    {CONNECT("ABC123", "c1", USER, "12345678901234567890123456", ""), PR_E_BAD_FIELD},
#define SYNC(conns) "{\"type\":\"SYNC\",\"poll\":\"ABC123\",\"conns\":" conns "}"
    {SYNC("[]"), 0},
    {SYNC("[[\"c1\",\"" USER "\",\"Ada\"]]"), 0},
    {SYNC("[[\"c1\",\"" USER "\",\"Ada\",1]]"), 0},
    {SYNC("[[\"c1\",\"" USER "\"]]"), PR_E_BAD_FIELD},
    {SYNC("[[1,\"" USER "\",\"Ada\"]]"), PR_E_BAD_FIELD},
    {SYNC("[\"c1\"]"), PR_E_BAD_FIELD},
    {SYNC("{}"), PR_E_BAD_FIELD},
    {SYNC("null"), PR_E_BAD_FIELD},
#define DISCONNECT(why)                                                                            \
    "{\"type\":\"DISCONNECT\",\"poll\":\"ABC123\",\"conn\":\"c1\",\"why\":\"" why "\"}"
    {DISCONNECT("leave"), 0},
    {DISCONNECT("reload"), 0},
    {DISCONNECT("lost"), 0},
    {DISCONNECT("bored"), PR_E_BAD_FIELD},
#define CREATE(topic, votes, admin, ends, more)                                                    \
    "{\"type\":\"CREATE\",\"poll\":\"ABC123\",\"req\":1,\"topic\":\"" topic "\",\"votes\":" votes  \
    ",\"admin\":\"" admin "\",\"endsAt\":" ends ",\"nonce\":\"n1\"" more "}"
    {CREATE("Lunch", "3", USER, "1800000000000", ""), 0},
    {CREATE("Lunch", "3", USER, "1800000000000", ",\"ballots\":\"open\""), 0},
    {CREATE("Lunch", "3", USER, "1800000000000", ",\"ballots\":\"some\""), PR_E_BAD_FIELD},
    {CREATE("", "3", USER, "1800000000000", ""), PR_E_BAD_FIELD},
    {CREATE("Lunch", "0", USER, "1800000000000", ""), PR_E_BAD_FIELD},
    {CREATE("Lunch", "6", USER, "1800000000000", ""), PR_E_BAD_FIELD},
    {CREATE("Lunch", "3", "x", "1800000000000", ""), PR_E_BAD_FIELD},
    {CREATE("Lunch", "3", USER, "-1", ""), PR_E_BAD_FIELD},
    {"{\"type\":\"READ\",\"poll\":\"ABC123\",\"req\":1}", 0},
    {"{\"type\":\"READ\",\"poll\":\"ABC123\",\"req\":1,\"user\":\"x\"}", PR_E_BAD_FIELD},
    {"{\"type\":\"RESYNC\",\"poll\":\"ABC123\"}", 0},
    {"{\"type\":\"RESYNC\",\"poll\":\"ABC123\",\"rev\":\"x\"}", PR_E_BAD_FIELD},
    {"{\"type\":\"COMMAND\",\"poll\":\"ABC123\",\"req\":1,\"conn\":\"c1\",\"user\":\"" USER
     "\",\"id\":\"i\",\"verb\":\"nominate\"}",
     0},
    {"{\"type\":\"COMMAND\",\"poll\":\"ABC123\",\"req\":1,\"conn\":\"c1\",\"user\":\"\","
     "\"id\":\"i\",\"verb\":\"nominate\"}",
     PR_E_BAD_FIELD},
    {"{\"type\":\"POLL_ENDED\",\"poll\":\"ABC123\",\"why\":\"expired\"}", PR_E_UNKNOWN_TYPE},
    {"{\"type\":\"MOVED\",\"poll\":\"ABC123\",\"generation\":1}", PR_E_UNKNOWN_TYPE},
};

static void
only_what_is_well_formed_gets_in(void **state)
{
    (void) state;
    pr_unpacked_t *memory = pr_unpacked_new();
    pr_buf_t *packed = pr_buf_new(0);
    for (size_t i = 0; i < sizeof s_rows / sizeof s_rows[0]; i++) {
        pr_buf_clear(packed);
        assert_int_equal(pr_event_pack_json(pr_str(s_rows[i].json), packed), 0);
        pr_event_t event;
        int rc = pr_event_unpack(pr_buf_str(packed), memory, &event);
        if (rc == 0) {
            rc = ac_intake_check(&event);
        }
        if (rc != s_rows[i].code) {
            fail_msg("%s: %s", s_rows[i].json, pr_error_name(rc));
        }
    }
    pr_unpacked_destroy(&memory);
    pr_buf_destroy(&packed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_well_formed_gets_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
