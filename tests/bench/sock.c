/* SPDX-License-Identifier: MIT */

#include "tests/bench/sock.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

_Noreturn void
die(const char *what)
{
    perror(what);
    exit(1);
}

int
port_number(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);
    if (*end || port < 1 || port > 65535) {
        die(text);
    }
    return (int) port;
}

int
new_epoll(void)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) {
        die("epoll");
    }
    return fd;
}

void
follow_orders(void (*obey)(const char *word, char *rest))
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        char *rest = line + strcspn(line, " \n");
        if (*rest) {
            *rest++ = '\0';
        }
        rest[strcspn(rest, "\n")] = '\0';
        obey(line, rest);
        (void) fflush(stdout);
    }
    free(line);
}

int64_t
now_us(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void
raise_open_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int
dial(int port, const char *path)
{
    char request[512];
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t) port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        path);
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof address) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) < 0 ||
        send(fd, request, (size_t) size, MSG_NOSIGNAL) != size) {
        die("connect");
    }
    return fd;
}

size_t
head_skip(int *found, const uint8_t *data, size_t size)
{
    static const char end[] = "\r\n\r\n";
    for (size_t i = 0; i < size; i++) {
        *found = data[i] == (uint8_t) end[*found] ? *found + 1 : data[i] == '\r';
        if (*found == 4) {
            return i + 1;
        }
    }
    return size;
}

/* Bytes that the head has in all, as far as it is known; 2 until then. */
static uint8_t
s_head_size(const reader_t *self)
{
    if (self->head_len < 2) {
        return 2;
    }
    uint8_t claim = self->head[1] & 0x7f;
    return claim == 127 ? 10 : claim == 126 ? 4 : 2;
}

static void
s_begin_payload(reader_t *self)
{
    uint8_t opcode = self->head[0] & 15;
    uint8_t size = s_head_size(self);
    self->left = self->head[1] & 0x7f;
    if (size > 2) {
        self->left = 0;
        for (uint8_t i = 2; i < size; i++) {
            self->left = self->left << 8 | self->head[i];
        }
    }
    self->fin = self->head[0] >> 7;
    if (opcode != 0) {
        self->opcode = opcode;
        self->message = 0;
        self->prefix_len = 0;
    }
    self->in_payload = true;
}

static void
s_take_payload(reader_t *self, const uint8_t *data, size_t size)
{
    size_t room = sizeof self->prefix - self->prefix_len;
    size_t kept = size < room ? size : room;
    memcpy(self->prefix + self->prefix_len, data, kept);
    self->prefix_len = (uint8_t) (self->prefix_len + kept);
    self->left -= size;
    self->message += size;
}

size_t
reader_take(reader_t *self, const uint8_t *data, size_t size, bool *whole)
{
    size_t used = 0;
    *whole = false;
    while (!self->in_payload) {
        if (used == size) {
            return used;
        }
        self->head[self->head_len++] = data[used++];
        if (self->head_len >= 2 && self->head_len == s_head_size(self)) {
            s_begin_payload(self);
        }
    }
    size_t now = self->left < size - used ? (size_t) self->left : size - used;
    s_take_payload(self, data + used, now);
    used += now;
    if (self->left == 0) {
        self->in_payload = false;
        self->head_len = 0;
        *whole = self->fin;
    }
    return used;
}

size_t
frame_text(uint8_t *out, const char *text, size_t size, bool client)
{
    uint8_t mask = client ? 0x80 : 0;
    size_t at = 2;
    out[0] = 0x81;
    if (size < 126) {
        out[1] = (uint8_t) (mask | size);
    } else {
        out[1] = mask | 126;
        out[2] = (uint8_t) (size >> 8);
        out[3] = (uint8_t) size;
        at = 4;
    }
    if (client) {
        memset(out + at, 0, 4);
        at += 4;
    }
    memcpy(out + at, text, size);
    return at + size;
}

void
send_text(int fd, const char *text)
{
    static uint8_t frame[1 << 16];
    size_t size = frame_text(frame, text, strlen(text), true);
    if (send(fd, frame, size, MSG_NOSIGNAL) != (ssize_t) size) {
        die("send");
    }
}
