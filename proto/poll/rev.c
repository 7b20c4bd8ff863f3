/* SPDX-License-Identifier: MIT */

#include "proto/poll/rev.h"

#include <stdio.h>
#include <string.h>

#include "proto/base/digest.h"
#include "proto/base/digits.h"

#define CHAIN_DIGITS 16

static bool
s_parse_version(pr_str_t digits, int64_t *version)
{
    bool padded = digits.len > 1 && digits.ptr[0] == '0';
    return !padded && pr_digits_parse(digits, PR_INTEGER_MAX, version);
}

static bool
s_parse_chain(pr_str_t digits, uint64_t *chain)
{
    if (digits.len != CHAIN_DIGITS) {
        return false;
    }
    *chain = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char digit = digits.ptr[i];
        bool is_letter = digit >= 'a' && digit <= 'f';
        if (!is_letter && (digit < '0' || digit > '9')) {
            return false;
        }
        *chain = *chain << 4 | (uint64_t) (is_letter ? digit - 'a' + 10 : digit - '0');
    }
    return true;
}

bool
pr_rev_parse(pr_str_t text, pr_rev_t *rev)
{
    const char *dash = text.ptr ? memchr(text.ptr, '-', text.len) : NULL;
    if (!dash) {
        return false;
    }
    size_t at = (size_t) (dash - text.ptr);
    return s_parse_version((pr_str_t) {text.ptr, at}, &rev->version) &&
           s_parse_chain((pr_str_t) {dash + 1, text.len - at - 1}, &rev->chain);
}

pr_rev_text_t
pr_rev_format(pr_rev_t rev)
{
    pr_rev_text_t text;
    (void) snprintf(text.text, sizeof text.text, "%lld-%016llx", (long long) rev.version,
                    (unsigned long long) rev.chain);
    return text;
}

bool
pr_rev_equal(pr_rev_t a, pr_rev_t b)
{
    return a.version == b.version && a.chain == b.chain;
}

pr_rev_t
pr_rev_next(pr_rev_t previous, pr_str_t token, pr_str_t patch)
{
    pr_rev_text_t head = pr_rev_format(previous);
    pr_str_t parts[] = {pr_str(head.text), token, patch};
    return (pr_rev_t) {.version = previous.version + 1, .chain = pr_digest(parts, 3)};
}
