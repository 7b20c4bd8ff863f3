/* SPDX-License-Identifier: MIT */

/*
 * Documents and patches as frames, for each way that clients speak. For now one: Socket.IO in
 * Engine.IO text packets.
 */

#ifndef GW_RENDER_H
#define GW_RENDER_H

#include "proto/base/buffer.h"
#include "proto/poll/document.h"
#include "proto/poll/rev.h"

/*
 * The whole document, `poll_updated`. `user` with `ballot` (a JSON array): shows that user its own
 * ballot, see pr_document_write_json; both may be absent. The caller has the one reference; NULL
 * when out of memory.
 */
pr_buf_t *
gw_render_document(const pr_document_t *document, pr_str_t user, pr_str_t ballot);

/* The change from one document to the next, `poll_patched`. */
pr_buf_t *
gw_render_patch(pr_rev_t from, pr_rev_t to, const msgpack_object *patch);

#endif
