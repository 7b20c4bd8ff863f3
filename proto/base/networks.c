/* SPDX-License-Identifier: MIT */

#include "proto/base/networks.h"

#include <string.h>

#include <arpa/inet.h>

#include "proto/base/digits.h"
#include "proto/wire/error.h"

#define BITS 128
#define BITS_V4 32

int
pr_address_parse(pr_str_t text, pr_address_t *out)
{
    char copy[PR_ADDRESS_TEXT_MAX];
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len)) {
        return 0;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET6, copy, out->bytes) == 1) {
        return BITS;
    }
    *out = (pr_address_t) {.bytes = {[10] = 0xff, [11] = 0xff}};
    return inet_pton(AF_INET, copy, out->bytes + 12) == 1 ? BITS_V4 : 0;
}

static int
s_add(pr_networks_t *self, pr_str_t text)
{
    if (self->count == PR_NETWORKS_MAX) {
        return PR_E_FULL;
    }
    const char *slash = memchr(text.ptr, '/', text.len);
    size_t len = slash ? (size_t) (slash - text.ptr) : text.len;
    pr_address_t address;
    int all = pr_address_parse((pr_str_t) {text.ptr, len}, &address);
    int64_t bits = all;
    pr_str_t behind = slash ? (pr_str_t) {slash + 1, text.len - len - 1} : PR_STR_NONE;
    if (all == 0 || (slash && !pr_digits_parse(behind, all, &bits))) {
        return PR_E_MALFORMED;
    }
    self->networks[self->count].address = address;
    self->networks[self->count++].bits = BITS - all + (int) bits;
    return 0;
}

int
pr_networks_parse(const char *list, pr_networks_t *out)
{
    *out = (pr_networks_t) {0};
    int error = 0;
    while (*list && !error) {
        size_t len = strcspn(list, " \t,");
        error = len ? s_add(out, (pr_str_t) {list, len}) : 0;
        list += len + (list[len] != '\0');
    }
    return error;
}

static bool
s_is_in(const pr_address_t *address, const pr_address_t *network, int bits)
{
    size_t whole = (size_t) bits / 8;
    if (memcmp(address->bytes, network->bytes, whole) != 0) {
        return false;
    }
    if (bits % 8 == 0) {
        return true;
    }
    unsigned differ = (unsigned) address->bytes[whole] ^ network->bytes[whole];
    return differ >> (8 - bits % 8) == 0;
}

bool
pr_networks_have(const pr_networks_t *self, const pr_address_t *address)
{
    for (size_t i = 0; i < self->count; i++) {
        if (s_is_in(address, &self->networks[i].address, self->networks[i].bits)) {
            return true;
        }
    }
    return false;
}
