/* SPDX-License-Identifier: MIT */

/* What the generators share: a reader of frames that keeps no payload, and frames to send. */

#ifndef BENCH_SOCK_H
#define BENCH_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many first bytes of a message are kept: enough to tell what it is. */
#define PREFIX_SIZE 24

/* Reads server frames out of a stream of any pieces. */
typedef struct {
    uint8_t head[10];
    uint8_t head_len;
    uint8_t opcode; /* of the message; continuations keep it */
    bool fin;
    bool in_payload;
    uint8_t prefix_len;
    char prefix[PREFIX_SIZE];
    uint64_t left;    /* of the frame's payload */
    uint64_t message; /* bytes of the message so far */
} reader_t;

/* Takes bytes up to the end of one frame; returns how many. `*whole` says that a message ended. */
size_t
reader_take(reader_t *self, const uint8_t *data, size_t size, bool *whole);

/* Writes a frame of text, at most 65535 bytes, into `out` of 8 bytes more; masked with a zero key
 * if `client`, so that the payload stays readable. Returns its length. */
size_t
frame_text(uint8_t *out, const char *text, size_t size, bool client);

/* Sends a text of a client in one frame, which the system must take as a whole. */
void
send_text(int fd, const char *text);

/* A WebSocket to that place on this machine: connected, and the upgrade asked for. */
int
dial(int port, const char *path);

/* Skips the head of the answer to an upgrade, however it is cut; returns the bytes used. `*found`,
 * 0 at first, is how much of the blank line at its end was there: 4 when it has ended. */
size_t
head_skip(int *found, const uint8_t *data, size_t size);

/* The port that a text names; ends the program if it names none. */
int
port_number(const char *text);

/* An epoll; ends the program if there is none. */
int
new_epoll(void);

/* Up to the end of stdin: each line is an order, a word and what is behind it. `obey` prints the
 * answer before it returns. */
void
follow_orders(void (*obey)(const char *word, char *rest));

/* Of a clock that only goes forward. */
int64_t
now_us(void);

/* Raises the limit of open files to what is allowed. */
void
raise_open_files(void);

/* Prints the reason and ends the program. */
_Noreturn void
die(const char *what);

#endif
