/* SPDX-License-Identifier: MIT */

/* Addresses, and lists of networks as settings have them: 10.0.0.0/8, fd00::/8, 192.0.2.7. Pure. */

#ifndef PR_NETWORKS_H
#define PR_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/bytes.h"

/* An IPv6 address, or an IPv4 one mapped into it. */
typedef struct {
    uint8_t bytes[16];
} pr_address_t;

/* With its NUL. */
#define PR_ADDRESS_TEXT_MAX 46

/* The address that `text` is, without brackets and port. 0: none. Else the number of bits of one of
 * its family: 32 or 128. */
int
pr_address_parse(pr_str_t text, pr_address_t *out);

#define PR_NETWORKS_MAX 64

typedef struct {
    struct {
        pr_address_t address;
        int bits; /* of 128 */
    } networks[PR_NETWORKS_MAX];
    size_t count;
} pr_networks_t;

/* Reads a list separated by blanks or commas. PR_E_MALFORMED, or PR_E_FULL for too many. */
PR_MUST_CHECK int
pr_networks_parse(const char *list, pr_networks_t *out);

bool
pr_networks_have(const pr_networks_t *self, const pr_address_t *address);

#endif
