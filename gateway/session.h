/* SPDX-License-Identifier: MIT */

/*
 * Socket.IO protocol 5 on an Engine.IO session: which namespaces a client has joined, and what it
 * may send when. Knows nothing of polls: each namespace brings its own handler.
 *
 * | the client sends         | never joined | left, refused | joining | joined              |
 * | CONNECT                  | `connect`    | `connect`     | cut off | cut off             |
 * | DISCONNECT               | cut off      | ignored       | `left`  | `left`              |
 * | EVENT, ACK, binary or not | cut off     | cut off       | cut off | `event`, the answer |
 * | anything malformed, CONNECT_ERROR, attachments out of place: cut off                      |
 *
 * A client that has joined nothing is cut off after a time.
 */

#ifndef GW_SESSION_H
#define GW_SESSION_H

#include "gateway/engineio.h"
#include "gateway/session_asks.h"
#include "gateway/socketio.h"

typedef struct gw_session gw_session_t;   /* one */
typedef struct gw_sessions gw_sessions_t; /* what all of a hub share */

#define GW_NAMESPACES_MAX 4

/* What a namespace's handler returns from `connect`. */
typedef struct {
    void *member;       /* of the handler's: joining; gw_session_accept or _refuse follows */
    bool joined;        /* it is in already: gw_session_accept is called for it, then `joined` */
    const char *reason; /* if `member` is NULL: refused with this text */
    pr_str_t data;      /* … and with this JSON, which is a literal; absent: none */
} gw_joining_t;

typedef struct {
    pr_str_t name; /* a literal */
    /* `auth` is an object or NULL, `token` the handshake's header of that name or absent; both are
     * borrowed for the call. */
    gw_joining_t (*connect)(void *arg, gw_session_t *session, const json_t *auth, pr_str_t token);
    /* The client was told that it is in. May be NULL. */
    void (*joined)(void *member);
    /* An EVENT of a joined member; one with attachments has them all. */
    void (*event)(void *member, const gw_sio_packet_t *packet);
    /* See gw_socket_ops_t; to joining members too. */
    void (*writable)(void *member);
    /* The client left it, or is gone: the last call. Not after a gw_session_refuse or _end. */
    void (*left)(void *member, gw_why_t why);
    void *arg;
    bool is_no_reason; /* who has joined only this one is cut off all the same */
} gw_namespace_t;

/* The root namespace where nothing happens: everybody may be in it, and need not stay. */
extern const gw_namespace_t gw_namespace_idle_root;

/* `connect_ms`: how long a client may have joined nothing. NULL when out of memory. */
gw_sessions_t *
gw_sessions_new(pr_loop_t *loop, gw_stats_t *stats, int64_t connect_ms);
void
gw_sessions_destroy(gw_sessions_t **self_p);

/* One more namespace, before the first session; its handler is borrowed. */
void
gw_sessions_add(gw_sessions_t *self, const gw_namespace_t *namespace);

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
/* The same with attachments, for which placeholders stand in `json`; borrowed. */
void
gw_session_send_binary(gw_session_t *self,
                       const void *member,
                       int64_t ack,
                       pr_str_t json,
                       pr_buf_t *const *attached,
                       int count);
/* Sends an EVENT and waits for its ACK; `answer` is called once if this is 0, at the latest when
 * the member has gone. PR_E_BUSY: too much was asked already. */
PR_MUST_CHECK int
gw_session_ask(
    gw_session_t *self, const void *member, pr_str_t json, gw_answer_fn_t answer, void *arg);
/* Closes the transport; `left` follows from the loop. */
void
gw_session_cut(gw_session_t *self, gw_why_t why, int code, const char *reason);

/* See gw_engineio_t. */
void
gw_session_trust(gw_session_t *self);
gw_socket_t *
gw_session_socket(const gw_session_t *self);

#endif
