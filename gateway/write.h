/* SPDX-License-Identifier: MIT */

/*
 * The only writer of WebSockets: all that goes to a client after its upgrade passes through here,
 * and each socket has one state for it.
 *
 * direct     send() straight to the descriptor. What the kernel does not take of the present
 *            fragment is handed to libwebsockets (a copy of at most PR_FRAGMENT_BYTES), the rest
 *            stays a reference to the shared frame and an offset at a fragment boundary, where
 *            libwebsockets may put its pongs. When it says that the socket is writable we go on.
 * orthodox   everything from libwebsockets' writable callback. The same state, for comparison.
 *
 * Nothing but one fragment is ever copied, so a slow reader costs at most that. See socket.h for
 * what the protocols call.
 */

#ifndef GW_WRITE_H
#define GW_WRITE_H

#include "gateway/outbox.h"
#include "gateway/peer.h"
#include "gateway/socket.h"
#include "proto/base/loop.h"

#include <sys/types.h>

struct lws;

typedef enum { GW_WRITE_DIRECT, GW_WRITE_ORTHODOX } gw_write_mode_t;

typedef struct {
    uint64_t writes;        /* send() and lws_write() that took bytes */
    uint64_t bytes;         /* that left us */
    uint64_t short_writes;  /* the kernel did not take all */
    uint64_t handed_bytes;  /* copied by libwebsockets */
    uint64_t not_sent;      /* fan-outs that met a slow socket */
    uint64_t must_overflow; /* PR_CONN_MUST_SEND_BYTES_MAX */
    uint64_t stalled;       /* killed for not taking a byte */
    uint64_t close_timeouts;
    uint64_t failed; /* send() errors: the peer is gone */
} gw_write_counters_t;

/* How this process writes. */
typedef struct {
    pr_loop_t *loop;
    gw_write_mode_t mode;
    int64_t stalled_ms;    /* PR_STALLED_MS, less in tests */
    size_t must_bytes_max; /* 0: PR_CONN_MUST_SEND_BYTES_MAX */
} gw_writer_t;

/* "direct" or "orthodox"; direct for anything else. */
gw_write_mode_t
gw_write_mode_from_name(const char *name);

/* Of the whole process. */
const gw_write_counters_t *
gw_write_counters(void);

/* Known to ws.c, which owns it and receives for it, and to write.c. */
struct gw_socket {
    const gw_writer_t *writer;
    struct lws *wsi; /* NULL once it is gone */
    gw_peer_t *peer;
    const gw_socket_ops_t *ops;
    void *user;
    const gw_stand_in_ops_t *stand_in; /* not a WebSocket: nothing but this and `user` counts */

    /* --- sending: write.c --- */
    gw_slot_t *slot;
    pr_buf_t *frame;     /* being sent, or NULL */
    size_t offset;       /* its next byte, at a boundary */
    gw_outbox_t outbox;  /* behind it */
    int64_t progress_ms; /* the last sign that the peer takes something */
    int unsent;          /* bytes in the kernel then */
    int fd;

    /* --- receiving: ws.c --- */
    uint32_t message_max;
    pr_buf_t *message; /* begun, or NULL */
    int64_t message_due_ms;
    gw_fault_t fault; /* seen in a frame that has not been passed on */
    gw_fault_counters_t *faults;
    /* --- both --- */
    int64_t close_due_ms;
    pr_timer_t timer; /* the earliest of all that has to be looked at */
    uint16_t close_code;
    bool by_us : 1;
    bool slow : 1; /* waits for the writable callback */
    bool owes_writable : 1;
    bool frame_must : 1;
    bool in_callback : 1; /* libwebsockets has just told us to write */
    bool closing : 1;     /* no more frames are taken */
    bool lws_closing : 1; /* libwebsockets exchanges the close frames */
    bool killed : 1;
    bool message_binary : 1;
    bool refusing : 1; /* what still comes in is thrown away */
};

/* --- what ws.c calls; the socket is zeroed at first but for writer, wsi, peer, fd and timer --- */

/* Frees what the sending half holds. */
void
gw_write_fini(gw_socket_t *self);

/* libwebsockets says that the socket takes bytes. Nonzero: close it. */
int
gw_write_ready(gw_socket_t *self);

/* The peer has begun to close, or libwebsockets has (`by_us`): nothing more is sent. */
void
gw_write_ending(gw_socket_t *self, int code, bool by_us);

/* The timer fired: looks for a peer that does not close or does not take anything. */
void
gw_write_look(gw_socket_t *self, int64_t now_ms);

/* Makes the socket's timer fire at `due_ms` at the latest. */
void
gw_write_look_at(gw_socket_t *self, int64_t due_ms);

/* --- what socket.c calls: see the functions of the same names in socket.h --- */

PR_MUST_CHECK int
gw_write_frame(gw_socket_t *self, pr_buf_t *frame);
PR_MUST_CHECK int
gw_write_must(gw_socket_t *self, pr_buf_t *frame);
void
gw_write_bind_slot(gw_socket_t *self, gw_slot_t *slot);
void
gw_write_missed(gw_socket_t *self);

/* --- what slots.c calls --- */

/* What the kernel takes of `bytes`: a count, 0 for nothing now, -1 when the peer is gone. */
ssize_t
gw_write_send(int fd, pr_str_t bytes);

/* gw_write_send of `frame` gave `sent`, not all of it: says whether the socket finishes it by
 * itself. */
bool
gw_write_finish(gw_socket_t *self, pr_buf_t *frame, ssize_t sent);

#endif
