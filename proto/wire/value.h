/* SPDX-License-Identifier: MIT */

/*
 * msgpack values: decoding within bounds, writing, looking into them.
 *
 * Decoding is bounded before anything is allocated: depth, claimed counts against the bytes left,
 * one value and nothing behind it.
 */

#ifndef PR_VALUE_H
#define PR_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include <msgpack.h>

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"
#include "proto/wire/error.h"

/*
 * A value of any shape. Decoded: `object` points into the pr_unpacked_t. To encode, set either
 * `object` or `raw`, bytes that are one msgpack value. Both unset: absent.
 */
typedef struct {
    const msgpack_object *object;
    pr_str_t raw;
} pr_any_t;

/* Memory behind decoded values; may be used again for the next one. */
typedef struct pr_unpacked pr_unpacked_t;
pr_unpacked_t *
pr_unpacked_new(void);
void
pr_unpacked_destroy(pr_unpacked_t **self_p);

/* Decodes bytes that are one msgpack value, within the same bounds. The object lives in
 * `memory`. */
PR_MUST_CHECK int
pr_value_unpack(pr_str_t bytes, pr_unpacked_t *memory, const msgpack_object **object);

/* --- helpers to write and read msgpack values --- */

/* A packer that appends to `out`. */
msgpack_packer
pr_packer(pr_buf_t *out);
void
pr_pack_str(msgpack_packer *packer, pr_str_t text);

/* The text of a string object, else an absent one. */
pr_str_t
pr_object_str(const msgpack_object *object);
/* The member `key` of a map object, or NULL. */
const msgpack_object *
pr_object_member(const msgpack_object *map, pr_str_t key);
/* Whether `object` is an integer within ±2^53; then its value is in `*number`. */
bool
pr_object_int(const msgpack_object *object, int64_t *number);

#endif
