/* SPDX-License-Identifier: MIT */

#include "proto/poll/ids.h"

#include "proto/base/utf8.h"
#include "proto/wire/limits.h"

static bool
s_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
s_is_word_char(char c)
{
    return s_is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool
pr_id_is_poll(pr_str_t text)
{
    if (text.len != PR_POLL_ID_LEN) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'))) {
            return false;
        }
    }
    return true;
}

bool
pr_id_is_word(pr_str_t text, size_t most)
{
    if (text.len == 0 || text.len > most) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!s_is_word_char(text.ptr[i])) {
            return false;
        }
    }
    return true;
}

bool
pr_id_is_user(pr_str_t text)
{
    return text.len == PR_USER_ID_LEN && s_is_letter(text.ptr[0]) &&
           pr_id_is_word(text, PR_USER_ID_LEN);
}

bool
pr_id_is_nomination(pr_str_t text)
{
    return text.len == PR_NOMINATION_ID_LEN && s_is_letter(text.ptr[0]) &&
           pr_id_is_word(text, PR_NOMINATION_ID_LEN);
}

bool
pr_id_is_conn(pr_str_t text)
{
    if (text.len == 0 || text.len > PR_CONN_ID_LEN_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!s_is_word_char(text.ptr[i]) && text.ptr[i] != '.') {
            return false;
        }
    }
    return true;
}

bool
pr_text_is_valid(pr_str_t text, size_t least, size_t most)
{
    if (!text.ptr || text.len > most * 4 || !pr_utf8_is_valid(text)) {
        return false;
    }
    size_t chars = pr_utf8_chars(text);
    return chars >= least && chars <= most;
}
