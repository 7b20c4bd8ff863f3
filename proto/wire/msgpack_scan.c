/* SPDX-License-Identifier: MIT */

#include "proto/wire/msgpack_scan.h"

#include <stdint.h>

#include "proto/wire/limits.h"

typedef struct {
    const unsigned char *at;
    size_t left;
} scan_t;

static bool
s_skip(scan_t *scan, uint64_t len)
{
    if (len > scan->left) {
        return false;
    }
    scan->at += len;
    scan->left -= (size_t) len;
    return true;
}

/* A big-endian number of `size` bytes. */
static bool
s_number(scan_t *scan, size_t size, uint64_t *number)
{
    if (size > scan->left) {
        return false;
    }
    *number = 0;
    for (size_t i = 0; i < size; i++) {
        *number = *number << 8 | scan->at[i];
    }
    return s_skip(scan, size);
}

/* A length of `size` bytes, then so many bytes and `more`. */
static bool
s_skip_sized(scan_t *scan, size_t size, uint64_t more)
{
    uint64_t len;
    return s_number(scan, size, &len) && s_skip(scan, len + more);
}

/* Skips a head from 0xc0 to 0xdf; `*inside` gets the values that it holds. */
static bool
s_head_long(scan_t *scan, unsigned char head, uint64_t *inside)
{
    static const unsigned char fixed[] = {/* 0xca */ 4,
                                          8,
                                          1,
                                          2,
                                          4,
                                          8,
                                          1,
                                          2,
                                          4,
                                          8,
                                          2,
                                          3,
                                          5,
                                          9,
                                          17};
    if (head <= 0xc3) {
        return head != 0xc1;
    }
    if (head <= 0xc6) {
        return s_skip_sized(scan, 1u << (head - 0xc4), 0);
    }
    if (head <= 0xc9) {
        return s_skip_sized(scan, 1u << (head - 0xc7), 1);
    }
    if (head <= 0xd8) {
        return s_skip(scan, fixed[head - 0xca]);
    }
    if (head <= 0xdb) {
        return s_skip_sized(scan, 1u << (head - 0xd9), 0);
    }
    if (!s_number(scan, head & 1 ? 4 : 2, inside)) {
        return false;
    }
    *inside *= head >= 0xde ? 2 : 1;
    return true;
}

static bool
s_head(scan_t *scan, uint64_t *inside)
{
    unsigned char head = scan->at[0];
    (void) s_skip(scan, 1);
    *inside = 0;
    if (head < 0x80 || head >= 0xe0) {
        return true;
    }
    if (head < 0x90) {
        *inside = (uint64_t) 2 * (head & 15u);
        return true;
    }
    if (head < 0xa0) {
        *inside = head & 15u;
        return true;
    }
    if (head < 0xc0) {
        return s_skip(scan, head & 31u);
    }
    return s_head_long(scan, head, inside);
}

bool
pr_msgpack_is_sound(pr_str_t bytes)
{
    scan_t scan = {(const unsigned char *) bytes.ptr, bytes.len};
    uint64_t open[PR_MSGPACK_DEPTH_MAX + 1] = {1};
    size_t depth = 0;
    for (;;) {
        while (open[depth] == 0) {
            if (depth-- == 0) {
                return scan.left == 0;
            }
        }
        open[depth]--;
        uint64_t inside;
        if (scan.left == 0 || !s_head(&scan, &inside) || inside > scan.left) {
            return false;
        }
        if (inside) {
            if (depth == PR_MSGPACK_DEPTH_MAX) {
                return false;
            }
            open[++depth] = inside;
        }
    }
}
