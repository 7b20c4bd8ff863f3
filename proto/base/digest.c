/* SPDX-License-Identifier: MIT */

#include "proto/base/digest.h"

#include <openssl/evp.h>

#include "proto/base/assert.h"

uint64_t
pr_digest(const pr_str_t *parts, size_t count)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    PR_ASSERT(context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    for (size_t i = 0; i < count; i++) {
        PR_ASSERT(EVP_DigestUpdate(context, parts[i].ptr, parts[i].len) == 1);
        PR_ASSERT(EVP_DigestUpdate(context, "", 1) == 1);
    }
    PR_ASSERT(EVP_DigestFinal_ex(context, digest, NULL) == 1);
    EVP_MD_CTX_free(context);

    uint64_t head = 0;
    for (size_t i = 0; i < sizeof head; i++) {
        head = head << 8 | digest[i];
    }
    return head;
}
