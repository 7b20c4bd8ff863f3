/* SPDX-License-Identifier: MIT */

/*
 * The tokens that say who a client is in which poll: JWT, HS256.
 *
 * The payload's text is ours, members in the order pollID, name, iat, exp, sub, every non-ASCII
 * character and > ~ ? DEL as \uXXXX, so that its base64url holds no - or _ and pages that decode
 * plain base64 read it.
 */

#ifndef GW_TOKEN_H
#define GW_TOKEN_H

#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"
#include "proto/wire/limits.h"

typedef struct gw_token_keys gw_token_keys_t;

/* What a token says, copied out. */
typedef struct {
    char poll[PR_POLL_ID_LEN + 1];
    char user[PR_USER_ID_LEN + 1];
    char name[PR_NAME_CHARS_MAX * 4 + 1]; /* UTF-8 with a NUL behind; may hold U+0000 */
    size_t name_len;
    int64_t expires_s;
} gw_token_t;

/* Keys out of a file, one a line: the first signs, all verify. NULL if there is none (an empty
 * key would let everything in). */
gw_token_keys_t *
gw_token_keys_load(const char *path);
void
gw_token_keys_destroy(gw_token_keys_t **self_p);

/* Appends the token's text. `token->expires_s` is its exp. */
PR_MUST_CHECK int
gw_token_sign(const gw_token_keys_t *self, const gw_token_t *token, int64_t now_s, pr_buf_t *out);

/* 0 or PR_E_FORBIDDEN, whatever is wrong with it. */
PR_MUST_CHECK int
gw_token_verify(const gw_token_keys_t *self, pr_str_t text, int64_t now_s, gw_token_t *out);

#endif
