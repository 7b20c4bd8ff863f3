/* SPDX-License-Identifier: MIT */

/*
 * The namespace /polls of Socket.IO: who may join which poll, and what is said to its clients. The
 * token comes in `auth.token`, or, if that is falsy, in the handshake's header `token`. With
 * `updates: "patch"` in auth a client gets `poll_patched` instead of whole documents.
 */

#ifndef GW_POLLS_H
#define GW_POLLS_H

#include "gateway/rooms.h"
#include "gateway/session.h"
#include "gateway/token.h"

typedef struct {
    gw_rooms_t *rooms;
    const gw_token_keys_t *keys;
} gw_polls_t;

/* For gw_sessions_add; `self` is borrowed for its life. */
gw_namespace_t
gw_polls_namespace(gw_polls_t *self);

#endif
