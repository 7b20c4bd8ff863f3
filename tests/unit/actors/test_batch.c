/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "actors/batch.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"
#include "proto/wire/message.h"

#define ALICE PR_STR("alice-alice-alice-ali")
#define BOB PR_STR("bob-bob-bob-bob-bob-b")

static const pr_rev_t s_to = {.version = 9, .chain = 0xab};

static void
assert_stored(const ac_batch_t *batch, const pr_rev_t *to, const char *expected)
{
    pr_buf_t *out = pr_buf_new(0);
    ac_batch_write_stored(batch, to, out);
    pr_buf_append_byte(out, '\0');
    assert_string_equal(pr_buf_data(out), expected);
    pr_buf_destroy(&out);
}

static void
assert_published(const ac_batch_t *batch, const char *expected)
{
    pr_buf_t *packed = pr_buf_new(0);
    pr_buf_t *json = pr_buf_new(0);
    pr_unpacked_t *memory = pr_unpacked_new();
    const msgpack_object *object = NULL;
    ac_batch_write_published(batch, s_to, packed);
    assert_int_equal(pr_value_unpack(pr_buf_str(packed), memory, &object), 0);
    pr_object_write_json(object, json);
    pr_buf_append_byte(json, '\0');
    assert_string_equal(pr_buf_data(json), expected);
    pr_unpacked_destroy(&memory);
    pr_buf_destroy(&packed);
    pr_buf_destroy(&json);
}

static void
both_patches_come_from_one_list(void **state)
{
    (void) state;
    ac_batch_t *batch = ac_batch_new();
    assert_int_equal(ac_batch_participant(batch, ALICE, PR_STR("Al \"ice\"\n")), 0);
    assert_int_equal(ac_batch_participant(batch, BOB, PR_STR_NONE), 0);
    assert_stored(batch, NULL,
                  "{\"participants\":{\"alice-alice-alice-ali\":\"Al \\\"ice\\\"\\n\","
                  "\"bob-bob-bob-bob-bob-b\":null}}");
    assert_stored(batch, &s_to,
                  "{\"participants\":{\"alice-alice-alice-ali\":\"Al \\\"ice\\\"\\n\","
                  "\"bob-bob-bob-bob-bob-b\":null},"
                  "\"meta\":{\"version\":9,\"rev\":\"9-00000000000000ab\"}}");
    assert_published(batch, "{\"participants\":{\"alice-alice-alice-ali\":\"Al \\\"ice\\\"\\n\","
                            "\"bob-bob-bob-bob-bob-b\":null},"
                            "\"version\":9,\"rev\":\"9-00000000000000ab\"}");
    assert_true(ac_batch_removes(batch, BOB));
    assert_false(ac_batch_removes(batch, ALICE));
    ac_batch_destroy(&batch);
}

static void
empty_batch_raises_the_version_alone(void **state)
{
    (void) state;
    ac_batch_t *batch = ac_batch_new();
    assert_stored(batch, NULL, "{}");
    assert_stored(batch, &s_to, "{\"meta\":{\"version\":9,\"rev\":\"9-00000000000000ab\"}}");
    assert_published(batch, "{\"version\":9,\"rev\":\"9-00000000000000ab\"}");
    ac_batch_destroy(&batch);
}

static void
last_effect_on_a_user_counts(void **state)
{
    (void) state;
    ac_batch_t *batch = ac_batch_new();
    assert_int_equal(ac_batch_participant(batch, ALICE, PR_STR("A")), 0);
    assert_int_equal(ac_batch_participant(batch, ALICE, PR_STR_NONE), 0);
    assert_int_equal(ac_batch_count(batch), 1);
    assert_stored(batch, NULL, "{\"participants\":{\"alice-alice-alice-ali\":null}}");
    ac_batch_clear(batch);
    assert_int_equal(ac_batch_count(batch), 0);
    assert_stored(batch, NULL, "{}");
    ac_batch_destroy(&batch);
}

static void
is_full_at_its_bounds(void **state)
{
    (void) state;
    ac_batch_t *batch = ac_batch_new();
    for (int i = 0; i < PR_BATCH_CHANGES_MAX; i++) {
        assert_false(ac_batch_is_full(batch));
        char user[32];
        (void) snprintf(user, sizeof user, "user-%016d", i);
        assert_int_equal(ac_batch_participant(batch, pr_str(user), PR_STR("Name")), 0);
    }
    assert_true(ac_batch_is_full(batch));

    ac_batch_clear(batch);
    static char text[PR_BATCH_BYTES_MAX + 1];
    memset(text, 'x', sizeof text - 1);
    assert_false(ac_batch_is_full(batch));
    assert_int_equal(ac_batch_participant(batch, ALICE, pr_str(text)), 0);
    assert_true(ac_batch_is_full(batch));
    ac_batch_destroy(&batch);
}

static void
rev_hangs_on_history_owner_and_change(void **state)
{
    (void) state;
    ac_batch_t *batch = ac_batch_new();
    pr_rev_t from = {.version = 3, .chain = 1};
    pr_rev_t to;
    pr_rev_t other;
    assert_int_equal(ac_batch_participant(batch, ALICE, PR_STR("A")), 0);
    assert_int_equal(ac_batch_rev(batch, from, PR_STR("7:1:aa"), &to), 0);
    assert_int_equal(to.version, 4);
    assert_int_equal(ac_batch_rev(batch, from, PR_STR("7:2:aa"), &other), 0);
    assert_false(pr_rev_equal(to, other));
    assert_int_equal(ac_batch_participant(batch, ALICE, PR_STR("B")), 0);
    assert_int_equal(ac_batch_rev(batch, from, PR_STR("7:1:aa"), &other), 0);
    assert_false(pr_rev_equal(to, other));
    ac_batch_destroy(&batch);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_patches_come_from_one_list),
        cmocka_unit_test(empty_batch_raises_the_version_alone),
        cmocka_unit_test(last_effect_on_a_user_counts),
        cmocka_unit_test(is_full_at_its_bounds),
        cmocka_unit_test(rev_hangs_on_history_owner_and_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
