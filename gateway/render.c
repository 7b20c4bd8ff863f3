/* SPDX-License-Identifier: MIT */

#include "gateway/render.h"

#include "gateway/socket.h"
#include "proto/wire/json.h"

#define NAMESPACE "/polls"

/* Engine.IO message, Socket.IO EVENT: 4 2 */
#define DOCUMENT_HEAD "42" NAMESPACE ",[\"poll_updated\","
#define PATCH_HEAD "42" NAMESPACE ",[\"poll_patched\",{\"from\":\""

static pr_buf_t *
s_frame(pr_str_t head, pr_buf_t **body_p)
{
    pr_buf_t *frame = pr_buf_failed(*body_p) ? NULL : gw_frame_text2(head, pr_buf_str(*body_p));
    pr_buf_destroy(body_p);
    return frame;
}

pr_buf_t *
gw_render_document(const pr_document_t *document, pr_str_t user, pr_str_t ballot)
{
    pr_buf_t *body = pr_buf_new(4096);
    if (!body) {
        return NULL;
    }
    pr_document_write_json(document, body, user, ballot);
    pr_buf_append_byte(body, ']');
    return s_frame(PR_STR(DOCUMENT_HEAD), &body);
}

pr_buf_t *
gw_render_patch(pr_rev_t from, pr_rev_t to, const msgpack_object *patch)
{
    pr_buf_t *body = pr_buf_new(256);
    if (!body) {
        return NULL;
    }
    pr_buf_append_str(body, pr_str(pr_rev_format(from).text));
    pr_buf_append_str(body, PR_STR("\",\"to\":\""));
    pr_buf_append_str(body, pr_str(pr_rev_format(to).text));
    pr_buf_append_str(body, PR_STR("\",\"patch\":"));
    pr_object_write_json(patch, body);
    pr_buf_append_str(body, PR_STR("}]"));
    return s_frame(PR_STR(PATCH_HEAD), &body);
}
