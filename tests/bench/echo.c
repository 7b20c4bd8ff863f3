/* SPDX-License-Identifier: MIT */

/*
 * WebSockets on which messages go to and fro, in one thread: echo PORT PATH READY JOIN TEXT BACK. A
 * client that is open waits for a message that begins with READY, and if an open packet comes
 * before it, sends JOIN; with an empty READY it waits for nothing. It sends TEXT, and each answer
 * is BACK. Orders come line by line on stdin, each is answered by one line when it is done. Between
 * them nobody reads.
 *
 *     open N         N clients -> opened N
 *     echo N DEPTH   each sends N times, DEPTH of them in flight -> echoed MESSAGES
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tests/bench/sock.h"

#define CLIENTS_MAX 4096
#define DEPTH_MAX 256
#define TEXT_MAX 1024
#define EVENTS 256
#define STALL_US 30000000

typedef struct {
    reader_t reader;
    int fd;
    int crlf;
    bool upgraded;
    bool ready;
    unsigned to_send;
    unsigned in_flight;
} client_t;

static client_t s_clients[CLIENTS_MAX];
static unsigned s_count;
static int s_epoll;
static unsigned s_ready;
static int64_t s_last_us; /* when something happened */
static int s_port;
static const char *s_path;
static const char *s_ready_prefix;
static const char *s_join;
static const char *s_text;
static const char *s_back;
static uint64_t s_awaited;                           /* messages in all */
static uint8_t s_frames[DEPTH_MAX * (TEXT_MAX + 8)]; /* one behind the other */
static size_t s_frame_size;

static void
s_send(client_t *self, const void *data, size_t size)
{
    if (send(self->fd, data, size, MSG_NOSIGNAL) != (ssize_t) size) {
        die("send");
    }
}

static void
s_set_ready(client_t *self)
{
    self->ready = true;
    s_ready++;
}

static void
s_begin(client_t *self)
{
    const char *text = self->reader.prefix;
    size_t size = self->reader.prefix_len;
    size_t wanted = strlen(s_ready_prefix);
    if (size >= wanted && memcmp(text, s_ready_prefix, wanted) == 0) {
        s_set_ready(self);
    } else if (text[0] == '0') {
        send_text(self->fd, s_join);
    }
}

static void
s_message(client_t *self)
{
    if (!self->ready) {
        s_begin(self);
        return;
    }
    if (self->in_flight == 0 || self->reader.message != strlen(s_back) ||
        memcmp(self->reader.prefix, s_back, self->reader.prefix_len) != 0) {
        (void) fprintf(stderr, "an answer of %llu bytes: %.*s\n",
                       (unsigned long long) self->reader.message, (int) self->reader.prefix_len,
                       self->reader.prefix);
        exit(1);
    }
    self->in_flight--;
    s_awaited--;
}

/* As many more as the depth allows, in one piece. */
static void
s_fill(client_t *self, unsigned depth)
{
    unsigned room = depth - self->in_flight;
    unsigned count = self->to_send < room ? self->to_send : room;
    if (count > 0) {
        self->to_send -= count;
        self->in_flight += count;
        s_send(self, s_frames, count * s_frame_size);
    }
}

static void
s_read(client_t *self, const uint8_t *data, size_t size)
{
    size_t used = self->upgraded ? 0 : head_skip(&self->crlf, data, size);
    if (!self->upgraded && self->crlf == 4) {
        self->upgraded = true;
        if (!*s_ready_prefix) {
            s_set_ready(self);
        }
    }
    while (used < size) {
        bool whole = false;
        used += reader_take(&self->reader, data + used, size - used, &whole);
        if (whole) {
            s_message(self);
        }
    }
}

static void
s_receive(client_t *self)
{
    static uint8_t buffer[1 << 18];
    ssize_t got = recv(self->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got > 0) {
        s_read(self, buffer, (size_t) got);
    } else if (got == 0 || errno != EAGAIN) {
        die("a connection was lost");
    }
}

/* Never sleeps: a server that has to wake its client pays for it. */
static void
s_turn(unsigned depth)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(s_epoll, events, EVENTS, 0);
    for (int i = 0; i < count; i++) {
        client_t *client = events[i].data.ptr;
        s_receive(client);
        s_fill(client, depth);
    }
    int64_t now = now_us();
    if (count > 0) {
        s_last_us = now;
    } else if (now - s_last_us > STALL_US) {
        die("nothing happened for too long");
    }
}

/* --- orders --- */

static void
s_do_open(unsigned count)
{
    if (count > CLIENTS_MAX) {
        die("too many clients");
    }
    for (s_count = 0; s_count < count; s_count++) {
        client_t *client = &s_clients[s_count];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        client->fd = dial(s_port, s_path);
        if (epoll_ctl(s_epoll, EPOLL_CTL_ADD, client->fd, &event) < 0) {
            die("epoll_ctl");
        }
    }
    while (s_ready < s_count) {
        s_turn(0);
    }
    (void) printf("opened %u\n", count);
}

static void
s_do_echo(unsigned count, unsigned depth)
{
    if (depth > DEPTH_MAX) {
        die("too deep");
    }
    for (unsigned i = 0; i < depth; i++) {
        s_frame_size = frame_text(s_frames + i * s_frame_size, s_text, strlen(s_text), true);
    }
    s_awaited = (uint64_t) count * s_count;
    for (unsigned i = 0; i < s_count; i++) {
        s_clients[i].to_send = count;
        s_fill(&s_clients[i], depth);
    }
    while (s_awaited > 0) {
        s_turn(depth);
    }
    (void) printf("echoed %llu\n", (unsigned long long) count * s_count);
}

/* The next number of an order; what is behind it remains in `*rest`. */
static unsigned
s_number(char **rest)
{
    char *end;
    unsigned long number = strtoul(*rest, &end, 10);
    if (end == *rest || number > UINT32_MAX) {
        die("no number");
    }
    *rest = end;
    return (unsigned) number;
}

static void
s_obey(const char *word, char *rest)
{
    s_last_us = now_us();
    if (strcmp(word, "open") == 0) {
        s_do_open(s_number(&rest));
    } else if (strcmp(word, "echo") == 0) {
        unsigned count = s_number(&rest);
        s_do_echo(count, s_number(&rest));
    } else {
        die("no such order");
    }
}

int
main(int argc, char **argv)
{
    if (argc != 7 || strlen(argv[4]) > TEXT_MAX || strlen(argv[5]) > TEXT_MAX) {
        (void) fprintf(stderr, "usage: echo PORT PATH READY JOIN TEXT BACK\n");
        return 100;
    }
    s_port = port_number(argv[1]);
    s_path = argv[2];
    s_ready_prefix = argv[3];
    s_join = argv[4];
    s_text = argv[5];
    s_back = argv[6];
    s_epoll = new_epoll();
    follow_orders(s_obey);
    return 0;
}
