/* SPDX-License-Identifier: MIT */

#include "gateway/native_render.h"

#include "gateway/socket.h"
#include "proto/wire/json.h"

#define SMALL_BYTES 256
#define DOCUMENT_BYTES 4096

/* The frame around a payload, which goes in any case. */
static pr_buf_t *
s_finish(gw_native_encoding_t encoding, pr_buf_t **payload_p)
{
    pr_buf_t *frame = NULL;
    if (!pr_buf_failed(*payload_p)) {
        pr_str_t payload = pr_buf_str(*payload_p);
        frame = encoding == GW_NATIVE_MSGPACK ? gw_frame_binary(payload) : gw_frame_text(payload);
    }
    pr_buf_destroy(payload_p);
    return frame;
}

/* --- JSON --- */

static void
s_write_event(pr_buf_t *out, pr_str_t event, const gw_native_id_t *id, pr_str_t json)
{
    pr_buf_append_str(out, PR_STR("{\"event\":"));
    pr_buf_append_json(out, event);
    if (id && id->kind == GW_NATIVE_ID_NUMBER) {
        pr_buf_append_str(out, PR_STR(",\"id\":"));
        pr_buf_append_int(out, id->number);
    } else if (id && id->kind == GW_NATIVE_ID_TEXT) {
        pr_buf_append_str(out, PR_STR(",\"id\":"));
        pr_buf_append_json(out, (pr_str_t) {id->text, id->len});
    }
    if (json.ptr) {
        pr_buf_append_str(out, PR_STR(",\"data\":"));
        pr_buf_append_str(out, json);
    }
    pr_buf_append_byte(out, '}');
}

static void
s_write_document(pr_buf_t *out, const pr_document_t *document, pr_str_t ballot)
{
    pr_buf_append_str(out, PR_STR("{\"event\":\"snapshot\",\"data\":{\"document\":"));
    pr_document_write_json(document, out, PR_STR_NONE, PR_STR_NONE);
    if (ballot.ptr) {
        pr_buf_append_str(out, PR_STR(",\"ballot\":"));
        pr_buf_append_str(out, ballot);
    }
    pr_buf_append_str(out, PR_STR("}}"));
}

static void
s_write_patch(pr_buf_t *out, pr_str_t from, pr_str_t to, const msgpack_object *patch)
{
    pr_buf_append_str(out, PR_STR("{\"event\":\"patch\",\"data\":{\"from\":\""));
    pr_buf_append_str(out, from);
    pr_buf_append_str(out, PR_STR("\",\"to\":\""));
    pr_buf_append_str(out, to);
    pr_buf_append_str(out, PR_STR("\",\"patch\":"));
    pr_object_write_json(patch, out);
    pr_buf_append_str(out, PR_STR("}}"));
}

/* --- msgpack --- */

/* JSON of our own making as msgpack; says whether it is. */
static bool
s_pack_json(pr_buf_t *out, pr_str_t json)
{
    return pr_json_to_msgpack(json, out) == 0;
}

static bool
s_pack_event(pr_buf_t *out, pr_str_t event, const gw_native_id_t *id, pr_str_t json)
{
    msgpack_packer packer = pr_packer(out);
    bool has_id = id && id->kind != GW_NATIVE_ID_NONE;
    (void) msgpack_pack_map(&packer, 1 + (has_id ? 1U : 0U) + (json.ptr ? 1U : 0U));
    pr_pack_str(&packer, PR_STR("event"));
    pr_pack_str(&packer, event);
    if (has_id) {
        pr_pack_str(&packer, PR_STR("id"));
        if (id->kind == GW_NATIVE_ID_NUMBER) {
            (void) msgpack_pack_int64(&packer, id->number);
        } else {
            pr_pack_str(&packer, (pr_str_t) {id->text, id->len});
        }
    }
    if (!json.ptr) {
        return true;
    }
    pr_pack_str(&packer, PR_STR("data"));
    return s_pack_json(out, json);
}

/* Up to the members of `data`. */
static void
s_pack_head(msgpack_packer *packer, pr_str_t event, size_t members)
{
    (void) msgpack_pack_map(packer, 2);
    pr_pack_str(packer, PR_STR("event"));
    pr_pack_str(packer, event);
    pr_pack_str(packer, PR_STR("data"));
    (void) msgpack_pack_map(packer, members);
}

static bool
s_pack_document(pr_buf_t *out, const pr_document_t *document, pr_str_t ballot)
{
    msgpack_packer packer = pr_packer(out);
    s_pack_head(&packer, PR_STR("snapshot"), ballot.ptr ? 2 : 1);
    pr_pack_str(&packer, PR_STR("document"));
    pr_document_write_msgpack(document, out);
    if (!ballot.ptr) {
        return true;
    }
    pr_pack_str(&packer, PR_STR("ballot"));
    return s_pack_json(out, ballot);
}

static void
s_pack_patch(pr_buf_t *out, pr_str_t from, pr_str_t to, const msgpack_object *patch)
{
    msgpack_packer packer = pr_packer(out);
    s_pack_head(&packer, PR_STR("patch"), 3);
    pr_pack_str(&packer, PR_STR("from"));
    pr_pack_str(&packer, from);
    pr_pack_str(&packer, PR_STR("to"));
    pr_pack_str(&packer, to);
    pr_pack_str(&packer, PR_STR("patch"));
    (void) msgpack_pack_object(&packer, *patch);
}

/* --- frames --- */

pr_buf_t *
gw_native_render_event(gw_native_encoding_t encoding,
                       pr_str_t event,
                       const gw_native_id_t *id,
                       pr_str_t json)
{
    pr_buf_t *payload = pr_buf_new(SMALL_BYTES);
    if (!payload) {
        return NULL;
    }
    if (encoding == GW_NATIVE_JSON) {
        s_write_event(payload, event, id, json);
    } else if (!s_pack_event(payload, event, id, json)) {
        pr_buf_destroy(&payload);
        return NULL;
    }
    return s_finish(encoding, &payload);
}

pr_buf_t *
gw_native_render_document(gw_native_encoding_t encoding,
                          const pr_document_t *document,
                          pr_str_t ballot)
{
    pr_buf_t *payload = pr_buf_new(DOCUMENT_BYTES);
    if (!payload) {
        return NULL;
    }
    if (encoding == GW_NATIVE_JSON) {
        s_write_document(payload, document, ballot);
    } else if (!s_pack_document(payload, document, ballot)) {
        pr_buf_destroy(&payload);
        return NULL;
    }
    return s_finish(encoding, &payload);
}

pr_buf_t *
gw_native_render_patch(gw_native_encoding_t encoding,
                       pr_rev_t from,
                       pr_rev_t to,
                       const msgpack_object *patch)
{
    pr_buf_t *payload = pr_buf_new(SMALL_BYTES);
    if (!payload) {
        return NULL;
    }
    pr_rev_text_t before = pr_rev_format(from);
    pr_rev_text_t after = pr_rev_format(to);
    if (encoding == GW_NATIVE_JSON) {
        s_write_patch(payload, pr_str(before.text), pr_str(after.text), patch);
    } else {
        s_pack_patch(payload, pr_str(before.text), pr_str(after.text), patch);
    }
    return s_finish(encoding, &payload);
}
