/* SPDX-License-Identifier: MIT */

#include "gateway/render.h"

#include "gateway/native_render.h"
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

static bool
s_is_native(gw_lane_kind_t kind)
{
    return kind == GW_LANE_JSON || kind == GW_LANE_MSGPACK;
}

static gw_native_encoding_t
s_encoding(gw_lane_kind_t kind)
{
    return kind == GW_LANE_MSGPACK ? GW_NATIVE_MSGPACK : GW_NATIVE_JSON;
}

pr_buf_t *
gw_render_document(gw_lane_kind_t kind,
                   const pr_document_t *document,
                   pr_str_t user,
                   pr_str_t ballot)
{
    if (s_is_native(kind)) {
        return gw_native_render_document(s_encoding(kind), document, ballot);
    }
    pr_buf_t *body = pr_buf_new(4096);
    if (!body) {
        return NULL;
    }
    pr_document_write_json(document, body, user, ballot);
    pr_buf_append_byte(body, ']');
    return s_frame(PR_STR(DOCUMENT_HEAD), &body);
}

pr_buf_t *
gw_render_patch(gw_lane_kind_t kind, pr_rev_t from, pr_rev_t to, const msgpack_object *patch)
{
    if (s_is_native(kind)) {
        return gw_native_render_patch(s_encoding(kind), from, to, patch);
    }
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

void
gw_render_removal(gw_lane_kind_t kind, pr_str_t user, pr_buf_t *out)
{
    if (kind == GW_LANE_MSGPACK) {
        msgpack_packer packer = pr_packer(out);
        pr_pack_str(&packer, user);
        (void) msgpack_pack_nil(&packer);
        return;
    }
    pr_buf_append_json(out, user);
    pr_buf_append_str(out, PR_STR(":null"));
}
