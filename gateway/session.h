/* SPDX-License-Identifier: MIT */

/*
 * Socket.IO protocol 5 on an Engine.IO session: which namespaces a client has joined, and what it
 * may send when. Knows nothing of polls: each namespace brings its own handler.
 *
 * | the client sends     | not joined           | joining | joined              |
 * | CONNECT              | `connect`            | cut off | cut off             |
 * | DISCONNECT           | ignored              | `left`  | `left`              |
 * | EVENT, ACK           | cut off              | cut off | `event`; ACK: ignored |
 * | anything malformed, CONNECT_ERROR, binary packets: cut off                  |
 *
 * A client that has joined nothing for PR_BEFORE_JOIN_MS is cut off; the root namespace does not
 * count.
 */

#ifndef GW_SESSION_H
#define GW_SESSION_H

#include "gateway/engineio.h"
#include "gateway/socketio.h"

typedef struct gw_session gw_session_t;   /* one */
typedef struct gw_sessions gw_sessions_t; /* what all of a gateway share */

/* What a namespace's handler returns from `connect`. */
typedef struct {
    void *member;       /* of the handler's: joining; gw_session_accept or _refuse follows */
    const char *reason; /* if `member` is NULL: refused with this text */
} gw_joining_t;

typedef struct {
    pr_str_t name;
    /* `auth` is an object or NULL, `token` the handshake's header of that name or absent; both are
     * borrowed for the call. */
    gw_joining_t (*connect)(void *arg, gw_session_t *session, const json_t *auth, pr_str_t token);
    /* An EVENT of a joined member. */
    void (*event)(void *member, const gw_sio_packet_t *packet);
    /* See gw_socket_ops_t; to joining members too. */
    void (*writable)(void *member);
    /* The client left it, or is gone: the last call. Not after a gw_session_refuse or _end. */
    void (*left)(void *member, gw_why_t why);
    void *arg;
} gw_namespace_t;

/* `polls` is the one namespace besides the root. NULL when out of memory. */
gw_sessions_t *
gw_sessions_new(pr_loop_t *loop, gw_stats_t *stats, const gw_namespace_t *polls);
void
gw_sessions_destroy(gw_sessions_t **self_p);

/* For gw_engineio_hub_new, with the gw_sessions_t as `arg`. */
extern const gw_engineio_ops_t gw_session_engine_ops;

/* --- for handlers --- */

/* The member has joined: sends 40 with a sid of its own. */
void
gw_session_accept(gw_session_t *self, const void *member);
/* It may not: sends 44. The member is forgotten. */
void
gw_session_refuse(gw_session_t *self, const void *member, pr_str_t reason);
/* It is out: sends 41. The member is forgotten. */
void
gw_session_end(gw_session_t *self, const void *member);
/* Sends an EVENT, `ack` GW_SIO_ACK_NONE, or an ACK: `json` is the array. */
void
gw_session_send(gw_session_t *self, const void *member, int64_t ack, pr_str_t json);
/* Closes the transport; `left` follows from the loop. */
void
gw_session_cut(gw_session_t *self, gw_why_t why, int code, const char *reason);

/* See gw_engineio_t. */
void
gw_session_trust(gw_session_t *self);
gw_socket_t *
gw_session_socket(const gw_session_t *self);

#endif
