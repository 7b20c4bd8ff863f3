/* SPDX-License-Identifier: MIT */

#include <string.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "gateway/proxy_protocol.h"
#include "gateway/trust.h"
#include "proto/wire/error.h"

/* Longest line of version 1, with its end. */
#define LINE_MAX 107
#define HEAD_2 16

#define V1 "PROXY "
#define V2 "\r\n\r\n\0\r\nQUIT\n"

enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21, FAMILY_TCP4 = 0x11, FAMILY_TCP6 = 0x21 };

/* Cuts the next word off a line. */
static pr_str_t
s_word(pr_str_t *line)
{
    const char *blank = line->len ? memchr(line->ptr, ' ', line->len) : NULL;
    pr_str_t word = {line->ptr, blank ? (size_t) (blank - line->ptr) : line->len};
    size_t cut = word.len + (blank != NULL);
    line->ptr += cut;
    line->len -= cut;
    return word;
}

/* What stands between "PROXY " and the end of the line. */
static int
s_parse_line(pr_str_t line, gw_address_t *client)
{
    pr_str_t family = s_word(&line);
    if (pr_str_equal(family, PR_STR("UNKNOWN"))) {
        return 0;
    }
    pr_str_t source = s_word(&line);
    gw_address_t address;
    bool known = pr_str_equal(family, PR_STR("TCP4")) || pr_str_equal(family, PR_STR("TCP6"));
    if (!known || !gw_address_parse(source, &address)) {
        return PR_E_MALFORMED;
    }
    *client = address;
    return 0;
}

static int
s_parse_1(pr_str_t bytes, size_t *used, gw_address_t *client)
{
    const char *end = memchr(bytes.ptr, '\n', bytes.len);
    *used = end ? (size_t) (end - bytes.ptr) + 1 : bytes.len;
    if (*used > LINE_MAX || (!end && bytes.len >= LINE_MAX)) {
        return PR_E_MALFORMED;
    }
    if (!end) {
        return PR_E_AGAIN;
    }
    size_t start = sizeof V1 - 1;
    if (*used < start + 2 || end[-1] != '\r') {
        return PR_E_MALFORMED;
    }
    return s_parse_line((pr_str_t) {bytes.ptr + start, *used - start - 2}, client);
}

static int
s_parse_addresses(const uint8_t *head, size_t len, gw_address_t *client)
{
    if (head[12] == COMMAND_LOCAL) {
        return 0;
    }
    if (head[12] != COMMAND_PROXY) {
        return PR_E_MALFORMED;
    }
    if (head[13] == FAMILY_TCP4 && len >= 12) {
        struct sockaddr_in in = {.sin_family = AF_INET};
        memcpy(&in.sin_addr, head + HEAD_2, sizeof in.sin_addr);
        *client = gw_address_from((const struct sockaddr *) &in);
    } else if (head[13] == FAMILY_TCP6 && len >= 36) {
        memcpy(client->bytes, head + HEAD_2, sizeof client->bytes);
    } else if (head[13] == FAMILY_TCP4 || head[13] == FAMILY_TCP6) {
        return PR_E_MALFORMED;
    }
    return 0; /* of another family: nobody is named */
}

static int
s_parse_2(pr_str_t bytes, size_t *used, gw_address_t *client)
{
    const uint8_t *head = (const uint8_t *) bytes.ptr;
    if (bytes.len < HEAD_2) {
        *used = bytes.len;
        return PR_E_AGAIN;
    }
    size_t len = (size_t) head[14] << 8 | head[15];
    if (HEAD_2 + len > GW_PROXY_HEAD_MAX) {
        return PR_E_MALFORMED;
    }
    bool whole = bytes.len >= HEAD_2 + len;
    *used = whole ? HEAD_2 + len : bytes.len;
    return whole ? s_parse_addresses(head, len, client) : PR_E_AGAIN;
}

static bool
s_begins(pr_str_t bytes, const char *with, size_t len)
{
    return memcmp(bytes.ptr, with, bytes.len < len ? bytes.len : len) == 0;
}

int
gw_proxy_parse(pr_str_t bytes, size_t *used, gw_address_t *client)
{
    *used = bytes.len;
    if (bytes.len == 0) {
        return PR_E_AGAIN;
    }
    if (s_begins(bytes, V1, sizeof V1 - 1)) {
        return s_parse_1(bytes, used, client);
    }
    if (s_begins(bytes, V2, sizeof V2 - 1)) {
        return s_parse_2(bytes, used, client);
    }
    return PR_E_MALFORMED;
}
