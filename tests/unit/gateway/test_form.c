/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/form.h"

static void
s_check(pr_str_t body, const char *expected)
{
    json_t *form = gw_form_parse(body);
    assert_non_null(form);
    char *text = json_dumps(form, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, expected);
    free(text);
    json_decref(form);
}

static void
fields_are_texts(void **state)
{
    (void) state;
    s_check(PR_STR(""), "{}");
    s_check(PR_STR("topic=Lunch&votesPerVoter=3"), "{\"topic\":\"Lunch\",\"votesPerVoter\":\"3\"}");
    s_check(PR_STR("a=b+c%20d%3D&x"), "{\"a\":\"b c d=\",\"x\":\"\"}");
    s_check(PR_STR("n=%EC%97%B0"), "{\"n\":\"\xec\x97\xb0\"}");
    s_check(PR_STR("n=%00"), "{\"n\":\"\\u0000\"}");
}

static void
odd_forms_are_read_all_the_same(void **state)
{
    (void) state;
    s_check(PR_STR("&&=&=x"), "{}");
    s_check(PR_STR("a=%zz%4"), "{\"a\":\"%zz%4\"}");
    s_check(PR_STR("a=%ff"), "{\"a\":\"\xef\xbf\xbd\"}");
    s_check(PR_STR("a=1&a=2"), "{\"a\":[]}");
    s_check(PR_STR("a[b]=1&c[]=2"), "{\"a\":[],\"c\":[]}");
    s_check(PR_STR("a%00b=1"), "{}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_texts),
        cmocka_unit_test(odd_forms_are_read_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
