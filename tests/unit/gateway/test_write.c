/* SPDX-License-Identifier: MIT */

/* Writing to slow, stalled and dead readers, each test in both ways of writing. */

#include <linux/sockios.h>
#include <malloc.h>
#include <sys/ioctl.h>

#include "gateway/frame.h"
#include "proto/wire/error.h"
#include "tests/unit/gateway/client.h"

/* --- slow readers --- */

#define LARGE_LEN ((size_t) 3 << 20)

static pr_buf_t *
s_large_frame(char fill)
{
    char *bytes = malloc(LARGE_LEN);
    assert_non_null(bytes);
    memset(bytes, fill, LARGE_LEN);
    pr_buf_t *frame = gw_frame_text((pr_str_t) {bytes, LARGE_LEN});
    free(bytes);
    assert_non_null(frame);
    return frame;
}

static gw_socket_t *
s_socket_of(void *owner)
{
    front_ws_t *ws = owner;
    return ws->socket;
}

static void
s_not_sent(void *owner)
{
    front_ws_t *ws = owner;
    ws->missed++;
}

/* Checks that `in` holds whole frames: large ones of `fill`s and, in between, pongs. Returns how
 * many large messages. */
static size_t
s_count_messages(const client_t *client, size_t *pongs)
{
    pr_str_t in = pr_buf_str(client->in);
    size_t at = 0;
    size_t messages = 0;
    while (at < in.len) {
        const unsigned char *byte = (const unsigned char *) in.ptr + at;
        size_t len = byte[1];
        size_t head = 2;
        if (len == 126) {
            len = (size_t) byte[2] << 8 | byte[3];
            head = 4;
        }
        assert_true(len < 126 || head == 4);
        assert_true(at + head + len <= in.len);
        if ((byte[0] & 0x0f) == 0x0a) {
            (*pongs)++;
        } else {
            assert_true((byte[0] & 0x0f) <= 1);
            messages += (byte[0] & 0x80) != 0;
        }
        at += head + len;
    }
    return messages;
}

static void
a_slow_reader_costs_a_fragment(void **state)
{
    enum { READERS = 20 };
    front_t *front = front_new_for(state);
    client_t clients[READERS];
    front_ws_t *ws[READERS];
    gw_slot_t slots[READERS];
    for (size_t i = 0; i < READERS; i++) {
        clients[i] = front_upgrade_with(front, &ws[i], 4096);
        slots[i] = (gw_slot_t) {.fd = -1, .flags = 3, .owner = ws[i]};
        gw_socket_bind_slot(ws[i]->socket, &slots[i]);
        assert_int_equal(slots[i].fd >= 0, front_mode(state) == GW_WRITE_DIRECT);
    }
    pr_buf_t *frame = s_large_frame('x');
    size_t before = mallinfo2().uordblks;
    /* The first is taken in part, or passes the orthodox ones by; the second passes all by. */
    (void) gw_slots_write(slots, READERS, 1, frame, s_socket_of, s_not_sent);
    assert_int_equal(gw_slots_write(slots, READERS, 2, frame, s_socket_of, s_not_sent), 0);
    assert_int_equal(gw_slots_write(slots, READERS, 4, frame, s_socket_of, s_not_sent), 0);
    for (size_t i = 0; i < READERS; i++) {
        int unsent = 0;
        assert_int_equal(ioctl(ws[i]->socket->fd, SIOCOUTQ, &unsent), 0);
        assert_true(unsent < 2 * PR_SOCKET_UNSENT_BYTES);
        assert_int_equal(slots[i].fd, -1);
        assert_int_equal(ws[i]->missed, front_mode(state) == GW_WRITE_DIRECT ? 1 : 2);
        ws[i]->again = frame;
        ws[i]->again_left = 1;
        client_send_frame(&clients[i], 0x89, PR_STR("p"));
        assert_int_equal(gw_socket_send(ws[i]->socket, frame), PR_E_BUSY);
    }
    int never = 0;
    front_wait_t wait = {&never, 1};
    (void) pr_loop_run_until(front->loop, front_has_counted, &wait, 300);
#if !defined(__SANITIZE_ADDRESS__)
    assert_true(mallinfo2().uordblks - before < READERS * (PR_FRAGMENT_BYTES + 4096));
#endif
    (void) before;
    /* They read at last: whole messages, in order, the pong between two fragments; then the next.
     * */
    size_t want = front_mode(state) == GW_WRITE_DIRECT ? 2 : 1;
    for (size_t i = 0; i < READERS; i++) {
        assert_true(client_gets(&clients[i], want * pr_buf_len(frame) + 3));
        size_t pongs = 0;
        assert_int_equal(s_count_messages(&clients[i], &pongs), want);
        assert_int_equal(pongs, 1);
        assert_int_equal(ws[i]->again_left, 0);
    }
    /* … and are fast again. */
    int turns = 0;
    pr_loop_on_turn(front->loop, PR_TURN_THINK, front_on_turn, &turns);
    assert_true(front_waits(front, &turns, 3));
    pr_loop_off_turn(front->loop, front_on_turn, &turns);
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(slots[i].fd >= 0, front_mode(state) == GW_WRITE_DIRECT);
        client_close(&clients[i]);
    }
    pr_buf_destroy(&frame);
    front_destroy(&front);
}

static void
what_must_be_sent_is_bounded(void **state)
{
    front_t *front = front_new_for(state);
    front_ws_t *ws = NULL;
    client_t client = front_upgrade_with(front, &ws, 4096);
    pr_buf_t *large = s_large_frame('x');
    pr_buf_t *other = s_large_frame('y');
    static char bytes[PR_CONN_MUST_SEND_BYTES_MAX / 4];
    memset(bytes, 'z', sizeof bytes);
    pr_buf_t *small = gw_frame_text((pr_str_t) {bytes, sizeof bytes - 4});
    assert_int_equal(gw_socket_send_must(ws->socket, large), 0);
    assert_int_equal(gw_socket_send_must(ws->socket, other), 0); /* one may wait */
    assert_int_equal(gw_socket_send_must(ws->socket, large), PR_E_FULL);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(gw_socket_send_must(ws->socket, small), 0);
    }
    assert_int_equal(gw_socket_send_must(ws->socket, small), PR_E_FULL);
    gw_socket_close(ws->socket, 1000, NULL); /* the close frame is taken nevertheless */
    assert_true(client_gets(&client, 2 * pr_buf_len(large) + 4 * pr_buf_len(small) + 4));
    pr_str_t in = pr_buf_str(client.in);
    assert_memory_equal(in.ptr + in.len - 4, "\x88\x02\x03\xe8", 4);
    client_close(&client);
    pr_buf_destroy(&large);
    pr_buf_destroy(&other);
    pr_buf_destroy(&small);
    front_destroy(&front);
}

/* One that takes nothing is cut; one that takes a little lives. */
static void
only_the_stalled_are_cut(void **state)
{
    front_t *front =
        front_new_with((front_settings_t) {.mode = front_mode(state), .stalled_ms = 900});
    front_ws_t *stalled = NULL;
    front_ws_t *slow = NULL;
    client_t first = front_upgrade_with(front, &stalled, 4096);
    client_t second = front_upgrade_with(front, &slow, 4096);
    pr_buf_t *frame = s_large_frame('x');
    assert_int_equal(gw_socket_send(stalled->socket, frame), 0);
    assert_int_equal(gw_socket_send(slow->socket, frame), 0);
    int64_t end_ms = pr_clock_mono_ms() + 3000;
    while (pr_clock_mono_ms() < end_ms) {
        int never = 0;
        front_wait_t wait = {&never, 1};
        (void) pr_loop_run_until(front->loop, front_has_counted, &wait, 50);
        char bytes[2048];
        (void) recv(second.fd, bytes, sizeof bytes, MSG_DONTWAIT);
    }
    assert_int_equal(stalled->closed, 1);
    assert_int_equal(stalled->code, 1006);
    assert_false(stalled->by_us);
    assert_int_equal(slow->closed, 0);
    client_close(&first);
    client_close(&second);
    assert_true(front_waits(front, &slow->closed, 1));
    pr_buf_destroy(&frame);
    front_destroy(&front);
}

static void
a_fan_out_to_the_dead_goes_on(void **state)
{
    front_t *front = front_new_for(state);
    client_t clients[3];
    front_ws_t *ws[3];
    gw_slot_t slots[3];
    for (size_t i = 0; i < 3; i++) {
        clients[i] = front_upgrade(front, &ws[i]);
        slots[i] = (gw_slot_t) {.fd = -1, .flags = 1, .owner = ws[i]};
        gw_socket_bind_slot(ws[i]->socket, &slots[i]);
    }
    struct linger linger = {1, 0};
    (void) setsockopt(clients[1].fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    client_close(&clients[1]); /* a reset, which nobody has told us yet */
    pr_buf_t *frame = gw_frame_text(PR_STR("news"));
    size_t reached = gw_slots_write(slots, 3, 1, frame, s_socket_of, s_not_sent);
    if (front_mode(state) == GW_WRITE_DIRECT) {
        assert_int_equal(reached, 2);
        assert_true(client_gets(&clients[0], 6));
        assert_true(client_gets(&clients[2], 6));
    }
    assert_true(front_waits(front, &ws[1]->closed, 1));
    assert_int_equal(ws[1]->code, 1006);
    assert_false(ws[1]->by_us);
    assert_int_equal(slots[1].fd, -1);
    pr_buf_destroy(&frame);
    client_close(&clients[0]);
    client_close(&clients[2]);
    front_destroy(&front);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_slow_reader_costs_a_fragment),
        BOTH(what_must_be_sent_is_bounded),
        BOTH(only_the_stalled_are_cut),
        BOTH(a_fan_out_to_the_dead_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
