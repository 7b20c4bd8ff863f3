/* SPDX-License-Identifier: MIT */

/*
 * One client's WebSocket, from its upgrade to its end: what the protocols (engineio, native) see
 * of libwebsockets. ws.c makes it, write.c does all its writing.
 *
 * Messages arrive whole and bounded. Everything that goes out is a frame: bytes with their
 * WebSocket header(s), made once by gw_frame_* and shared by all sockets that get it.
 *
 * A frame longer than PR_FRAGMENT_BYTES is made of WebSocket fragments, so that libwebsockets'
 * own control frames may go between them and a slow reader costs at most one fragment of copied
 * bytes.
 */

#ifndef GW_SOCKET_H
#define GW_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/assert.h"
#include "proto/base/buffer.h"
#include "proto/base/bytes.h"

typedef struct gw_socket gw_socket_t;

typedef struct {
    /* One whole message; borrowed for the call. The callee may close the socket, not free it. */
    void (*message)(void *user, pr_str_t data, bool binary);
    /* Everything that was accepted has gone out, after a gw_socket_send had answered PR_E_BUSY or a
     * gw_slot had gone slow. */
    void (*writable)(void *user);
    /* The last call: the socket is gone. `code` is the WebSocket close code the peer gave, 1006
     * for a lost connection, or ours. `by_us`: we closed it. */
    void (*closed)(void *user, int code, bool by_us);
    /* A WebSocket pong has come. May be NULL. */
    void (*pong)(void *user);
} gw_socket_ops_t;

/* Binds the protocol's object to the socket. Before this, messages are refused. */
void
gw_socket_attach(gw_socket_t *self, const gw_socket_ops_t *ops, void *user);

/* Sends a frame if nothing is waiting: 0, the socket finishes it by itself even if the kernel
 * took only a part. PR_E_BUSY: not taken, `writable` will come. PR_E_CLOSED: on its way out. */
PR_MUST_CHECK int
gw_socket_send(gw_socket_t *self, pr_buf_t *frame);

/* Sends a frame that must not be dropped, in order, behind what is waiting; later gw_socket_send
 * calls are PR_E_BUSY until it has gone. PR_E_FULL past PR_CONN_MUST_SEND_BYTES_MAX: close the
 * socket. A single frame larger than the bound is taken if nothing else waits (a first document).
 * */
PR_MUST_CHECK int
gw_socket_send_must(gw_socket_t *self, pr_buf_t *frame);

/* Closes: what must be sent goes first, then a close frame (`code` 0: without a code), then the
 * end, after PR_CLOSING_MS at the latest. `closed` is called from the loop, never from within. */
void
gw_socket_close(gw_socket_t *self, int code, const char *reason);

/* Cuts the connection without a word. `closed` comes from the loop. */
void
gw_socket_kill(gw_socket_t *self);

/* The client's address as text. */
const char *
gw_socket_address(const gw_socket_t *self);

/* Bound of one incoming message: PR_BEFORE_JOIN_BYTES_MAX at first, more for who has joined. */
void
gw_socket_set_message_max(gw_socket_t *self, size_t bytes);

/* --- frames --- */

/* A text message's frame(s). NULL when out of memory. The caller has the one reference. */
pr_buf_t *
gw_frame_text(pr_str_t payload);
pr_buf_t *
gw_frame_binary(pr_str_t payload);
/* The same out of two pieces, without joining them first: a prefix and a document. */
pr_buf_t *
gw_frame_text2(pr_str_t head, pr_str_t tail);

/* --- fan-out --- */

/*
 * A place in a feed's dense array: all that the hot loop touches. `fd` is -1 while the socket can
 * not be written straight (something is waiting, TLS, or the orthodox mode): then `slow` is
 * called for it. The socket keeps its slot's fd right as long as it is bound
 * (gw_socket_bind_slot).
 */
typedef struct {
    int fd;
    uint32_t flags; /* the feed's own */
    void *owner;    /* the feed's own: the conn */
} gw_slot_t;

/* Tells the socket where its slot is, or NULL; call again when the array moved. */
void
gw_socket_bind_slot(gw_socket_t *self, gw_slot_t *slot);

/*
 * Writes `frame` to every slot whose flags have all bits of `want` set. For a slot that can not
 * be written straight, calls not_sent(owner) (nothing was sent; the feed has it catch up later).
 * After a short write the socket finishes the frame by itself and the slot's fd turns -1 until
 * then. Returns how many got it. `socket_of(owner)` finds the socket on the slow path.
 */
size_t
gw_slots_write(gw_slot_t *slots,
               size_t count,
               uint32_t want,
               pr_buf_t *frame,
               gw_socket_t *(*socket_of)(void *owner),
               void (*not_sent)(void *owner));

/* A fan-out passed it by: `writable` will come. */
void
gw_socket_missed(gw_socket_t *self);

/* --- stand-ins --- */

/* What takes the frames in place of a WebSocket: the functions of the same names. */
typedef struct {
    int (*send)(void *arg, pr_buf_t *frame);
    int (*send_must)(void *arg, pr_buf_t *frame);
    /* The slot's fd stays -1 while there is no WebSocket behind it. */
    void (*bind_slot)(void *arg, gw_slot_t *slot);
    void (*missed)(void *arg);
} gw_stand_in_ops_t;

/* NULL when out of memory. Of all functions only those four may be called with it. */
gw_socket_t *
gw_socket_new_stand_in(const gw_stand_in_ops_t *ops, void *arg);
void
gw_socket_destroy_stand_in(gw_socket_t **self_p);

#endif
