/* SPDX-License-Identifier: MIT */

/*
 * One join of one poll: for Socket.IO the namespace /polls of a session, for the native protocol a
 * socket. Announces its user to the poll's actor, and lets the feed show it documents.
 *
 * |           | OPEN    | JOINING       | LIVE          | STALE         | CLOSING |
 * | JOIN      | JOINING | CLOSING       | CLOSING       | CLOSING       |         |
 * | CONNECTED |         | LIVE          | own ballot    | LIVE          |         |
 * | UPDATE    |         |               | (the feed's)  | listed: LIVE  |         |
 * | COMMAND   | CLOSING | held, 8       | sent          | held, 8       |         |
 * | RESET     |         |               | STALE         |               |         |
 * | REFUSED   |         | CLOSING       | CLOSING       | CLOSING       |         |
 * | KICK      |         | CLOSING       | last document, CLOSING        |         |
 * | ENDED     |         | CLOSING       | CLOSING       | CLOSING       |         |
 * | GONE      | freed   | DISCONNECT, freed (in all three)              | freed   |
 * | DRAIN     | CLOSING | DISCONNECT, CLOSING (in all three)            | cut     |
 * | TIMER     | CLOSING | DISCONNECT, CLOSING           |               | cut     |
 *
 * Every cell is in conn.c; GONE frees in each state.
 */

#ifndef GW_CONN_H
#define GW_CONN_H

#include "gateway/feed.h"
#include "gateway/rooms.h"
#include "gateway/token.h"
#include "gateway/why.h"

#define GW_CONN_STATES(X) X(OPEN) X(JOINING) X(LIVE) X(STALE) X(CLOSING)
#define GW_CONN_EVENTS(X)                                                                          \
    X(JOIN)                                                                                        \
    X(CONNECTED) X(UPDATE) X(COMMAND) X(RESET) X(REFUSED) X(KICK) X(ENDED) X(GONE) X(DRAIN) X(TIMER)

typedef enum {
#define GW_CONN_STATE(name) GW_CONN_##name,
    GW_CONN_STATES(GW_CONN_STATE)
#undef GW_CONN_STATE
        GW_CONN_STATE_COUNT
} gw_conn_state_t;

typedef enum {
#define GW_CONN_EVENT(name) GW_CONN_ON_##name,
    GW_CONN_EVENTS(GW_CONN_EVENT)
#undef GW_CONN_EVENT
        GW_CONN_EVENT_COUNT
} gw_conn_event_t;

/* How a joined conn ends. */
typedef enum {
    GW_ENDING_KICKED,
    GW_ENDING_CANCELLED,
    GW_ENDING_EXPIRED,
    GW_ENDING_NOT_FOUND
} gw_ending_t;

/* What the client's protocol makes of it. After `refused` and `ended` the conn is CLOSING: the
 * callee lets it go with gw_conn_gone, from within the call or later. */
typedef struct {
    void (*accepted)(void *client, gw_conn_t *conn);
    void (*refused)(void *client, gw_conn_t *conn, int code, pr_str_t text);
    void (*ended)(void *client, gw_conn_t *conn, gw_ending_t ending);
    /* An event for this client alone: its name and its one argument as JSON. */
    void (*event)(void *client, gw_conn_t *conn, pr_str_t name, pr_str_t json);
    /* The answer to a command that asked for one. */
    void (*answer)(void *client, gw_conn_t *conn, int64_t ack, pr_str_t json);
    /* The user's own ballot, JSON. NULL: its client is shown it within documents instead. */
    void (*ballot)(void *client, gw_conn_t *conn, pr_str_t json);
    /* Closes the transport; gw_conn_gone follows from the loop. */
    void (*cut)(void *client, gw_conn_t *conn, gw_why_t why, int code, const char *reason);
} gw_client_ops_t;

/* A command as the client sent it. */
typedef struct {
    pr_str_t verb;
    pr_str_t args;  /* msgpack, or absent */
    int64_t ack;    /* < 0: no answer wanted */
    pr_str_t flaws; /* what is wrong with it, a JSON list of texts; absent: nothing */
} gw_command_t;

/* A conn that is OPEN. NULL when out of memory. */
gw_conn_t *
gw_conn_new(gw_rooms_t *rooms,
            const gw_client_ops_t *ops,
            void *client,
            gw_socket_t *socket,
            const gw_token_t *token);

/* --- from the client --- */

/* Joins the token's poll and wants documents or patches. */
void
gw_conn_join(gw_conn_t *self, gw_lane_kind_t lane);
/* Before the join: the client has the document of that rev. */
void
gw_conn_resume(gw_conn_t *self, pr_rev_t rev);
void
gw_conn_command(gw_conn_t *self, const gw_command_t *command);
void
gw_conn_writable(gw_conn_t *self);
/* The client has left, or its socket is gone: frees the conn. */
void
gw_conn_gone(gw_conn_t *self, gw_why_t why);
/* The gateway ends: tells the actor, closes the transport. */
void
gw_conn_drain(gw_conn_t *self);

/* --- from the poll's actor --- */

/* `ballot`: the user's own, JSON, or absent. Comes again with each new ballot of the user. */
void
gw_conn_connected(gw_conn_t *self, pr_str_t ballot);
void
gw_conn_refused(gw_conn_t *self, int code, pr_str_t text);
void
gw_conn_kicked(gw_conn_t *self, int code);
void
gw_conn_ended(gw_conn_t *self, gw_ending_t ending);
/* The feed has a new document. */
void
gw_conn_updated(gw_conn_t *self);
/* The link to the actor has ended. */
void
gw_conn_reset(gw_conn_t *self);

/* --- looking at it --- */

gw_conn_state_t
gw_conn_state(const gw_conn_t *self);
const char *
gw_conn_state_name(gw_conn_state_t state);
const char *
gw_conn_event_name(gw_conn_event_t event);
gw_id_text_t
gw_conn_id(const gw_conn_t *self);
pr_str_t
gw_conn_user(const gw_conn_t *self);
pr_str_t
gw_conn_name(const gw_conn_t *self);
pr_str_t
gw_conn_poll(const gw_conn_t *self);
gw_rooms_t *
gw_conn_rooms(const gw_conn_t *self);
/* The conn that holds this member, and the other way round. */
gw_conn_t *
gw_conn_of(gw_member_t *member);
gw_member_t *
gw_conn_member(gw_conn_t *self);
/* For its commands: what the client is told. */
void
gw_conn_tell(gw_conn_t *self, pr_str_t event, pr_str_t json);
void
gw_conn_answer(gw_conn_t *self, int64_t ack, pr_str_t json);

#endif
