/* SPDX-License-Identifier: MIT */

/* What clients of the native protocol get: WebSocket frames that hold {"event", "id"?, "data"?}.
 * All return NULL when out of memory; the caller has the one reference. */

#ifndef GW_NATIVE_RENDER_H
#define GW_NATIVE_RENDER_H

#include <msgpack.h>

#include "gateway/native_parse.h"
#include "proto/base/buffer.h"
#include "proto/poll/document.h"
#include "proto/poll/rev.h"

/* `id` may be NULL or none; `json`, the data, may be absent. */
pr_buf_t *
gw_native_render_event(gw_native_encoding_t encoding,
                       pr_str_t event,
                       const gw_native_id_t *id,
                       pr_str_t json);

/* `snapshot`: the public document, and beside it the user's own ballot (JSON) unless absent. */
pr_buf_t *
gw_native_render_document(gw_native_encoding_t encoding,
                          const pr_document_t *document,
                          pr_str_t ballot);

/* `patch`. */
pr_buf_t *
gw_native_render_patch(gw_native_encoding_t encoding,
                       pr_rev_t from,
                       pr_rev_t to,
                       const msgpack_object *patch);

#endif
