/* SPDX-License-Identifier: MIT */

/* The REST routes on the wire, with actors made of one function. */

#include <unistd.h>

#include "gateway/rest.h"
#include "proto/wire/error.h"
#include "proto/wire/json.h"
#include "tests/unit/gateway/client.h"

#define DOCUMENT                                                                                   \
    "\"id\":\"ABC123\",\"topic\":\"Lunch\",\"votesPerVoter\":3,\"participants\":{},"               \
    "\"nominations\":{},\"rankings\":{},\"results\":[],"                                           \
    "\"adminID\":\"Uabcdefghijklmnop_-12\",\"hasStarted\":false"

/* --- actors --- */

typedef struct {
    const char *codes[8]; /* of the next replies; NULL: no reply, `error` */
    int error;
    int asked;
    int refuse; /* gw_hosts_request answers so */
    pr_event_t event;
    char poll[16];
    char user[32];
    char nonce[32];
    char ballots[8];
    char topic[32];
    bool removed;
    bool hold;
    gw_reply_t done;
    void *arg;
    int cancelled;
} actors_t;

static actors_t s_actors;

static void
s_copy(char *out, size_t size, pr_str_t text)
{
    (void) snprintf(out, size, "%.*s", PR_STR_ARG(text));
}

static void
s_reply(void)
{
    actors_t *self = &s_actors;
    const char *code = self->codes[self->asked - 1];
    gw_reply_t done = self->done;
    self->done = NULL;
    if (!code) {
        done(self->arg, NULL, self->error);
        return;
    }
    pr_buf_t *json = pr_buf_new(0);
    pr_buf_append_fmt(json,
                      "{\"removed\":%s,\"document\":{" DOCUMENT
                      ",\"version\":7,\"rev\":\"7-00000000000000aa\",\"state\":\"open\","
                      "\"endsAt\":%lld}}",
                      self->removed ? "true" : "false", 4102444800000LL);
    pr_buf_t *packed = pr_buf_new(0);
    assert_int_equal(pr_json_to_msgpack(pr_buf_str(json), packed), 0);
    pr_unpacked_t *memory = pr_unpacked_new();
    const msgpack_object *data = NULL;
    assert_int_equal(pr_value_unpack(pr_buf_str(packed), memory, &data), 0);
    pr_msg_reply_t reply = pr_event(PR_MSG_REPLY, PR_STR("")).reply;
    reply.code = pr_str(code);
    reply.outcome = PR_STR("none");
    if (strcmp(code, "ok") == 0) {
        reply.data.object = data;
    }
    done(self->arg, &reply, 0);
    pr_unpacked_destroy(&memory);
    pr_buf_destroy(&packed);
    pr_buf_destroy(&json);
}

int
gw_hosts_request(
    gw_hosts_t *self, const pr_event_t *event, gw_reply_t done, void *arg, int64_t *handle)
{
    (void) self;
    if (s_actors.refuse) {
        return s_actors.refuse;
    }
    s_actors.asked++;
    s_actors.event = *event;
    s_copy(s_actors.poll, sizeof s_actors.poll, event->poll);
    if (event->type == PR_MSG_CREATE) {
        s_copy(s_actors.user, sizeof s_actors.user, event->create.admin);
        s_copy(s_actors.nonce, sizeof s_actors.nonce, event->create.nonce);
        s_copy(s_actors.ballots, sizeof s_actors.ballots, event->create.ballots);
        s_copy(s_actors.topic, sizeof s_actors.topic, event->create.topic);
    } else {
        s_copy(s_actors.user, sizeof s_actors.user, event->read.user);
    }
    s_actors.done = done;
    s_actors.arg = arg;
    *handle = 77;
    return 0;
}

void
gw_hosts_cancel(gw_hosts_t *self, int64_t handle)
{
    (void) self;
    assert_int_equal(handle, 77);
    s_actors.done = NULL;
    s_actors.cancelled++;
}

static bool
s_turn(void *arg)
{
    (void) arg;
    while (s_actors.done && !s_actors.hold) {
        s_reply();
    }
    return false;
}

/* --- the gateway --- */

typedef struct {
    front_t *front;
    gw_token_keys_t *keys;
    gw_rest_t *rest;
    client_t client;
    const char *unready;
} rig_t;

static rig_t *s_rig;

static void
s_request(front_t *front, gw_request_t *request)
{
    (void) front;
    gw_rest_request(s_rig->rest, request);
}

static const char *
s_unready(void *arg)
{
    const rig_t *rig = arg;
    return rig->unready;
}

static int
s_setup(void **state)
{
    char path[] = "/tmp/rest-key-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "key", 3), 3);
    (void) close(fd);
    memset(&s_actors, 0, sizeof s_actors);
    s_actors.codes[0] = "ok";
    rig_t *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    s_rig = rig;
    rig->front = front_new();
    rig->front->request = s_request;
    rig->keys = gw_token_keys_load(path);
    (void) unlink(path);
    gw_rest_options_t options = {
        .loop = rig->front->loop,
        .hosts = (gw_hosts_t *) rig, /* only passed on */
        .limit = rig->front->limit,
        .keys = rig->keys,
        .poll_duration_s = 7200,
        .unready = s_unready,
        .arg = rig,
    };
    rig->rest = gw_rest_new(&options);
    rig->client = front_connect(rig->front);
    pr_loop_on_turn(rig->front->loop, PR_TURN_RECEIVE, s_turn, NULL);
    *state = rig;
    return 0;
}

static int
s_teardown(void **state)
{
    rig_t *rig = *state;
    pr_loop_off_turn(rig->front->loop, s_turn, NULL);
    client_close(&rig->client);
    front_destroy(&rig->front);
    assert_int_equal(gw_rest_counters(rig->rest)->waiting, 0);
    gw_rest_destroy(&rig->rest);
    gw_token_keys_destroy(&rig->keys);
    free(rig);
    return 0;
}

/* Sends a request and returns the whole answer. */
static const char *
s_ask(rig_t *rig, const char *line, const char *headers, const char *body)
{
    char request[4096];
    (void) snprintf(request, sizeof request,
                    "%s HTTP/1.1\r\nHost: h\r\n%sContent-Type: application/json\r\n"
                    "Content-Length: %zu\r\n\r\n%s",
                    line, headers, strlen(body), body);
    client_forget(&rig->client);
    client_send(&rig->client, request);
    assert_true(client_sees(&rig->client, "\r\n\r\n"));
    const char *length = strstr(client_text(&rig->client), "Content-Length: ");
    assert_non_null(length);
    size_t len = (size_t) strtoul(length + 16, NULL, 10);
    const char *end = strstr(client_text(&rig->client), "\r\n\r\n") + 4;
    assert_true(client_gets(&rig->client, (size_t) (end - client_text(&rig->client)) + len));
    return client_text(&rig->client);
}

static const char *
s_post(rig_t *rig, const char *path, const char *body)
{
    char line[100];
    (void) snprintf(line, sizeof line, "POST %s", path);
    return s_ask(rig, line, "", body);
}

static void
s_expect(const char *answer, int status, const char *body)
{
    char head[32];
    (void) snprintf(head, sizeof head, "HTTP/1.1 %d ", status);
    if (strncmp(answer, head, strlen(head)) != 0 || !strstr(answer, body)) {
        fail_msg("wanted %d %s\ngot %s", status, body, answer);
    }
}

/* The token of an answer. */
static gw_token_t
s_token_of(rig_t *rig, const char *answer, char text[1024])
{
    static const char key[] = "\"accessToken\":\"";
    const char *at = strstr(answer, key);
    assert_non_null(at);
    at += sizeof key - 1;
    size_t len = strcspn(at, "\"");
    assert_true(len < 1024);
    memcpy(text, at, len);
    text[len] = '\0';
    gw_token_t token;
    assert_int_equal(gw_token_verify(rig->keys, pr_str(text), pr_clock_wall_ms() / 1000, &token),
                     0);
    return token;
}

#define CREATE_BODY "{\"topic\":\"Lunch\",\"votesPerVoter\":3,\"name\":\"Ann\"}"

static void
creates(void **state)
{
    rig_t *rig = *state;
    char text[1024];
    const char *answer = s_post(rig, "/polls", CREATE_BODY);
    s_expect(answer, 201, "{\"poll\":{" DOCUMENT);
    assert_non_null(strstr(answer, "Content-Type: application/json; charset=utf-8\r\n"));
    gw_token_t token = s_token_of(rig, answer, text);
    assert_string_equal(token.poll, s_actors.poll);
    assert_string_equal(token.user, s_actors.user);
    assert_int_equal(token.expires_s, 4102444800LL);
    assert_int_equal(s_actors.event.type, PR_MSG_CREATE);
    assert_string_equal(s_actors.topic, "Lunch");
    assert_int_equal(s_actors.event.create.votes, 3);
    assert_string_equal(s_actors.ballots, "");
    int64_t life_ms = s_actors.event.create.ends_at - pr_clock_wall_ms();
    assert_in_range(life_ms, 7190000, 7200000);
    assert_int_equal(strspn(s_actors.poll, "23456789ABCDEFGHJKMNPQRSTVWXYZ"), 6);
    s_actors.asked = 0;
    answer = s_post(rig, "/polls/",
                    "{\"topic\":\"t\",\"votesPerVoter\":1,\"name\":\"n\",\"ballots\":\"open\"}");
    s_expect(answer, 201, "{\"poll\":{" DOCUMENT);
    assert_string_equal(s_actors.ballots, "open");
}

static void
draws_another_id_five_times(void **state)
{
    rig_t *rig = *state;
    s_actors.codes[0] = "taken";
    s_actors.codes[1] = "taken";
    s_actors.codes[2] = "ok";
    s_expect(s_post(rig, "/polls", CREATE_BODY), 201, "{\"poll\":{");
    assert_int_equal(s_actors.asked, 3);
    s_actors.asked = 0;
    for (int i = 0; i < 8; i++) {
        s_actors.codes[i] = "taken";
    }
    const char *answer = s_post(rig, "/polls", CREATE_BODY);
    s_expect(answer, 503, "{\"statusCode\":503,\"message\":\"Service Unavailable\"}");
    assert_non_null(strstr(answer, "Retry-After: 1\r\n"));
    assert_int_equal(s_actors.asked, 5);
}

static void
validates(void **state)
{
    rig_t *rig = *state;
    s_expect(
        s_post(rig, "/polls", "{\"topic\":\"t\",\"votesPerVoter\":9,\"name\":\"n\"}"), 400,
        "\r\n\r\n{\"statusCode\":400,\"message\":[\"votesPerVoter must not be greater than 5\"],"
        "\"error\":\"Bad Request\"}");
    s_expect(s_post(rig, "/polls/join", "{\"pollID\":\"ABC123\"}"), 400,
             "\"message\":[\"name must be longer than or equal to 1 characters\",\"name must be a "
             "string\"]");
    s_expect(s_post(rig, "/polls", "{\"topic\":"), 400,
             "\"message\":\"Unexpected end of JSON input\"");
    s_expect(s_post(rig, "/polls", "\"\""), 400, "\"message\":\"Unexpected token");
    s_expect(s_post(rig, "/polls", ""), 400, "topic must be a string");
    s_expect(s_post(rig, "/polls", "{\"topic\":\"\xff\"}"), 400,
             "\"message\":\"Invalid UTF-8 in JSON\"");
    assert_int_equal(s_actors.asked, 0);
}

static void
joins_rejoins_and_reads(void **state)
{
    rig_t *rig = *state;
    char text[1024];
    char body[1200];
    char headers[1200];
    const char *answer = s_post(rig, "/polls/join", "{\"pollID\":\"ABC123\",\"name\":\"Bob\"}");
    s_expect(answer, 201, "{\"poll\":{" DOCUMENT);
    gw_token_t token = s_token_of(rig, answer, text);
    assert_string_equal(token.poll, "ABC123");
    assert_int_equal(s_actors.event.type, PR_MSG_READ);
    assert_string_equal(s_actors.user, "");

    s_actors.asked = 0;
    (void) snprintf(body, sizeof body, "{\"accessToken\":\"%s\"}", text);
    s_expect(s_post(rig, "/polls/rejoin", body), 201, "\r\n\r\n{" DOCUMENT ",\"version\":7");
    assert_string_equal(s_actors.user, token.user);

    s_actors.asked = 0;
    (void) snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", text);
    s_expect(s_ask(rig, "GET /polls/ABC123", headers, ""), 200, "\r\n\r\n{" DOCUMENT);
    s_actors.asked = 0;
    (void) snprintf(headers, sizeof headers, "token: %s\r\n", text);
    s_expect(s_ask(rig, "GET /polls/ABC123", headers, ""), 200, "\r\n\r\n{" DOCUMENT);

    /* Another poll's, a forged and no token. */
    static const char wrong[] = "\r\n\r\n{\"statusCode\":403,\"message\":\"Invalid authorization "
                                "token\",\"error\":\"Forbidden\"}";
    s_actors.asked = 0;
    s_expect(s_ask(rig, "GET /polls/ABC124", headers, ""), 403, wrong);
    s_expect(s_ask(rig, "GET /polls/ABC123", "token: a.b.c\r\n", ""), 403, wrong);
    s_expect(s_ask(rig, "GET /polls/ABC123", "", ""), 403, wrong);
    s_expect(s_post(rig, "/polls/rejoin", "{}"), 403, wrong);
    s_expect(s_post(rig, "/polls/rejoin", "{\"accessToken\":5}"), 403, wrong);
    assert_int_equal(s_actors.asked, 0);

    s_actors.removed = true;
    s_expect(s_post(rig, "/polls/rejoin", body), 403, "\"message\":\"Removed from the poll\"");
    s_actors.asked = 0;
    s_actors.codes[0] = "removed";
    s_expect(s_post(rig, "/polls/rejoin", body), 403, "\"message\":\"Removed from the poll\"");
}

static void
says_what_is_wrong(void **state)
{
    rig_t *rig = *state;
    static const char join[] = "{\"pollID\":\"ABC123\",\"name\":\"Bob\"}";
    s_actors.codes[0] = "not_found";
    s_expect(s_post(rig, "/polls/join", join), 404,
             "\r\n\r\n{\"statusCode\":404,\"message\":\"Poll not found\",\"error\":\"Not Found\"}");
    static const char *const codes[] = {"unavailable", "unknown", "busy", "nonsense"};
    for (size_t i = 0; i < 4; i++) {
        s_actors.asked = 0;
        s_actors.codes[0] = codes[i];
        s_expect(s_post(rig, "/polls/join", join), 503, "Retry-After: 1\r\n");
    }
    s_actors.asked = 0;
    s_actors.codes[0] = NULL;
    s_actors.error = PR_E_TIMEOUT;
    s_expect(s_post(rig, "/polls/join", join), 503, "Retry-After: 1\r\n");
    s_actors.refuse = PR_E_BUSY;
    s_expect(s_post(rig, "/polls/join", join), 503, "Retry-After: 1\r\n");
    s_expect(s_ask(rig, "GET /polls", "", ""), 404,
             "{\"statusCode\":404,\"message\":\"Cannot GET /polls\",\"error\":\"Not Found\"}");
    s_expect(s_ask(rig, "PUT /polls/join", "", ""), 404, "\"Cannot PUT /polls/join\"");
    s_expect(s_ask(rig, "GET /%22%ff%7f", "", ""), 404, "\"Cannot GET /\\\"%FF%7F\"");
    s_expect(s_ask(rig, "GET /healthz", "", ""), 200, "{\"status\":\"ok\"}");
    s_expect(s_ask(rig, "GET /readyz", "", ""), 200, "{\"status\":\"ready\"}");
    rig->unready = "no roster yet";
    s_expect(s_ask(rig, "GET /readyz", "", ""), 503, "\"message\":\"no roster yet\"");
}

static void
codes_can_not_be_guessed(void **state)
{
    rig_t *rig = *state;
    s_actors.codes[0] = "not_found";
    for (int i = 0; i < 30; i++) {
        s_actors.asked = 0;
        const char *body = i % 2 ? "{\"pollID\":\"ABC123\",\"name\":\"Bob\"}"
                                 : "{\"pollID\":\"abc123\",\"name\":\"Bob\"}";
        s_expect(s_post(rig, "/polls/join", body), 404, "Poll not found");
        assert_int_equal(s_actors.asked, i % 2);
    }
    s_actors.asked = 0;
    s_expect(s_post(rig, "/polls/join", "{\"pollID\":\"ABC123\",\"name\":\"Bob\"}"), 429,
             "\"statusCode\":429");
    assert_int_equal(s_actors.asked, 0);
}

static void
a_client_that_goes_cancels_its_call(void **state)
{
    rig_t *rig = *state;
    s_actors.hold = true;
    client_send(&rig->client,
                "POST /polls/join HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                "Content-Length: 32\r\n\r\n{\"pollID\":\"ABC123\",\"name\":\"Bob\"}");
    assert_true(front_waits(rig->front, &s_actors.asked, 1));
    gw_accept_destroy(&rig->front->accept);
    gw_http_destroy(&rig->front->http);
    assert_int_equal(s_actors.cancelled, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(creates),
        TEST(draws_another_id_five_times),
        TEST(validates),
        TEST(joins_rejoins_and_reads),
        TEST(says_what_is_wrong),
        TEST(codes_can_not_be_guessed),
        TEST(a_client_that_goes_cancels_its_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
