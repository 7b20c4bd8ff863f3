/* SPDX-License-Identifier: MIT */

#include "gateway/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "proto/base/assert.h"

struct gw_origin {
    char client[40];
    char *more;
};

gw_origin_t *
gw_origin_new(int client_port, const char *more)
{
    gw_origin_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    (void) snprintf(self->client, sizeof self->client, "http://localhost:%d", client_port);
    self->more = strdup(more ? more : "");
    if (!self->more) {
        gw_origin_destroy(&self);
    }
    return self;
}

void
gw_origin_destroy(gw_origin_t **self_p)
{
    PR_ASSERT(self_p);
    gw_origin_t *self = *self_p;
    if (!self) {
        return;
    }
    free(self->more);
    free(self);
    *self_p = NULL;
}

/* Schemes and host names do not care about case. */
static bool
s_same(pr_str_t a, pr_str_t b)
{
    return a.len == b.len && a.len > 0 && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

/* Cuts `tail` off the end of `text` if it is there. */
static pr_str_t
s_without(pr_str_t text, pr_str_t tail)
{
    if (text.len > tail.len && memcmp(text.ptr + text.len - tail.len, tail.ptr, tail.len) == 0) {
        text.len -= tail.len;
    }
    return text;
}

static bool
s_is_own(pr_str_t origin, pr_str_t host)
{
    static const pr_str_t schemes[2][2] = {
        {{"http://", 7}, {":80", 3}},
        {{"https://", 8}, {":443", 4}},
    };
    for (size_t i = 0; i < 2; i++) {
        pr_str_t scheme = schemes[i][0];
        pr_str_t port = schemes[i][1];
        if (origin.len > scheme.len && strncasecmp(origin.ptr, scheme.ptr, scheme.len) == 0) {
            pr_str_t place = {origin.ptr + scheme.len, origin.len - scheme.len};
            return s_same(s_without(place, port), s_without(host, port));
        }
    }
    return false;
}

bool
gw_origin_allows(const gw_origin_t *self, pr_str_t origin, pr_str_t host)
{
    if (!origin.ptr || s_same(origin, pr_str(self->client)) || s_is_own(origin, host)) {
        return true;
    }
    const char *at = self->more;
    while (*at) {
        size_t len = strcspn(at, " \t,");
        if (s_same(origin, (pr_str_t) {at, len})) {
            return true;
        }
        at += len + (at[len] != '\0');
    }
    return false;
}
