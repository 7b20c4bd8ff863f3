/* SPDX-License-Identifier: MIT */

/* A host over real links and a real RedisJSON that dies, forgets and comes back. The test is the
 * gateway. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "actors/host.h"
#include "proto/base/clock.h"
#include "proto/wire/dealer.h"
#include "proto/wire/error.h"
#include "tests/support/redis_server.h"
#include "tests/support/scratch.h"

#define POLL PR_STR("HST001")
#define KEY "polls:HST001"
#define RECORD "own:{polls:HST001}"

enum { WAIT_MS = 20000, POLLS = 100 };

static t_redis_server_t *s_server;
static pr_loop_t *s_loop;
static ac_host_t *s_host;
static pr_dealer_t *s_dealer;

/* What the gateway has heard. */
static struct {
    bool is_ready;
    int opened;
    int lost;
    int count[64];      /* events by type */
    char code[32];      /* of the last REPLY, REFUSED or EVENT_REFUSED */
    char rev[40];       /* of the last document, patch or CONNECTED */
    int64_t version;    /* of the newest document */
    bool has_gone_back; /* a version came that was lower */
} s_heard;

/* --- the gateway --- */

static int
s_on_open(void *arg, const pr_msg_hello_t *hello)
{
    (void) arg;
    (void) hello;
    s_heard.opened++;
    return 0;
}

static void
s_keep(char *out, size_t size, pr_str_t text)
{
    (void) snprintf(out, size, "%.*s", PR_STR_ARG(text));
}

static void
s_see_rev(pr_str_t text)
{
    pr_rev_t rev;
    assert_true(pr_rev_parse(text, &rev));
    s_heard.has_gone_back |= rev.version < s_heard.version;
    s_heard.version = rev.version;
    s_keep(s_heard.rev, sizeof s_heard.rev, text);
}

static void
s_on_event(void *arg, const pr_event_t *event)
{
    (void) arg;
    s_heard.count[event->type]++;
    switch ((int) event->type) {
    case PR_MSG_REPLY:
        s_keep(s_heard.code, sizeof s_heard.code, event->reply.code);
        break;
    case PR_MSG_REFUSED:
        s_keep(s_heard.code, sizeof s_heard.code, event->refused.code);
        break;
    case PR_MSG_EVENT_REFUSED:
        s_keep(s_heard.code, sizeof s_heard.code, event->event_refused.code);
        break;
    case PR_MSG_POLL_SNAPSHOT:
        s_see_rev(event->poll_snapshot.rev);
        break;
    case PR_MSG_POLL_UPDATED:
        s_see_rev(event->poll_updated.to);
        break;
    default:
        break;
    }
}

static void
s_on_lost(void *arg, int error)
{
    (void) arg;
    (void) error;
    s_heard.lost++;
}

static const pr_link_ops_t s_link_ops = {.open = s_on_open, .event = s_on_event, .lost = s_on_lost};

static void
s_send(const pr_event_t *event)
{
    assert_int_equal(pr_link_send(pr_dealer_link(s_dealer), event), 0);
}

static void
s_create(pr_str_t poll, int64_t life_ms)
{
    pr_event_t event = pr_event(PR_MSG_CREATE, poll);
    event.create.req = 1;
    event.create.topic = PR_STR("Lunch");
    event.create.votes = 3;
    event.create.admin = PR_STR("alice-alice-alice-ali");
    event.create.ends_at = pr_clock_wall_ms() + life_ms;
    event.create.nonce = PR_STR("nonce");
    s_send(&event);
}

static void
s_connect(pr_str_t poll, const char *conn, const char *user)
{
    pr_event_t event = pr_event(PR_MSG_CONNECT, poll);
    event.connect.conn = pr_str(conn);
    event.connect.user = pr_str(user);
    event.connect.name = PR_STR("Name");
    event.connect.rev = s_heard.rev[0] ? pr_str(s_heard.rev) : PR_STR_NONE;
    s_send(&event);
}

/* --- waiting --- */

typedef struct {
    int type;
    int count;
} wanted_t;

static bool
s_has_heard(void *arg)
{
    const wanted_t *wanted = arg;
    return s_heard.count[wanted->type] >= wanted->count;
}

/* Until so many events of that type have come in all. */
static void
s_wait(pr_message_type_t type, int count)
{
    wanted_t wanted = {(int) type, count};
    if (!pr_loop_run_until(s_loop, s_has_heard, &wanted, WAIT_MS)) {
        fail_msg("waited for %d %s, had %d", count, pr_message_name(type), s_heard.count[type]);
    }
}

static bool
s_is_ready(void *arg)
{
    (void) arg;
    return s_heard.is_ready && s_heard.opened > 0;
}

static bool
s_is_drained(void *arg)
{
    (void) arg;
    return ac_host_is_drained(s_host);
}

static bool
s_is_back_in_store(void *arg)
{
    const char *key = arg;
    return strcmp(t_redis_server_ask(s_server, "EXISTS", key, NULL), "1") == 0;
}

static void
s_on_ready(void *arg)
{
    (void) arg;
    s_heard.is_ready = true;
}

static void
s_on_unfit(void *arg, const char *line)
{
    (void) arg;
    fail_msg("unfit: %s", line);
}

static const ac_host_ops_t s_host_ops = {.ready = s_on_ready, .unfit = s_on_unfit};

/* --- stage --- */

static int
s_setup(void **state)
{
    (void) state;
    static int run;
    static char endpoint[128];
    static char tap[128];
    char name[16];
    (void) snprintf(name, sizeof name, "h%d", ++run);
    t_scratch_endpoint(name, endpoint, sizeof endpoint);
    (void) snprintf(name, sizeof name, "t%d", run);
    t_scratch_endpoint(name, tap, sizeof tap);
    memset(&s_heard, 0, sizeof s_heard);
    s_server = t_redis_server_new(true, NULL);
    t_redis_server_start(s_server);
    s_loop = pr_loop_new();
    ac_host_options_t options = {
        .name = "a1",
        .incarnation = "00000000000000aa",
        .endpoint = endpoint,
        .tap = tap,
        .store = t_redis_server_url(s_server),
        .rules = {.participants_max = 1000, .nominations_max = 10, .nominations_per_user_max = 5},
        .grace = {.lost_ms = 10000, .reload_ms = 2000},
    };
    s_host = ac_host_new(s_loop, &options, &s_host_ops, NULL);
    assert_non_null(s_host);
    pr_link_self_t me = {.role = "gateway", .name = "g1", .incarnation = "00000000000000bb"};
    s_dealer = pr_dealer_new(s_loop, endpoint, "g1-00000000000000bb", &me, &s_link_ops, NULL);
    assert_non_null(s_dealer);
    assert_true(pr_loop_run_until(s_loop, s_is_ready, NULL, WAIT_MS));
    return 0;
}

static int
s_teardown(void **state)
{
    (void) state;
    pr_dealer_destroy(&s_dealer);
    ac_host_destroy(&s_host);
    pr_loop_destroy(&s_loop);
    t_redis_server_destroy(&s_server);
    assert_false(s_heard.has_gone_back);
    return 0;
}

/* A poll with Alice in it. */
static void
s_open(void)
{
    s_create(POLL, 600000);
    s_wait(PR_MSG_REPLY, 1);
    assert_string_equal(s_heard.code, "ok");
    s_connect(POLL, "c1", "alice-alice-alice-ali");
    s_wait(PR_MSG_CONNECTED, 1);
}

static const char *
s_stored(const char *path)
{
    return t_redis_server_ask(s_server, "JSON.GET", KEY, path, NULL);
}

static void
join_is_stored_before_it_is_shown(void **state)
{
    (void) state;
    s_open();
    assert_string_equal(s_stored("$.participants"), "[{\"alice-alice-alice-ali\":\"Name\"}]");
    char rev[64];
    (void) snprintf(rev, sizeof rev, "[\"%s\"]", s_heard.rev);
    assert_string_equal(s_stored("$.meta.rev"), rev);
}

static void
bad_events_are_answered(void **state)
{
    (void) state;
    s_connect(PR_STR("nope"), "c1", "alice-alice-alice-ali");
    s_wait(PR_MSG_EVENT_REFUSED, 1);
    assert_string_equal(s_heard.code, "bad_field");
    pr_event_t event = pr_event(PR_MSG_POLL_ENDED, POLL);
    event.poll_ended.why = PR_STR("cancelled");
    s_send(&event);
    s_wait(PR_MSG_EVENT_REFUSED, 2);
    assert_string_equal(s_heard.code, "unknown_type");
    s_connect(PR_STR("NONE00"), "c1", "alice-alice-alice-ali");
    s_wait(PR_MSG_REFUSED, 1);
    assert_string_equal(s_heard.code, "not_found");
}

static void
killed_store_loses_nothing_and_joins_wait_for_it(void **state)
{
    (void) state;
    s_open();
    t_redis_server_kill(s_server);
    s_connect(POLL, "c2", "bob-bob-bob-bob-bob-b");
    /* Whoever is in may come back meanwhile. */
    s_connect(POLL, "c3", "alice-alice-alice-ali");
    s_wait(PR_MSG_CONNECTED, 2);
    assert_int_equal(s_heard.count[PR_MSG_POLL_UPDATED], 1);
    t_redis_server_start(s_server);
    s_wait(PR_MSG_CONNECTED, 3);
    assert_non_null(strstr(s_stored("$.participants"), "alice"));
    assert_non_null(strstr(s_stored("$.participants"), "bob"));
}

/* A store that comes back without document and record, though nobody writes. */
static void
emptied_store_is_filled_again(void **state)
{
    (void) state;
    s_open();
    char before[2048];
    (void) snprintf(before, sizeof before, "%s", s_stored("$"));
    t_redis_server_kill(s_server);
    t_redis_server_forget(s_server);
    t_redis_server_start(s_server);
    assert_true(pr_loop_run_until(s_loop, s_is_back_in_store, KEY, WAIT_MS));
    assert_true(pr_loop_run_until(s_loop, s_is_drained, NULL, WAIT_MS));
    assert_string_equal(s_stored("$"), before);
    assert_string_equal(t_redis_server_ask(s_server, "EXISTS", RECORD, NULL), "1");
    s_connect(POLL, "c2", "bob-bob-bob-bob-bob-b");
    s_wait(PR_MSG_CONNECTED, 2);
}

/* One of the two keys gone, or the document of yesterday. The next change heals it. */
static void
damaged_store_is_healed(void **state)
{
    (void) state;
    s_open();
    assert_string_equal(t_redis_server_ask(s_server, "DEL", KEY, NULL), "1");
    s_connect(POLL, "c2", "bob-bob-bob-bob-bob-b");
    s_wait(PR_MSG_CONNECTED, 2);
    assert_non_null(strstr(s_stored("$.participants"), "alice"));

    assert_string_equal(t_redis_server_ask(s_server, "DEL", RECORD, NULL), "1");
    s_connect(POLL, "c3", "carol-carol-carol-car");
    s_wait(PR_MSG_CONNECTED, 3);

    assert_string_equal(
        t_redis_server_ask(s_server, "JSON.SET", KEY, "$.meta.rev", "\"1-00000000000000ff\"", NULL),
        "OK");
    s_connect(POLL, "c4", "david-david-david-dav");
    s_wait(PR_MSG_CONNECTED, 4);
    assert_non_null(strstr(s_stored("$.participants"), "david"));
    assert_true(t_redis_server_ask(s_server, "PTTL", KEY, NULL)[0] != '-');
}

static void
poll_ends_by_itself(void **state)
{
    (void) state;
    s_create(POLL, 1500);
    s_wait(PR_MSG_REPLY, 1);
    s_connect(POLL, "c1", "alice-alice-alice-ali");
    s_wait(PR_MSG_CONNECTED, 1);
    s_wait(PR_MSG_POLL_ENDED, 1);
    assert_string_equal(t_redis_server_ask(s_server, "EXISTS", KEY, NULL), "0");
    assert_non_null(strstr(t_redis_server_ask(s_server, "GET", RECORD, NULL), ":ended"));
    s_connect(POLL, "c1", "alice-alice-alice-ali");
    s_wait(PR_MSG_REFUSED, 1);
    s_create(POLL, 60000);
    s_wait(PR_MSG_REPLY, 2);
    assert_string_equal(s_heard.code, "taken");
}

static void
many_polls_outlive_the_store(void **state)
{
    (void) state;
    for (int i = 0; i < POLLS; i++) {
        char poll[8];
        (void) snprintf(poll, sizeof poll, "M%05d", i);
        s_create(pr_str(poll), 600000);
    }
    s_wait(PR_MSG_REPLY, POLLS);
    t_redis_server_kill(s_server);
    t_redis_server_forget(s_server);
    t_redis_server_start(s_server);
    for (int i = 0; i < POLLS; i++) {
        char key[16];
        (void) snprintf(key, sizeof key, "polls:M%05d", i);
        assert_true(pr_loop_run_until(s_loop, s_is_back_in_store, key, WAIT_MS));
    }
}

static void
drained_host_takes_nothing_new(void **state)
{
    (void) state;
    s_open();
    ac_host_drain(s_host);
    assert_true(pr_loop_run_until(s_loop, s_is_drained, NULL, WAIT_MS));
    s_connect(POLL, "c2", "bob-bob-bob-bob-bob-b");
    s_wait(PR_MSG_REFUSED, 1);
    assert_string_equal(s_heard.code, "unavailable");
}

/* A roster with the gateway in it, or without. */
static void
s_roster(int64_t generation, bool has_gateway)
{
    pr_roster_t *roster = pr_roster_new(generation);
    assert_non_null(roster);
    if (has_gateway) {
        assert_int_equal(pr_roster_add_gateway(roster, 1, "00000000000000bb", "ipc://g1"), 0);
    }
    ac_host_roster(s_host, &roster);
}

static int64_t
s_counter(pr_str_t name)
{
    pr_buf_t *stats = pr_buf_new(0);
    pr_unpacked_t *memory = pr_unpacked_new();
    const msgpack_object *map = NULL;
    int64_t value = -1;
    assert_true(stats && memory);
    ac_host_write_stats(s_host, stats);
    assert_int_equal(pr_value_unpack(pr_buf_str(stats), memory, &map), 0);
    assert_true(pr_object_int(pr_object_member(map, name), &value));
    pr_unpacked_destroy(&memory);
    pr_buf_destroy(&stats);
    return value;
}

static bool
s_has_begun_anew(void *arg)
{
    (void) arg;
    return s_heard.lost == 1 && s_heard.opened == 2;
}

static void
gateway_that_left_the_roster_is_given_up(void **state)
{
    (void) state;
    s_roster(1, true);
    s_open();
    assert_int_equal(s_counter(PR_STR("gateways_given_up")), 0);
    s_roster(2, false);
    assert_true(pr_loop_run_until(s_loop, s_has_begun_anew, NULL, WAIT_MS));
    assert_int_equal(s_counter(PR_STR("gateways_given_up")), 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)
    const struct CMUnitTest tests[] = {
        TEST(join_is_stored_before_it_is_shown),
        TEST(bad_events_are_answered),
        TEST(killed_store_loses_nothing_and_joins_wait_for_it),
        TEST(emptied_store_is_filled_again),
        TEST(damaged_store_is_healed),
        TEST(poll_ends_by_itself),
        TEST(many_polls_outlive_the_store),
        TEST(drained_host_takes_nothing_new),
        TEST(gateway_that_left_the_roster_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
