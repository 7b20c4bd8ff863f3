/* SPDX-License-Identifier: MIT */

/* Tokens, and what may stand in the file of keys. */

#include <stdio.h>
#include <stdlib.h>

#include <sys/mman.h>
#include <unistd.h>

#include "gateway/token.h"
#include "tests/fuzz/fuzz.h"

#define KEY "a key for nothing but this\n"

static gw_token_keys_t *
s_keys(pr_str_t text)
{
    char path[64];
    int fd = memfd_create("keys", MFD_CLOEXEC);
    PR_ASSERT(fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t) text.len);
    (void) snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    gw_token_keys_t *keys = gw_token_keys_load(path);
    (void) close(fd);
    return keys;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gw_token_keys_t *keys;
    if (!keys) {
        keys = s_keys(PR_STR(KEY));
        PR_ASSERT(keys);
    }
    pr_str_t text = {(const char *) data, size};
    gw_token_t token;
    if (gw_token_verify(keys, text, 0, &token) == 0) {
        PR_ASSERT(token.name_len < sizeof token.name);
    }
    gw_token_keys_t *own = s_keys(text);
    gw_token_keys_destroy(&own);
    return 0;
}
