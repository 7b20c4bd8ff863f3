/* SPDX-License-Identifier: MIT */

#include "gateway/framing.h"

#include <ctype.h>

#define CODE_PROTOCOL_ERROR 1002
#define CODE_TOO_LARGE 1009

#define FIN 0x80
#define RESERVED 0x70
#define OPCODE 0x0f
#define CONTROL 0x08 /* in an opcode */
#define MASKED 0x80
#define LENGTH 0x7f
/* In the place of a length: it follows, in 2 or 8 bytes. */
#define LENGTH_16 126
#define LENGTH_64 127

#define MASK_BYTES 4
#define KEY_CHARS 24

enum { OP_CONTINUATION = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

static bool
s_is_control(const gw_framing_t *self)
{
    return self->head[0] & CONTROL;
}

static const char *
s_check_first(const gw_framing_t *self)
{
    uint8_t byte = self->head[0];
    int opcode = byte & OPCODE;
    if (byte & RESERVED) {
        return "reserved bits";
    }
    if (opcode > OP_PONG || (opcode > OP_BINARY && opcode < OP_CLOSE)) {
        return "reserved opcode";
    }
    if (s_is_control(self)) {
        return byte & FIN ? NULL : "fragmented control frame";
    }
    if ((opcode == OP_CONTINUATION) != self->in_message) {
        return self->in_message ? "message within a message" : "nothing to continue";
    }
    return NULL;
}

static const char *
s_check_second(const gw_framing_t *self)
{
    uint8_t byte = self->head[1];
    int length = byte & LENGTH;
    if (!(byte & MASKED)) {
        return "frame without a mask";
    }
    if (s_is_control(self) && length >= LENGTH_16) {
        return "long control frame";
    }
    if ((self->head[0] & OPCODE) == OP_CLOSE && length == 1) {
        return "close frame of one byte";
    }
    return NULL;
}

static size_t
s_head_size(const gw_framing_t *self)
{
    if (self->have < 2) {
        return 2;
    }
    int length = self->head[1] & LENGTH;
    return length == LENGTH_64 ? GW_FRAMING_HEAD_MAX : length == LENGTH_16 ? 4 : 2;
}

static uint64_t
s_length(const gw_framing_t *self)
{
    size_t size = s_head_size(self);
    if (size == 2) {
        return self->head[1] & LENGTH;
    }
    uint64_t length = 0;
    for (size_t i = 2; i < size; i++) {
        length = length << 8 | self->head[i];
    }
    return length;
}

/* The head is whole. */
static gw_fault_t
s_begin(gw_framing_t *self, uint64_t frame_max)
{
    uint64_t length = s_length(self);
    size_t size = s_head_size(self);
    bool minimal = size == 2 || (size == 4 && length >= LENGTH_16) || length > UINT16_MAX;
    if (!minimal) {
        return (gw_fault_t) {CODE_PROTOCOL_ERROR, "length in a wrong form"};
    }
    if (!s_is_control(self)) {
        self->in_message = !(self->head[0] & FIN);
        if (length > frame_max) {
            return (gw_fault_t) {CODE_TOO_LARGE, "message too large"};
        }
    }
    self->left = length + MASK_BYTES;
    self->have = 0;
    return (gw_fault_t) {0};
}

/* One more byte of a head. */
static gw_fault_t
s_add(gw_framing_t *self, uint8_t byte, uint64_t frame_max)
{
    self->head[self->have++] = byte;
    const char *wrong = NULL;
    if (self->have == 1) {
        wrong = s_check_first(self);
    } else if (self->have == 2) {
        wrong = s_check_second(self);
    }
    if (wrong) {
        return (gw_fault_t) {CODE_PROTOCOL_ERROR, wrong};
    }
    if (self->have == 3 && s_head_size(self) == GW_FRAMING_HEAD_MAX && byte > INT8_MAX) {
        return (gw_fault_t) {CODE_PROTOCOL_ERROR, "length beyond 2^63"};
    }
    bool whole = self->have >= 2 && self->have == s_head_size(self);
    return whole ? s_begin(self, frame_max) : (gw_fault_t) {0};
}

size_t
gw_framing_check(gw_framing_t *self, pr_str_t bytes, uint64_t frame_max, gw_fault_t *fault)
{
    *fault = (gw_fault_t) {0};
    size_t at = 0;
    while (at < bytes.len) {
        if (self->left > 0) {
            uint64_t here = bytes.len - at < self->left ? bytes.len - at : self->left;
            self->left -= here;
            at += (size_t) here;
            continue;
        }
        *fault = s_add(self, (uint8_t) bytes.ptr[at], frame_max);
        if (fault->code) {
            return at;
        }
        at++;
    }
    return at;
}

bool
gw_framing_key_is_good(pr_str_t key)
{
    if (key.len != KEY_CHARS || key.ptr[KEY_CHARS - 1] != '=' || key.ptr[KEY_CHARS - 2] != '=') {
        return false;
    }
    for (size_t i = 0; i < KEY_CHARS - 2; i++) {
        unsigned char byte = (unsigned char) key.ptr[i];
        if (!isalnum(byte) && byte != '+' && byte != '/') {
            return false;
        }
    }
    return true;
}

bool
gw_framing_code_is_good(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}
