/* SPDX-License-Identifier: MIT */

/* Heads of requests that are refused for what they are, or for how they come. */

#include "client.h"

static void
a_nul_in_a_head_is_refused(void **state)
{
    (void) state;
    static const struct {
        const char *bytes;
        size_t len;
    } inputs[] = {
#define HEAD(text) {(text), sizeof(text) - 1}
        HEAD("GET /a HTTP/1.1\r\nHost: a\0b\r\n\r\n"),
        HEAD("GET /a HTTP/1.1\r\nHost: h\r\nX-Else: a\0b\r\n\r\n"),
        HEAD("GET /a HTTP/1.1\r\nHost: h\r\nToken: \0\r\n\r\n"),
        HEAD("POST /a HTTP/1.1\r\nHost: h\0\r\nContent-Length: 2\r\n\r\n{}"),
        HEAD("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nX-Else: \0\r\n" UPGRADE_HEAD
             "\r\n"),
#undef HEAD
    };
    front_t *front = front_new();
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        client_t client = front_connect(front);
        client_send_bytes(&client, inputs[i].bytes, inputs[i].len);
        assert_true(client_sees(&client, "400 Bad Request"));
        assert_true(client_ends(&client));
        client_close(&client);
    }
    assert_int_equal(front->requests, 0);
    assert_int_equal(front->socket_count, 0);
    assert_int_equal(gw_http_counters(front->http)->bad_heads, 4);
    /* A body may have any bytes, and the head behind it is looked at again. */
    client_t client = front_connect(front);
    client_send(&client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\n");
    client_send_bytes(&client, "a\r\n\r\n\0b", 7);
    assert_true(client_sees(&client, "POST /a "));
    client_forget(&client);
    static const char s_next[] = "GET /b HTTP/1.1\r\nHost: \0\r\n\r\n";
    client_send_bytes(&client, s_next, sizeof s_next - 1);
    assert_true(client_sees(&client, "400 Bad Request"));
    assert_int_equal(front->requests, 1);
    client_close(&client);
    front_destroy(&front);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nul_in_a_head_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
