/* SPDX-License-Identifier: MIT */

#include "gateway/tap.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "proto/base/assert.h"
#include "proto/base/clock.h"

/* Descriptors beyond are not looked at; an array of so many pointers costs only what is used. */
#define DESCRIPTORS_MAX (1 << 22)

/* Of a sender through TLS who goes on after a fault. */
#define THROW_AWAY_READS 64

/* By descriptor. Only the thread that opens taps may read it. */
static gw_tap_t **s_taps;
static size_t s_taps_size;
static _Thread_local bool s_is_here;

/* How libwebsockets reads, plain or through TLS. */
typedef struct {
    ssize_t (*read)(void *from, void *to, size_t len, int flags);
    ssize_t (*peek)(void *from, void *to, size_t len, int flags);
    void *from;
    int flags;
    bool is_tls;
} source_t;

static gw_tap_t *
s_tap(int fd)
{
    return s_is_here && fd >= 0 && (size_t) fd < s_taps_size ? s_taps[fd] : NULL;
}

static bool
s_make_room(void)
{
    if (s_taps) {
        return true;
    }
    struct rlimit files = {.rlim_cur = DESCRIPTORS_MAX};
    (void) getrlimit(RLIMIT_NOFILE, &files);
    size_t size = files.rlim_cur < DESCRIPTORS_MAX ? (size_t) files.rlim_cur : DESCRIPTORS_MAX;
    s_taps = calloc(size, sizeof(gw_tap_t *));
    s_taps_size = s_taps ? size : 0;
    return s_taps != NULL;
}

void
gw_tap_open(gw_tap_t *self, int fd)
{
    self->fd = -1;
    if (!s_make_room() || fd < 0 || (size_t) fd >= s_taps_size) {
        return;
    }
    s_is_here = true;
    self->fd = fd;
    self->head_ms = pr_clock_mono_ms();
    s_taps[fd] = self;
}

void
gw_tap_take_head(gw_tap_t *self)
{
    self->head_len = 0;
    self->is_taken = true;
}

static size_t
s_check(gw_tap_t *self, pr_str_t bytes)
{
    gw_fault_t fault;
    size_t good = gw_framing_check(&self->framing, bytes, self->frame_max(self->arg), &fault);
    if (fault.code) {
        self->faulty = true;
        self->fault(self->arg, fault);
    }
    return good;
}

void
gw_tap_upgrade(gw_tap_t *self,
               void (*fault)(void *arg, gw_fault_t fault),
               uint64_t (*frame_max)(void *arg),
               void *arg)
{
    self->framed = true;
    self->fault = fault;
    self->frame_max = frame_max;
    self->arg = arg;
    if (self->behind) {
        (void) s_check(self, (pr_str_t) {self->behind, self->behind_len});
        free(self->behind);
        self->behind = NULL;
    }
}

void
gw_tap_hold(gw_tap_t *self, bool hold)
{
    self->held = hold;
}

void
gw_tap_end(gw_tap_t *self)
{
    self->ended = true;
}

bool
gw_tap_is_ahead(const gw_tap_t *self)
{
    return self->behind != NULL;
}

void
gw_tap_close(gw_tap_t *self)
{
    /* The descriptor may be another connection's by now. */
    if (self->fd >= 0 && s_taps[self->fd] == self) {
        s_taps[self->fd] = NULL;
    }
    self->fd = -1;
    free(self->behind);
    self->behind = NULL;
}

/* --- heads --- */

/* How many of the bytes come before the end of the first blank line; `*blank` is how much of one
 * has been seen. */
static size_t
s_to_blank_line(const char *bytes, size_t len, uint8_t *blank)
{
    for (size_t i = 0; i < len; i++) {
        bool expected = bytes[i] == (*blank % 2 ? '\n' : '\r');
        *blank = expected ? (uint8_t) (*blank + 1) : bytes[i] == '\r';
        if (*blank == 4) {
            return i + 1;
        }
    }
    return len;
}

/* More of a head, unless it is of a body. */
static void
s_see_head(gw_tap_t *tap, const void *bytes, size_t len)
{
    if (tap->in_body) {
        return;
    }
    if (tap->has_head) {
        tap->head_len = 0;
        tap->head_ms = pr_clock_mono_ms();
    }
    tap->head_len += (uint32_t) len;
    tap->has_head = tap->blank == 4;
    tap->has_nul |= memchr(bytes, '\0', len) != NULL;
}

/* The same through TLS, all that there is. */
static ssize_t
s_read_tls_head(gw_tap_t *tap, const source_t *source, void *to, size_t len)
{
    free(tap->behind);
    tap->behind = NULL;
    ssize_t got = source->read(source->from, to, len, source->flags);
    if (got <= 0) {
        tap->is_over |= got == 0;
        return got;
    }
    size_t head = s_to_blank_line(to, (size_t) got, &tap->blank);
    s_see_head(tap, to, head);
    tap->blank = (uint8_t) (tap->blank % 4);
    tap->behind_len = (size_t) got - head;
    tap->behind = tap->behind_len ? malloc(tap->behind_len) : NULL;
    if (tap->behind) {
        memcpy(tap->behind, (char *) to + head, tap->behind_len);
    }
    return got;
}

static ssize_t
s_read_head(gw_tap_t *tap, const source_t *source, void *to, size_t len)
{
    ssize_t seen = source->peek(source->from, to, len, source->flags);
    if (seen <= 0) {
        tap->is_over |= seen == 0;
        return seen;
    }
    uint8_t blank = tap->blank;
    size_t wanted = s_to_blank_line(to, (size_t) seen, &blank);
    ssize_t got = source->read(source->from, to, wanted, source->flags);
    if (got > 0) {
        (void) s_to_blank_line(to, (size_t) got, &tap->blank);
        s_see_head(tap, to, (size_t) got);
        tap->blank = (uint8_t) (tap->blank % 4);
    }
    return got;
}

/* --- frames --- */

/* -1 as of a socket on which nothing waits; of TLS it has to be true: the rest is thrown away. */
static ssize_t
s_nothing(gw_tap_t *tap, const source_t *source, void *to, size_t len)
{
    for (int i = 0; source->is_tls && i < THROW_AWAY_READS; i++) {
        ssize_t got = source->read(source->from, to, len, source->flags);
        if (got <= 0) {
            return got;
        }
        tap->dropped = true;
    }
    errno = EAGAIN;
    return -1;
}

static ssize_t
s_read_frames(gw_tap_t *tap, const source_t *source, void *to, size_t len)
{
    ssize_t got = source->read(source->from, to, len, source->flags);
    if (got <= 0) {
        return got;
    }
    if (tap->faulty) {
        return s_nothing(tap, source, to, len);
    }
    pr_str_t bytes = {to, (size_t) got};
    size_t good = s_check(tap, bytes);
    return good > 0 ? (ssize_t) good : s_nothing(tap, source, to, len);
}

static ssize_t
s_read(gw_tap_t *tap, const source_t *source, void *to, size_t len)
{
    if (tap->ended) {
        return 0;
    }
    if (tap->held) {
        return s_nothing(tap, source, to, len);
    }
    if (tap->framed) {
        return s_read_frames(tap, source, to, len);
    }
    return source->is_tls ? s_read_tls_head(tap, source, to, len)
                          : s_read_head(tap, source, to, len);
}

/* --- in the place of recv() --- */

static ssize_t
s_plain_read(void *from, void *to, size_t len, int flags)
{
    return recvfrom(*(int *) from, to, len, flags, NULL, NULL);
}

static ssize_t
s_plain_peek(void *from, void *to, size_t len, int flags)
{
    return recvfrom(*(int *) from, to, len, flags | MSG_PEEK, NULL, NULL);
}

ssize_t
recv(int fd, void *to, size_t len, int flags)
{
    if (fd < 0) {
        errno = EBADF;
        return -1;
    }
    source_t source = {s_plain_read, s_plain_peek, &fd, flags, false};
    gw_tap_t *tap = s_tap(fd);
    return tap ? s_read(tap, &source, to, len) : s_plain_read(&fd, to, len, flags);
}

/* --- in the place of SSL_read() --- */

typedef int (*ssl_read_t)(SSL *ssl, void *to, int len);

/* The real one. */
static ssl_read_t
s_ssl_read(void)
{
    static ssl_read_t function;
    if (!function) {
        /* POSIX's way around ISO C, which has no conversion of object to function pointers. */
        *(void **) &function = dlsym(RTLD_NEXT, "SSL_read");
    }
    PR_ASSERT(function);
    return function;
}

static ssize_t
s_tls_read(void *from, void *to, size_t len, int flags)
{
    (void) flags;
    return s_ssl_read()(from, to, (int) len);
}

int
SSL_read(SSL *ssl, void *to, int len)
{
    source_t source = {s_tls_read, NULL, ssl, 0, true};
    gw_tap_t *tap = s_tap(SSL_get_fd(ssl));
    return tap && len > 0 ? (int) s_read(tap, &source, to, (size_t) len)
                          : s_ssl_read()(ssl, to, len);
}
