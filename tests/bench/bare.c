/* SPDX-License-Identifier: MIT */

/*
 * The least that a broadcasting WebSocket server can do: bare PORT. It answers an upgrade
 * with an open packet, and sends each text message it gets to all other sockets, one send() each.
 * What Rollcall costs is told as a multiple of this.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "tests/bench/sock.h"

#define FDS_MAX (1 << 20)
#define REQUEST_MAX 2048
#define EVENTS 256

typedef struct {
    int request_len; /* -1 once upgraded */
    char *request;
} client_t;

static client_t s_clients[FDS_MAX];
static int s_members[FDS_MAX]; /* descriptors, dense */
static int s_place[FDS_MAX];   /* where in it a descriptor is */
static int s_member_count;
static unsigned long s_short;
static int s_epoll;

static void
s_send(int fd, const void *data, size_t size)
{
    if (send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t) size) {
        s_short++;
    }
}

static void
s_drop(int fd)
{
    client_t *client = &s_clients[fd];
    if (client->request_len < 0) {
        int last = s_members[--s_member_count];
        s_members[s_place[fd]] = last;
        s_place[last] = s_place[fd];
    }
    free(client->request);
    *client = (client_t) {0};
    (void) close(fd);
}

static void
s_accept(int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        int yes = 1;
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        s_clients[fd].request = malloc(REQUEST_MAX);
        if (!s_clients[fd].request || epoll_ctl(s_epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
            die("accept");
        }
    }
}

static void
s_upgrade(int fd)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    static const char open_packet[] =
        "0{\"sid\":\"0123456789abcdefghijklmn\",\"upgrades\":[],\"pingInterval\":25000,"
        "\"pingTimeout\":20000,\"maxPayload\":65536}";
    client_t *client = &s_clients[fd];
    char *key = strcasestr(client->request, "Sec-WebSocket-Key: ");
    if (!key) {
        s_drop(fd);
        return;
    }
    key += strlen("Sec-WebSocket-Key: ");
    char joined[128];
    unsigned char digest[SHA_DIGEST_LENGTH];
    unsigned char accept[32];
    int size = snprintf(joined, sizeof joined, "%.*s%s", (int) strcspn(key, "\r"), key, guid);
    SHA1((unsigned char *) joined, (size_t) size, digest);
    (void) EVP_EncodeBlock(accept, digest, sizeof digest);
    char answer[256];
    size = snprintf(answer, sizeof answer,
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                    accept);
    s_send(fd, answer, (size_t) size);
    uint8_t frame[256];
    s_send(fd, frame, frame_text(frame, open_packet, strlen(open_packet), false));
    free(client->request);
    *client = (client_t) {.request_len = -1};
    s_place[fd] = s_member_count;
    s_members[s_member_count++] = fd;
}

static void
s_request(int fd)
{
    client_t *client = &s_clients[fd];
    ssize_t got = recv(fd, client->request + client->request_len,
                       (size_t) (REQUEST_MAX - 1 - client->request_len), 0);
    if (got <= 0) {
        s_drop(fd);
        return;
    }
    client->request_len += (int) got;
    client->request[client->request_len] = '\0';
    if (strstr(client->request, "\r\n\r\n")) {
        s_upgrade(fd);
    }
}

/* One text frame of up to 64 KiB in one piece: all that our generator sends. */
static void
s_message(int fd)
{
    static uint8_t in[1 << 17];
    static uint8_t out[1 << 17];
    ssize_t got = recv(fd, in, sizeof in, 0);
    if (got <= 0) {
        s_drop(fd);
        return;
    }
    size_t head = (in[1] & 0x7f) == 126 ? 8 : 6;
    size_t size = head == 8 ? (size_t) in[2] << 8 | in[3] : in[1] & 0x7f;
    if ((in[0] & 15) != 1 || (size_t) got < head + size) {
        return;
    }
    size_t length = frame_text(out, (char *) in + head, size, false);
    for (int i = 0; i < s_member_count; i++) {
        if (s_members[i] != fd) {
            s_send(s_members[i], out, length);
        }
    }
}

static int
s_listen(int port)
{
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        die("socket");
    }
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t) port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *) &address, sizeof address) < 0 || listen(fd, 4096) < 0) {
        die("listen");
    }
    return fd;
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        (void) fprintf(stderr, "usage: bare PORT\n");
        return 100;
    }
    raise_open_files();
    s_epoll = new_epoll();
    int listener = s_listen(port_number(argv[1]));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (epoll_ctl(s_epoll, EPOLL_CTL_ADD, listener, &event) < 0) {
        die("epoll_ctl");
    }
    (void) printf("ready\n");
    (void) fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(s_epoll, events, EVENTS, -1);
        if (count < 0 && errno != EINTR) {
            die("epoll_wait");
        }
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                s_accept(listener);
            } else if (s_clients[fd].request_len < 0) {
                s_message(fd);
            } else {
                s_request(fd);
            }
        }
    }
}
