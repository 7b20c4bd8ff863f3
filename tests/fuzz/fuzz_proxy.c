/* SPDX-License-Identifier: MIT */

/* PROXY heads, and the same bytes as X-Forwarded-For and as a list of proxies. */

#include <stdlib.h>
#include <string.h>

#include "gateway/proxy_protocol.h"
#include "gateway/trust.h"
#include "proto/wire/error.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pr_str_t bytes = {(const char *) data, size};
    size_t used = 0;
    gw_address_t client = {{0}};
    int result = gw_proxy_parse(bytes, &used, &client);
    PR_ASSERT(result == 0 || result == PR_E_AGAIN || result == PR_E_MALFORMED);
    PR_ASSERT(result == PR_E_MALFORMED || used <= size);
    if (result == 0) {
        size_t again = 0;
        gw_address_t same = {{0}};
        PR_ASSERT(gw_proxy_parse((pr_str_t) {bytes.ptr, used}, &again, &same) == 0);
        PR_ASSERT(again == used && memcmp(&same, &client, sizeof same) == 0);
    }
    gw_trust_t trust;
    char *list = strndup(bytes.ptr, size);
    PR_ASSERT(list);
    if (pr_networks_parse(list, &trust) == 0) {
        (void) pr_networks_have(&trust, &client);
    }
    free(list);
    PR_ASSERT(pr_networks_parse("0.0.0.0/0 ::/0", &trust) == 0);
    (void) gw_trust_client(&trust, &client, bytes);
    return 0;
}
