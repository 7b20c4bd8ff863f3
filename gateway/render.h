/* SPDX-License-Identifier: MIT */

/*
 * Documents and patches as frames, for each way that clients speak: Socket.IO in Engine.IO text
 * packets, and the native protocol's two encodings (native_render.h).
 */

#ifndef GW_RENDER_H
#define GW_RENDER_H

#include "gateway/lane.h"
#include "proto/base/buffer.h"
#include "proto/poll/document.h"
#include "proto/poll/rev.h"

/*
 * The whole document, `poll_updated` or `snapshot`. `user` with `ballot` (a JSON array): shows
 * that user its own ballot, in the document (pr_document_write_json) or beside it; both may be
 * absent. The caller has the one reference; NULL when out of memory.
 */
pr_buf_t *
gw_render_document(gw_lane_kind_t kind,
                   const pr_document_t *document,
                   pr_str_t user,
                   pr_str_t ballot);

/* The change from one document to the next, `poll_patched` or `patch`. */
pr_buf_t *
gw_render_patch(gw_lane_kind_t kind, pr_rev_t from, pr_rev_t to, const msgpack_object *patch);

/* Appends what stands in a patch that takes this user out of the list. */
void
gw_render_removal(gw_lane_kind_t kind, pr_str_t user, pr_buf_t *out);

#endif
