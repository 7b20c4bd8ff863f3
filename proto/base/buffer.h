/* SPDX-License-Identifier: MIT */

/*
 * A growing run of bytes that several holders may share. One holder appends; once it is shared
 * (more than one reference) it must not change any more. Not for use across threads.
 *
 * Memory that runs out sticks: the buffer turns `failed`, keeps what it had, and ignores appends.
 * A writer therefore asks once, at its end.
 */

#ifndef PR_BUFFER_H
#define PR_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/bytes.h"

typedef struct pr_buf pr_buf_t;

/* An empty buffer with room for `capacity` bytes (0: none yet) and one reference, or NULL when out
 * of memory. */
pr_buf_t *
pr_buf_new(size_t capacity);

/* A buffer that holds a copy of `text`. NULL when out of memory. */
pr_buf_t *
pr_buf_copy(pr_str_t text);

/* One more reference; returns `self`. */
pr_buf_t *
pr_buf_ref(pr_buf_t *self);

/* Gives one reference back and nulls the pointer; the last one frees. NULL is fine. */
void
pr_buf_destroy(pr_buf_t **self_p);

void
pr_buf_append(pr_buf_t *self, const void *data, size_t len);
void
pr_buf_append_str(pr_buf_t *self, pr_str_t text);
void
pr_buf_append_byte(pr_buf_t *self, char byte);
/* Decimal digits of `number`. */
void
pr_buf_append_int(pr_buf_t *self, int64_t number);
/* As printf. For short texts out of our own words, not for hot paths. */
__attribute__((format(printf, 2, 3))) void
pr_buf_append_fmt(pr_buf_t *self, const char *format, ...);
/* `text` as a JSON string with its quotes. The text must be valid UTF-8. */
void
pr_buf_append_json(pr_buf_t *self, pr_str_t text);

/* Makes room for `len` more bytes and returns where they go, or NULL when out of memory. What was
 * written there counts only after pr_buf_grow. */
char *
pr_buf_reserve(pr_buf_t *self, size_t len);
void
pr_buf_grow(pr_buf_t *self, size_t len);

/* Forgets the content, keeps the memory, clears `failed`. */
void
pr_buf_clear(pr_buf_t *self);
/* Cuts the content to its first `len` bytes. */
void
pr_buf_truncate(pr_buf_t *self, size_t len);

const char *
pr_buf_data(const pr_buf_t *self);
size_t
pr_buf_len(const pr_buf_t *self);
pr_str_t
pr_buf_str(const pr_buf_t *self);
bool
pr_buf_failed(const pr_buf_t *self);

#endif
