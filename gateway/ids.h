/* SPDX-License-Identifier: MIT */

/*
 * Short names for objects, never used twice: a base 36 number out of a serial number and the
 * object's place in a table, so that a name from outside is found, or found wrong, without a
 * search.
 */

#ifndef GW_IDS_H
#define GW_IDS_H

#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/bytes.h"

typedef struct gw_ids gw_ids_t;

/* Room for a name and its NUL. */
typedef struct {
    char text[16];
} gw_id_text_t;

/* NULL when out of memory. */
gw_ids_t *
gw_ids_new(void);
void
gw_ids_destroy(gw_ids_t **self_p);

/* Gives the object a number, > 0. PR_E_NOMEM, or PR_E_FULL past 2^24 objects. */
PR_MUST_CHECK int
gw_ids_add(gw_ids_t *self, void *object, uint64_t *number);
void
gw_ids_remove(gw_ids_t *self, uint64_t number);

gw_id_text_t
gw_ids_text(uint64_t number);
/* The object of that name, or NULL. */
void *
gw_ids_find(const gw_ids_t *self, pr_str_t text);

#endif
