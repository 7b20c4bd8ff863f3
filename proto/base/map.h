/* SPDX-License-Identifier: MIT */

/*
 * A hash map from short texts to pointers. Entries lie densely, in order of insertion until one is
 * removed: the last one then moves into the hole, as RedisJSON does with the members of an object.
 *
 * Keys are copied. Values are borrowed, unless the map was made with `free_value`: then a value
 * that is replaced, removed or left at the end is freed with it. The hash is seeded at random once
 * per process, so that nobody outside can choose keys that collide.
 */

#ifndef PR_MAP_H
#define PR_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/bytes.h"

typedef struct pr_map pr_map_t;
typedef void (*pr_map_free_t)(void *value);

/* An empty map; `free_value` may be NULL. NULL when out of memory. */
pr_map_t *
pr_map_new(pr_map_free_t free_value);

/* Frees the map, and its values if it owns them; nulls the pointer. NULL is fine. */
void
pr_map_destroy(pr_map_t **self_p);

/* Sets `key` to `value`, which must not be NULL. 0, or PR_E_NOMEM: then nothing changed and the
 * caller still has the value. */
int
pr_map_set(pr_map_t *self, pr_str_t key, void *value);

/* The value of `key`, or NULL. */
void *
pr_map_get(const pr_map_t *self, pr_str_t key);

/* Removes `key`, freeing its value if the map owns it; says whether it was there. */
bool
pr_map_remove(pr_map_t *self, pr_str_t key);

/* Removes `key` and hands its value to the caller; NULL if it was not there. */
void *
pr_map_take(pr_map_t *self, pr_str_t key);

void
pr_map_clear(pr_map_t *self);

size_t
pr_map_count(const pr_map_t *self);

/* The entry at `index`, which is below pr_map_count. To remove while walking, walk down. */
pr_str_t
pr_map_key_at(const pr_map_t *self, size_t index);
void *
pr_map_value_at(const pr_map_t *self, size_t index);

#endif
