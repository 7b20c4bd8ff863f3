/* SPDX-License-Identifier: MIT */

/*
 * What the files of Engine.IO share: engineio.c is one session, engineio_hub.c all of them,
 * engineio_polling.c what polls, engineio_probe.c the way from there to a WebSocket.
 *
 * A session is freed when its WebSocket is gone, or, if it polls, at the end of the turn in which
 * it has ended and its client has been told so, or can not be.
 */

#ifndef GW_ENGINEIO_PRIVATE_H
#define GW_ENGINEIO_PRIVATE_H

#include "gateway/engineio.h"
#include "gateway/engineio_sid.h"
#include "proto/base/map.h"

/* Close codes of WebSocket. */
enum {
    GW_CODE_NORMAL = 1000,
    GW_CODE_GOING_AWAY = 1001,
    GW_CODE_PROTOCOL = 1002,
    GW_CODE_NONE = 1005,
    GW_CODE_BAD_DATA = 1007,
    GW_CODE_POLICY = 1008,
    GW_CODE_TOO_LARGE = 1009
};

typedef struct gw_probe gw_probe_t;

struct gw_engineio_hub {
    pr_loop_t *loop;
    gw_stats_t *stats;
    const gw_engineio_ops_t *ops;
    void *arg;
    gw_engineio_settings_t settings; /* without the owner */
    pr_buf_t *ping;
    pr_map_t *sessions; /* by sid */
    gw_pollings_t *pollings;
    size_t polling_count;
    gw_engineio_t *first;   /* all sessions */
    gw_engineio_t *closing; /* those that have something to do at the end of the turn */
    bool closing_all;
    char owner[GW_SID_TAG_MAX + 1];
};

struct gw_engineio {
    pr_timer_t heartbeat; /* first: the pointers are equal. The next ping, the end of the wait for
                             its pong, or of that for a last GET */
    int64_t ping_due_ms;
    int64_t pong_due_ms;
    gw_engineio_hub_t *hub;
    gw_engineio_t *prev;
    gw_engineio_t *next;
    gw_engineio_t *next_closing;
    gw_socket_t *socket;      /* NULL while it polls */
    gw_polling_t *polling;    /* NULL on a WebSocket */
    gw_socket_t *stand_in;    /* of a session that began with polling */
    gw_slot_t *slot;          /* bound to it */
    gw_probe_t *probe;        /* the WebSocket that it may move to */
    gw_engineio_post_t *post; /* on its way */
    void *user;               /* NULL: it was told that it is over */
    size_t message_max;
    gw_why_t why;
    bool closing : 1;
    bool in_closing : 1; /* in the hub's list of those */
    bool broke_rule : 1;
    bool known : 1;   /* its client has joined */
    bool lingers : 1; /* waits for a GET to tell its client */
    bool pong_owed : 1;
    bool extended : 1; /* the wait for this pong has been extended */
    char sid[GW_SID_MAX + 1];
};

/* --- engineio.c --- */

/* Binds a WebSocket to the session. */
void
gw_engineio_attach(gw_engineio_t *self, gw_socket_t *socket);
/* Tells the layer above of it, and starts the heartbeat. False: out of memory. */
bool
gw_engineio_begin(gw_engineio_t *self, pr_str_t token);
/* One packet of the client's; `binary`: a message. */
void
gw_engineio_packet(gw_engineio_t *self, pr_str_t packet, bool binary);
/* Whether the time for a pong is over; then the session is closed. */
bool
gw_engineio_expire(gw_engineio_t *self);
/* Sees to the session at the end of the turn: tells the user, and frees what is done. */
void
gw_engineio_later(gw_engineio_t *self);
/* The hook that does it; `arg` is the hub. */
bool
gw_engineio_turn(void *arg);

/* --- engineio_hub.c --- */

/* A new session in the lists. NULL when out of memory. */
gw_engineio_t *
gw_engineio_new(gw_engineio_hub_t *hub);
/* Takes it out of all lists and frees it. */
void
gw_engineio_free(gw_engineio_t *self);
gw_engineio_t *
gw_engineio_find(gw_engineio_hub_t *hub, pr_str_t sid);
/* The open packet. */
void
gw_engineio_write_open(const gw_engineio_t *self, pr_buf_t *out);

/* --- engineio_polling.c --- */

extern const gw_polling_ops_t gw_engineio_polling_ops;
extern const gw_stand_in_ops_t gw_engineio_stand_in_ops;

/* The session ends: `last` is the packet that says so, `waits`: even if no GET is there now. */
void
gw_engineio_end_polling(gw_engineio_t *self, const char *last, bool waits);
/* The wait for a last GET is over. */
void
gw_engineio_forget_polling(gw_engineio_t *self);
/* Moves the session to a WebSocket, with what is queued. */
void
gw_engineio_move(gw_engineio_t *self, gw_socket_t *socket);

/* --- engineio_probe.c --- */

/* The session ends: so does its probe. */
void
gw_probe_end(gw_engineio_t *engine);

#endif
