/* SPDX-License-Identifier: MIT */

#include "gateway/ids.h"

#include <stdlib.h>

#include "proto/wire/error.h"

#define INDEX_BITS 24
#define SIZE_MIN 64
#define NO_INDEX UINT32_MAX

typedef struct {
    void *object;    /* NULL: free */
    uint64_t number; /* of the object */
    uint32_t next_free;
} entry_t;

struct gw_ids {
    entry_t *entries;
    uint32_t size;
    uint32_t first_free;
    uint64_t serial;
};

gw_ids_t *
gw_ids_new(void)
{
    gw_ids_t *self = calloc(1, sizeof *self);
    if (self) {
        self->first_free = NO_INDEX;
    }
    return self;
}

void
gw_ids_destroy(gw_ids_t **self_p)
{
    PR_ASSERT(self_p);
    gw_ids_t *self = *self_p;
    if (!self) {
        return;
    }
    free(self->entries);
    free(self);
    *self_p = NULL;
}

static int
s_grow(gw_ids_t *self)
{
    uint32_t size = self->size ? self->size * 2 : SIZE_MIN;
    if (size > 1U << INDEX_BITS) {
        return PR_E_FULL;
    }
    entry_t *entries = realloc(self->entries, size * sizeof *entries);
    if (!entries) {
        return PR_E_NOMEM;
    }
    self->entries = entries;
    for (uint32_t i = size; i-- > self->size;) {
        entries[i] = (entry_t) {.next_free = self->first_free};
        self->first_free = i;
    }
    self->size = size;
    return 0;
}

int
gw_ids_add(gw_ids_t *self, void *object, uint64_t *number)
{
    PR_ASSERT(object);
    if (self->first_free == NO_INDEX) {
        int error = s_grow(self);
        if (error != 0) {
            return error;
        }
    }
    uint32_t index = self->first_free;
    entry_t *entry = &self->entries[index];
    self->first_free = entry->next_free;
    entry->object = object;
    entry->number = ++self->serial << INDEX_BITS | index;
    *number = entry->number;
    return 0;
}

static entry_t *
s_entry(const gw_ids_t *self, uint64_t number)
{
    uint64_t index = number & ((1U << INDEX_BITS) - 1);
    if (index >= self->size) {
        return NULL;
    }
    entry_t *entry = &self->entries[index];
    return entry->object && entry->number == number ? entry : NULL;
}

void
gw_ids_remove(gw_ids_t *self, uint64_t number)
{
    entry_t *entry = s_entry(self, number);
    PR_ASSERT(entry);
    entry->object = NULL;
    entry->next_free = self->first_free;
    self->first_free = (uint32_t) (entry - self->entries);
}

gw_id_text_t
gw_ids_text(uint64_t number)
{
    char digits[16];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
        number /= 36;
    } while (number);
    gw_id_text_t text = {{0}};
    memcpy(text.text, digits + at, sizeof digits - at);
    return text;
}

void *
gw_ids_find(const gw_ids_t *self, pr_str_t text)
{
    uint64_t number = 0;
    if (text.len == 0 || text.len > 12) {
        return NULL;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c >= '0' && c <= '9') {
            number = number * 36 + (uint64_t) (c - '0');
        } else if (c >= 'a' && c <= 'z') {
            number = number * 36 + (uint64_t) (c - 'a') + 10;
        } else {
            return NULL;
        }
    }
    const entry_t *entry = s_entry(self, number);
    return entry ? entry->object : NULL;
}
