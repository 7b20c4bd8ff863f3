/* SPDX-License-Identifier: MIT */

#include "gateway/frame.h"

#include "gateway/socket.h"
#include "proto/base/assert.h"
#include "proto/wire/limits.h"

enum { OPCODE_CONTINUATION = 0, OPCODE_TEXT = 1, OPCODE_BINARY = 2, OPCODE_CLOSE = 8 };

#define FINAL 0x80
#define HEADER_MAX 10
/* Payload lengths from here on take two or eight bytes more. */
#define LENGTH_16 126
#define LENGTH_64 127

static void
s_append_header(pr_buf_t *out, int first, size_t len)
{
    unsigned char header[HEADER_MAX] = {(unsigned char) first};
    size_t used = 2;
    if (len < LENGTH_16) {
        header[1] = (unsigned char) len;
    } else {
        size_t bytes = len <= 0xffff ? 2 : 8;
        header[1] = bytes == 2 ? LENGTH_16 : LENGTH_64;
        for (size_t i = 0; i < bytes; i++) {
            header[used++] = (unsigned char) (len >> (8 * (bytes - 1 - i)));
        }
    }
    pr_buf_append(out, header, used);
}

/* Appends the bytes [from, from + len) of `head` and `tail` put together. */
static void
s_append_part(pr_buf_t *out, pr_str_t head, pr_str_t tail, size_t from, size_t len)
{
    if (from < head.len) {
        size_t part = head.len - from < len ? head.len - from : len;
        pr_buf_append(out, head.ptr + from, part);
        from += part;
        len -= part;
    }
    if (len > 0) {
        pr_buf_append(out, tail.ptr + (from - head.len), len);
    }
}

static pr_buf_t *
s_message(int opcode, pr_str_t head, pr_str_t tail)
{
    size_t total = head.len + tail.len;
    size_t fragments = total / PR_FRAGMENT_BYTES + 1;
    pr_buf_t *out = pr_buf_new(total + fragments * HEADER_MAX);
    if (!out) {
        return NULL;
    }
    size_t at = 0;
    do {
        size_t len = total - at < PR_FRAGMENT_BYTES ? total - at : PR_FRAGMENT_BYTES;
        int first = at == 0 ? opcode : OPCODE_CONTINUATION;
        s_append_header(out, at + len == total ? first | FINAL : first, len);
        s_append_part(out, head, tail, at, len);
        at += len;
    } while (at < total);
    if (pr_buf_failed(out)) {
        pr_buf_destroy(&out);
    }
    return out;
}

pr_buf_t *
gw_frame_text(pr_str_t payload)
{
    return s_message(OPCODE_TEXT, payload, PR_STR_NONE);
}

pr_buf_t *
gw_frame_binary(pr_str_t payload)
{
    return s_message(OPCODE_BINARY, payload, PR_STR_NONE);
}

pr_buf_t *
gw_frame_text2(pr_str_t head, pr_str_t tail)
{
    return s_message(OPCODE_TEXT, head, tail);
}

pr_buf_t *
gw_frame_close(int code, const char *reason)
{
    pr_str_t words = code ? pr_str(reason) : PR_STR_NONE;
    if (words.len > GW_FRAME_REASON_MAX) {
        words.len = GW_FRAME_REASON_MAX;
    }
    char number[2] = {(char) (code >> 8), (char) code};
    return s_message(OPCODE_CLOSE, (pr_str_t) {number, code ? 2 : 0}, words);
}

size_t
gw_frame_read(pr_str_t frames, size_t at, gw_frame_t *frame)
{
    const unsigned char *byte = (const unsigned char *) frames.ptr + at;
    size_t rest = frames.len - at;
    PR_ASSERT(at < frames.len && rest >= 2 && (byte[1] & 0x80) == 0);
    size_t bytes = byte[1] == LENGTH_16 ? 2 : byte[1] == LENGTH_64 ? 8 : 0;
    PR_ASSERT(rest >= 2 + bytes);
    size_t len = bytes ? 0 : byte[1];
    for (size_t i = 0; i < bytes; i++) {
        len = len << 8 | byte[2 + i];
    }
    frame->binary = (byte[0] & 0x0f) == OPCODE_BINARY;
    frame->final = (byte[0] & FINAL) != 0;
    frame->payload = (pr_str_t) {frames.ptr + at + 2 + bytes, len};
    return at + 2 + bytes + len;
}

size_t
gw_frame_boundary(pr_str_t frames, size_t from, size_t at)
{
    PR_ASSERT(at <= frames.len);
    while (from < at) {
        gw_frame_t frame;
        from = gw_frame_read(frames, from, &frame);
    }
    PR_ASSERT(from <= frames.len);
    return from;
}
