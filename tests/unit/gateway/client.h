/* SPDX-License-Identifier: MIT */

/* Raw clients of a front_t: bytes in, bytes out. */

#ifndef T_CLIENT_H
#define T_CLIENT_H

#include <errno.h>
#include <fcntl.h>

#include "tests/unit/gateway/front.h"

typedef struct {
    front_t *front;
    pr_buf_t *in;
    size_t want;
    const char *until;
    int fd;
    bool ended; /* end of stream or reset */
} client_t;

static client_t
front_connect_with(front_t *front, int receive_buffer)
{
    client_t client = {.front = front, .in = pr_buf_new(4096)};
    client.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client.fd >= 0);
    if (receive_buffer) {
        (void) setsockopt(client.fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t) front->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    assert_int_equal(connect(client.fd, (struct sockaddr *) &to, sizeof to), 0);
    assert_int_equal(fcntl(client.fd, F_SETFL, O_NONBLOCK), 0);
    return client;
}

static inline client_t
front_connect(front_t *front)
{
    return front_connect_with(front, 0);
}

static void
client_close(client_t *self)
{
    (void) close(self->fd);
    pr_buf_destroy(&self->in);
}

/* Reads what is there. */
static void
client_read(client_t *self)
{
    char bytes[65536];
    ssize_t got = 0;
    while (!self->ended && (got = recv(self->fd, bytes, sizeof bytes, MSG_DONTWAIT)) != 0) {
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (got < 0) {
            break;
        }
        pr_buf_append(self->in, bytes, (size_t) got);
    }
    self->ended = true;
}

typedef struct {
    client_t *client;
    const char *data;
    size_t left;
} client_sending_t;

static bool
client_try_send(void *arg)
{
    client_sending_t *sending = arg;
    ssize_t sent =
        send(sending->client->fd, sending->data, sending->left, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        return true; /* closed: the test sees that when it reads */
    }
    if (sent > 0) {
        sending->data += sent;
        sending->left -= (size_t) sent;
    }
    return sending->left == 0;
}

static void
client_send_bytes(client_t *self, const void *data, size_t len)
{
    client_sending_t sending = {self, data, len};
    assert_true(pr_loop_run_until(self->front->loop, client_try_send, &sending, FRONT_WAIT_MS));
}

static inline void
client_send(client_t *self, const char *text)
{
    client_send_bytes(self, text, strlen(text));
}

static bool
client_has(void *arg)
{
    client_t *self = arg;
    client_read(self);
    pr_str_t in = pr_buf_str(self->in);
    if (self->until) {
        return in.len > 0 && memmem(in.ptr, in.len, self->until, strlen(self->until)) != NULL;
    }
    return in.len >= self->want;
}

/* Waits until the text `until` has come. */
static inline bool
client_sees(client_t *self, const char *until)
{
    self->until = until;
    bool seen = pr_loop_run_until(self->front->loop, client_has, self, FRONT_WAIT_MS);
    self->until = NULL;
    return seen;
}

static inline bool
client_gets(client_t *self, size_t bytes)
{
    self->want = bytes;
    return pr_loop_run_until(self->front->loop, client_has, self, FRONT_WAIT_MS);
}

static bool
client_has_ended(void *arg)
{
    client_t *self = arg;
    client_read(self);
    return self->ended;
}

static inline bool
client_ends_within(client_t *self, int64_t ms)
{
    return pr_loop_run_until(self->front->loop, client_has_ended, self, ms);
}

static inline bool
client_ends(client_t *self)
{
    return client_ends_within(self, FRONT_WAIT_MS);
}

/* What has come, as a C string. */
static inline const char *
client_text(client_t *self)
{
    pr_buf_append_byte(self->in, '\0');
    pr_buf_truncate(self->in, pr_buf_len(self->in) - 1);
    return pr_buf_data(self->in);
}

static inline void
client_forget(client_t *self)
{
    pr_buf_clear(self->in);
}

#define UPGRADE_HEAD                                                                               \
    "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                             \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define UPGRADE_OK "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n" UPGRADE_HEAD "\r\n"

/* A WebSocket client, upgraded; `*ws` is the other side. */
static inline client_t
front_upgrade_with(front_t *front, front_ws_t **ws, int receive_buffer)
{
    client_t client = front_connect_with(front, receive_buffer);
    size_t index = front->socket_count;
    client_send(&client, UPGRADE_OK);
    assert_true(client_sees(&client, "\r\n\r\n"));
    assert_memory_equal(pr_buf_data(client.in), "HTTP/1.1 101", 12);
    assert_int_equal(front->socket_count, index + 1);
    *ws = &front->sockets[index];
    client_forget(&client);
    return client;
}

static inline client_t
front_upgrade(front_t *front, front_ws_t **ws)
{
    return front_upgrade_with(front, ws, 0);
}

/* Sends one masked frame; `first` is its first byte: FIN and opcode. */
static inline void
client_send_frame(client_t *self, int first, pr_str_t payload)
{
    pr_buf_t *out = pr_buf_new(payload.len + 14);
    pr_buf_append_byte(out, (char) first);
    if (payload.len < 126) {
        pr_buf_append_byte(out, (char) (0x80 | payload.len));
    } else if (payload.len <= 0xffff) {
        unsigned char head[3] = {0x80 | 126, (unsigned char) (payload.len >> 8),
                                 (unsigned char) payload.len};
        pr_buf_append(out, head, sizeof head);
    } else {
        unsigned char head[9] = {0x80 | 127};
        for (size_t i = 0; i < 8; i++) {
            head[1 + i] = (unsigned char) (payload.len >> (56 - 8 * i));
        }
        pr_buf_append(out, head, sizeof head);
    }
    static const unsigned char mask[4] = {0x12, 0x34, 0x56, 0x78};
    pr_buf_append(out, mask, sizeof mask);
    for (size_t i = 0; i < payload.len; i++) {
        pr_buf_append_byte(out, (char) ((unsigned char) payload.ptr[i] ^ mask[i & 3]));
    }
    client_send_bytes(self, pr_buf_data(out), pr_buf_len(out));
    pr_buf_destroy(&out);
}

#endif
