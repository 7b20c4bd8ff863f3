/* SPDX-License-Identifier: MIT */

#include "proto/base/redis_url.h"

#include <stdio.h>
#include <string.h>

#include "proto/base/assert.h"
#include "proto/base/bytes.h"
#include "proto/base/digits.h"
#include "proto/wire/limits.h"

static int
s_hex(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char lower = (char) (digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Copies `text` to `out` with its %XX taken back; false if it does not fit or is malformed. */
static bool
s_decode(pr_str_t text, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        if (byte == '%') {
            int high = i + 2 < text.len ? s_hex(text.ptr[i + 1]) : -1;
            int low = high >= 0 ? s_hex(text.ptr[i + 2]) : -1;
            if (low < 0 || high * 16 + low == 0) {
                return false;
            }
            byte = (char) (high * 16 + low);
            i += 2;
        }
        if (used + 1 >= size) {
            return false;
        }
        out[used++] = byte;
    }
    out[used] = '\0';
    return true;
}

/* Cuts `text` at the first (or last) `byte`: returns what is before it, `text` becomes the rest. */
static bool
s_cut(pr_str_t *text, char byte, bool last, pr_str_t *before)
{
    const char *at =
        last ? memrchr(text->ptr, byte, text->len) : memchr(text->ptr, byte, text->len);
    if (!at) {
        return false;
    }
    *before = (pr_str_t) {text->ptr, (size_t) (at - text->ptr)};
    *text = (pr_str_t) {at + 1, text->len - before->len - 1};
    return true;
}

static bool
s_credentials(pr_str_t text, pr_redis_url_t *url)
{
    pr_str_t user;
    return s_cut(&text, ':', false, &user) && text.len > 0 &&
           s_decode(user, url->user, sizeof url->user) &&
           s_decode(text, url->pass, sizeof url->pass);
}

static bool
s_port(pr_str_t text, int *port)
{
    int64_t value = 0;
    if (!pr_digits_parse(text, UINT16_MAX, &value) || value == 0) {
        return false;
    }
    *port = (int) value;
    return true;
}

static bool
s_is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           strncmp(host, "127.", 4) == 0;
}

/* [[USER]:PASSWORD@]HOST[:PORT][/[0]] */
static bool
s_parse_tcp(pr_str_t rest, pr_redis_url_t *url)
{
    pr_str_t authority = rest;
    if (s_cut(&rest, '/', false, &authority)) {
        /* Polls live in database 0 alone: the cluster has no other. */
        if (rest.len > 0 && !pr_str_equal(rest, PR_STR("0"))) {
            return false;
        }
    }
    pr_str_t host = authority;
    pr_str_t credentials;
    if (s_cut(&host, '@', true, &credentials) && !s_credentials(credentials, url)) {
        return false;
    }
    url->port = 6379;
    pr_str_t name = host;
    if (pr_str_starts(host, PR_STR("["))) {
        host = (pr_str_t) {host.ptr + 1, host.len - 1};
        if (!s_cut(&host, ']', false, &name)) {
            return false;
        }
        if (host.len > 0 &&
            (host.ptr[0] != ':' || !s_port((pr_str_t) {host.ptr + 1, host.len - 1}, &url->port))) {
            return false;
        }
    } else if (s_cut(&host, ':', false, &name) && !s_port(host, &url->port)) {
        return false;
    }
    if (name.len == 0 || !s_decode(name, url->host, sizeof url->host)) {
        return false;
    }
    url->is_local = s_is_loopback(url->host);
    (void) snprintf(url->where, sizeof url->where, "%s:%d", url->host, url->port);
    return true;
}

/* PATH[?user=USER&pass=PASSWORD] */
static bool
s_parse_unix(pr_str_t rest, pr_redis_url_t *url)
{
    pr_str_t path = rest;
    if (!s_cut(&rest, '?', false, &path)) {
        rest = PR_STR_NONE;
    }
    while (rest.len > 0) {
        pr_str_t pair;
        if (!s_cut(&rest, '&', false, &pair)) {
            pair = rest;
            rest = PR_STR_NONE;
        }
        pr_str_t name;
        if (!s_cut(&pair, '=', false, &name)) {
            return false;
        }
        bool is_user = pr_str_equal(name, PR_STR("user"));
        if (!is_user && !pr_str_equal(name, PR_STR("pass"))) {
            return false;
        }
        if (!s_decode(pair, is_user ? url->user : url->pass,
                      is_user ? sizeof url->user : sizeof url->pass)) {
            return false;
        }
    }
    if (path.len == 0 || !s_decode(path, url->host, PR_IPC_PATH_MAX + 1)) {
        return false;
    }
    url->is_unix = true;
    url->is_local = true;
    (void) snprintf(url->where, sizeof url->where, "unix:%s", url->host);
    return url->user[0] == '\0' || url->pass[0] != '\0';
}

bool
pr_redis_url_parse(const char *text, pr_redis_url_t *url)
{
    PR_ASSERT(text && url);
    *url = (pr_redis_url_t) {0};
    pr_str_t rest = pr_str(text);
    static const pr_str_t schemes[] = {{"redis://", 8}, {"unix://", 7}, {"unix:", 5}};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (pr_str_starts(rest, schemes[i])) {
            rest = (pr_str_t) {rest.ptr + schemes[i].len, rest.len - schemes[i].len};
            return i == 0 ? s_parse_tcp(rest, url) : s_parse_unix(rest, url);
        }
    }
    return false;
}
