/* SPDX-License-Identifier: MIT */

/* What a client was asked and has not answered: acknowledgements that wait. Bounded. */

#ifndef GW_SESSION_ASKS_H
#define GW_SESSION_ASKS_H

#include "gateway/socketio.h"

/* `packet`: the answer, an array; NULL: there will be none. */
typedef void (*gw_answer_fn_t)(void *arg, const gw_sio_packet_t *packet);

typedef struct gw_ask gw_ask_t;

/* Zeroed: nothing was asked. */
typedef struct {
    gw_ask_t *first;
    size_t count;
    int64_t next_id;
} gw_asks_t;

/* Notes a question and gives its id. 0, PR_E_BUSY, PR_E_NOMEM. */
PR_MUST_CHECK int
gw_asks_add(gw_asks_t *self, gw_answer_fn_t answer, void *arg, int64_t *id);

/* An answer came; one that nobody waits for is nothing. */
void
gw_asks_answer(gw_asks_t *self, const gw_sio_packet_t *packet);

/* There will be no more answers. */
void
gw_asks_end(gw_asks_t *self);

#endif
