/* SPDX-License-Identifier: MIT */

/*
 * The bytes of our clients, before libwebsockets has them. It takes frames without a mask and
 * lengths in a longer form than needed, and says nothing of either; where it does see a fault it
 * often just cuts; and it takes heads with a NUL in them. So this file stands in for recv() and
 * SSL_read(), which libwebsockets calls by name: of an upgraded connection it passes on only what
 * is a good frame; before, never more than to the end of a head, so that the first frame is seen
 * by us even when it came along with the request. (Of TLS it would forget what it was not given.
 * There such frames are looked at when it has them already.) Anyone else's descriptors, and other
 * threads, get the real functions.
 *
 * While an answer is due nothing is passed on. libwebsockets 4.1 does not read then, but 4.3 does,
 * knows nothing to do with what it got, and closes the connection before the answer is out.
 */

#ifndef GW_TAP_H
#define GW_TAP_H

#include "gateway/framing.h"

typedef struct {
    gw_framing_t framing;
    int fd;            /* -1: not open */
    uint8_t blank;     /* how much of a blank line ended the last piece */
    bool in_body;      /* what comes is a request's body */
    bool has_nul;      /* a head had a NUL, which libwebsockets would let through */
    bool has_head;     /* the end of the last head has been seen */
    bool is_taken;     /* one was, at least */
    bool is_over;      /* the peer sends no more */
    uint32_t head_len; /* of the head that comes, or came and was not taken */
    int64_t head_ms;   /* its first byte, or that of the connection, came then */
    char *behind;      /* what came through TLS along with the end of a head; NULL: nothing */
    size_t behind_len;
    bool framed;
    bool faulty;  /* nothing is passed on any more */
    bool held;    /* nothing is passed on for now */
    bool ended;   /* nothing is passed on any more, but an end */
    bool dropped; /* bytes that came through TLS while it was held are lost */
    /* Called once, from within a read: note it, and act from the loop. */
    void (*fault)(void *arg, gw_fault_t fault);
    uint64_t (*frame_max)(void *arg);
    void *arg;
} gw_tap_t;

/* From now on `self` looks at what comes from this descriptor. */
void
gw_tap_open(gw_tap_t *self, int fd);
/* libwebsockets has understood the last head. */
void
gw_tap_take_head(gw_tap_t *self);
/* What comes next are frames. */
void
gw_tap_upgrade(gw_tap_t *self,
               void (*fault)(void *arg, gw_fault_t fault),
               uint64_t (*frame_max)(void *arg),
               void *arg);
/* Passes nothing on, or goes on. What waits in the kernel is kept; what comes through TLS can not
 * be: then `dropped` is set, and the connection has to end. */
void
gw_tap_hold(gw_tap_t *self, bool hold);
/* Passes an end on. */
void
gw_tap_end(gw_tap_t *self);
/* Whether libwebsockets was given more than the head that it has just read: only through TLS. */
bool
gw_tap_is_ahead(const gw_tap_t *self);
void
gw_tap_close(gw_tap_t *self);

#endif
