/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/map.h"
#include "tests/support/seeds.h"

/* So few keys that they are set, replaced and removed again and again, and so many that the table
 * grows. */
enum { KEYS = 300, OPERATIONS = 4000, SEEDS = 60 };

static uint64_t s_state;

static uint64_t
s_random(void)
{
    s_state ^= s_state << 13;
    s_state ^= s_state >> 7;
    s_state ^= s_state << 17;
    return s_state;
}

static pr_str_t
s_key(int number, char *out, size_t size)
{
    int length = snprintf(out, size, "key-%d", number);
    return (pr_str_t) {out, (size_t) length};
}

/* The same as a plain list: which numbers have which value, and in what order. */
typedef struct {
    int keys[KEYS];
    void *values[KEYS];
    int count;
} model_t;

static int
s_find(const model_t *model, int number)
{
    for (int i = 0; i < model->count; i++) {
        if (model->keys[i] == number) {
            return i;
        }
    }
    return -1;
}

static bool
s_model_remove(model_t *model, int number)
{
    int at = s_find(model, number);
    if (at < 0) {
        return false;
    }
    model->count--;
    model->keys[at] = model->keys[model->count];
    model->values[at] = model->values[model->count];
    return true;
}

static bool
s_same(const pr_map_t *map, const model_t *model)
{
    char text[32];
    if (pr_map_count(map) != (size_t) model->count) {
        return false;
    }
    for (int i = 0; i < model->count; i++) {
        pr_str_t key = s_key(model->keys[i], text, sizeof text);
        if (!pr_str_equal(pr_map_key_at(map, (size_t) i), key) ||
            pr_map_value_at(map, (size_t) i) != model->values[i] ||
            pr_map_get(map, key) != model->values[i]) {
            return false;
        }
    }
    return true;
}

static void
s_set(pr_map_t *map, model_t *model, int number, pr_str_t key)
{
    void *value = (void *) (uintptr_t) (1 + (s_random() & 0xffff)); /* never looked into */
    assert_int_equal(pr_map_set(map, key, value), 0);
    int at = s_find(model, number);
    if (at < 0) {
        at = model->count++;
        model->keys[at] = number;
    }
    model->values[at] = value;
}

static void
s_walk_down_and_remove(pr_map_t *map, model_t *model)
{
    for (size_t i = pr_map_count(map); i-- > 0;) {
        if (s_random() % 2) {
            int number = (int) strtol(pr_map_key_at(map, i).ptr + 4, NULL, 10);
            assert_true(pr_map_remove(map, pr_map_key_at(map, i)));
            assert_true(s_model_remove(model, number));
        }
    }
}

static char *
s_run(uint64_t seed)
{
    s_state = seed * 0x9e3779b97f4a7c15u + 1;
    pr_map_t *map = pr_map_new(NULL);
    model_t model = {0};
    char text[32];
    bool same = true;
    for (int i = 0; i < OPERATIONS && same; i++) {
        int number = (int) (s_random() % KEYS);
        pr_str_t key = s_key(number, text, sizeof text);
        uint64_t what = s_random() % 100;
        if (what < 55) {
            s_set(map, &model, number, key);
        } else if (what < 75) {
            same = pr_map_remove(map, key) == s_model_remove(&model, number);
        } else if (what < 95) {
            int at = s_find(&model, number);
            void *expected = at < 0 ? NULL : model.values[at];
            same = pr_map_take(map, key) == expected;
            (void) s_model_remove(&model, number);
        } else if (what < 97) {
            s_walk_down_and_remove(map, &model);
        } else if (what == 99 && s_random() % 20 == 0) {
            pr_map_clear(map);
            model.count = 0;
        }
        same = same && (i % 50 || s_same(map, &model));
    }
    pr_map_destroy(&map);
    return same ? NULL : strdup("map and model differ");
}

static void
behaves_as_a_plain_list(void **state)
{
    (void) state;
    assert_true(t_seeds(1, SEEDS, s_run));
}

static int s_freed;

static void
s_free(void *value)
{
    s_freed++;
    free(value);
}

static void
frees_what_it_owns_once(void **state)
{
    (void) state;
    s_freed = 0;
    pr_map_t *map = pr_map_new(s_free);
    for (int i = 0; i < 4; i++) {
        char text[32];
        assert_int_equal(pr_map_set(map, s_key(i, text, sizeof text), malloc(1)), 0);
    }
    assert_int_equal(pr_map_set(map, PR_STR("key-0"), malloc(1)), 0);
    assert_int_equal(s_freed, 1);
    assert_int_equal(pr_map_set(map, PR_STR("key-0"), pr_map_get(map, PR_STR("key-0"))), 0);
    assert_int_equal(s_freed, 1); /* the same value again */
    assert_true(pr_map_remove(map, PR_STR("key-1")));
    assert_int_equal(s_freed, 2);
    free(pr_map_take(map, PR_STR("key-2")));
    assert_int_equal(s_freed, 2);
    pr_map_destroy(&map);
    assert_int_equal(s_freed, 4);
    assert_null(map);
}

static void
keys_may_hold_any_bytes(void **state)
{
    (void) state;
    pr_map_t *map = pr_map_new(NULL);
    int a = 0;
    int b = 0;
    int c = 0;
    assert_null(pr_map_get(map, PR_STR("")));
    assert_int_equal(pr_map_set(map, PR_STR(""), &a), 0);
    assert_int_equal(pr_map_set(map, PR_STR("\0"), &b), 0);
    assert_int_equal(pr_map_set(map, PR_STR("\0\0"), &c), 0);
    assert_ptr_equal(pr_map_get(map, PR_STR_NONE), &a);
    assert_ptr_equal(pr_map_get(map, PR_STR("\0")), &b);
    assert_ptr_equal(pr_map_get(map, PR_STR("\0\0")), &c);
    pr_map_destroy(&map);
}

static void
a_removed_key_may_be_its_own(void **state)
{
    (void) state;
    pr_map_t *map = pr_map_new(NULL);
    int value = 0;
    assert_int_equal(pr_map_set(map, PR_STR("a"), &value), 0);
    assert_int_equal(pr_map_set(map, PR_STR("b"), &value), 0);
    assert_true(pr_map_remove(map, pr_map_key_at(map, 0)));
    assert_true(pr_str_equal(pr_map_key_at(map, 0), PR_STR("b")));
    pr_map_destroy(&map);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behaves_as_a_plain_list),
        cmocka_unit_test(frees_what_it_owns_once),
        cmocka_unit_test(keys_may_hold_any_bytes),
        cmocka_unit_test(a_removed_key_may_be_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
