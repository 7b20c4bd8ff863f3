/* SPDX-License-Identifier: MIT */

#include "gateway/native_asks.h"

#include <stdlib.h>

#include "proto/wire/error.h"

struct gw_native_ask {
    gw_native_ask_t *next;
    int64_t number;
    gw_native_id_t id;
};

int64_t
gw_native_asks_add(gw_native_asks_t *self, const gw_native_id_t *id)
{
    if (self->count == PR_NATIVE_ASKS_MAX) {
        return PR_E_FULL;
    }
    gw_native_ask_t *ask = calloc(1, sizeof *ask);
    if (!ask) {
        return PR_E_NOMEM;
    }
    ask->number = self->numbers++;
    ask->id = *id;
    ask->next = self->first;
    self->first = ask;
    self->count++;
    return ask->number;
}

bool
gw_native_asks_take(gw_native_asks_t *self, int64_t number, gw_native_id_t *id)
{
    gw_native_ask_t **link = &self->first;
    while (*link && (*link)->number != number) {
        link = &(*link)->next;
    }
    gw_native_ask_t *ask = *link;
    if (!ask) {
        return false;
    }
    *id = ask->id;
    *link = ask->next;
    self->count--;
    free(ask);
    return true;
}

void
gw_native_asks_clear(gw_native_asks_t *self)
{
    gw_native_ask_t *ask = self->first;
    while (ask) {
        gw_native_ask_t *next = ask->next;
        free(ask);
        ask = next;
    }
    *self = (gw_native_asks_t) {0};
}
