/* SPDX-License-Identifier: MIT */

#include "gateway/write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libwebsockets.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "gateway/frame.h"
#include "proto/base/assert.h"
#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

/* Fragments that one writable callback of the orthodox mode sends, so that no socket holds up
 * others. */
#define ORTHODOX_TURN_FRAGMENTS 16
/* Looks at a slow socket within the time after which it counts as stalled. */
#define STALL_LOOKS 3
/* Close codes (RFC 6455 section 7.4.1): the first and the last of those that say what the peer
 * did wrong, and what stands for no code and for no close frame. */
#define CODE_PROTOCOL_ERROR 1002
#define CODE_TOO_LARGE 1009
#define CODE_NONE 1005
#define CODE_LOST 1006

static gw_write_counters_t s_counters;

gw_write_mode_t
gw_write_mode_from_name(const char *name)
{
    return strcmp(name, "orthodox") == 0 ? GW_WRITE_ORTHODOX : GW_WRITE_DIRECT;
}

const gw_write_counters_t *
gw_write_counters(void)
{
    return &s_counters;
}

/* --- state --- */

static bool
s_is_gone(const gw_socket_t *self)
{
    return !self->wsi || self->killed;
}

static bool
s_is_direct(const gw_socket_t *self)
{
    return self->writer->mode == GW_WRITE_DIRECT;
}

static void
s_update_slot(gw_socket_t *self)
{
    if (self->slot) {
        bool straight = s_is_direct(self) && !self->slow && !self->closing && !s_is_gone(self);
        self->slot->fd = straight ? self->fd : -1;
    }
}

void
gw_write_look_at(gw_socket_t *self, int64_t due_ms)
{
    if (!pr_timer_is_armed(&self->timer) || self->timer.due_ms > due_ms) {
        pr_wheel_arm(pr_loop_wheel(self->writer->loop), &self->timer, due_ms);
    }
}

static int
s_unsent(const gw_socket_t *self)
{
    int bytes = 0;
    return ioctl(self->fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

static void
s_progress(gw_socket_t *self)
{
    self->progress_ms = pr_loop_now_ms(self->writer->loop);
}

/* From now on the writable callback goes on with what is left. */
static void
s_go_slow(gw_socket_t *self)
{
    if (s_is_gone(self)) {
        return;
    }
    (void) lws_callback_on_writable(self->wsi);
    if (self->slow) {
        return;
    }
    self->slow = true;
    self->unsent = s_unsent(self);
    s_progress(self);
    s_update_slot(self);
    gw_write_look_at(self, self->progress_ms + self->writer->stalled_ms / STALL_LOOKS);
}

static bool
s_has_more(const gw_socket_t *self)
{
    return self->frame || self->outbox.head;
}

static void
s_drop_frame(gw_socket_t *self)
{
    pr_buf_destroy(&self->frame);
    self->offset = 0;
    self->frame_must = false;
}

/* Makes the longest waiting frame the present one, if there is none. */
static void
s_take_waiting(gw_socket_t *self)
{
    if (!self->frame) {
        self->frame = gw_outbox_pop(&self->outbox);
        self->frame_must = self->frame != NULL;
    }
}

/* --- bytes --- */

ssize_t
gw_write_send(int fd, pr_str_t bytes)
{
    ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
        s_counters.writes++;
        s_counters.bytes += (uint64_t) sent;
        return sent;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS) {
        return 0;
    }
    s_counters.failed++;
    return -1;
}

/* Through libwebsockets, which copies what the kernel does not take. */
static int
s_lws_write(gw_socket_t *self, pr_str_t bytes)
{
    unsigned char *data = (unsigned char *) (uintptr_t) bytes.ptr;
    if (lws_write(self->wsi, data, bytes.len, LWS_WRITE_RAW) < 0) {
        s_counters.failed++;
        return PR_E_CLOSED;
    }
    s_counters.writes++;
    s_counters.bytes += bytes.len;
    return 0;
}

static pr_str_t
s_rest(const gw_socket_t *self, size_t from, size_t to)
{
    return (pr_str_t) {pr_buf_data(self->frame) + from, to - from};
}

/* The kernel took the present frame up to `at`. Hands the fragment that was begun to
 * libwebsockets. */
static int
s_hand_over(gw_socket_t *self, size_t at)
{
    s_counters.short_writes++;
    size_t boundary = gw_frame_boundary(pr_buf_str(self->frame), self->offset, at);
    if (boundary > at) {
        s_counters.handed_bytes += boundary - at;
        if (s_lws_write(self, s_rest(self, at, boundary)) != 0) {
            return PR_E_CLOSED;
        }
    }
    self->offset = boundary;
    if (self->offset == pr_buf_len(self->frame)) {
        s_drop_frame(self);
    }
    return 0;
}

/* Sends the present frame as far as the kernel takes it. */
static int
s_write_direct(gw_socket_t *self)
{
    size_t len = pr_buf_len(self->frame);
    ssize_t sent = gw_write_send(self->fd, s_rest(self, self->offset, len));
    if (sent < 0) {
        return PR_E_CLOSED;
    }
    if (sent > 0) {
        s_progress(self);
    }
    size_t at = self->offset + (size_t) sent;
    if (at == len) {
        s_drop_frame(self);
        return 0;
    }
    int error = s_hand_over(self, at);
    s_go_slow(self);
    return error ? error : PR_E_AGAIN;
}

/* Sends the present frame fragment by fragment, as libwebsockets wants it. */
static int
s_write_orthodox(gw_socket_t *self, int *budget)
{
    size_t len = pr_buf_len(self->frame);
    while (self->offset < len) {
        if (lws_partial_buffered(self->wsi) || *budget <= 0) {
            s_go_slow(self);
            return PR_E_AGAIN;
        }
        (*budget)--;
        size_t end = gw_frame_boundary(pr_buf_str(self->frame), self->offset, self->offset + 1);
        if (s_lws_write(self, s_rest(self, self->offset, end)) != 0) {
            return PR_E_CLOSED;
        }
        s_progress(self);
        self->offset = end;
    }
    s_drop_frame(self);
    return 0;
}

/* Sends what is there. 0: all is out; PR_E_AGAIN: the writable callback comes; PR_E_CLOSED. */
static int
s_pump(gw_socket_t *self)
{
    int budget = ORTHODOX_TURN_FRAGMENTS;
    for (s_take_waiting(self); self->frame; s_take_waiting(self)) {
        int error = s_is_direct(self) ? s_write_direct(self) : s_write_orthodox(self, &budget);
        if (error) {
            return error;
        }
    }
    if (lws_partial_buffered(self->wsi)) {
        s_go_slow(self);
        return PR_E_AGAIN;
    }
    return 0;
}

/* Ends the connection: the loop reads the end and closes. Nothing lingers in the kernel. */
static void
s_cut(gw_socket_t *self, bool by_us)
{
    if (s_is_gone(self)) {
        return;
    }
    self->killed = true;
    if (!self->closing) {
        self->by_us = by_us;
        self->close_code = CODE_LOST;
    }
    s_update_slot(self);
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void) setsockopt(self->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    (void) shutdown(self->fd, SHUT_RDWR);
}

/* --- what the protocols call --- */

static bool
s_is_idle(const gw_socket_t *self)
{
    return !s_has_more(self) && !self->slow;
}

/* Sends a frame on a socket on which nothing waits. */
static int
s_start(gw_socket_t *self, pr_buf_t *frame, bool must)
{
    self->frame = pr_buf_ref(frame);
    self->offset = 0;
    self->frame_must = must;
    if (!s_is_direct(self) && !self->in_callback) {
        s_go_slow(self);
        return 0;
    }
    if (s_pump(self) == PR_E_CLOSED) {
        s_cut(self, false);
        return PR_E_CLOSED;
    }
    return 0;
}

int
gw_write_frame(gw_socket_t *self, pr_buf_t *frame)
{
    if (s_is_gone(self) || self->closing) {
        return PR_E_CLOSED;
    }
    if (!s_is_idle(self)) {
        self->owes_writable = true;
        return PR_E_BUSY;
    }
    return s_start(self, frame, false);
}

int
gw_write_must(gw_socket_t *self, pr_buf_t *frame)
{
    if (s_is_gone(self) || self->closing) {
        return PR_E_CLOSED;
    }
    if (s_is_idle(self)) {
        return s_start(self, frame, true);
    }
    if (!gw_outbox_has_room(&self->outbox, frame)) {
        s_counters.must_overflow++;
        return PR_E_FULL;
    }
    return gw_outbox_push(&self->outbox, frame);
}

/* Codes that say that the peer broke a rule. */
static bool
s_is_refusal(int code)
{
    return code >= CODE_PROTOCOL_ERROR && code <= CODE_TOO_LARGE;
}

void
gw_socket_close(gw_socket_t *self, int code, const char *reason)
{
    if (s_is_gone(self) || self->closing) {
        return;
    }
    int64_t now_ms = pr_loop_now_ms(self->writer->loop);
    pr_buf_t *frame = gw_frame_close(code, reason);
    self->by_us = true;
    self->close_code = (uint16_t) (code ? code : CODE_NONE);
    self->close_due_ms = now_ms + (s_is_refusal(code) ? PR_REFUSED_MS : PR_CLOSING_MS);
    if (!frame) {
        gw_socket_kill(self);
        return;
    }
    if (self->frame && !self->frame_must && !self->outbox.head) {
        s_drop_frame(self); /* a broadcast: its rest is not worth the wait */
    }
    /* The close frame is taken whatever waits. */
    int error = s_is_idle(self) ? s_start(self, frame, true) : gw_outbox_push(&self->outbox, frame);
    pr_buf_destroy(&frame);
    self->closing = true;
    s_update_slot(self);
    if (error) {
        gw_socket_kill(self);
        return;
    }
    gw_write_look_at(self, self->close_due_ms);
}

void
gw_socket_kill(gw_socket_t *self)
{
    s_cut(self, true);
}

void
gw_write_bind_slot(gw_socket_t *self, gw_slot_t *slot)
{
    self->slot = slot;
    s_update_slot(self);
}

bool
gw_write_finish(gw_socket_t *self, pr_buf_t *frame, ssize_t sent)
{
    if (sent < 0) {
        s_cut(self, false);
        return false;
    }
    if (sent == 0) {
        self->owes_writable = true;
        s_go_slow(self);
        return false;
    }
    self->frame = pr_buf_ref(frame);
    self->offset = 0;
    s_progress(self);
    if (s_hand_over(self, (size_t) sent) != 0) {
        s_cut(self, false);
        return false;
    }
    self->owes_writable = true;
    s_go_slow(self);
    return true;
}

void
gw_write_missed(gw_socket_t *self)
{
    s_counters.not_sent++;
    self->owes_writable = true;
    if (!self->slow && !self->closing) {
        s_go_slow(self);
    }
}

/* --- what ws.c calls --- */

/* A slow socket: has its peer taken anything since we last looked? */
static void
s_look_for_progress(gw_socket_t *self, int64_t now_ms)
{
    int unsent = s_unsent(self);
    if (unsent != self->unsent) {
        self->unsent = unsent;
        s_progress(self);
    }
    if (now_ms - self->progress_ms >= self->writer->stalled_ms) {
        s_counters.stalled++;
        s_cut(self, false);
        return;
    }
    gw_write_look_at(self, now_ms + self->writer->stalled_ms / STALL_LOOKS);
}

void
gw_write_look(gw_socket_t *self, int64_t now_ms)
{
    if (s_is_gone(self)) {
        return;
    }
    if (self->close_due_ms && now_ms >= self->close_due_ms) {
        s_counters.close_timeouts++;
        s_cut(self, true);
        return;
    }
    if (self->close_due_ms) {
        gw_write_look_at(self, self->close_due_ms);
    }
    if (self->slow) {
        s_look_for_progress(self, now_ms);
    }
}

void
gw_write_fini(gw_socket_t *self)
{
    pr_wheel_cancel(&self->timer);
    s_drop_frame(self);
    while (s_has_more(self)) {
        s_take_waiting(self);
        s_drop_frame(self);
    }
    self->wsi = NULL;
    s_update_slot(self);
    self->slot = NULL;
}

int
gw_write_ready(gw_socket_t *self)
{
    if (s_is_gone(self) || self->lws_closing) {
        return 0; /* its end is on the way */
    }
    if (lws_partial_buffered(self->wsi)) {
        s_go_slow(self);
        return 0;
    }
    self->slow = false;
    self->in_callback = true;
    int error = s_pump(self);
    s_update_slot(self);
    if (!error && self->owes_writable && !self->closing && self->ops) {
        self->owes_writable = false;
        self->ops->writable(self->user);
    }
    self->in_callback = false;
    return error == PR_E_CLOSED ? -1 : 0;
}

void
gw_write_ending(gw_socket_t *self, int code, bool by_us)
{
    int64_t within_ms = by_us ? PR_REFUSED_MS : PR_CLOSING_MS;
    s_drop_frame(self);
    self->closing = true;
    self->lws_closing = true;
    self->by_us = by_us;
    self->close_code = (uint16_t) code;
    self->close_due_ms = pr_loop_now_ms(self->writer->loop) + within_ms;
    s_update_slot(self);
    gw_write_look_at(self, self->close_due_ms);
}
