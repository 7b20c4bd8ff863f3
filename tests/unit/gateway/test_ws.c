/* SPDX-License-Identifier: MIT */

/* WebSockets on the wire: who may upgrade, messages, ends, each test in both ways of writing. */

#include "proto/wire/error.h"
#include "tests/unit/gateway/client.h"

static void
s_send_text(front_ws_t *ws, const char *text)
{
    pr_buf_t *frame = gw_frame_text(pr_str(text));
    assert_int_equal(gw_socket_send_must(ws->socket, frame), 0);
    pr_buf_destroy(&frame);
}

/* Refuses an upgrade and sees why. */
static void
s_refused(front_t *front, const char *request, const char *answer)
{
    client_t client = front_connect(front);
    client_send(&client, request);
    assert_true(client_ends(&client));
    if (!strstr(client_text(&client), answer)) {
        fail_msg("asked %s\nwanted %s\ngot %s", request, answer, client_text(&client));
    }
    client_close(&client);
}

static void
upgrades_only_what_it_should(void **state)
{
    front_t *front = front_new_for(state);
    s_refused(front, "GET /socket.io/?EIO=4&transport=pigeon HTTP/1.1\r\n" UPGRADE_HEAD "\r\n",
              "{\"code\":0,\"message\":\"Transport unknown\"}");
    s_refused(front, "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n" UPGRADE_HEAD "\r\n",
              "{\"code\":3,\"message\":\"Bad request\"}");
    s_refused(front, "GET /socket.io/?EIO=3&transport=websocket HTTP/1.1\r\n" UPGRADE_HEAD "\r\n",
              "{\"code\":5,\"message\":\"Unsupported protocol version\"}");
    s_refused(front,
              "GET /socket.io/?EIO=4&transport=websocket&sid=abc HTTP/1.1\r\n" UPGRADE_HEAD "\r\n",
              "{\"code\":1,\"message\":\"Session ID unknown\"}");
    s_refused(front,
              "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n" UPGRADE_HEAD
              "Origin: http://foe.example\r\n\r\n",
              "HTTP/1.1 403 Forbidden\r\n");
    s_refused(front, "POST /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n" UPGRADE_HEAD "\r\n",
              "{\"code\":2,\"message\":\"Bad handshake method\"}");
    s_refused(front,
              "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: h\r\n"
              "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n\r\n",
              "HTTP/1.1 426 Upgrade Required\r\n");
    s_refused(front,
              "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: h\r\n"
              "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
              "HTTP/1.1 400 Bad Request\r\n");
    s_refused(front, "GET /ws HTTP/1.1\r\n" UPGRADE_HEAD "\r\n", "HTTP/1.1 404 Not Found\r\n");
    assert_int_equal(front->socket_count, 0);
    client_t client = front_connect(front);
    client_send(&client, "GET /socket.io?transport=websocket&t=1&EIO=4 HTTP/1.1\r\n" UPGRADE_HEAD
                         "Token: abc.def\r\nOrigin: http://localhost:8080\r\n\r\n");
    assert_true(client_sees(&client, "HTTP/1.1 101"));
    assert_string_equal(front->sockets[0].token, "abc.def");
    assert_string_equal(gw_socket_address(front->sockets[0].socket), "127.0.0.1");
    client_close(&client);
    front_destroy(&front);
}

static void
gathers_messages(void **state)
{
    front_t *front = front_new_for(state);
    front_ws_t *ws = NULL;
    client_t client = front_upgrade(front, &ws);
    client_send_frame(&client, 0x81, PR_STR("hello"));
    assert_true(front_waits(front, &ws->messages, 1));
    assert_true(pr_str_equal(pr_buf_str(ws->last), PR_STR("hello")));
    assert_false(ws->last_binary);
    /* Three fragments with a ping and a pong in between; the character ü is cut in two. */
    client_send_frame(&client, 0x01, PR_STR("gr\xc3"));
    client_send_frame(&client, 0x89, PR_STR("ping"));
    client_send_frame(&client, 0x00, PR_STR("\xbc"));
    client_send_frame(&client, 0x8a, PR_STR("unasked"));
    client_send_frame(&client, 0x80, PR_STR("n"));
    assert_true(front_waits(front, &ws->messages, 2));
    assert_true(pr_str_equal(pr_buf_str(ws->last), PR_STR("gr\xc3\xbcn")));
    assert_true(client_gets(&client, 6));
    assert_memory_equal(pr_buf_data(client.in), "\x8a\x04ping", 6);
    /* As long as may be: many reads. */
    static char bytes[PR_BEFORE_JOIN_BYTES_MAX];
    memset(bytes, 'x', sizeof bytes);
    client_send_frame(&client, 0x82, (pr_str_t) {bytes, sizeof bytes});
    assert_true(front_waits(front, &ws->messages, 3));
    assert_int_equal(pr_buf_len(ws->last), sizeof bytes);
    assert_true(ws->last_binary);
    client_close(&client);
    assert_true(front_waits(front, &ws->closed, 1));
    assert_int_equal(ws->code, 1006);
    assert_false(ws->by_us);
    front_destroy(&front);
}

/* Sends bytes that end the connection; `code` is what the close frame says. */
static void
s_ends(front_t *front, int first, pr_str_t payload, int code)
{
    front_ws_t *ws = NULL;
    client_t client = front_upgrade(front, &ws);
    client_send_frame(&client, first, payload);
    assert_true(client_gets(&client, 4));
    const unsigned char *byte = (const unsigned char *) pr_buf_data(client.in);
    assert_int_equal(byte[0], 0x88);
    assert_int_equal(byte[2] << 8 | byte[3], code);
    if (code != 1002) { /* behind those libwebsockets no longer listens */
        client_send_frame(&client, 0x88, (pr_str_t) {(const char *) byte + 2, 2});
        assert_true(client_ends(&client));
    }
    client_close(&client);
    assert_true(front_waits(front, &ws->closed, 1));
    assert_int_equal(ws->messages, 0);
    assert_int_equal(ws->code, code);
    assert_true(ws->by_us);
}

static void
bad_messages_end_the_socket(void **state)
{
    front_t *front = front_new_for(state);
    static char bytes[PR_BEFORE_JOIN_BYTES_MAX + 1];
    memset(bytes, 'x', sizeof bytes);
    s_ends(front, 0x81, PR_STR("\xff\xfe"), 1007);
    s_ends(front, 0x81, PR_STR("\xed\xa0\x80"), 1007);
    s_ends(front, 0x81, PR_STR("cut \xe2\x82"), 1007);
    s_ends(front, 0x82, (pr_str_t) {bytes, sizeof bytes}, 1009);
    s_ends(front, 0x80, PR_STR("nothing to go on"), 1002);
    s_ends(front, 0x83, PR_STR("opcode 3"), 1002);
    s_ends(front, 0xc1, PR_STR("rsv1"), 1002);
    s_ends(front, 0x09, PR_STR("a ping in pieces"), 1002);
    front_destroy(&front);
}

/* Whoever breaks a rule is gone soon, whether it agrees or not. */
static void
who_breaks_a_rule_need_not_agree(void **state)
{
    front_t *front = front_new_for(state);
    front_ws_t *ours = NULL;
    front_ws_t *theirs = NULL;
    client_t first = front_upgrade(front, &ours);
    client_t second = front_upgrade(front, &theirs);
    client_send_frame(&first, 0x81, PR_STR("\xff"));
    client_send_frame(&second, 0x83, PR_STR("opcode 3"));
    assert_true(client_ends_within(&first, PR_REFUSED_MS + 2000));
    assert_true(client_ends_within(&second, PR_REFUSED_MS + 2000));
    assert_true(front_waits(front, &ours->closed, 1));
    assert_true(front_waits(front, &theirs->closed, 1));
    assert_int_equal(ours->code, 1007);
    assert_int_equal(theirs->code, 1002);
    assert_true(ours->by_us && theirs->by_us);
    client_close(&first);
    client_close(&second);
    front_destroy(&front);
}

/* A length that is only claimed is refused at once. */
static void
a_huge_claim_ends_the_socket(void **state)
{
    front_t *front = front_new_for(state);
    static const struct {
        const char *bytes;
        size_t len;
    } claims[] = {
        {"\x82\xff\x00\x00\x00\x00\x40\x00\x00\x00"
         "abcdX",
         15},
        {"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"
         "abcdX",
         15},
    };
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        front_ws_t *ws = NULL;
        client_t client = front_upgrade(front, &ws);
        client_send_bytes(&client, claims[i].bytes, claims[i].len);
        assert_true(client_gets(&client, 4));
        assert_memory_equal(pr_buf_data(client.in) + 2, "\x03\xf1", 2);
        client_close(&client);
        assert_true(front_waits(front, &ws->closed, 1));
        assert_int_equal(ws->code, 1009);
    }
    assert_int_equal(gw_ws_counters(front->ws)->faults.too_large, 2);
    /* Not masked, with a length of 0 in two bytes: libwebsockets counts it down from there. */
    front_ws_t *ws = NULL;
    client_t client = front_upgrade(front, &ws);
    client_send_bytes(&client, "\x82\x7e\x00\x00", 4);
    for (int i = 0; i < 100 && !client.ended; i++) {
        client_send(&client, "as much as it takes to fill whatever there is to fill");
        client_read(&client);
    }
    client_close(&client);
    assert_true(front_waits(front, &ws->closed, 1));
    front_destroy(&front);
}

static void
outlives_garbage(void **state)
{
    front_t *front = front_new_for(state);
    uint32_t seed = 12345;
    for (int round = 0; round < 40; round++) {
        front_ws_t *ws = NULL;
        client_t client = front_upgrade(front, &ws);
        char bytes[600];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = (char) (seed >> 24);
        }
        client_send_bytes(&client, bytes, sizeof bytes);
        client_close(&client);
        assert_true(front_waits(front, &ws->closed, 1));
    }
    front_ws_t *ws = NULL;
    client_t client = front_upgrade(front, &ws);
    client_send_frame(&client, 0x81, PR_STR("alive"));
    assert_true(front_waits(front, &ws->messages, 1));
    client_close(&client);
    front_destroy(&front);
}

static void
the_client_closes(void **state)
{
    front_t *front = front_new_for(state);
    front_ws_t *ws = NULL;
    client_t client = front_upgrade(front, &ws);
    client_send_frame(&client, 0x88, PR_STR("\x03\xe9reload"));
    assert_true(client_ends(&client));
    assert_memory_equal(pr_buf_data(client.in), "\x88\x08\x03\xe9reload", 10);
    assert_true(front_waits(front, &ws->closed, 1));
    assert_int_equal(ws->code, 1001);
    assert_false(ws->by_us);
    client_close(&client);

    client = front_upgrade(front, &ws);
    client_send_frame(&client, 0x88, (pr_str_t) {"", 0});
    assert_true(client_ends(&client));
    assert_true(front_waits(front, &ws->closed, 1));
    assert_int_equal(ws->code, 1005);
    client_close(&client);
    front_destroy(&front);
}

static void
we_close_behind_what_must_be_sent(void **state)
{
    front_t *front = front_new_for(state);
    front_ws_t *ws = NULL;
    client_t client = front_upgrade(front, &ws);
    s_send_text(ws, "one");
    s_send_text(ws, "two");
    gw_socket_close(ws->socket, 1001, "bye");
    pr_buf_t *frame = gw_frame_text(PR_STR("late"));
    assert_int_equal(gw_socket_send_must(ws->socket, frame), PR_E_CLOSED);
    assert_int_equal(gw_socket_send(ws->socket, frame), PR_E_CLOSED);
    pr_buf_destroy(&frame);
    assert_true(client_gets(&client, 17));
    assert_memory_equal(pr_buf_data(client.in),
                        "\x81\x03one\x81\x03two\x88\x05\x03\xe9"
                        "bye",
                        17);
    assert_int_equal(ws->closed, 0);
    client_send_frame(&client, 0x88, PR_STR("\x03\xe9"));
    assert_true(client_ends(&client));
    assert_true(front_waits(front, &ws->closed, 1));
    assert_int_equal(ws->code, 1001);
    assert_true(ws->by_us);
    client_close(&client);
    front_destroy(&front);
}

/* A peer that does not answer our close frame, and one that we cut. */
static void
an_end_always_comes(void **state)
{
    front_t *front = front_new_for(state);
    front_ws_t *closing = NULL;
    front_ws_t *killed = NULL;
    client_t first = front_upgrade(front, &closing);
    client_t second = front_upgrade(front, &killed);
    gw_socket_close(closing->socket, 0, NULL);
    gw_socket_kill(killed->socket);
    assert_int_equal(killed->closed, 0);
    assert_true(front_waits(front, &killed->closed, 1));
    assert_int_equal(killed->code, 1006);
    assert_true(killed->by_us);
    assert_true(client_ends_within(&first, PR_CLOSING_MS + 2000));
    assert_memory_equal(pr_buf_data(first.in), "\x88\x00", 2);
    assert_true(front_waits(front, &closing->closed, 1));
    assert_int_equal(closing->code, 1005);
    client_close(&first);
    client_close(&second);
    front_destroy(&front);
}

static void
a_message_must_come_in_time(void **state)
{
    front_t *front = front_new_for(state);
    front_ws_t *ws = NULL;
    client_t client = front_upgrade(front, &ws);
    client_send_frame(&client, 0x01, PR_STR("begun"));
    assert_true(client_ends_within(&client, PR_CLIENT_MESSAGE_MS + PR_CLOSING_MS + 3000));
    assert_memory_equal(pr_buf_data(client.in) + 2, "\x03\xf0", 2); /* 1008 */
    assert_true(front_waits(front, &ws->closed, 1));
    client_close(&client);
    front_destroy(&front);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(upgrades_only_what_it_should),
        BOTH(gathers_messages),
        BOTH(bad_messages_end_the_socket),
        BOTH(who_breaks_a_rule_need_not_agree),
        BOTH(a_huge_claim_ends_the_socket),
        BOTH(outlives_garbage),
        BOTH(the_client_closes),
        BOTH(we_close_behind_what_must_be_sent),
        BOTH(an_end_always_comes),
        cmocka_unit_test(a_message_must_come_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
