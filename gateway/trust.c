/* SPDX-License-Identifier: MIT */

#include "gateway/trust.h"

#include <string.h>

/* Without the brackets of IPv6 and without a port. */
static pr_str_t
s_without_port(pr_str_t text)
{
    const char *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
    if (text.len && text.ptr[0] == '[') {
        const char *end = memchr(text.ptr, ']', text.len);
        return end ? (pr_str_t) {text.ptr + 1, (size_t) (end - text.ptr) - 1} : text;
    }
    bool one = colon && !memchr(colon + 1, ':', text.len - (size_t) (colon - text.ptr) - 1);
    return one ? (pr_str_t) {text.ptr, (size_t) (colon - text.ptr)} : text;
}

bool
gw_address_parse(pr_str_t text, gw_address_t *out)
{
    return pr_address_parse(s_without_port(text), out) != 0;
}

/* Cuts the last of the list off. */
static pr_str_t
s_take_last(pr_str_t *chain)
{
    size_t at = chain->len;
    while (at > 0 && chain->ptr[at - 1] != ',') {
        at--;
    }
    pr_str_t last = {chain->ptr + at, chain->len - at};
    chain->len = at > 0 ? at - 1 : 0;
    while (last.len > 0 && (last.ptr[0] == ' ' || last.ptr[0] == '\t')) {
        last.ptr++;
        last.len--;
    }
    while (last.len > 0 && (last.ptr[last.len - 1] == ' ' || last.ptr[last.len - 1] == '\t')) {
        last.len--;
    }
    return last;
}

gw_address_t
gw_trust_client(const gw_trust_t *self, const gw_address_t *from, pr_str_t chain)
{
    gw_address_t client = *from;
    while (chain.ptr && chain.len > 0 && pr_networks_have(self, &client)) {
        gw_address_t next;
        if (!gw_address_parse(s_take_last(&chain), &next)) {
            break;
        }
        client = next;
    }
    return client;
}
