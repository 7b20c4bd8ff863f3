/* SPDX-License-Identifier: MIT */

/* A gateway's sockets before the join: a part of all, the oldest makes room for a new one. */

#include "client.h"
#include "gateway/strangers.h"

enum { LIMIT = PR_STRANGERS_MIN };

/* A front that may have as many strangers as is the least. */
static front_t *
s_front(void)
{
    return front_new_with((front_settings_t) {
        .mode = GW_WRITE_DIRECT,
        .sockets_max = (int64_t) PR_STRANGERS_PART * LIMIT,
    });
}

typedef struct {
    front_t *front;
    size_t want;
} count_t;

static bool
s_has_strangers(void *arg)
{
    const count_t *wait = arg;
    return gw_http_strangers(wait->front->http)->count == wait->want;
}

static bool
s_come_to(front_t *front, size_t want)
{
    count_t wait = {front, want};
    return pr_loop_run_until(front->loop, s_has_strangers, &wait, FRONT_WAIT_MS);
}

static void
s_connect(front_t *front, client_t *clients, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        clients[i] = front_connect(front);
    }
}

static void
s_close(client_t *clients, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        client_close(&clients[i]);
    }
}

static bool
s_ask(client_t *client, const char *path)
{
    char text[128];
    (void) snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path);
    client_forget(client);
    client_send(client, text);
    (void) snprintf(text, sizeof text, "GET %s ", path);
    return client_sees(client, text);
}

static void
the_oldest_makes_room_when_it_had_its_time(void **state)
{
    (void) state;
    front_t *front = s_front();
    client_t strangers[LIMIT];
    int64_t begun_ms = pr_loop_now_ms(front->loop);
    s_connect(front, strangers, LIMIT);
    assert_true(s_come_to(front, LIMIT));
    client_t late = front_connect(front);
    bool is_early = pr_clock_mono_ms() - begun_ms < PR_STRANGER_MS / 2;
    assert_true(s_ask(&late, "/late"));
    assert_true(pr_loop_now_ms(front->loop) - begun_ms >= PR_STRANGER_MS);
    const gw_accept_counters_t *counters = gw_accept_counters(front->accept);
    assert_true(counters->strangers_paused > 0 || !is_early);
    assert_int_equal(counters->strangers_evicted, 1);
    assert_int_equal(counters->paused, 0);
    assert_true(client_ends(&strangers[0]));
    client_read(&strangers[1]);
    assert_false(strangers[1].ended);
    assert_int_equal(gw_http_counters(front->http)->connections, LIMIT);
    s_close(strangers, LIMIT);
    client_close(&late);
    assert_true(s_come_to(front, 0));
    front_destroy(&front);
}

static void
a_join_makes_room_at_once(void **state)
{
    (void) state;
    front_t *front = s_front();
    front_ws_t *ws = NULL;
    client_t strangers[LIMIT - 1];
    client_t joined = front_upgrade(front, &ws);
    assert_true(s_come_to(front, 1));
    s_connect(front, strangers, LIMIT - 1);
    assert_true(s_come_to(front, LIMIT));
    client_t late = front_connect(front);
    client_send(&late, "GET /late HTTP/1.1\r\nHost: h\r\n\r\n");
    gw_socket_set_message_max(ws->socket, PR_CLIENT_MESSAGE_BYTES_MAX);
    assert_int_equal(gw_http_strangers(front->http)->count, LIMIT - 1);
    assert_true(client_sees(&late, "GET /late "));
    /* Everyone older than its time may go now, but who has joined. */
    client_t more[LIMIT];
    s_connect(front, more, LIMIT);
    assert_true(s_ask(&more[LIMIT - 1], "/more"));
    assert_int_equal(gw_accept_counters(front->accept)->strangers_evicted, LIMIT);
    client_read(&joined);
    assert_false(joined.ended);
    assert_int_equal(ws->closed, 0);
    s_close(more, LIMIT);
    s_close(strangers, LIMIT - 1);
    client_close(&late);
    client_close(&joined);
    front_destroy(&front);
}

static void
a_request_of_one_who_joined_is_no_strangers(void **state)
{
    (void) state;
    front_t *front = s_front();
    client_t client = front_connect(front);
    assert_true(s_ask(&client, "/a"));
    assert_true(s_come_to(front, 1));
    client_send(&client, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(front_waits(front, &front->requests, 2));
    gw_request_know(front->pending);
    assert_int_equal(gw_http_strangers(front->http)->count, 0);
    gw_http_respond_json(front->pending, 200, PR_STR("\"waited\""), NULL);
    front->pending = NULL;
    assert_true(client_sees(&client, "waited"));
    /* It may idle: it is still known. */
    assert_int_equal(gw_http_strangers(front->http)->count, 0);
    assert_true(s_ask(&client, "/b"));
    assert_int_equal(gw_http_strangers(front->http)->count, 1);
    client_close(&client);
    assert_true(s_come_to(front, 0));
    front_destroy(&front);
}

static void
a_waiting_stranger_is_told_by_the_end(void **state)
{
    (void) state;
    front_t *front = s_front();
    client_t waiting = front_connect(front);
    client_send(&waiting, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(front_waits(front, &front->requests, 1));
    front_ws_t *ws = NULL;
    client_t upgraded = front_upgrade(front, &ws);
    assert_true(s_come_to(front, 2));
    gw_strangers_t *strangers = gw_http_strangers(front->http);
    assert_true(gw_strangers_evict(strangers));
    assert_true(gw_strangers_evict(strangers));
    assert_false(gw_strangers_evict(strangers));
    assert_true(client_ends(&waiting));
    assert_true(client_ends(&upgraded));
    assert_true(front_waits(front, &front->cancelled, 1));
    assert_true(front_waits(front, &ws->closed, 1));
    assert_int_equal(strangers->count, 0);
    client_close(&waiting);
    client_close(&upgraded);
    front_destroy(&front);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_makes_room_when_it_had_its_time),
        cmocka_unit_test(a_join_makes_room_at_once),
        cmocka_unit_test(a_request_of_one_who_joined_is_no_strangers),
        cmocka_unit_test(a_waiting_stranger_is_told_by_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
