/* SPDX-License-Identifier: MIT */

/* The requests of one native client that have no answer yet: numbers for our side, the client's ids
 * for the other. */

#ifndef GW_NATIVE_ASKS_H
#define GW_NATIVE_ASKS_H

#include <stdbool.h>

#include "gateway/native_parse.h"

typedef struct gw_native_ask gw_native_ask_t;

/* Zeroed: none. */
typedef struct {
    gw_native_ask_t *first;
    uint32_t count;
    int64_t numbers;
} gw_native_asks_t;

/* Keeps a copy of the id, which may be none. The request's number, or PR_E_FULL past
 * PR_NATIVE_ASKS_MAX, or PR_E_NOMEM. */
PR_MUST_CHECK int64_t
gw_native_asks_add(gw_native_asks_t *self, const gw_native_id_t *id);
/* The id of that request, which is then forgotten. False: there is none of that number. */
bool
gw_native_asks_take(gw_native_asks_t *self, int64_t number, gw_native_id_t *id);
void
gw_native_asks_clear(gw_native_asks_t *self);

#endif
