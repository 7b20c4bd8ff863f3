/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/ids.h"
#include "proto/poll/ids.h"

enum { COUNT = 1000 };

static void
names_are_found_until_they_are_removed(void **state)
{
    (void) state;
    static int objects[COUNT];
    static uint64_t numbers[COUNT];
    gw_ids_t *ids = gw_ids_new();
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(gw_ids_add(ids, &objects[i], &numbers[i]), 0);
    }
    for (int i = 0; i < COUNT; i++) {
        gw_id_text_t text = gw_ids_text(numbers[i]);
        assert_true(pr_id_is_conn(pr_str(text.text)));
        assert_ptr_equal(gw_ids_find(ids, pr_str(text.text)), &objects[i]);
    }
    for (int i = 0; i < COUNT; i += 2) {
        gw_ids_remove(ids, numbers[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        void *found = gw_ids_find(ids, pr_str(gw_ids_text(numbers[i]).text));
        assert_ptr_equal(found, i % 2 ? &objects[i] : NULL);
    }
    gw_ids_destroy(&ids);
}

static void
place_is_used_again_but_no_name(void **state)
{
    (void) state;
    int object = 0;
    uint64_t last = 0;
    gw_ids_t *ids = gw_ids_new();
    for (int i = 0; i < COUNT; i++) {
        uint64_t number = 0;
        assert_int_equal(gw_ids_add(ids, &object, &number), 0);
        assert_true(number > last);
        assert_null(gw_ids_find(ids, pr_str(gw_ids_text(last).text)));
        gw_ids_remove(ids, number);
        last = number;
    }
    gw_ids_destroy(&ids);
}

static void
names_from_outside_are_found_wrong(void **state)
{
    (void) state;
    static const char *const wrong[] = {
        "", "0", "z", "-1", "A", "1 ", " 1", "zzzzzzzzzzzz", "zzzzzzzzzzzzz", "1.5", "\xff",
    };
    int object = 0;
    uint64_t number = 0;
    gw_ids_t *ids = gw_ids_new();
    assert_null(gw_ids_find(ids, PR_STR("1")));
    assert_int_equal(gw_ids_add(ids, &object, &number), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_null(gw_ids_find(ids, pr_str(wrong[i])));
    }
    assert_null(gw_ids_find(ids, PR_STR_NONE));
    gw_ids_destroy(&ids);
    gw_ids_destroy(&ids);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_until_they_are_removed),
        cmocka_unit_test(place_is_used_again_but_no_name),
        cmocka_unit_test(names_from_outside_are_found_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
