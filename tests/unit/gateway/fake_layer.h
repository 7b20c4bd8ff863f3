/* SPDX-License-Identifier: MIT */

/*
 * The layer above Engine.IO, which only remembers what it is told, of one session at a time. For a
 * hub with `fake_layer_ops` and a fake_layer_t.
 */

#ifndef FAKE_LAYER_H
#define FAKE_LAYER_H

#include <stdio.h>

#include "gateway/engineio.h"

typedef struct fake_layer fake_layer_t;
struct fake_layer {
    void (*answer)(fake_layer_t *self, pr_str_t text); /* to each message; NULL: nothing */
    gw_engineio_t *engine;                             /* the last that was opened */
    char token[32];
    char message[64]; /* the last one */
    int messages;
    int binaries; /* of them */
    int writables;
    int closes;
    gw_why_t why; /* of the last close */
};

static inline void *
fake_layer_opened(void *arg, gw_engineio_t *engine, pr_str_t token)
{
    fake_layer_t *self = arg;
    self->engine = engine;
    (void) snprintf(self->token, sizeof self->token, "%.*s", PR_STR_ARG(token));
    return self;
}

static inline void
fake_layer_message(void *user, pr_str_t text, bool binary)
{
    fake_layer_t *self = user;
    self->messages++;
    self->binaries += binary;
    (void) snprintf(self->message, sizeof self->message, "%.*s", PR_STR_ARG(text));
    if (self->answer) {
        self->answer(self, text);
    }
}

static inline void
fake_layer_writable(void *user)
{
    ((fake_layer_t *) user)->writables++;
}

static inline void
fake_layer_closed(void *user, gw_why_t why)
{
    fake_layer_t *self = user;
    self->closes++;
    self->why = why;
}

static const gw_engineio_ops_t fake_layer_ops = {
    .opened = fake_layer_opened,
    .message = fake_layer_message,
    .writable = fake_layer_writable,
    .closed = fake_layer_closed,
};

#endif
