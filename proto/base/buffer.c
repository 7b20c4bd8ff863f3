/* SPDX-License-Identifier: MIT */

#include "proto/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/assert.h"

struct pr_buf {
    char *data;
    size_t len;
    size_t capacity;
    uint32_t refs;
    bool failed;
};

pr_buf_t *
pr_buf_new(size_t capacity)
{
    pr_buf_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->refs = 1;
    if (capacity) {
        self->data = malloc(capacity);
        if (!self->data) {
            free(self);
            return NULL;
        }
        self->capacity = capacity;
    }
    return self;
}

pr_buf_t *
pr_buf_copy(pr_str_t text)
{
    pr_buf_t *self = pr_buf_new(text.len);
    if (self) {
        pr_buf_append_str(self, text);
    }
    return self;
}

pr_buf_t *
pr_buf_ref(pr_buf_t *self)
{
    PR_ASSERT(self && self->refs > 0);
    self->refs++;
    return self;
}

void
pr_buf_destroy(pr_buf_t **self_p)
{
    PR_ASSERT(self_p);
    pr_buf_t *self = *self_p;
    *self_p = NULL;
    if (!self || --self->refs > 0) {
        return;
    }
    free(self->data);
    free(self);
}

char *
pr_buf_reserve(pr_buf_t *self, size_t len)
{
    PR_ASSERT(self && self->refs == 1);
    if (self->failed) {
        return NULL;
    }
    if (self->capacity - self->len >= len) {
        return self->data ? self->data + self->len : NULL;
    }
    size_t capacity = self->capacity ? self->capacity : 64;
    while (capacity - self->len < len) {
        if (capacity > SIZE_MAX / 4) {
            self->failed = true;
            return NULL;
        }
        capacity *= 2;
    }
    char *data = realloc(self->data, capacity);
    if (!data) {
        self->failed = true;
        return NULL;
    }
    self->data = data;
    self->capacity = capacity;
    return data + self->len;
}

void
pr_buf_grow(pr_buf_t *self, size_t len)
{
    PR_ASSERT(self->capacity - self->len >= len);
    self->len += len;
}

void
pr_buf_append(pr_buf_t *self, const void *data, size_t len)
{
    if (len == 0) {
        return;
    }
    char *at = pr_buf_reserve(self, len);
    if (at) {
        memcpy(at, data, len);
        self->len += len;
    }
}

void
pr_buf_append_str(pr_buf_t *self, pr_str_t text)
{
    pr_buf_append(self, text.ptr, text.len);
}

void
pr_buf_append_byte(pr_buf_t *self, char byte)
{
    pr_buf_append(self, &byte, 1);
}

void
pr_buf_append_int(pr_buf_t *self, int64_t number)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = number < 0 ? 0 - (uint64_t) number : (uint64_t) number;
    do {
        digits[--at] = (char) ('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0) {
        digits[--at] = '-';
    }
    pr_buf_append(self, digits + at, sizeof digits - at);
}

void
pr_buf_append_fmt(pr_buf_t *self, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    PR_ASSERT(len >= 0);
    if ((size_t) len < sizeof text) {
        pr_buf_append(self, text, (size_t) len);
        return;
    }
    char *at = pr_buf_reserve(self, (size_t) len + 1);
    if (at) {
        va_start(args, format);
        (void) vsnprintf(at, (size_t) len + 1, format, args);
        va_end(args);
        self->len += (size_t) len;
    }
}

static void
s_append_escape(pr_buf_t *self, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    switch (byte) {
    case '"':
        pr_buf_append(self, "\\\"", 2);
        break;
    case '\\':
        pr_buf_append(self, "\\\\", 2);
        break;
    case '\n':
        pr_buf_append(self, "\\n", 2);
        break;
    case '\r':
        pr_buf_append(self, "\\r", 2);
        break;
    case '\t':
        pr_buf_append(self, "\\t", 2);
        break;
    case '\b':
        pr_buf_append(self, "\\b", 2);
        break;
    case '\f':
        pr_buf_append(self, "\\f", 2);
        break;
    default: {
        char text[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
        pr_buf_append(self, text, sizeof text);
    }
    }
}

void
pr_buf_append_json(pr_buf_t *self, pr_str_t text)
{
    pr_buf_append_byte(self, '"');
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char) text.ptr[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            continue;
        }
        pr_buf_append(self, text.ptr + from, i - from);
        s_append_escape(self, byte);
        from = i + 1;
    }
    pr_buf_append(self, text.ptr + from, text.len - from);
    pr_buf_append_byte(self, '"');
}

void
pr_buf_clear(pr_buf_t *self)
{
    PR_ASSERT(self && self->refs == 1);
    self->len = 0;
    self->failed = false;
}

void
pr_buf_truncate(pr_buf_t *self, size_t len)
{
    PR_ASSERT(self && self->refs == 1 && len <= self->len);
    self->len = len;
}

const char *
pr_buf_data(const pr_buf_t *self)
{
    return self->data ? self->data : "";
}

size_t
pr_buf_len(const pr_buf_t *self)
{
    return self->len;
}

pr_str_t
pr_buf_str(const pr_buf_t *self)
{
    return (pr_str_t) {pr_buf_data(self), self->len};
}

bool
pr_buf_failed(const pr_buf_t *self)
{
    return self->failed;
}
