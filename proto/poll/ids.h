/* SPDX-License-Identifier: MIT */

/*
 * What ids and texts may look like. Every process checks what it is given with these before it uses
 * it: nothing else ever reaches the store.
 */

#ifndef PR_IDS_H
#define PR_IDS_H

#include <stdbool.h>

#include "proto/base/bytes.h"

/* [A-Za-z0-9_-], the letters first. */
#define PR_ID_WORD_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* PR_POLL_ID_LEN digits and capital letters. */
bool
pr_id_is_poll(pr_str_t text);
/* PR_USER_ID_LEN characters of [A-Za-z0-9_-], the first a letter. */
bool
pr_id_is_user(pr_str_t text);
/* PR_NOMINATION_ID_LEN characters of [A-Za-z0-9_-], the first a letter. */
bool
pr_id_is_nomination(pr_str_t text);
/* 1 to `most` characters of [A-Za-z0-9_-]: nonces and the like. */
bool
pr_id_is_word(pr_str_t text, size_t most);
/* 1 to PR_CONN_ID_LEN_MAX characters of [A-Za-z0-9_.-]. */
bool
pr_id_is_conn(pr_str_t text);

/* Whether `text` is valid UTF-8 of `least` to `most` characters. */
bool
pr_text_is_valid(pr_str_t text, size_t least, size_t most);

#endif
