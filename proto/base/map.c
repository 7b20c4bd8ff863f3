/* SPDX-License-Identifier: MIT */

/* Dense entries and a table of their indexes, probed linearly; at most three quarters full. */

#include "proto/base/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#include "proto/base/assert.h"
#include "proto/wire/error.h"

#define TABLE_MIN 8
#define EMPTY UINT32_MAX

typedef struct {
    char *key;
    uint32_t key_len;
    uint32_t hash;
    void *value;
} entry_t;

struct pr_map {
    entry_t *entries;
    uint32_t *table;
    uint32_t count;
    uint32_t room; /* of entries: three quarters of the table */
    uint32_t mask; /* size of the table - 1 */
    pr_map_free_t free_value;
};

static uint64_t
s_seed(void)
{
    static uint64_t seed;
    while (seed == 0) {
        if (getrandom(&seed, sizeof seed, 0) != sizeof seed) {
            seed = (uint64_t) (uintptr_t) &seed | 1;
        }
    }
    return seed;
}

static uint32_t
s_hash(pr_str_t key)
{
    uint64_t hash = 0xcbf29ce484222325u ^ s_seed();
    for (size_t i = 0; i < key.len; i++) {
        hash = (hash ^ (unsigned char) key.ptr[i]) * 0x100000001b3u;
    }
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    return (uint32_t) (hash >> 32);
}

pr_map_t *
pr_map_new(pr_map_free_t free_value)
{
    pr_map_t *self = calloc(1, sizeof *self);
    if (self) {
        self->free_value = free_value;
    }
    return self;
}

static void
s_free_entry(pr_map_t *self, entry_t *entry)
{
    free(entry->key);
    if (self->free_value) {
        self->free_value(entry->value);
    }
}

void
pr_map_clear(pr_map_t *self)
{
    for (uint32_t i = 0; i < self->count; i++) {
        s_free_entry(self, &self->entries[i]);
    }
    free(self->entries);
    free(self->table);
    self->entries = NULL;
    self->table = NULL;
    self->count = self->room = self->mask = 0;
}

void
pr_map_destroy(pr_map_t **self_p)
{
    PR_ASSERT(self_p);
    pr_map_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_map_clear(self);
    free(self);
    *self_p = NULL;
}

/* The place of `key` in the table: where it is, or the empty place where it would go. */
static uint32_t
s_place(const pr_map_t *self, pr_str_t key, uint32_t hash)
{
    uint32_t at = hash & self->mask;
    while (self->table[at] != EMPTY) {
        const entry_t *entry = &self->entries[self->table[at]];
        if (entry->hash == hash && entry->key_len == key.len &&
            (key.len == 0 || memcmp(entry->key, key.ptr, key.len) == 0)) {
            break;
        }
        at = (at + 1) & self->mask;
    }
    return at;
}

static int
s_rehash(pr_map_t *self, uint32_t size)
{
    uint32_t room = size / 4 * 3;
    entry_t *entries = realloc(self->entries, room * sizeof *entries);
    if (!entries) {
        return PR_E_NOMEM;
    }
    self->entries = entries;
    uint32_t *table = malloc(size * sizeof *table);
    if (!table) {
        return PR_E_NOMEM;
    }
    free(self->table);
    self->table = table;
    self->mask = size - 1;
    self->room = room;
    memset(table, 0xff, size * sizeof *table);
    for (uint32_t i = 0; i < self->count; i++) {
        uint32_t at = entries[i].hash & self->mask;
        while (table[at] != EMPTY) {
            at = (at + 1) & self->mask;
        }
        table[at] = i;
    }
    return 0;
}

static int
s_insert(pr_map_t *self, pr_str_t key, uint32_t hash, void *value)
{
    if (self->count == self->room) {
        uint32_t size = self->table ? (self->mask + 1) * 2 : TABLE_MIN;
        if (size < TABLE_MIN || s_rehash(self, size) != 0) {
            return PR_E_NOMEM;
        }
    }
    char *copy = malloc(key.len + 1);
    if (!copy) {
        return PR_E_NOMEM;
    }
    if (key.len) {
        memcpy(copy, key.ptr, key.len);
    }
    copy[key.len] = '\0';
    PR_ASSERT(self->table);
    self->table[s_place(self, key, hash)] = self->count;
    self->entries[self->count++] =
        (entry_t) {.key = copy, .key_len = (uint32_t) key.len, .hash = hash, .value = value};
    return 0;
}

int
pr_map_set(pr_map_t *self, pr_str_t key, void *value)
{
    PR_ASSERT(self && value && key.len < UINT32_MAX);
    uint32_t hash = s_hash(key);
    if (self->table) {
        uint32_t index = self->table[s_place(self, key, hash)];
        if (index != EMPTY) {
            entry_t *entry = &self->entries[index];
            if (self->free_value && entry->value != value) {
                self->free_value(entry->value);
            }
            entry->value = value;
            return 0;
        }
    }
    return s_insert(self, key, hash, value);
}

void *
pr_map_get(const pr_map_t *self, pr_str_t key)
{
    PR_ASSERT(self);
    if (!self->table) {
        return NULL;
    }
    uint32_t index = self->table[s_place(self, key, s_hash(key))];
    return index == EMPTY ? NULL : self->entries[index].value;
}

/* Empties a place of the table and moves up what was probed past it. */
static void
s_vacate(pr_map_t *self, uint32_t hole)
{
    uint32_t at = hole;
    for (;;) {
        at = (at + 1) & self->mask;
        if (self->table[at] == EMPTY) {
            break;
        }
        uint32_t home = self->entries[self->table[at]].hash & self->mask;
        if (((at - home) & self->mask) >= ((at - hole) & self->mask)) {
            self->table[hole] = self->table[at];
            hole = at;
        }
    }
    self->table[hole] = EMPTY;
}

/* Takes `key` out of the map into `*out`. */
static bool
s_take(pr_map_t *self, pr_str_t key, entry_t *out)
{
    PR_ASSERT(self);
    if (!self->table) {
        return false;
    }
    uint32_t place = s_place(self, key, s_hash(key));
    uint32_t index = self->table[place];
    if (index == EMPTY) {
        return false;
    }
    *out = self->entries[index];
    uint32_t last = self->count - 1;
    if (index != last) {
        const entry_t *moved = &self->entries[last];
        uint32_t from = s_place(self, (pr_str_t) {moved->key, moved->key_len}, moved->hash);
        self->table[from] = index;
        self->entries[index] = *moved;
    }
    self->count = last;
    s_vacate(self, place);
    return true;
}

bool
pr_map_remove(pr_map_t *self, pr_str_t key)
{
    entry_t entry;
    if (!s_take(self, key, &entry)) {
        return false;
    }
    s_free_entry(self, &entry);
    return true;
}

void *
pr_map_take(pr_map_t *self, pr_str_t key)
{
    entry_t entry;
    if (!s_take(self, key, &entry)) {
        return NULL;
    }
    free(entry.key);
    return entry.value;
}

size_t
pr_map_count(const pr_map_t *self)
{
    return self->count;
}

pr_str_t
pr_map_key_at(const pr_map_t *self, size_t index)
{
    PR_ASSERT(index < self->count);
    return (pr_str_t) {self->entries[index].key, self->entries[index].key_len};
}

void *
pr_map_value_at(const pr_map_t *self, size_t index)
{
    PR_ASSERT(index < self->count);
    return self->entries[index].value;
}
