/* SPDX-License-Identifier: MIT */

#include "tests/support/link_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
s_transmit(void *arg, const pr_str_t *parts, size_t count)
{
    t_link_end_t *end = arg;
    if (end->refuse) {
        return end->refuse;
    }
    assert_in_range(end->out_count, 0, T_LINK_MESSAGES - 1);
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += parts[i].len;
    }
    pr_str_t *copy = malloc(count * sizeof *copy + bytes + 1);
    assert_non_null(copy);
    char *at = (char *) (copy + count);
    for (size_t i = 0; i < count; i++) {
        memcpy(at, parts[i].ptr, parts[i].len);
        copy[i] = (pr_str_t) {at, parts[i].len};
        at += parts[i].len;
    }
    end->out[end->out_count++] = (t_link_message_t) {copy, count};
    return 0;
}

int
t_link_read(t_link_end_t *end, int64_t req)
{
    pr_event_t event = pr_event(PR_MSG_READ, T_LINK_POLL);
    event.read.req = req;
    return pr_link_send(end->link, &event);
}

static int
s_open(void *arg, const pr_msg_hello_t *hello)
{
    (void) hello;
    t_link_end_t *end = arg;
    if (end->open_with) {
        return end->open_with;
    }
    end->opened++;
    if (end->send_in_open) {
        assert_int_equal(t_link_read(end, 77), 0);
        pr_link_flush(end->link, 0);
    }
    return 0;
}

static void
s_event(void *arg, const pr_event_t *event)
{
    t_link_end_t *end = arg;
    end->events++;
    end->last_type = event->type;
    if (event->type == PR_MSG_READ) {
        end->last_req = event->read.req;
    }
}

static void
s_lost(void *arg, int error)
{
    t_link_end_t *end = arg;
    end->lost++;
    end->lost_error = error;
    if (end->drop_in_lost) {
        pr_link_drop(end->link, PR_E_CLOSED);
    }
    if (end->dial_in_lost) {
        pr_link_dial(end->link, 5000);
    }
}

static void
s_writable(void *arg)
{
    ((t_link_end_t *) arg)->writable++;
}

static const pr_link_ops_t s_ops = {s_transmit, s_open, s_event, s_lost, s_writable};

int
t_link_setup(void **state)
{
    t_link_pair_t *pair = calloc(1, sizeof *pair);
    assert_non_null(pair);
    pr_link_self_t dialler = {"gateway", "g1", T_LINK_DIALLER};
    pr_link_self_t listener = {"actors", "a1", T_LINK_LISTENER};
    pair->dialler.link = pr_link_new(PR_LINK_DIALLER, &dialler, &s_ops, &pair->dialler);
    pair->listener.link = pr_link_new(PR_LINK_LISTENER, &listener, &s_ops, &pair->listener);
    pair->memory = pr_unpacked_new();
    pair->buf = pr_buf_new(0);
    pair->now_ms = 1000;
    *state = pair;
    return 0;
}

void
t_link_discard(t_link_end_t *end)
{
    for (size_t i = 0; i < end->out_count; i++) {
        free(end->out[i].parts);
        end->out[i] = (t_link_message_t) {NULL, 0};
    }
    end->out_count = 0;
}

int
t_link_teardown(void **state)
{
    t_link_pair_t *pair = *state;
    t_link_discard(&pair->dialler);
    t_link_discard(&pair->listener);
    pr_link_destroy(&pair->dialler.link);
    pr_link_destroy(&pair->listener.link);
    pr_unpacked_destroy(&pair->memory);
    pr_buf_destroy(&pair->buf);
    free(pair);
    return 0;
}

void
t_link_carry(t_link_pair_t *pair, t_link_end_t *from, t_link_end_t *to)
{
    size_t count = from->out_count;
    t_link_message_t messages[T_LINK_MESSAGES];
    memcpy(messages, from->out, count * sizeof messages[0]);
    from->out_count = 0;
    for (size_t i = 0; i < count; i++) {
        pr_link_receive(to->link, messages[i].parts, messages[i].count, pair->now_ms);
        free(messages[i].parts);
    }
}

void
t_link_exchange(t_link_pair_t *pair)
{
    for (int i = 0; i < 4; i++) {
        pr_link_flush(pair->dialler.link, pair->now_ms);
        t_link_carry(pair, &pair->dialler, &pair->listener);
        pr_link_flush(pair->listener.link, pair->now_ms);
        t_link_carry(pair, &pair->listener, &pair->dialler);
    }
}

void
t_link_connect(t_link_pair_t *pair)
{
    pr_link_dial(pair->dialler.link, pair->now_ms);
    t_link_exchange(pair);
    assert_true(pr_link_is_open(pair->dialler.link) && pr_link_is_open(pair->listener.link));
}

void
t_link_tick(t_link_pair_t *pair, int64_t by_ms)
{
    for (int64_t ms = 0; ms < by_ms; ms += 100) {
        pair->now_ms += 100;
        pr_link_tick(pair->dialler.link, pair->now_ms);
        pr_link_tick(pair->listener.link, pair->now_ms);
    }
}

pr_header_t
t_link_header_of(t_link_pair_t *pair, const t_link_message_t *message)
{
    pr_header_t header = {0};
    int error = message->parts ? pr_header_unpack(message->parts[0], pair->memory, &header)
                               : PR_E_MALFORMED;
    assert_int_equal(error, 0);
    return header;
}

pr_event_t
t_link_event_of(t_link_pair_t *pair, const t_link_message_t *message, size_t part)
{
    pr_event_t event = {0};
    assert_in_range(part, 1, message->count - 1);
    int error = message->parts ? pr_event_unpack(message->parts[part], pair->memory, &event)
                               : PR_E_MALFORMED;
    assert_int_equal(error, 0);
    return event;
}

void
t_link_forge(t_link_pair_t *pair, const char *from, const char *to, int64_t seq, pr_str_t part)
{
    pr_header_t header = {PR_PROTO_MIN, pr_str(from), pr_str(to), seq, 0, 0};
    pr_buf_t *bytes = pr_buf_new(0);
    pr_header_pack(&header, bytes);
    pr_str_t parts[] = {pr_buf_str(bytes), part};
    pr_link_receive(pair->listener.link, parts, 2, pair->now_ms);
    pr_buf_destroy(&bytes);
}

void
t_link_assert_refused(t_link_pair_t *pair, const char *code)
{
    assert_int_equal(pair->listener.out_count, 1);
    assert_int_equal(t_link_header_of(pair, &pair->listener.out[0]).seq, 0);
    pr_event_t event = t_link_event_of(pair, &pair->listener.out[0], 1);
    assert_int_equal(event.type, PR_MSG_EVENT_REFUSED);
    assert_true(pr_str_equal(event.event_refused.code, pr_str(code)));
    t_link_discard(&pair->listener);
}
