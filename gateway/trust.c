/* SPDX-License-Identifier: MIT */

#include "gateway/trust.h"

#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "proto/wire/error.h"

#define BITS 128
#define BITS_V4 32

/* 0: none of that family. Else the number of bits of such an address. */
static int
s_parse_plain(pr_str_t text, gw_address_t *out)
{
    char copy[GW_ADDRESS_TEXT_MAX];
    struct sockaddr_in in = {.sin_family = AF_INET};
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len)) {
        return 0;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, &in.sin_addr) == 1) {
        *out = gw_address_from((const struct sockaddr *) &in);
        return BITS_V4;
    }
    return inet_pton(AF_INET6, copy, out->bytes) == 1 ? BITS : 0;
}

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
    return s_parse_plain(s_without_port(text), out) != 0;
}

/* The number behind the slash of a network; -1 if it is none or over `most`. */
static int
s_parse_bits(pr_str_t text, int most)
{
    int bits = text.len ? 0 : -1;
    for (size_t i = 0; i < text.len && bits >= 0; i++) {
        bool digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        bits = digit ? bits * 10 + (text.ptr[i] - '0') : -1;
        bits = bits > most ? -1 : bits;
    }
    return bits;
}

static int
s_add(gw_trust_t *self, pr_str_t text)
{
    if (self->count == GW_TRUST_NETWORKS_MAX) {
        return PR_E_FULL;
    }
    const char *slash = memchr(text.ptr, '/', text.len);
    size_t len = slash ? (size_t) (slash - text.ptr) : text.len;
    gw_address_t address;
    int all = s_parse_plain((pr_str_t) {text.ptr, len}, &address);
    int bits = all;
    if (slash) {
        bits = s_parse_bits((pr_str_t) {slash + 1, text.len - len - 1}, all);
    }
    if (all == 0 || bits < 0) {
        return PR_E_MALFORMED;
    }
    self->networks[self->count].address = address;
    self->networks[self->count++].bits = BITS - all + bits;
    return 0;
}

int
gw_trust_parse(const char *list, gw_trust_t *out)
{
    *out = (gw_trust_t) {0};
    int error = 0;
    while (*list && !error) {
        size_t len = strcspn(list, " \t,");
        error = len ? s_add(out, (pr_str_t) {list, len}) : 0;
        list += len + (list[len] != '\0');
    }
    return error;
}

static bool
s_is_in(const gw_address_t *address, const gw_address_t *network, int bits)
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
gw_trust_has(const gw_trust_t *self, const gw_address_t *address)
{
    for (size_t i = 0; i < self->count; i++) {
        if (s_is_in(address, &self->networks[i].address, self->networks[i].bits)) {
            return true;
        }
    }
    return false;
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
    while (chain.ptr && chain.len > 0 && gw_trust_has(self, &client)) {
        gw_address_t next;
        if (!gw_address_parse(s_take_last(&chain), &next)) {
            break;
        }
        client = next;
    }
    return client;
}
