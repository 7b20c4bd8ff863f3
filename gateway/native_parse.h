/* SPDX-License-Identifier: MIT */

/*
 * What clients of the native protocol send: objects {"event": text, "id"?: integer or text,
 * "data"?: anything}, as JSON or as msgpack. Pure and bounded: bytes in, frame out. What may come
 * when is native.c's business.
 */

#ifndef GW_NATIVE_PARSE_H
#define GW_NATIVE_PARSE_H

#include <stdint.h>

#include <jansson.h>

#include "proto/base/assert.h"
#include "proto/base/bytes.h"
#include "proto/wire/limits.h"

typedef enum { GW_NATIVE_JSON, GW_NATIVE_MSGPACK } gw_native_encoding_t;

typedef enum { GW_NATIVE_ID_NONE, GW_NATIVE_ID_NUMBER, GW_NATIVE_ID_TEXT } gw_native_id_kind_t;

/* The name that a client gave to a request; all answers to it carry it. */
typedef struct {
    gw_native_id_kind_t kind;
    uint32_t len;
    int64_t number;
    char text[PR_NATIVE_ID_BYTES_MAX]; /* not ended by a NUL */
} gw_native_id_t;

typedef struct {
    pr_str_t event;
    gw_native_id_t id;
    const json_t *data; /* NULL: none */
    json_t *root;       /* what event and data are borrowed from */
} gw_native_frame_t;

/* Reads one frame. 0, or PR_E_MALFORMED: then the sender is to be cut off. Clear it afterwards, in
 * any case. */
PR_MUST_CHECK int
gw_native_parse(gw_native_encoding_t encoding, pr_str_t bytes, gw_native_frame_t *frame);
void
gw_native_clear(gw_native_frame_t *frame);

#endif
