/* SPDX-License-Identifier: MIT */

/*
 * A fuzz target is one function over some bytes that come from outside. libFuzzer calls it in a
 * build of the preset `fuzz` (see run); replay.c calls it for each file of its corpus in all
 * others.
 */

#ifndef T_FUZZ_H
#define T_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"

int /* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes up to `len` bytes off the front. */
static inline pr_str_t
t_fuzz_take(pr_str_t *from, size_t len)
{
    pr_str_t taken = {from->ptr, len < from->len ? len : from->len};
    from->ptr += taken.len;
    from->len -= taken.len;
    return taken;
}

/* The same for one byte, 0 when there is none. */
static inline uint8_t
t_fuzz_byte(pr_str_t *from)
{
    pr_str_t byte = t_fuzz_take(from, 1);
    return byte.len ? (uint8_t) byte.ptr[0] : 0;
}

#endif
