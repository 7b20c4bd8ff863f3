/* SPDX-License-Identifier: MIT */

/*
 * Thousands of Socket.IO clients in one thread: load PORT AUTHS. AUTHS is a file with a JSON auth
 * payload a line, one for each client; without it the sockets stay bare WebSockets. Orders come
 * line by line on stdin, each is answered by one line when it is done. Between them nobody reads.
 *
 *     open N WINDOW   N more clients up to their open packet, WINDOW at a time -> opened N
 *     join WINDOW     CONNECT of all that are open, up to the first document -> joined N
 *     changes N       the last client leaves and joins again, N changes in all; each waits until
 *                     all others have their frame -> changed FRAMES BYTES REPEATED
 *     publish N TEXT  the last client sends TEXT N times, likewise
 *     quiet MS        no byte for so long -> quiet FRAMES BYTES LEAST MOST
 *                     (bytes of the shortest and of the longest last message)
 *     show            -> the text of the last message of the first client, if it came in one piece
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

#include "tests/bench/sock.h"

#define CLIENTS_MAX 18000
#define EVENTS 512
#define SHOWN_MAX 4096
#define STALL_MS 30000

typedef enum { CONNECTING, UPGRADING, OPEN, JOINING, LIVE } state_t;

typedef struct {
    reader_t reader;
    uint64_t last; /* bytes of its last document */
    int fd;
    state_t state;
    int crlf; /* how much of the blank line at the end of the answer's head is there */
    unsigned frames;
} client_t;

static client_t s_clients[CLIENTS_MAX];
static int s_count;
static char *s_auths[CLIENTS_MAX];
static int s_auth_count;
static int s_port;
static int s_epoll;
static uint64_t s_bytes;
static uint64_t s_frames; /* documents and patches */
static int s_open;        /* clients that have come to OPEN so far */
static int s_live;
static int s_awaited;       /* clients that have no frame of the present change yet */
static unsigned s_repeated; /* frames beyond one for a change */
static char s_shown[SHOWN_MAX];
static size_t s_shown_len;

static void
s_connect(client_t *self)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t) s_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    memset(self, 0, sizeof *self);
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (self->fd < 0) {
        die("socket");
    }
    (void) setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(self->fd, (struct sockaddr *) &address, sizeof address) < 0 &&
        errno != EINPROGRESS) {
        die("connect");
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = self};
    if (epoll_ctl(s_epoll, EPOLL_CTL_ADD, self->fd, &event) < 0) {
        die("epoll_ctl");
    }
}

static void
s_ask_upgrade(client_t *self)
{
    static const char request[] =
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = self};
    if (epoll_ctl(s_epoll, EPOLL_CTL_MOD, self->fd, &event) < 0 ||
        send(self->fd, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1) {
        die("upgrade");
    }
    self->state = UPGRADING;
}

static void
s_join(client_t *self)
{
    char text[4096];
    int index = (int) (self - s_clients);
    (void) snprintf(text, sizeof text, "40/polls,%s", s_auths[index]);
    self->state = JOINING;
    send_text(self->fd, text);
}

/* A document or patch came. */
static void
s_document(client_t *self)
{
    self->last = self->reader.message;
    self->frames++;
    s_frames++;
    if (self->state == JOINING) {
        self->state = LIVE;
        s_live++;
    }
    if (self->frames == 1) {
        s_awaited--;
    } else {
        s_repeated++;
    }
}

static void
s_message(client_t *self)
{
    const char *text = self->reader.prefix;
    size_t size = self->reader.prefix_len;
    if (self->reader.opcode != 1) {
        (void) fprintf(stderr, "a frame of opcode %d\n", self->reader.opcode);
        exit(1);
    }
    if (size >= 2 && text[0] == '0') {
        self->state = OPEN;
        s_open++;
    } else if (size == 1 && text[0] == '2') {
        send_text(self->fd, "3");
    } else if (size >= 2 && memcmp(text, "42", 2) == 0) {
        s_document(self);
    } else if (size >= 2 && memcmp(text, "44", 2) == 0) {
        (void) fprintf(stderr, "refused: %.*s\n", (int) size, text);
        exit(1);
    }
}

static void
s_keep_shown(const client_t *self, const uint8_t *data, size_t size)
{
    if (self != s_clients || size > sizeof s_shown) {
        return;
    }
    memcpy(s_shown, data, size);
    s_shown_len = size;
}

static void
s_receive(client_t *self)
{
    static uint8_t buffer[1 << 18];
    ssize_t got = recv(self->fd, buffer, sizeof buffer, 0);
    if (got <= 0) {
        if (got < 0 && errno == EAGAIN) {
            return;
        }
        (void) fprintf(stderr, "client %d lost its connection\n", (int) (self - s_clients));
        exit(1);
    }
    size_t size = (size_t) got;
    size_t used = self->crlf < 4 ? head_skip(&self->crlf, buffer, size) : 0;
    s_bytes += size;
    s_keep_shown(self, buffer + used, size - used);
    while (used < size) {
        bool whole = false;
        size_t taken = reader_take(&self->reader, buffer + used, size - used, &whole);
        used += taken;
        if (whole) {
            s_message(self);
        }
    }
}

/* One round of the loop; false if nothing happened for `ms`. */
static bool
s_turn(int ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(s_epoll, events, EVENTS, ms);
    for (int i = 0; i < count; i++) {
        client_t *client = events[i].data.ptr;
        if (client->state == CONNECTING && events[i].events & EPOLLOUT) {
            s_ask_upgrade(client);
        } else if (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
            s_receive(client);
        }
    }
    return count != 0;
}

static void
s_must_turn(const char *what)
{
    if (!s_turn(STALL_MS)) {
        (void) fprintf(stderr, "nothing happened for %d ms: %s (%d open, %d live, %d awaited)\n",
                       STALL_MS, what, s_open, s_live, s_awaited);
        exit(1);
    }
}

static void
s_do_open(int count, int window)
{
    int end = s_count + count;
    if (end > CLIENTS_MAX) {
        die("too many clients");
    }
    while (s_open < end) {
        while (s_count < end && s_count - s_open < window) {
            s_connect(&s_clients[s_count++]);
        }
        s_must_turn("open");
    }
    (void) printf("opened %d\n", count);
}

static void
s_do_join(int window)
{
    int begun = s_live;
    int started = s_live;
    if (s_count > s_auth_count) {
        die("too few auths");
    }
    for (int i = 0; i < s_count || s_live < started;) {
        while (i < s_count && started - s_live < window) {
            client_t *client = &s_clients[i++];
            if (client->state == OPEN) {
                s_join(client);
                started++;
            }
        }
        if (s_live < started) {
            s_must_turn("join");
        }
    }
    (void) printf("joined %d\n", s_live - begun);
}

/* Forgets what came, and sets out to wait for one frame of each but the last client. */
static void
s_expect(int count)
{
    for (int i = 0; i < s_count; i++) {
        s_clients[i].frames = 0;
    }
    s_awaited = count;
}

static void
s_do_changes(int count, const char *text)
{
    client_t *mover = &s_clients[s_count - 1];
    uint64_t frames = s_frames;
    uint64_t bytes = s_bytes;
    s_repeated = 0;
    for (int i = 0; i < count; i++) {
        bool joins = !text && mover->state == OPEN;
        /* One who joins gets its document as well. */
        s_expect(s_count - 1 + joins);
        if (text) {
            send_text(mover->fd, text);
        } else if (joins) {
            s_join(mover);
        } else {
            send_text(mover->fd, "41/polls,");
            mover->state = OPEN;
            s_live--;
        }
        while (s_awaited > 0) {
            s_must_turn("changes");
        }
    }
    (void) printf("changed %llu %llu %u\n", (unsigned long long) (s_frames - frames),
                  (unsigned long long) (s_bytes - bytes), s_repeated);
}

static void
s_do_quiet(int ms)
{
    while (s_turn(ms)) {
    }
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;
    for (int i = 0; i < s_count; i++) {
        uint64_t last = s_clients[i].last;
        least = last < least ? last : least;
        most = last > most ? last : most;
    }
    (void) printf("quiet %llu %llu %llu %llu\n", (unsigned long long) s_frames,
                  (unsigned long long) s_bytes, (unsigned long long) least,
                  (unsigned long long) most);
}

static void
s_do_show(void)
{
    size_t head = s_shown_len > 1 && (s_shown[1] & 0x7f) == 126 ? 4 : 2;
    (void) printf("show %.*s\n", (int) (s_shown_len - head), s_shown + head);
}

/* The next number of an order; what is behind it remains in `*rest`. */
static int
s_number(char **rest)
{
    char *end;
    long number = strtol(*rest, &end, 10);
    if (end == *rest || number < 0 || number > INT32_MAX) {
        (void) fprintf(stderr, "no number: %s\n", *rest);
        exit(100);
    }
    *rest = end + strspn(end, " ");
    return (int) number;
}

static void
s_obey(const char *word, char *rest)
{
    if (strcmp(word, "open") == 0) {
        int count = s_number(&rest);
        s_do_open(count, s_number(&rest));
    } else if (strcmp(word, "join") == 0) {
        s_do_join(s_number(&rest));
    } else if (strcmp(word, "changes") == 0) {
        s_do_changes(s_number(&rest), NULL);
    } else if (strcmp(word, "publish") == 0) {
        int count = s_number(&rest);
        s_do_changes(count, rest);
    } else if (strcmp(word, "quiet") == 0) {
        s_do_quiet(s_number(&rest));
    } else if (strcmp(word, "show") == 0) {
        s_do_show();
    } else {
        (void) fprintf(stderr, "no such order: %s\n", word);
        exit(100);
    }
}

static void
s_read_auths(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    if (!file) {
        die(path);
    }
    while (s_auth_count < CLIENTS_MAX && getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        s_auths[s_auth_count++] = line;
        line = NULL;
    }
    free(line);
    (void) fclose(file);
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        (void) fprintf(stderr, "usage: load PORT [AUTHS]\n");
        return 100;
    }
    s_port = port_number(argv[1]);
    if (argc > 2) {
        s_read_auths(argv[2]);
    }
    raise_open_files();
    s_epoll = new_epoll();
    follow_orders(s_obey);
    return 0;
}
