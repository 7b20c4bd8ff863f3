/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/wire/limits.h"
#include "proto/wire/link.h"

#define POLL PR_STR("ABC123")
#define DIALLER "dddddddddddddddd"
#define LISTENER "1111111111111111"

enum { PARTS = PR_LINK_BATCH_EVENTS + 1, MESSAGES = 600 };

/* A message as it was transmitted. */
typedef struct {
    pr_str_t *parts; /* one allocation */
    size_t count;
} message_t;

typedef struct end end_t;
struct end {
    pr_link_t *link;
    message_t out[MESSAGES]; /* not yet carried to the other end */
    size_t out_count;
    int refuse; /* what transmit answers */
    int open_with;
    bool send_in_open;
    bool drop_in_lost;
    bool dial_in_lost;
    int opened;
    int lost;
    int lost_error;
    int writable;
    int events;
    pr_message_type_t last_type;
    int64_t last_req;
};

typedef struct {
    end_t dialler;
    end_t listener;
    int64_t now_ms;
    pr_unpacked_t *memory;
    pr_buf_t *buf;
} pair_t;

static int
s_transmit(void *arg, const pr_str_t *parts, size_t count)
{
    end_t *end = arg;
    if (end->refuse) {
        return end->refuse;
    }
    assert_in_range(end->out_count, 0, MESSAGES - 1);
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += parts[i].len;
    }
    pr_str_t *copy = malloc(count * sizeof *copy + bytes);
    assert_non_null(copy);
    char *at = (char *) (copy + count);
    for (size_t i = 0; i < count; i++) {
        memcpy(at, parts[i].ptr, parts[i].len);
        copy[i] = (pr_str_t) {at, parts[i].len};
        at += parts[i].len;
    }
    end->out[end->out_count++] = (message_t) {copy, count};
    return 0;
}

static int
s_read(end_t *end, int64_t req)
{
    pr_event_t event = pr_event(PR_MSG_READ, POLL);
    event.read.req = req;
    return pr_link_send(end->link, &event);
}

static int
s_open(void *arg, const pr_msg_hello_t *hello)
{
    (void) hello;
    end_t *end = arg;
    if (end->open_with) {
        return end->open_with;
    }
    end->opened++;
    if (end->send_in_open) {
        assert_int_equal(s_read(end, 77), 0);
        pr_link_flush(end->link, 0);
    }
    return 0;
}

static void
s_event(void *arg, const pr_event_t *event)
{
    end_t *end = arg;
    end->events++;
    end->last_type = event->type;
    if (event->type == PR_MSG_READ) {
        end->last_req = event->read.req;
    }
}

static void
s_lost(void *arg, int error)
{
    end_t *end = arg;
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
    ((end_t *) arg)->writable++;
}

static const pr_link_ops_t s_ops = {s_transmit, s_open, s_event, s_lost, s_writable};

static int
s_setup(void **state)
{
    pair_t *pair = calloc(1, sizeof *pair);
    assert_non_null(pair);
    pr_link_self_t dialler = {"gateway", "g1", DIALLER};
    pr_link_self_t listener = {"actors", "a1", LISTENER};
    pair->dialler.link = pr_link_new(PR_LINK_DIALLER, &dialler, &s_ops, &pair->dialler);
    pair->listener.link = pr_link_new(PR_LINK_LISTENER, &listener, &s_ops, &pair->listener);
    pair->memory = pr_unpacked_new();
    pair->buf = pr_buf_new(0);
    pair->now_ms = 1000;
    *state = pair;
    return 0;
}

static void
s_discard(end_t *end)
{
    for (size_t i = 0; i < end->out_count; i++) {
        free(end->out[i].parts);
    }
    end->out_count = 0;
}

static int
s_teardown(void **state)
{
    pair_t *pair = *state;
    s_discard(&pair->dialler);
    s_discard(&pair->listener);
    pr_link_destroy(&pair->dialler.link);
    pr_link_destroy(&pair->listener.link);
    pr_unpacked_destroy(&pair->memory);
    pr_buf_destroy(&pair->buf);
    free(pair);
    return 0;
}

/* Carries what `from` has sent so far. */
static void
s_carry(pair_t *pair, end_t *from, end_t *to)
{
    size_t count = from->out_count;
    message_t messages[MESSAGES];
    memcpy(messages, from->out, count * sizeof messages[0]);
    from->out_count = 0;
    for (size_t i = 0; i < count; i++) {
        pr_link_receive(to->link, messages[i].parts, messages[i].count, pair->now_ms);
        free(messages[i].parts);
    }
}

static void
s_exchange(pair_t *pair)
{
    for (int i = 0; i < 4; i++) {
        pr_link_flush(pair->dialler.link, pair->now_ms);
        s_carry(pair, &pair->dialler, &pair->listener);
        pr_link_flush(pair->listener.link, pair->now_ms);
        s_carry(pair, &pair->listener, &pair->dialler);
    }
}

static void
s_connect(pair_t *pair)
{
    pr_link_dial(pair->dialler.link, pair->now_ms);
    s_exchange(pair);
    assert_true(pr_link_is_open(pair->dialler.link) && pr_link_is_open(pair->listener.link));
}

static void
s_tick(pair_t *pair, int64_t by_ms)
{
    for (int64_t ms = 0; ms < by_ms; ms += 100) {
        pair->now_ms += 100;
        pr_link_tick(pair->dialler.link, pair->now_ms);
        pr_link_tick(pair->listener.link, pair->now_ms);
    }
}

static pr_header_t
s_header_of(pair_t *pair, const message_t *message)
{
    pr_header_t header;
    assert_int_equal(pr_header_unpack(message->parts[0], pair->memory, &header), 0);
    return header;
}

static pr_event_t
s_event_of(pair_t *pair, const message_t *message, size_t part)
{
    pr_event_t event;
    assert_in_range(part, 1, message->count - 1);
    assert_int_equal(pr_event_unpack(message->parts[part], pair->memory, &event), 0);
    return event;
}

/* Gives the listener one message that nobody sent. */
static void
s_forge(pair_t *pair, const char *from, const char *to, int64_t seq, pr_str_t part)
{
    pr_header_t header = {PR_PROTO_MIN, pr_str(from), pr_str(to), seq, 0, 0};
    pr_buf_t *bytes = pr_buf_new(0);
    pr_header_pack(&header, bytes);
    pr_str_t parts[] = {pr_buf_str(bytes), part};
    pr_link_receive(pair->listener.link, parts, 2, pair->now_ms);
    pr_buf_destroy(&bytes);
}

static void
s_assert_refused(pair_t *pair, const char *code)
{
    assert_int_equal(pair->listener.out_count, 1);
    assert_int_equal(s_header_of(pair, &pair->listener.out[0]).seq, 0);
    pr_event_t event = s_event_of(pair, &pair->listener.out[0], 1);
    assert_int_equal(event.type, PR_MSG_EVENT_REFUSED);
    assert_true(pr_str_equal(event.event_refused.code, pr_str(code)));
    s_discard(&pair->listener);
}

/* --- the table --- */

static bool
s_loses(pr_link_action_t action)
{
    return action == PR_LINK_DO_LOSE || action == PR_LINK_DO_LOSE_GREET ||
           action == PR_LINK_DO_LOSE_ACCEPT || action == PR_LINK_DO_LOSE_REFUSE;
}

static void
s_check_cell(pr_link_side_t side, pr_link_state_t state, pr_link_input_t input)
{
    pr_link_step_t step = pr_link_step(side, state, input);
    bool listens = side == PR_LINK_LISTENER;
    bool can_not_be = listens && (state == PR_LINK_GREETING || input == PR_LINK_ON_DIAL);
    if ((step.action == PR_LINK_DO_BUG) != can_not_be) {
        fail_msg("%s, %s: %s", pr_link_state_name(state), pr_link_input_name(input),
                 pr_link_action_name(step.action));
    }
    if (can_not_be) {
        return;
    }
    bool leaves = state == PR_LINK_OPEN && step.next != PR_LINK_OPEN;
    bool enters = state != PR_LINK_OPEN && step.next == PR_LINK_OPEN;
    bool begins = step.action == PR_LINK_DO_JOIN || step.action == PR_LINK_DO_ACCEPT;
    assert_true(s_loses(step.action) == (leaves || step.action == PR_LINK_DO_LOSE_ACCEPT));
    assert_true(begins == enters);
    assert_false(listens && step.next == PR_LINK_GREETING);
    bool greets = step.action == PR_LINK_DO_GREET || step.action == PR_LINK_DO_LOSE_GREET;
    assert_false(listens && greets);
    assert_true(!greets || step.next == PR_LINK_GREETING);
    bool answers = step.action == PR_LINK_DO_REFUSE || step.action == PR_LINK_DO_LOSE_REFUSE;
    assert_false(!listens && answers);
    /* Neither a refusal nor a reset is ever answered by one. */
    assert_false(answers && (input == PR_LINK_ON_RESET || input == PR_LINK_ON_REFUSAL));
}

static void
every_cell_of_the_table_makes_sense(void **state)
{
    (void) state;
    for (int side = 0; side < PR_LINK_SIDE_COUNT; side++) {
        for (int at = 0; at < PR_LINK_STATE_COUNT; at++) {
            for (int input = 0; input < PR_LINK_INPUT_COUNT; input++) {
                s_check_cell((pr_link_side_t) side, (pr_link_state_t) at, (pr_link_input_t) input);
            }
        }
    }
}

/* --- greetings --- */

static void
a_greeting_opens_both_sides(void **state)
{
    pair_t *pair = *state;
    assert_int_equal(s_read(&pair->dialler, 0), PR_E_UNREACHABLE);
    pr_link_dial(pair->dialler.link, pair->now_ms);
    assert_int_equal(pair->dialler.out_count, 1);
    pr_header_t header = s_header_of(pair, &pair->dialler.out[0]);
    assert_int_equal(header.seq, 1);
    assert_int_equal(header.to_inc.len, 0);
    pr_event_t hello = s_event_of(pair, &pair->dialler.out[0], 1);
    assert_int_equal(hello.type, PR_MSG_HELLO);
    assert_int_equal(hello.hello.min, PR_PROTO_MIN);
    assert_true(pr_str_equal(hello.hello.name, PR_STR("g1")));
    s_exchange(pair);
    assert_int_equal(pair->dialler.opened, 1);
    assert_int_equal(pair->listener.opened, 1);
    assert_string_equal(pr_link_peer_incarnation(pair->dialler.link), LISTENER);
    assert_string_equal(pr_link_peer_incarnation(pair->listener.link), DIALLER);
    assert_string_equal(pr_link_peer_role(pair->listener.link), "gateway");
}

static void
what_is_sent_in_open_comes_after_the_welcome(void **state)
{
    pair_t *pair = *state;
    pair->listener.send_in_open = pair->dialler.send_in_open = true;
    s_connect(pair);
    assert_int_equal(pair->dialler.last_req, 77);
    assert_int_equal(pair->listener.last_req, 77);
    assert_int_equal(pair->dialler.lost + pair->listener.lost, 0);
}

static void
no_common_version_is_refused(void **state)
{
    pair_t *pair = *state;
    pr_event_t hello = pr_event(PR_MSG_HELLO, PR_STR(""));
    hello.hello.min = PR_PROTO_MAX + 1;
    hello.hello.max = PR_PROTO_MAX + 3;
    hello.hello.role = hello.hello.name = PR_STR("x");
    hello.hello.session = 1;
    pr_event_pack(&hello, pair->buf);
    s_forge(pair, DIALLER, "", 1, pr_buf_str(pair->buf));
    s_assert_refused(pair, "version");
    assert_int_equal(pair->listener.opened, 0);
}

static void
a_refused_greeting_is_remembered_and_repeated(void **state)
{
    pair_t *pair = *state;
    pair->listener.open_with = PR_E_FULL;
    pr_link_dial(pair->dialler.link, pair->now_ms);
    s_exchange(pair);
    assert_int_equal(pr_link_refusal(pair->dialler.link), PR_E_FULL);
    assert_false(pr_link_is_open(pair->listener.link));
    pair->listener.open_with = 0;
    s_tick(pair, PR_LINK_DEAD_MS);
    s_exchange(pair);
    assert_true(pr_link_is_open(pair->dialler.link));
    assert_int_equal(pr_link_refusal(pair->dialler.link), 0);
}

static void
a_greeting_that_was_not_taken_goes_out_with_a_later_flush(void **state)
{
    pair_t *pair = *state;
    pair->dialler.refuse = PR_E_BUSY;
    pr_link_dial(pair->dialler.link, pair->now_ms);
    s_tick(pair, 10000);
    pair->dialler.refuse = 0;
    s_exchange(pair);
    assert_true(pr_link_is_open(pair->dialler.link));
    assert_int_equal(pr_link_counters(pair->listener.link)->sessions, 1);
}

static void
a_repeated_greeting_is_dropped_a_new_one_begins_anew(void **state)
{
    pair_t *pair = *state;
    pr_link_dial(pair->dialler.link, pair->now_ms);
    message_t hello = pair->dialler.out[0];
    pair->dialler.out_count = 0;
    pr_link_receive(pair->listener.link, hello.parts, hello.count, pair->now_ms);
    pr_link_receive(pair->listener.link, hello.parts, hello.count, pair->now_ms);
    free(hello.parts);
    assert_int_equal(pair->listener.out_count, 1);
    assert_int_equal(pr_link_counters(pair->listener.link)->duplicates, 1);
    s_exchange(pair);
    pr_link_dial(pair->dialler.link, pair->now_ms);
    s_exchange(pair);
    assert_int_equal(pair->listener.lost, 1);
    assert_int_equal(pair->listener.opened, 2);
    assert_int_equal(pair->dialler.lost, 1);
    assert_true(pr_link_is_open(pair->dialler.link));
}

/* --- endings --- */

static void
a_gap_ends_the_session_on_both_sides(void **state)
{
    pair_t *pair = *state;
    s_connect(pair);
    assert_int_equal(s_read(&pair->dialler, 1), 0);
    pr_link_flush(pair->dialler.link, pair->now_ms);
    s_discard(&pair->dialler);
    assert_int_equal(s_read(&pair->dialler, 2), 0);
    s_exchange(pair);
    assert_int_equal(pair->listener.events, 0);
    assert_int_equal(pair->listener.lost_error, PR_E_RESET);
    assert_int_equal(pair->dialler.lost_error, PR_E_RESET);
    assert_int_equal(pair->dialler.opened, 2);
    assert_int_equal(pair->listener.opened, 2);
}

static void
silence_ends_it_but_not_our_own_sleep(void **state)
{
    pair_t *pair = *state;
    s_connect(pair);
    s_tick(pair, 100);
    pair->now_ms += 10 * PR_LINK_DEAD_MS; /* stopped, say */
    pr_link_tick(pair->listener.link, pair->now_ms);
    assert_int_equal(pair->listener.lost, 0);
    s_tick(pair, PR_LINK_DEAD_MS + 100);
    assert_int_equal(pair->listener.lost, 1);
    assert_int_equal(pair->listener.lost_error, PR_E_TIMEOUT);
}

static void
a_callback_may_drop_or_dial(void **state)
{
    pair_t *pair = *state;
    s_connect(pair);
    pair->dialler.drop_in_lost = true;
    s_tick(pair, PR_LINK_DEAD_MS + 100);
    s_discard(&pair->dialler);
    s_tick(pair, 10000);
    assert_int_equal(pair->dialler.out_count, 0);
    s_discard(&pair->listener);

    pair->dialler.drop_in_lost = false;
    s_connect(pair);
    pair->dialler.dial_in_lost = true;
    pr_link_drop(pair->dialler.link, PR_E_CLOSED);
    s_exchange(pair);
    assert_true(pr_link_is_open(pair->dialler.link));
    assert_int_equal(pair->dialler.opened, 3);
}

static void
a_broken_transport_ends_it(void **state)
{
    pair_t *pair = *state;
    s_connect(pair);
    assert_int_equal(s_read(&pair->listener, 1), 0);
    pair->listener.refuse = PR_E_UNREACHABLE;
    pr_link_flush(pair->listener.link, pair->now_ms);
    assert_int_equal(pair->listener.lost_error, PR_E_UNREACHABLE);
    assert_int_equal(s_read(&pair->listener, 2), PR_E_UNREACHABLE);
}

/* --- what is refused --- */

static void
strange_messages_are_answered(void **state)
{
    pair_t *pair = *state;
    pr_str_t event = PR_STR("\x93\x0f\xa6"
                            "ABC123"
                            "\x81\xa3req\x01");
    s_forge(pair, DIALLER, "", 5, event);
    s_assert_refused(pair, "reset");
    s_forge(pair, DIALLER, "2222222222222222", 5, event);
    s_assert_refused(pair, "reset");
    s_forge(pair, "", "", 5, event);
    s_assert_refused(pair, "bad_field");
    s_forge(pair, "longer than an incarnation", "", 5, event);
    s_assert_refused(pair, "malformed");
    s_connect(pair);
    s_forge(pair, DIALLER, LISTENER, 2, PR_STR("\x93\x63\xa0\x80")); /* type 99 */
    s_assert_refused(pair, "unknown_type");
    s_forge(pair, DIALLER, LISTENER, 3, PR_STR("\xc1"));
    s_assert_refused(pair, "malformed");
    assert_true(pr_link_is_open(pair->listener.link));
    assert_int_equal(pr_link_counters(pair->listener.link)->unknown_types, 1);
}

static void
refusals_are_not_answered(void **state)
{
    pair_t *pair = *state;
    pr_event_t refusal = pr_event(PR_MSG_EVENT_REFUSED, PR_STR(""));
    refusal.event_refused.type = 0;
    refusal.event_refused.code = PR_STR("malformed");
    refusal.event_refused.text = PR_STR("");
    pr_event_pack(&refusal, pair->buf);
    s_forge(pair, DIALLER, "", 0, pr_buf_str(pair->buf));
    s_connect(pair);
    s_forge(pair, DIALLER, "", 0, pr_buf_str(pair->buf));
    s_forge(pair, DIALLER, "2222222222222222", 0, pr_buf_str(pair->buf));
    assert_int_equal(pair->listener.out_count, 0);
    assert_int_equal(pair->listener.last_type, PR_MSG_EVENT_REFUSED); /* the user is told */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_the_table_makes_sense),
#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, s_setup, s_teardown)
        WITH_PAIR(a_greeting_opens_both_sides),
        WITH_PAIR(what_is_sent_in_open_comes_after_the_welcome),
        WITH_PAIR(no_common_version_is_refused),
        WITH_PAIR(a_refused_greeting_is_remembered_and_repeated),
        WITH_PAIR(a_greeting_that_was_not_taken_goes_out_with_a_later_flush),
        WITH_PAIR(a_repeated_greeting_is_dropped_a_new_one_begins_anew),
        WITH_PAIR(a_gap_ends_the_session_on_both_sides),
        WITH_PAIR(silence_ends_it_but_not_our_own_sleep),
        WITH_PAIR(a_callback_may_drop_or_dial),
        WITH_PAIR(a_broken_transport_ends_it),
        WITH_PAIR(strange_messages_are_answered),
        WITH_PAIR(refusals_are_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
