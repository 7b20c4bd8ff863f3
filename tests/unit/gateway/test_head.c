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

static void
gives_up_on_slow_headers_and_bodies(void **state)
{
    (void) state;
    front_t *front = front_new();
    client_t head = front_connect(front);
    client_t body = front_connect(front);
    client_t silent = front_connect(front);
    client_t second = front_connect(front);
    client_t idle = front_connect(front);
    client_t gone = front_connect(front);
    client_send(&head, "GET /a HTTP/1.1\r\nHost");
    client_send(&gone, "GET /a HTTP/1.1\r\nHost");
    client_send(&second, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(client_sees(&second, "GET /b "));
    client_send(&second, "GET /c HTTP/1.1\r\n");
    client_send(&idle, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(client_sees(&idle, "GET /b "));
    client_close(&gone);
    client_send(&body, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe");
    assert_true(client_ends_within(&head, PR_HEADER_MS + 3000));
    assert_true(client_ends_within(&silent, PR_HEADER_MS + 3000));
    assert_true(client_ends_within(&body, PR_CLIENT_MESSAGE_MS + 3000));
    assert_true(client_ends(&second));
    assert_true(client_ends(&idle));
    assert_int_equal(front->requests, 2);
    const gw_http_counters_t *counters = gw_http_counters(front->http);
    assert_int_equal(counters->late_heads, 3);
    assert_int_equal(counters->large_heads, 0);
    client_close(&head);
    client_close(&second);
    client_close(&idle);
    client_close(&body);
    client_close(&silent);
    front_destroy(&front);
}

static void
a_large_head_ends_the_connection(void **state)
{
    (void) state;
    front_t *front = front_new();
    static char s_head[PR_HEADER_BYTES_MAX + 200];
    const size_t sizes[] = {sizeof s_head - 60, PR_HEADER_BYTES_MAX / 2, sizeof s_head - 60};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        (void) snprintf(s_head, sizeof s_head, "GET /a HTTP/1.1\r\n%s: %0*d\r\n\r\n",
                        i == 2 ? "Origin" : "X-Else", (int) sizes[i], 1);
        client_t client = front_connect(front);
        client_send(&client, s_head);
        assert_true(i == 1 ? client_sees(&client, "GET /a ") : client_ends(&client));
        client_close(&client);
    }
    assert_int_equal(front->requests, 1);
    assert_int_equal(gw_http_counters(front->http)->large_heads, 2);
    assert_int_equal(gw_http_counters(front->http)->late_heads, 0);
    front_destroy(&front);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nul_in_a_head_is_refused),
        cmocka_unit_test(a_large_head_ends_the_connection),
        cmocka_unit_test(gives_up_on_slow_headers_and_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
