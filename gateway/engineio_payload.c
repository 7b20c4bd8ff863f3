/* SPDX-License-Identifier: MIT */

#include "gateway/engineio_payload.h"

#include <openssl/evp.h>

#include "gateway/frame.h"

#define SEPARATOR '\x1e'
/* Bytes that become base64 at once: a multiple of three. */
#define ENCODE_BYTES 3072
#define NO_DIGIT 64

/* --- reading --- */

gw_payload_t
gw_payload(pr_str_t body)
{
    return (gw_payload_t) {.rest = body, .more = true};
}

bool
gw_payload_next(gw_payload_t *self, pr_str_t *packet)
{
    if (!self->more) {
        return false;
    }
    const char *end = self->rest.len ? memchr(self->rest.ptr, SEPARATOR, self->rest.len) : NULL;
    *packet = self->rest;
    self->more = end != NULL;
    if (end) {
        packet->len = (size_t) (end - self->rest.ptr);
        self->rest.ptr += packet->len + 1;
        self->rest.len -= packet->len + 1;
    }
    return true;
}

static unsigned
s_digit(char byte)
{
    if (byte >= 'A' && byte <= 'Z') {
        return (unsigned) (byte - 'A');
    }
    if (byte >= 'a' && byte <= 'z') {
        return (unsigned) (byte - 'a') + 26;
    }
    if (byte >= '0' && byte <= '9') {
        return (unsigned) (byte - '0') + 52;
    }
    return byte == '+' ? 62 : byte == '/' ? 63 : NO_DIGIT;
}

/* Appends what four digits, `pads` of them signs for nothing, stand for. */
static bool
s_decode_group(pr_buf_t *out, const char *digits, size_t pads)
{
    unsigned group = 0;
    for (size_t i = 0; i < 4; i++) {
        unsigned digit = i < 4 - pads ? s_digit(digits[i]) : 0;
        if (digit == NO_DIGIT) {
            return false;
        }
        group = group << 6 | digit;
    }
    char bytes[3] = {(char) (group >> 16), (char) (group >> 8), (char) group};
    pr_buf_append(out, bytes, 3 - pads);
    return true;
}

static size_t
s_pads(pr_str_t base64)
{
    size_t pads = 0;
    while (pads < 2 && pads < base64.len && base64.ptr[base64.len - 1 - pads] == '=') {
        pads++;
    }
    return pads;
}

pr_buf_t *
gw_payload_decode(pr_str_t base64)
{
    size_t pads = s_pads(base64);
    pr_buf_t *out = base64.len % 4 == 0 ? pr_buf_new(base64.len / 4 * 3) : NULL;
    for (size_t at = 0; out && at < base64.len; at += 4) {
        bool last = at + 4 == base64.len;
        if (!s_decode_group(out, base64.ptr + at, last ? pads : 0)) {
            pr_buf_destroy(&out);
        }
    }
    if (out && pr_buf_failed(out)) {
        pr_buf_destroy(&out);
    }
    return out;
}

/* --- writing --- */

static void
s_separate(pr_buf_t *body)
{
    if (pr_buf_len(body) > 0) {
        pr_buf_append_byte(body, SEPARATOR);
    }
}

void
gw_payload_append(pr_buf_t *body, pr_str_t packet)
{
    s_separate(body);
    pr_buf_append_str(body, packet);
}

static void
s_append_base64(pr_buf_t *body, pr_str_t bytes)
{
    for (size_t at = 0; at < bytes.len; at += ENCODE_BYTES) {
        size_t len = bytes.len - at < ENCODE_BYTES ? bytes.len - at : ENCODE_BYTES;
        char *to = pr_buf_reserve(body, len / 3 * 4 + 5); /* a NUL goes behind it */
        if (!to) {
            return;
        }
        int written = EVP_EncodeBlock((unsigned char *) to, (const unsigned char *) bytes.ptr + at,
                                      (int) len);
        pr_buf_grow(body, (size_t) written);
    }
}

/* Gathers the bytes of one binary message from the frame at `at` on; returns where the next message
 * is. */
static size_t
s_append_binary(pr_buf_t *body, pr_str_t frames, size_t at)
{
    pr_buf_t *bytes = pr_buf_new(0);
    gw_frame_t frame;
    do {
        at = gw_frame_read(frames, at, &frame);
        if (bytes) {
            pr_buf_append_str(bytes, frame.payload);
        }
    } while (!frame.final);
    if (bytes && !pr_buf_failed(bytes)) {
        pr_buf_append_byte(body, 'b');
        s_append_base64(body, pr_buf_str(bytes));
    }
    pr_buf_destroy(&bytes);
    return at;
}

static size_t
s_append_text(pr_buf_t *body, pr_str_t frames, size_t at)
{
    gw_frame_t frame;
    do {
        at = gw_frame_read(frames, at, &frame);
        pr_buf_append_str(body, frame.payload);
    } while (!frame.final);
    return at;
}

void
gw_payload_append_frames(pr_buf_t *body, pr_str_t frames)
{
    size_t at = 0;
    while (at < frames.len) {
        gw_frame_t frame;
        (void) gw_frame_read(frames, at, &frame);
        s_separate(body);
        at = frame.binary ? s_append_binary(body, frames, at) : s_append_text(body, frames, at);
    }
}

size_t
gw_payload_frames_max(pr_str_t frames)
{
    size_t most = 0;
    bool begins = true;
    bool binary = false;
    for (size_t at = 0; at < frames.len;) {
        gw_frame_t frame;
        at = gw_frame_read(frames, at, &frame);
        binary = begins ? frame.binary : binary;
        begins = frame.final;
        /* A separator and a `b` besides; the last group of base64 may be a part of one. */
        most += 2 + (binary ? frame.payload.len / 3 * 4 + 4 : frame.payload.len);
    }
    return most;
}
