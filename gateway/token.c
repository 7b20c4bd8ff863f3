/* SPDX-License-Identifier: MIT */

/*
 * Signed and verified with OpenSSL's HMAC. libjwt can do neither for us: it sorts the members of a
 * payload, and it can not read a name with U+0000 in it. The tests hold our tokens against it.
 */

#include "gateway/token.h"

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "proto/base/log.h"
#include "proto/poll/ids.h"
#include "proto/wire/error.h"

#define KEYS_MAX 8
#define KEY_BYTES_MAX 512
/* Longest token that we look at; ours have at most 700 characters. */
#define TOKEN_LEN_MAX 2048
#define DIGEST_BYTES 32
#define DIGEST_TEXT_LEN 43

typedef struct {
    unsigned char bytes[KEY_BYTES_MAX];
    int len;
} secret_t;

struct gw_token_keys {
    size_t count;
    secret_t keys[KEYS_MAX];
};

/* --- keys --- */

/* Adds the key that a line holds; what is longer than a key may be is cut. */
static void
s_add_key(gw_token_keys_t *self, pr_str_t line)
{
    if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
        line.len--;
    }
    if (line.len == 0 || self->count == KEYS_MAX) {
        return;
    }
    secret_t *key = &self->keys[self->count++];
    size_t len = line.len < KEY_BYTES_MAX ? line.len : KEY_BYTES_MAX;
    memcpy(key->bytes, line.ptr, len);
    key->len = (int) len;
}

static void
s_add_keys(gw_token_keys_t *self, pr_str_t text)
{
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t) (end - text.ptr) : text.len;
        s_add_key(self, (pr_str_t) {text.ptr, len});
        len += end ? 1 : 0;
        text = (pr_str_t) {text.ptr + len, text.len - len};
    }
}

gw_token_keys_t *
gw_token_keys_load(const char *path)
{
    char text[KEYS_MAX * (KEY_BYTES_MAX + 2)];
    FILE *file = fopen(path, "re");
    if (!file) {
        return NULL;
    }
    size_t len = fread(text, 1, sizeof text, file);
    (void) fclose(file);
    gw_token_keys_t *self = calloc(1, sizeof *self);
    if (self) {
        s_add_keys(self, (pr_str_t) {text, len});
    }
    OPENSSL_cleanse(text, sizeof text);
    if (self && self->count == 0) {
        gw_token_keys_destroy(&self);
    }
    return self;
}

void
gw_token_keys_destroy(gw_token_keys_t **self_p)
{
    PR_ASSERT(self_p);
    if (*self_p) {
        OPENSSL_cleanse(*self_p, sizeof **self_p);
        free(*self_p);
        *self_p = NULL;
    }
}

/* --- base64url --- */

static const char s_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void
s_encode(pr_buf_t *out, pr_str_t bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t count = bytes.len - i < 3 ? bytes.len - i : 3;
        unsigned group = 0;
        for (size_t k = 0; k < 3; k++) {
            group = group << 8 | (k < count ? (unsigned char) bytes.ptr[i + k] : 0);
        }
        for (size_t k = 0; k <= count; k++) {
            pr_buf_append_byte(out, s_digits[group >> (18 - 6 * k) & 63]);
        }
    }
}

static int
s_digit(char c)
{
    const char *at = c ? strchr(s_digits, c) : NULL;
    return at ? (int) (at - s_digits) : -1;
}

/* Appends what `text` stands for; false if it is no base64url. */
static bool
s_decode(pr_buf_t *out, pr_str_t text)
{
    unsigned group = 0;
    int bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = s_digit(text.ptr[i]);
        if (digit < 0) {
            return false;
        }
        group = (group << 6 | (unsigned) digit) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            pr_buf_append_byte(out, (char) (group >> bits & 0xff));
        }
    }
    return bits < 6 && !pr_buf_failed(out);
}

/* --- signatures --- */

static bool
s_append_signature(pr_buf_t *out, const secret_t *key, pr_str_t text)
{
    unsigned char digest[DIGEST_BYTES];
    unsigned len = 0;
    const unsigned char *bytes = (const unsigned char *) text.ptr;
    if (!HMAC(EVP_sha256(), key->bytes, key->len, bytes, text.len, digest, &len)) {
        return false;
    }
    s_encode(out, (pr_str_t) {(const char *) digest, len});
    return true;
}

/* --- signing --- */

static void
s_append_unit(pr_buf_t *out, unsigned unit)
{
    pr_buf_append_fmt(out, "\\u%04x", unit);
}

/* The code point at the start of valid `text`, and its length in `*len`. */
static unsigned
s_code_point(pr_str_t text, size_t *len)
{
    const unsigned char *byte = (const unsigned char *) text.ptr;
    *len = byte[0] < 0x80 ? 1 : byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
    if (*len > text.len || *len == 1) {
        *len = 1;
        return byte[0];
    }
    unsigned point = byte[0] & (0x7fU >> *len);
    for (size_t i = 1; i < *len; i++) {
        point = point << 6 | (byte[i] & 0x3fU);
    }
    return point;
}

/* `text` as a JSON string of ASCII letters whose base64url has neither - nor _. */
static void
s_append_name(pr_buf_t *out, pr_str_t text)
{
    pr_buf_append_byte(out, '"');
    size_t len = 0;
    for (size_t at = 0; at < text.len; at += len) {
        unsigned point = s_code_point((pr_str_t) {text.ptr + at, text.len - at}, &len);
        if (point > 0xffff) {
            s_append_unit(out, 0xd800 + ((point - 0x10000) >> 10));
            s_append_unit(out, 0xdc00 + ((point - 0x10000) & 0x3ff));
        } else if (point < 0x20 || point >= 0x7e || strchr("\"\\>?", (int) point)) {
            s_append_unit(out, point);
        } else {
            pr_buf_append_byte(out, (char) point);
        }
    }
    pr_buf_append_byte(out, '"');
}

static void
s_append_payload(pr_buf_t *out, const gw_token_t *token, int64_t now_s)
{
    pr_buf_append_str(out, PR_STR("{\"pollID\":"));
    pr_buf_append_json(out, pr_str(token->poll));
    pr_buf_append_str(out, PR_STR(",\"name\":"));
    s_append_name(out, (pr_str_t) {token->name, token->name_len});
    pr_buf_append_str(out, PR_STR(",\"iat\":"));
    pr_buf_append_int(out, now_s);
    pr_buf_append_str(out, PR_STR(",\"exp\":"));
    pr_buf_append_int(out, token->expires_s);
    pr_buf_append_str(out, PR_STR(",\"sub\":"));
    pr_buf_append_json(out, pr_str(token->user));
    pr_buf_append_byte(out, '}');
}

int
gw_token_sign(const gw_token_keys_t *self, const gw_token_t *token, int64_t now_s, pr_buf_t *out)
{
    PR_ASSERT(self->count > 0);
    pr_buf_t *payload = pr_buf_new(256);
    if (!payload) {
        return PR_E_NOMEM;
    }
    s_append_payload(payload, token, now_s);
    size_t start = pr_buf_len(out);
    s_encode(out, PR_STR("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"));
    pr_buf_append_byte(out, '.');
    s_encode(out, pr_buf_str(payload));
    bool ok = !pr_buf_failed(payload) && !pr_buf_failed(out);
    pr_buf_destroy(&payload);
    pr_buf_t *signature = ok ? pr_buf_new(DIGEST_TEXT_LEN) : NULL;
    pr_str_t text = {pr_buf_data(out) + start, pr_buf_len(out) - start};
    ok = signature && s_append_signature(signature, &self->keys[0], text);
    if (ok) {
        pr_buf_append_byte(out, '.');
        pr_buf_append_str(out, pr_buf_str(signature));
    }
    pr_buf_destroy(&signature);
    return ok && !pr_buf_failed(out) ? 0 : PR_E_NOMEM;
}

/* --- verifying --- */

typedef struct {
    pr_str_t signed_text; /* header.payload */
    pr_str_t header;
    pr_str_t payload;
    pr_str_t signature;
} parts_t;

static bool
s_split(pr_str_t text, parts_t *parts)
{
    if (!text.ptr || text.len > TOKEN_LEN_MAX) {
        return false;
    }
    const char *end = text.ptr + text.len;
    const char *first = memchr(text.ptr, '.', text.len);
    const char *second = first ? memchr(first + 1, '.', (size_t) (end - first - 1)) : NULL;
    if (!second) {
        return false;
    }
    parts->signed_text = (pr_str_t) {text.ptr, (size_t) (second - text.ptr)};
    parts->header = (pr_str_t) {text.ptr, (size_t) (first - text.ptr)};
    parts->payload = (pr_str_t) {first + 1, (size_t) (second - first - 1)};
    parts->signature = (pr_str_t) {second + 1, (size_t) (end - second - 1)};
    return parts->signature.len == DIGEST_TEXT_LEN;
}

static bool
s_is_signed(const gw_token_keys_t *self, const parts_t *parts)
{
    bool found = false;
    for (size_t i = 0; i < self->count && !found; i++) {
        pr_buf_t *ours = pr_buf_new(DIGEST_TEXT_LEN);
        found = ours && s_append_signature(ours, &self->keys[i], parts->signed_text) &&
                pr_buf_len(ours) == parts->signature.len &&
                CRYPTO_memcmp(pr_buf_data(ours), parts->signature.ptr, parts->signature.len) == 0;
        pr_buf_destroy(&ours);
    }
    return found;
}

/* The JSON object that a part holds, or NULL. */
static json_t *
s_object(pr_str_t part)
{
    pr_buf_t *text = pr_buf_new(part.len);
    json_t *object = NULL;
    if (text && s_decode(text, part)) {
        object = json_loadb(pr_buf_data(text), pr_buf_len(text),
                            JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
    }
    pr_buf_destroy(&text);
    if (!json_is_object(object)) {
        json_decref(object);
        object = NULL;
    }
    return object;
}

static bool
s_is_hs256(pr_str_t part)
{
    json_t *header = s_object(part);
    const char *algorithm = json_string_value(json_object_get(header, "alg"));
    bool ok = algorithm && strcmp(algorithm, "HS256") == 0;
    json_decref(header);
    return ok;
}

static pr_str_t
s_text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return (pr_str_t) {json_string_value(value), json_string_length(value)};
}

static bool
s_read(const json_t *payload, int64_t now_s, gw_token_t *out)
{
    pr_str_t poll = s_text(payload, "pollID");
    pr_str_t user = s_text(payload, "sub");
    pr_str_t name = s_text(payload, "name");
    const json_t *expires = json_object_get(payload, "exp");
    if (!pr_id_is_poll(poll) || !pr_id_is_user(user) ||
        !pr_text_is_valid(name, 1, PR_NAME_CHARS_MAX) || !json_is_integer(expires) ||
        json_integer_value(expires) <= now_s) {
        return false;
    }
    *out = (gw_token_t) {.name_len = name.len, .expires_s = json_integer_value(expires)};
    memcpy(out->poll, poll.ptr, poll.len);
    memcpy(out->user, user.ptr, user.len);
    memcpy(out->name, name.ptr, name.len);
    return true;
}

int
gw_token_verify(const gw_token_keys_t *self, pr_str_t text, int64_t now_s, gw_token_t *out)
{
    parts_t parts;
    /* Nothing of it is parsed before the signature is known to be ours. */
    if (!s_split(text, &parts) || !s_is_signed(self, &parts) || !s_is_hs256(parts.header)) {
        return PR_E_FORBIDDEN;
    }
    json_t *payload = s_object(parts.payload);
    bool ok = payload && s_read(payload, now_s, out);
    json_decref(payload);
    return ok ? 0 : PR_E_FORBIDDEN;
}
