/* SPDX-License-Identifier: MIT */

/* Our tokens against libjwt, and libjwt's against us. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jwt.h>
#include <unistd.h>

#include "gateway/token.h"
#include "proto/wire/error.h"

#define KEY "a key of some length, 32 or so"
#define OLD_KEY "an older key"
#define NOW_S 1700000000
#define USER "Uabcdefghijklmnop_-12"

static gw_token_keys_t *
s_keys(const char *text)
{
    char path[] = "/tmp/token-keys-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
    (void) close(fd);
    gw_token_keys_t *keys = gw_token_keys_load(path);
    (void) unlink(path);
    return keys;
}

static gw_token_t
s_token(pr_str_t name)
{
    gw_token_t token = {
        .poll = "ABC123", .user = USER, .name_len = name.len, .expires_s = NOW_S + 60};
    memcpy(token.name, name.ptr, name.len);
    return token;
}

static pr_buf_t *
s_sign(const gw_token_keys_t *keys, pr_str_t name)
{
    gw_token_t token = s_token(name);
    pr_buf_t *out = pr_buf_new(0);
    assert_int_equal(gw_token_sign(keys, &token, NOW_S, out), 0);
    return out;
}

static void
names_survive(void **state)
{
    (void) state;
    static const pr_str_t names[] = {
        {"Ann", 3},
        {"\xea\xb9\x80\xec\xb2\xa0\xec\x88\x98", 9},
        {"\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 8},
        {"a\"b\\c/<>~?\x7f\x01", 12},
        {"nul\0nul", 7},
        {"\xf4\x8f\xbf\xbf\xef\xbf\xbf", 7},
    };
    gw_token_keys_t *keys = s_keys(KEY "\n");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        pr_buf_t *text = s_sign(keys, names[i]);
        gw_token_t token;
        assert_int_equal(gw_token_verify(keys, pr_buf_str(text), NOW_S, &token), 0);
        assert_string_equal(token.poll, "ABC123");
        assert_string_equal(token.user, USER);
        assert_int_equal(token.expires_s, NOW_S + 60);
        assert_int_equal(token.name_len, names[i].len);
        assert_memory_equal(token.name, names[i].ptr, names[i].len);
        /* Pages decode the payload with plain base64. */
        const char *payload = strchr(pr_buf_data(text), '.') + 1;
        size_t len = (size_t) (strchr(payload, '.') - payload);
        assert_null(memchr(payload, '-', len));
        assert_null(memchr(payload, '_', len));
        pr_buf_destroy(&text);
    }
    gw_token_keys_destroy(&keys);
}

static void
the_text_is_ours(void **state)
{
    (void) state;
    gw_token_keys_t *keys = s_keys(KEY);
    pr_buf_t *text = s_sign(keys, PR_STR("A\xc3\xa9>"));
    pr_buf_append_byte(text, '\0');
    static const char head[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";
    assert_memory_equal(pr_buf_data(text), head, sizeof head - 1);
    jwt_t *jwt = NULL;
    assert_int_equal(
        jwt_decode(&jwt, pr_buf_data(text), (const unsigned char *) KEY, (int) strlen(KEY)), 0);
    assert_int_equal(jwt_get_alg(jwt), JWT_ALG_HS256);
    assert_string_equal(jwt_get_grant(jwt, "pollID"), "ABC123");
    assert_string_equal(jwt_get_grant(jwt, "sub"), USER);
    assert_string_equal(jwt_get_grant(jwt, "name"), "A\xc3\xa9>");
    assert_int_equal(jwt_get_grant_int(jwt, "iat"), NOW_S);
    assert_int_equal(jwt_get_grant_int(jwt, "exp"), NOW_S + 60);
    jwt_free(jwt);
    pr_buf_destroy(&text);
    gw_token_keys_destroy(&keys);
}

typedef struct {
    jwt_alg_t algorithm;
    const char *key;
    const char *poll;
    const char *user;
    const char *name;
    long expires_s; /* 0: none */
} foreign_t;

static int
s_verify_foreign(const gw_token_keys_t *keys, foreign_t foreign)
{
    jwt_t *jwt = NULL;
    assert_int_equal(jwt_new(&jwt), 0);
    const unsigned char *key = (const unsigned char *) foreign.key;
    assert_int_equal(jwt_set_alg(jwt, foreign.algorithm, key, key ? (int) strlen(foreign.key) : 0),
                     0);
    (void) jwt_add_grant(jwt, "pollID", foreign.poll);
    (void) jwt_add_grant(jwt, "sub", foreign.user);
    (void) jwt_add_grant(jwt, "name", foreign.name);
    if (foreign.expires_s) {
        (void) jwt_add_grant_int(jwt, "exp", foreign.expires_s);
    }
    char *text = jwt_encode_str(jwt);
    assert_non_null(text);
    gw_token_t token;
    int error = gw_token_verify(keys, pr_str(text), NOW_S, &token);
    free(text);
    jwt_free(jwt);
    return error;
}

static void
only_our_signature_counts(void **state)
{
    (void) state;
    gw_token_keys_t *keys = s_keys("\n" KEY "\r\n\n" OLD_KEY "\n");
    foreign_t good = {JWT_ALG_HS256, KEY, "ABC123", USER, "Ann", NOW_S + 1};
    foreign_t bad = good;
    assert_int_equal(s_verify_foreign(keys, good), 0);
    bad.key = OLD_KEY;
    assert_int_equal(s_verify_foreign(keys, bad), 0);
    bad.key = "another key";
    assert_int_equal(s_verify_foreign(keys, bad), PR_E_FORBIDDEN);
    bad = good;
    bad.algorithm = JWT_ALG_HS384;
    assert_int_equal(s_verify_foreign(keys, bad), PR_E_FORBIDDEN);
    bad.algorithm = JWT_ALG_HS512;
    assert_int_equal(s_verify_foreign(keys, bad), PR_E_FORBIDDEN);
    bad.algorithm = JWT_ALG_NONE;
    bad.key = NULL;
    assert_int_equal(s_verify_foreign(keys, bad), PR_E_FORBIDDEN);
    bad = good;
    bad.expires_s = NOW_S;
    assert_int_equal(s_verify_foreign(keys, bad), PR_E_FORBIDDEN);
    bad.expires_s = 0;
    assert_int_equal(s_verify_foreign(keys, bad), PR_E_FORBIDDEN);
    bad = good;
    bad.poll = "abc123";
    assert_int_equal(s_verify_foreign(keys, bad), PR_E_FORBIDDEN);
    bad = good;
    bad.user = "short";
    assert_int_equal(s_verify_foreign(keys, bad), PR_E_FORBIDDEN);
    bad = good;
    bad.name = "12345678901234567890123456";
    assert_int_equal(s_verify_foreign(keys, bad), PR_E_FORBIDDEN);
    gw_token_keys_destroy(&keys);
}

static void
every_changed_byte_is_noticed(void **state)
{
    (void) state;
    gw_token_keys_t *keys = s_keys(KEY);
    pr_buf_t *text = s_sign(keys, PR_STR("Ann"));
    size_t len = pr_buf_len(text);
    gw_token_t token;
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    for (size_t i = 0; i < len; i++) {
        static const char others[] = "AQgwB-_.= ";
        for (size_t k = 0; k < sizeof others; k++) {
            memcpy(copy, pr_buf_data(text), len);
            if (copy[i] != others[k]) {
                copy[i] = others[k];
                assert_int_equal(gw_token_verify(keys, (pr_str_t) {copy, len}, NOW_S, &token),
                                 PR_E_FORBIDDEN);
            }
        }
        assert_int_equal(gw_token_verify(keys, (pr_str_t) {pr_buf_data(text), i}, NOW_S, &token),
                         PR_E_FORBIDDEN);
    }
    memcpy(copy, pr_buf_data(text), len);
    copy[len] = 'A';
    assert_int_equal(gw_token_verify(keys, (pr_str_t) {copy, len + 1}, NOW_S, &token),
                     PR_E_FORBIDDEN);
    free(copy);
    assert_int_equal(gw_token_verify(keys, PR_STR_NONE, NOW_S, &token), PR_E_FORBIDDEN);
    assert_int_equal(gw_token_verify(keys, PR_STR(".."), NOW_S, &token), PR_E_FORBIDDEN);
    pr_buf_destroy(&text);
    gw_token_keys_destroy(&keys);
}

static void
there_must_be_a_key(void **state)
{
    (void) state;
    assert_null(gw_token_keys_load("/nonexistent/keys"));
    assert_null(s_keys(""));
    assert_null(s_keys("\n\r\n\n"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_survive),
        cmocka_unit_test(the_text_is_ours),
        cmocka_unit_test(only_our_signature_counts),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(there_must_be_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
