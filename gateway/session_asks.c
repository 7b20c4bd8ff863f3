/* SPDX-License-Identifier: MIT */

#include "gateway/session_asks.h"

#include <stdlib.h>

#include "proto/wire/error.h"
#include "proto/wire/limits.h"

struct gw_ask {
    gw_ask_t *next;
    int64_t id;
    gw_answer_fn_t answer;
    void *arg;
};

int
gw_asks_add(gw_asks_t *self, gw_answer_fn_t answer, void *arg, int64_t *id)
{
    if (self->count >= PR_SESSION_ASKS_MAX) {
        return PR_E_BUSY;
    }
    gw_ask_t *ask = calloc(1, sizeof *ask);
    if (!ask) {
        return PR_E_NOMEM;
    }
    ask->id = self->next_id++;
    ask->answer = answer;
    ask->arg = arg;
    ask->next = self->first;
    self->first = ask;
    self->count++;
    *id = ask->id;
    return 0;
}

/* Takes the question out before its answer is told, which may ask the next. */
static void
s_tell(gw_asks_t *self, gw_ask_t **link, const gw_sio_packet_t *packet)
{
    gw_ask_t *ask = *link;
    *link = ask->next;
    self->count--;
    ask->answer(ask->arg, packet);
    free(ask);
}

void
gw_asks_answer(gw_asks_t *self, const gw_sio_packet_t *packet)
{
    gw_ask_t **link = &self->first;
    while (*link && (*link)->id != packet->ack) {
        link = &(*link)->next;
    }
    if (*link) {
        s_tell(self, link, packet);
    }
}

void
gw_asks_end(gw_asks_t *self)
{
    while (self->first) {
        s_tell(self, &self->first, NULL);
    }
}
