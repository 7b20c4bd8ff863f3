/* SPDX-License-Identifier: MIT */

/*
 * People who vote as fast as they are answered, in one thread: voters PORT AUTHS. AUTHS is a file
 * with a JSON auth payload a line, one for each client. Orders come line by line on stdin, each is
 * answered by one line when it is done:
 *
 *     join            all of them connect and join, up to the first document -> joined N
 *     say I TEXT      client I sends TEXT, which wants acknowledgement 0 -> said saved|refused
 *     ballots I A\tB  what client I sends in turn -> ok
 *     vote MS         each sends its next ballot when the last one is acknowledged, for so long,
 *                     and waits for the last -> voted BALLOTS REFUSED US P50_US P99_US MAX_US
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tests/bench/sock.h"

#define CLIENTS_MAX 4096
#define EVENTS 256
#define STALL_MS 30000
#define LATENCIES_MAX (1 << 22)

typedef struct {
    reader_t reader;
    int fd;
    int crlf; /* how much of the blank line at the end of the answer's head is there */
    bool live;
    bool waits; /* for an acknowledgement */
    char *auth;
    char *ballots[2];
    unsigned next;
    int64_t sent_us;
} client_t;

static client_t s_clients[CLIENTS_MAX];
static int s_count;
static int s_port;
static int s_epoll;
static int s_live;
static int s_waiting;
static bool s_voting; /* who is answered votes again */
static uint64_t s_saved;
static uint64_t s_refused;
static uint32_t s_latencies[LATENCIES_MAX];
static size_t s_latency_count;

static void
s_ask(client_t *self, const char *text)
{
    self->sent_us = now_us();
    self->waits = true;
    s_waiting++;
    send_text(self->fd, text);
}

static void
s_vote(client_t *self)
{
    s_ask(self, self->ballots[self->next++ % 2]);
}

static void
s_answered(client_t *self, bool saved)
{
    if (!self->waits) {
        die("an acknowledgement too many");
    }
    self->waits = false;
    s_waiting--;
    if (saved) {
        s_saved++;
    } else {
        s_refused++;
    }
    if (s_latency_count < LATENCIES_MAX) {
        s_latencies[s_latency_count++] = (uint32_t) (now_us() - self->sent_us);
    }
    if (s_voting) {
        s_vote(self);
    }
}

static void
s_message(client_t *self)
{
    static const char saved[] = "43/polls,0[{\"outcome\":\"s";
    const char *text = self->reader.prefix;
    size_t size = self->reader.prefix_len;
    if (size >= 2 && text[0] == '0') {
        char packet[4096];
        (void) snprintf(packet, sizeof packet, "40/polls,%s", self->auth);
        send_text(self->fd, packet);
    } else if (size == 1 && text[0] == '2') {
        send_text(self->fd, "3");
    } else if (size >= 2 && memcmp(text, "42", 2) == 0 && !self->live) {
        self->live = true;
        s_live++;
    } else if (size >= 2 && memcmp(text, "43", 2) == 0) {
        s_answered(self, size >= sizeof saved - 1 && memcmp(text, saved, sizeof saved - 1) == 0);
    } else if (size >= 2 && memcmp(text, "44", 2) == 0) {
        (void) fprintf(stderr, "refused: %.*s\n", (int) size, text);
        exit(1);
    }
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
        die("a connection was lost");
    }
    size_t size = (size_t) got;
    size_t used = self->crlf < 4 ? head_skip(&self->crlf, buffer, size) : 0;
    while (used < size) {
        bool whole = false;
        used += reader_take(&self->reader, buffer + used, size - used, &whole);
        if (whole) {
            s_message(self);
        }
    }
}

static void
s_turn(void)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(s_epoll, events, EVENTS, STALL_MS);
    if (count == 0) {
        die("nothing happened for too long");
    }
    for (int i = 0; i < count; i++) {
        s_receive(events[i].data.ptr);
    }
}

static void
s_connect(client_t *self)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = self};
    self->fd = dial(s_port, "/socket.io/?EIO=4&transport=websocket");
    if (epoll_ctl(s_epoll, EPOLL_CTL_ADD, self->fd, &event) < 0) {
        die("epoll_ctl");
    }
}

/* --- orders --- */

static void
s_do_join(void)
{
    for (int i = 0; i < s_count; i++) {
        s_connect(&s_clients[i]);
    }
    while (s_live < s_count) {
        s_turn();
    }
    (void) printf("joined %d\n", s_live);
}

static void
s_do_say(client_t *client, const char *text)
{
    uint64_t saved = s_saved;
    s_ask(client, text);
    while (client->waits) {
        s_turn();
    }
    (void) printf("said %s\n", s_saved > saved ? "saved" : "refused");
}

static void
s_do_ballots(client_t *client, const char *text)
{
    size_t len = strcspn(text, "\t");
    client->ballots[0] = strndup(text, len);
    client->ballots[1] = strdup(text + len + (text[len] == '\t'));
    if (!client->ballots[0] || !client->ballots[1]) {
        die("memory");
    }
    (void) printf("ok\n");
}

static int
s_compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *) a;
    uint32_t right = *(const uint32_t *) b;
    return (left > right) - (left < right);
}

static void
s_do_vote(int ms)
{
    s_saved = 0;
    s_refused = 0;
    s_latency_count = 0;
    int64_t begun_us = now_us();
    s_voting = true;
    for (int i = 0; i < s_count; i++) {
        if (s_clients[i].ballots[0]) {
            s_vote(&s_clients[i]);
        }
    }
    while (s_waiting) {
        s_turn();
        s_voting = s_voting && now_us() - begun_us < (int64_t) ms * 1000;
    }
    int64_t took_us = now_us() - begun_us;
    qsort(s_latencies, s_latency_count, sizeof s_latencies[0], s_compare);
    size_t last = s_latency_count ? s_latency_count - 1 : 0;
    (void) printf("voted %llu %llu %lld %u %u %u\n", (unsigned long long) s_saved,
                  (unsigned long long) s_refused, (long long) took_us, s_latencies[last / 2],
                  s_latencies[last * 99 / 100], s_latencies[last]);
}

/* The client that an order names; what is behind the number remains in `*rest`. */
static client_t *
s_client(char **rest)
{
    char *end;
    long index = strtol(*rest, &end, 10);
    if (end == *rest || index < 0 || index >= s_count) {
        die("no such client");
    }
    *rest = end + strspn(end, " ");
    return &s_clients[index];
}

static void
s_obey(const char *word, char *rest)
{
    if (strcmp(word, "join") == 0) {
        s_do_join();
    } else if (strcmp(word, "say") == 0) {
        client_t *client = s_client(&rest);
        s_do_say(client, rest);
    } else if (strcmp(word, "ballots") == 0) {
        client_t *client = s_client(&rest);
        s_do_ballots(client, rest);
    } else if (strcmp(word, "vote") == 0) {
        s_do_vote(port_number(rest));
    } else {
        die("no such order");
    }
}

static void
s_read_auths(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t room = 0;
    if (!file) {
        die(path);
    }
    while (s_count < CLIENTS_MAX && getline(&s_clients[s_count].auth, &room, file) > 0) {
        client_t *client = &s_clients[s_count++];
        client->auth[strcspn(client->auth, "\n")] = '\0';
        room = 0;
    }
    (void) fclose(file);
}

int
main(int argc, char **argv)
{
    if (argc != 3) {
        (void) fprintf(stderr, "usage: voters PORT AUTHS\n");
        return 100;
    }
    s_port = port_number(argv[1]);
    s_read_auths(argv[2]);
    raise_open_files();
    s_epoll = new_epoll();
    follow_orders(s_obey);
    return 0;
}
