/* SPDX-License-Identifier: MIT */

#include "proto/base/utf8.h"

#include <stdint.h>

/* Bytes of the sequence at `at`, 0 if it is none. */
static size_t
s_sequence(const unsigned char *at, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = at[0];
    size_t len = lead < 0x80           ? 1
                 : (lead >> 5) == 0x06 ? 2
                 : (lead >> 4) == 0x0e ? 3
                 : (lead >> 3) == 0x1e ? 4
                                       : 0;
    if (len <= 1 || len > left) {
        return len <= left ? len : 0;
    }
    uint32_t point = lead & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (at[i] & 0x3fu);
    }
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < least[len] || point > 0x10ffff || surrogate ? 0 : len;
}

bool
pr_utf8_is_valid(pr_str_t text)
{
    const unsigned char *at = (const unsigned char *) text.ptr;
    size_t left = text.len;
    while (left) {
        size_t len = s_sequence(at, left);
        if (len == 0) {
            return false;
        }
        at += len;
        left -= len;
    }
    return true;
}

size_t
pr_utf8_chars(pr_str_t text)
{
    size_t chars = 0;
    for (size_t i = 0; i < text.len; i++) {
        chars += ((unsigned char) text.ptr[i] & 0xc0) != 0x80;
    }
    return chars;
}

size_t
pr_utf8_utf16_units(pr_str_t text)
{
    size_t units = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char) text.ptr[i];
        units += (byte & 0xc0) != 0x80;
        units += byte >= 0xf0; /* a pair of surrogates */
    }
    return units;
}
