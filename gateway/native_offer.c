/* SPDX-License-Identifier: MIT */

#include "gateway/native_offer.h"

static pr_str_t
s_trim(pr_str_t text)
{
    while (text.len && (*text.ptr == ' ' || *text.ptr == '\t')) {
        text.ptr++;
        text.len--;
    }
    while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t')) {
        text.len--;
    }
    return text;
}

bool
gw_native_speaks(pr_str_t offered)
{
    pr_str_t rest = s_trim(offered);
    if (rest.len == 0) {
        return true;
    }
    while (rest.len) {
        const char *comma = memchr(rest.ptr, ',', rest.len);
        size_t len = comma ? (size_t) (comma - rest.ptr) : rest.len;
        pr_str_t one = s_trim((pr_str_t) {rest.ptr, len});
        if (pr_str_equal(one, PR_STR(GW_NATIVE_SUBPROTOCOL_JSON)) ||
            pr_str_equal(one, PR_STR(GW_NATIVE_SUBPROTOCOL_MSGPACK))) {
            return true;
        }
        size_t used = comma ? len + 1 : len;
        rest = (pr_str_t) {rest.ptr + used, rest.len - used};
    }
    return false;
}
