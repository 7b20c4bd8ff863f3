/* SPDX-License-Identifier: MIT */

#include <netinet/tcp.h>
#include <time.h>

#include "tests/unit/gateway/client.h"

static void
keeps_a_connection_for_the_next_request(void **state)
{
    (void) state;
    front_t *front = front_new();
    client_t client = front_connect(front);
    client_send(&client, "GET /a?x=1&q=two HTTP/1.1\r\nHost: h\r\nToken: abc\r\n\r\n");
    assert_true(client_sees(&client, "GET /a token=abc type= q=two body="));
    assert_non_null(strstr(client_text(&client), "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(client_text(&client), "Connection: keep-alive\r\n"));
    assert_non_null(strstr(client_text(&client), "Vary: Origin\r\n"));
    client_forget(&client);
    client_send(&client, "POST /b HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                         "Content-Length: 5\r\n\r\nhe");
    client_send(&client, "llo");
    assert_true(client_sees(&client, "POST /b token= type=application/json q= body=hello"));
    client_forget(&client);
    client_send(&client, "POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    assert_true(client_sees(&client, "POST /c token= type= q= body="));
    assert_int_equal(front->requests, 3);
    client_close(&client);
    front_destroy(&front);
}

/* libwebsockets would never come back from some of these. */
static void
outlives_requests_that_do_not_wait_for_answers(void **state)
{
    (void) state;
    static const char *const inputs[] = {
        "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
        "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
        "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
        "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
        "POST /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
        "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
        "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabc",
        "GET /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na"
        "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nab",
        "POST /1 HTTP/1.1\r\nHost: h\r\n\r\n"
        "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nab",
    };
    front_t *front = front_new();
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        client_t client = front_connect(front);
        client_send(&client, inputs[i]);
        assert_true(client_gets(&client, 9));
        assert_memory_equal(client_text(&client), "HTTP/1.1 ", 9);
        client_close(&client);
    }
    /* Behind a refused body, which is read to its end first. */
    static char body[200000];
    memset(body, 'x', sizeof body);
    (void) memcpy(body + 150000, "POST /2 HTTP/1.1\r\nContent-Length: 9\r\n\r\n", 40);
    client_t client = front_connect(front);
    client_send(&client, "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 150000\r\n\r\n");
    client_send_bytes(&client, body, sizeof body);
    assert_true(client_ends(&client));
    client_close(&client);
    front_destroy(&front);
}

static void
closes_when_the_client_wants_that(void **state)
{
    (void) state;
    front_t *front = front_new();
    client_t client = front_connect(front);
    client_send(&client, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_true(client_ends(&client));
    assert_non_null(strstr(client_text(&client), "Connection: close\r\n"));
    assert_non_null(strstr(client_text(&client), "GET /a "));
    client_close(&client);
    client = front_connect(front);
    client_send(&client, "GET /a HTTP/1.0\r\n\r\n");
    assert_true(client_ends(&client));
    assert_non_null(strstr(client_text(&client), "GET /a "));
    client_close(&client);
    front_destroy(&front);
}

static void
answers_head_without_the_body(void **state)
{
    (void) state;
    front_t *front = front_new();
    client_t client = front_connect(front);
    client_send(&client, "HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_true(client_ends(&client));
    assert_non_null(strstr(client_text(&client), "Content-Length: 28\r\n"));
    assert_null(strstr(client_text(&client), "body="));
    client_close(&client);
    front_destroy(&front);
}

static void
refuses_bodies_without_length_or_too_large(void **state)
{
    (void) state;
    front_t *front = front_new();
    client_t client = front_connect(front);
    client_send(&client, "POST /a HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(client_sees(&client, "{\"statusCode\":411,\"message\":\"Length Required\"}"));
    assert_true(client_ends(&client));
    client_close(&client);

    client = front_connect(front);
    client_send(&client, "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "5\r\nhello\r\n0\r\n\r\n");
    assert_true(client_sees(&client, "411 Length Required"));
    assert_true(client_ends(&client));
    client_close(&client);

    client = front_connect(front);
    client_send(&client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n\r\n");
    assert_true(client_sees(&client, "400 Bad Request"));
    assert_true(client_ends(&client));
    client_close(&client);

    /* Just over the bound: the connection goes on behind it. */
    client = front_connect(front);
    static char body[PR_BODY_BYTES_MAX + 1];
    memset(body, 'x', sizeof body);
    client_send(&client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 102401\r\n\r\n");
    client_send_bytes(&client, body, sizeof body);
    assert_true(
        client_sees(&client, "{\"statusCode\":413,\"message\":\"request entity too large\"}"));
    client_forget(&client);
    client_send(&client, "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 102400\r\n\r\n");
    client_send_bytes(&client, body, sizeof body - 1);
    assert_true(client_sees(&client, "POST /b "));
    assert_int_equal(front->requests, 1);
    client_close(&client);

    /* Far over it: refused before it has come. */
    client = front_connect(front);
    client_send(&client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\nxx");
    assert_true(client_sees(&client, "413 Payload Too Large"));
    assert_true(client_ends(&client));
    client_close(&client);
    front_destroy(&front);
}

static void
outlives_garbage(void **state)
{
    (void) state;
    static char junk[8192];
    for (size_t i = 0; i < sizeof junk; i++) {
        junk[i] = (char) (i * 2654435761U >> 13);
    }
    static char header[6000];
    (void) snprintf(header, sizeof header, "GET / HTTP/1.1\r\nX: %05000d\r\n\r\n", 1);
    const struct {
        const char *bytes;
        size_t len;
    } inputs[] = {
        {junk, sizeof junk},
        {header, strlen(header)},
        {"\r\n\r\n\r\n", 6},
        {"FOO / HTTP/1.1\r\n\r\n", 18},
        {"GET http://x/ HTTP/1.1\r\n\r\n", 26},
        {"GET /%zz%00 HTTP/1.1\r\nHost: h\r\n\r\n", 34},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24},
        {"CONNECT x:1 HTTP/1.1\r\nHost: h\r\n\r\n", 34},
        {"GET / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 60},
        {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11},
    };
    front_t *front = front_new();
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        client_t client = front_connect(front);
        client_send_bytes(&client, inputs[i].bytes, inputs[i].len);
        (void) shutdown(client.fd, SHUT_WR);
        assert_true(client_ends(&client));
        client_close(&client);
    }
    client_t client = front_connect(front);
    client_send(&client, "GET /alive HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(client_sees(&client, "GET /alive "));
    client_close(&client);
    front_destroy(&front);
}

/* libwebsockets 4.1 goes on in freed headers here, unless it is stopped. */
static void
an_unknown_upgrade_ends_the_connection(void **state)
{
    (void) state;
    front_t *front = front_new();
    client_t client = front_connect(front);
    client_send(&client, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(client_sees(&client, "GET /a "));
    client_send(&client,
                "GET /b HTTP/1.1\r\nHost: h\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\n");
    assert_true(client_ends(&client));
    assert_int_equal(front->requests, 1);
    client_close(&client);
    front_destroy(&front);
}

static void
an_offer_of_http2_is_ignored(void **state)
{
    (void) state;
    front_t *front = front_new();
    client_t client = front_connect(front);
    client_send(&client, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                         "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
    assert_true(client_sees(&client, "GET /a "));
    client_close(&client);
    front_destroy(&front);
}

static void
a_request_may_wait(void **state)
{
    (void) state;
    static const char *const inputs[] = {
        "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /wait HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab",
    };
    front_t *front = front_new();
    client_t client = front_connect(front);
    for (int i = 0; i < 4; i++) {
        client_send(&client, inputs[i % 2]);
        assert_true(front_waits(front, &front->requests, 2 * i + 1));
        assert_non_null(front->pending);
        gw_http_respond_error(front->pending, 503, "later", NULL, "Retry-After: 1\r\n");
        front->pending = NULL;
        assert_true(client_sees(&client, "{\"statusCode\":503,\"message\":\"later\"}"));
        assert_non_null(strstr(client_text(&client), "Retry-After: 1\r\n"));
        client_forget(&client);
        client_send(&client, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_true(client_sees(&client, "GET /next "));
        client_forget(&client);
    }
    client_close(&client);
    front_destroy(&front);
}

static bool
s_has_pending(void *arg)
{
    const front_t *front = arg;
    return front->pending != NULL;
}

static bool
s_is_served_or_over(void *arg)
{
    client_t *client = arg;
    return client_has(client) || client->ended;
}

/* The next one is served then, or the connection ends. */
static void
a_request_may_wait_with_bytes_behind_it(void **state)
{
    (void) state;
    static const char *const inputs[] = {
        "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /wait HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab",
    };
    static const char next[] = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
    front_t *front = front_new();
    for (int i = 0; i < 4; i++) {
        client_t client = front_connect(front);
        char text[256];
        (void) snprintf(text, sizeof text, "%s%s", inputs[i % 2], i < 2 ? next : "");
        front->pending = NULL;
        client_send(&client, text);
        assert_true(pr_loop_run_until(front->loop, s_has_pending, front, FRONT_WAIT_MS));
        client_send(&client, next);
        gw_http_respond_error(front->pending, 503, "later", NULL, NULL);
        front->pending = NULL;
        assert_true(client_sees(&client, "{\"statusCode\":503,\"message\":\"later\"}"));
        client.until = "GET /next ";
        assert_true(pr_loop_run_until(front->loop, s_is_served_or_over, &client, FRONT_WAIT_MS));
        client_close(&client);
    }
    front_destroy(&front);
}

/* While a request waits, bytes behind it and the end of the connection must not keep the loop
 * busy. */
static void
the_loop_sleeps_while_a_request_waits(void **state)
{
    (void) state;
    front_t *front = front_new();
    client_t first = front_connect(front);
    client_t second = front_connect(front);
    client_send(&first, "POST /wait HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
                        "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    client_send(&second, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(front_waits(front, &front->requests, 2));
    (void) shutdown(second.fd, SHUT_WR);
    int never = 0;
    front_wait_t wait = {&never, 1};
    clock_t before = clock();
    (void) pr_loop_run_until(front->loop, front_has_counted, &wait, 500);
    /* No turns are counted: libwebsockets 4.3 turns for the last millisecond before a timer. */
    assert_true(clock() - before < CLOCKS_PER_SEC / 20);
    client_close(&first);
    client_close(&second);
    front_destroy(&front);
}

static void
an_answer_to_a_client_that_went_is_lost(void **state)
{
    (void) state;
    front_t *front = front_new();
    client_t client = front_connect(front);
    client_send(&client, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(front_waits(front, &front->requests, 1));
    client_close(&client);
    gw_http_respond_json(front->pending, 200, PR_STR("{}"), NULL);
    front->pending = NULL;
    client = front_connect(front);
    client_send(&client, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(front_waits(front, &front->requests, 2));
    assert_non_null(front->pending);
    client_close(&client);
    front_destroy(&front);
}

static void
waiting_requests_are_cancelled_at_the_end(void **state)
{
    (void) state;
    front_t *front = front_new();
    client_t client = front_connect(front);
    client_send(&client, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(front_waits(front, &front->requests, 1));
    gw_accept_destroy(&front->accept);
    gw_http_destroy(&front->http);
    assert_int_equal(front->cancelled, 1);
    client_close(&client);
    front_destroy(&front);
}

static void
sends_a_large_answer(void **state)
{
    (void) state;
    front_t *front = front_new();
    client_t client = front_connect(front);
    client_send(&client, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(client_ends(&client));
    assert_non_null(strstr(client_text(&client), "Connection: close\r\n"));
    assert_true(pr_buf_len(client.in) > 3 << 20);
    client_close(&client);
    front_destroy(&front);
}

static void
tells_allowed_pages_so(void **state)
{
    (void) state;
    front_t *front = front_new();
    client_t client = front_connect(front);
    client_send(&client, "GET /a HTTP/1.1\r\nHost: h\r\nOrigin: http://localhost:8080\r\n\r\n");
    assert_true(client_sees(&client, "GET /a "));
    assert_non_null(
        strstr(client_text(&client), "Access-Control-Allow-Origin: http://localhost:8080\r\n"));
    client_forget(&client);
    client_send(&client, "GET /b HTTP/1.1\r\nHost: h\r\nOrigin: http://foe.example\r\n\r\n");
    assert_true(client_sees(&client, "GET /b "));
    assert_null(strstr(client_text(&client), "Access-Control-Allow-Origin"));
    client_forget(&client);
    client_send(&client, "OPTIONS /polls HTTP/1.1\r\nHost: h\r\nOrigin: http://localhost:8080\r\n"
                         "Access-Control-Request-Method: POST\r\n"
                         "Access-Control-Request-Headers: content-type\r\n\r\n");
    assert_true(client_sees(&client, "\r\n\r\n"));
    const char *text = client_text(&client);
    assert_memory_equal(text, "HTTP/1.1 204 No Content\r\n", 25);
    assert_non_null(strstr(text, "Content-Length: 0\r\n"));
    assert_non_null(
        strstr(text, "Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n"));
    assert_non_null(strstr(text, "Access-Control-Allow-Headers: content-type\r\n"));
    assert_non_null(strstr(text, "Access-Control-Allow-Origin: http://localhost:8080\r\n"));
    client_close(&client);
    front_destroy(&front);
}

static void
takes_no_more_than_the_limit(void **state)
{
    (void) state;
    front_t *front = front_new_with((front_settings_t) {.mode = GW_WRITE_DIRECT, .sockets_max = 2});
    client_t first = front_connect(front);
    client_t second = front_connect(front);
    client_t third = front_connect(front);
    client_send(&first, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
    client_send(&second, "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    client_send(&third, "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(client_sees(&first, "GET /1 "));
    assert_true(client_sees(&second, "GET /2 "));
    assert_int_equal(gw_http_counters(front->http)->connections, 2);
    assert_true(gw_accept_counters(front->accept)->paused > 0);
    client_close(&first);
    assert_true(client_sees(&third, "GET /3 "));
    client_close(&second);
    client_close(&third);
    front_destroy(&front);
}

static void
every_connection_inherits_the_options(void **state)
{
    (void) state;
    front_t *front = front_new();
    front_ws_t *ws = NULL;
    client_t client = front_upgrade(front, &ws);
    int value = 0;
    socklen_t len = sizeof value;
    assert_int_equal(getsockopt(ws->socket->fd, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
    assert_int_equal(value, 1);
    assert_int_equal(getsockopt(ws->socket->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &value, &len), 0);
    assert_int_equal(value, PR_SOCKET_UNSENT_BYTES);
    client_close(&client);
    front_destroy(&front);
}

static void
an_address_has_its_rate(void **state)
{
    (void) state;
    front_t *front = front_new_with((front_settings_t) {.mode = GW_WRITE_DIRECT, .burst = 3});
    client_t clients[4];
    for (size_t i = 0; i < 4; i++) {
        clients[i] = front_connect(front);
    }
    assert_true(client_ends(&clients[3]));
    assert_int_equal(gw_accept_counters(front->accept)->refused_rate, 1);
    client_send(&clients[0], "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(client_sees(&clients[0], "GET /1 "));
    for (size_t i = 0; i < 4; i++) {
        client_close(&clients[i]);
    }
    front_destroy(&front);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_a_connection_for_the_next_request),
        cmocka_unit_test(outlives_requests_that_do_not_wait_for_answers),
        cmocka_unit_test(closes_when_the_client_wants_that),
        cmocka_unit_test(answers_head_without_the_body),
        cmocka_unit_test(refuses_bodies_without_length_or_too_large),
        cmocka_unit_test(outlives_garbage),
        cmocka_unit_test(an_unknown_upgrade_ends_the_connection),
        cmocka_unit_test(an_offer_of_http2_is_ignored),
        cmocka_unit_test(a_request_may_wait),
        cmocka_unit_test(a_request_may_wait_with_bytes_behind_it),
        cmocka_unit_test(the_loop_sleeps_while_a_request_waits),
        cmocka_unit_test(an_answer_to_a_client_that_went_is_lost),
        cmocka_unit_test(waiting_requests_are_cancelled_at_the_end),
        cmocka_unit_test(sends_a_large_answer),
        cmocka_unit_test(tells_allowed_pages_so),
        cmocka_unit_test(takes_no_more_than_the_limit),
        cmocka_unit_test(every_connection_inherits_the_options),
        cmocka_unit_test(an_address_has_its_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
