/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "actors/score.h"

static uint64_t
s_bits(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static void
s_add(ac_score_t *score, json_t *ballot)
{
    pr_str_t ids[8];
    size_t count = json_array_size(ballot);
    assert_in_range(count, 0, 8);
    for (size_t i = 0; i < count; i++) {
        ids[i] = pr_str(json_string_value(json_array_get(ballot, i)));
    }
    assert_int_equal(ac_score_add(score, ids, count), 0);
}

static void
s_check(json_t *row)
{
    ac_score_t *score = ac_score_new((int) json_integer_value(json_object_get(row, "votes")));
    json_t *ballots = json_object_get(row, "ballots");
    for (size_t i = 0; i < json_array_size(ballots); i++) {
        s_add(score, json_array_get(ballots, i));
    }
    assert_int_equal(ac_score_sort(score), 0);

    json_t *results = json_object_get(row, "results");
    assert_int_equal(ac_score_count(score), json_array_size(results));
    for (size_t i = 0; i < json_array_size(results); i++) {
        json_t *expected = json_array_get(results, i);
        pr_str_t id = pr_str(json_string_value(json_object_get(expected, "nominationID")));
        assert_true(pr_str_equal(ac_score_id_at(score, i), id));
        assert_true(s_bits(ac_score_at(score, i)) ==
                    s_bits(json_number_value(json_object_get(expected, "score"))));
    }
    ac_score_destroy(&score);
}

static void
golden_vectors_come_out_bit_for_bit(void **state)
{
    (void) state;
    json_t *rows = json_load_file("tests/vectors/score.json", 0, NULL);
    assert_non_null(rows);
    assert_true(json_array_size(rows) > 30);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        s_check(json_array_get(rows, i));
    }
    json_decref(rows);
}

static void
weights_are_those_of_the_original_engine(void **state)
{
    (void) state;
    static const uint64_t bits[] = {0x3ff0000000000000, 0x3fe9eb851eb851ec, 0x3fe0624dd2f1a9fd,
                                    0x3fcebb98c7e2823e, 0x3fb3e81450efdc9b};
    static const pr_str_t ids[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}};
    ac_score_t *score = ac_score_new(5);
    assert_int_equal(ac_score_add(score, ids, 5), 0);
    assert_int_equal(ac_score_sort(score), 0);
    for (size_t i = 0; i < 5; i++) {
        assert_true(s_bits(ac_score_at(score, i)) == bits[i]);
    }
    ac_score_destroy(&score);
}

static void
equal_scores_stay_in_order_of_appearance(void **state)
{
    (void) state;
    static const pr_str_t first[] = {{"z", 1}};
    static const pr_str_t second[] = {{"a", 1}};
    static const pr_str_t third[] = {{"m", 1}};
    ac_score_t *score = ac_score_new(1);
    assert_int_equal(ac_score_add(score, first, 1), 0);
    assert_int_equal(ac_score_add(score, second, 1), 0);
    assert_int_equal(ac_score_add(score, third, 1), 0);
    assert_int_equal(ac_score_add(score, third, 1), 0);
    assert_int_equal(ac_score_sort(score), 0);
    assert_true(pr_str_equal(ac_score_id_at(score, 0), PR_STR("m")));
    assert_true(pr_str_equal(ac_score_id_at(score, 1), PR_STR("z")));
    assert_true(pr_str_equal(ac_score_id_at(score, 2), PR_STR("a")));
    ac_score_destroy(&score);
}

/* A second implementation, as plain as can be: sums per id in a flat table, then selection of the
 * best. */
static void
random_ballots_agree_with_the_plain_way(void **state)
{
    (void) state;
    enum { IDS = 12, ROUNDS = 400 };
    static const double plain[4] = {1, 0.765625, 0.421875, 0.152587890625};
    unsigned seed = 7;
    for (int round = 0; round < ROUNDS; round++) {
        ac_score_t *score = ac_score_new(4);
        double sums[IDS] = {0};
        for (int voter = 0; voter < 30; voter++) {
            char names[4][2];
            pr_str_t ids[4];
            unsigned start = (unsigned) rand_r(&seed);
            size_t count = start % 4 + 1;
            for (size_t n = 0; n < count; n++) {
                unsigned pick = (start + (unsigned) n * 5) % IDS;
                names[n][0] = (char) ('a' + pick);
                ids[n] = (pr_str_t) {names[n], 1};
                sums[pick] += plain[n];
            }
            assert_int_equal(ac_score_add(score, ids, count), 0);
        }
        assert_int_equal(ac_score_sort(score), 0);
        for (size_t i = 0; i < ac_score_count(score); i++) {
            assert_true(s_bits(ac_score_at(score, i)) ==
                        s_bits(sums[ac_score_id_at(score, i).ptr[0] - 'a']));
            assert_true(i == 0 || ac_score_at(score, i) <= ac_score_at(score, i - 1));
        }
        ac_score_destroy(&score);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_vectors_come_out_bit_for_bit),
        cmocka_unit_test(weights_are_those_of_the_original_engine),
        cmocka_unit_test(equal_scores_stay_in_order_of_appearance),
        cmocka_unit_test(random_ballots_agree_with_the_plain_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
