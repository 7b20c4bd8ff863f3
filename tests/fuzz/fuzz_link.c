/* SPDX-License-Identifier: MIT */

/*
 * What one side of a link makes of anything. Byte 1: the side, and in which state; then messages:
 * a byte for the number of parts (and whether the header is the one that would be right), two for
 * the length of each part, the part.
 */

#include <string.h>

#include "proto/wire/limits.h"
#include "proto/wire/link.h"
#include "tests/fuzz/fuzz.h"

#define ME "1111111111111111"
#define PEER "dddddddddddddddd"
#define PARTS_MAX 8

typedef struct {
    pr_link_t *link;
    pr_link_t *to; /* where what it transmits goes; NULL: nowhere */
} end_t;

static int
s_transmit(void *arg, const pr_str_t *parts, size_t count)
{
    end_t *end = arg;
    if (end->to) {
        pr_link_receive(end->to, parts, count, 1);
    }
    return 0;
}

static int
s_open(void *arg, const pr_msg_hello_t *hello)
{
    (void) arg;
    (void) hello;
    return 0;
}

static void
s_event(void *arg, const pr_event_t *event)
{
    (void) arg;
    PR_ASSERT(event->type);
}

static void
s_lost(void *arg, int error)
{
    (void) arg;
    PR_ASSERT(error);
}

static const pr_link_ops_t s_ops = {
    .transmit = s_transmit, .open = s_open, .event = s_event, .lost = s_lost};

static pr_str_t
s_right_header(int64_t seq, pr_buf_t *out)
{
    pr_header_t header = {
        .proto = PR_PROTO_MAX, .from_inc = PR_STR(PEER), .to_inc = PR_STR(ME), .seq = seq};
    pr_header_pack(&header, out);
    return pr_buf_str(out);
}

static void
s_message(pr_link_t *link, pr_str_t *bytes, int64_t *seq)
{
    pr_str_t parts[PARTS_MAX + 1];
    uint8_t head = t_fuzz_byte(bytes);
    size_t count = 0;
    pr_buf_t *header = pr_buf_new(64);
    if (head & 0x80) {
        parts[count++] = s_right_header((*seq)++, header);
    }
    for (size_t i = 0; i < head % (PARTS_MAX + 1) && count < PARTS_MAX; i++) {
        size_t len = t_fuzz_byte(bytes);
        len = len << 8 | t_fuzz_byte(bytes);
        parts[count++] = t_fuzz_take(bytes, len);
    }
    if (count > 0) {
        pr_link_receive(link, parts, count, 2);
    }
    pr_buf_destroy(&header);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pr_str_t bytes = {(const char *) data, size};
    uint8_t how = t_fuzz_byte(&bytes);
    pr_link_side_t side = how & 1 ? PR_LINK_DIALLER : PR_LINK_LISTENER;
    pr_link_side_t other = how & 1 ? PR_LINK_LISTENER : PR_LINK_DIALLER;
    const pr_link_self_t me = {.role = "gateway", .name = "g1", .incarnation = ME};
    const pr_link_self_t peer = {.role = "actors", .name = "a1", .incarnation = PEER};
    end_t mine = {0};
    end_t theirs = {0};
    mine.link = pr_link_new(side, &me, &s_ops, &mine);
    theirs.link = pr_link_new(other, &peer, &s_ops, &theirs);
    PR_ASSERT(mine.link && theirs.link);
    if (how & 4) {
        mine.to = theirs.link;
        theirs.to = mine.link;
    }
    if (how & 6) {
        pr_link_dial(how & 1 ? mine.link : theirs.link, 1);
        pr_link_flush(mine.link, 1);
        pr_link_flush(theirs.link, 1);
    }
    mine.to = theirs.to = NULL;
    int64_t seq = 2;
    while (bytes.len > 0) {
        s_message(mine.link, &bytes, &seq);
    }
    pr_link_flush(mine.link, 3);
    pr_link_tick(mine.link, 10000);
    pr_link_destroy(&mine.link);
    pr_link_destroy(&theirs.link);
    return 0;
}
