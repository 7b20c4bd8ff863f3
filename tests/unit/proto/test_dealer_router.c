/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/zsock.h"
#include "proto/wire/dealer.h"
#include "proto/wire/limits.h"
#include "proto/wire/router.h"
#include "tests/support/scratch.h"

#define POLL PR_STR("ABC123")

enum { WAIT_MS = 20000 };

/* Both sides' users in one loop. */
typedef struct {
    pr_loop_t *loop;
    pr_router_t *router;
    pr_dealer_t *dealer;
    char endpoint[100];

    int router_opened;
    int router_lost;
    int64_t router_next; /* READ events come numbered */
    bool in_order;
    int refuse_with;
    pr_peer_t *peer;
    char peer_name[32];

    int dealer_opened;
    int dealer_lost;
    int replies;
    int writable;

    /* A raw ZeroMQ socket that says what no link would. */
    pr_zsock_t *raw;
    int raw_got;
    int raw_type;
    char raw_code[32];
} world_t;

static int
s_router_open(void *arg, pr_peer_t *peer, const pr_msg_hello_t *hello)
{
    world_t *world = arg;
    if (world->refuse_with) {
        return world->refuse_with;
    }
    world->router_opened++;
    world->router_next = 0;
    world->peer = peer;
    (void) snprintf(world->peer_name, sizeof world->peer_name, "%.*s", PR_STR_ARG(hello->name));
    return 0;
}

static void
s_router_event(void *arg, pr_peer_t *peer, const pr_event_t *event)
{
    world_t *world = arg;
    if (event->type != PR_MSG_READ) {
        return;
    }
    world->in_order &= event->read.req == world->router_next;
    world->router_next = event->read.req + 1;
    pr_event_t reply = pr_event(PR_MSG_REPLY, POLL);
    reply.reply.req = event->read.req;
    reply.reply.code = PR_STR("ok");
    reply.reply.outcome = PR_STR("none");
    assert_int_equal(pr_link_send(pr_peer_link(peer), &reply), 0);
}

static void
s_router_lost(void *arg, pr_peer_t *peer, int error)
{
    world_t *world = arg;
    assert_true(error < 0);
    if (world->peer == peer) {
        world->peer = NULL;
    }
    world->router_lost++;
}

static int
s_dealer_open(void *arg, const pr_msg_hello_t *hello)
{
    world_t *world = arg;
    assert_null(hello);
    world->dealer_opened++;
    return 0;
}

static void
s_dealer_event(void *arg, const pr_event_t *event)
{
    world_t *world = arg;
    world->replies += event->type == PR_MSG_REPLY;
}

static void
s_dealer_lost(void *arg, int error)
{
    world_t *world = arg;
    assert_true(error < 0);
    world->dealer_lost++;
}

static void
s_dealer_writable(void *arg)
{
    world_t *world = arg;
    world->writable++;
}

static const pr_router_ops_t s_router_ops = {
    .open = s_router_open,
    .event = s_router_event,
    .lost = s_router_lost,
};

static const pr_link_ops_t s_dealer_ops = {
    .open = s_dealer_open,
    .event = s_dealer_event,
    .lost = s_dealer_lost,
    .writable = s_dealer_writable,
};

static void
s_start_router(world_t *world, const char *incarnation)
{
    pr_link_self_t me = {"actors", "a1", incarnation};
    world->router = pr_router_new(world->loop, world->endpoint, &me, &s_router_ops, world);
    assert_non_null(world->router);
}

static void
s_start_dealer(world_t *world, const char *incarnation)
{
    char identity[64];
    (void) snprintf(identity, sizeof identity, "g1-%s", incarnation);
    pr_link_self_t me = {"gateway", "g1", incarnation};
    world->dealer =
        pr_dealer_new(world->loop, world->endpoint, identity, &me, &s_dealer_ops, world);
    assert_non_null(world->dealer);
}

static int
s_setup(void **state)
{
    static int number;
    world_t *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->loop = pr_loop_new();
    world->in_order = true;
    char name[16];
    (void) snprintf(name, sizeof name, "r%d.sock", number++);
    t_scratch_endpoint(name, world->endpoint, sizeof world->endpoint);
    *state = world;
    return world->loop ? 0 : -1;
}

static int
s_teardown(void **state)
{
    world_t *world = *state;
    pr_zsock_destroy(&world->raw);
    pr_dealer_destroy(&world->dealer);
    pr_router_destroy(&world->router);
    pr_loop_destroy(&world->loop);
    free(world);
    return 0;
}

static void
s_wait(world_t *world, bool (*done)(void *arg))
{
    assert_true(pr_loop_run_until(world->loop, done, world, WAIT_MS));
}

static bool
s_both_open(void *arg)
{
    const world_t *world = arg;
    return world->dealer && pr_link_is_open(pr_dealer_link(world->dealer)) && world->peer;
}

static int
s_read(world_t *world, int64_t req)
{
    pr_event_t event = pr_event(PR_MSG_READ, POLL);
    event.read.req = req;
    return pr_link_send(pr_dealer_link(world->dealer), &event);
}

static bool
s_three_replies(void *arg)
{
    return ((world_t *) arg)->replies == 3;
}

static void
events_go_both_ways_in_order(void **state)
{
    world_t *world = *state;
    s_start_router(world, "aaaaaaaaaaaaaaaa");
    s_start_dealer(world, "bbbbbbbbbbbbbbbb");
    assert_int_equal(s_read(world, 0), PR_E_UNREACHABLE);
    s_wait(world, s_both_open);
    assert_string_equal(world->peer_name, "g1");
    assert_string_equal(pr_link_peer_name(pr_dealer_link(world->dealer)), "a1");
    assert_string_equal(pr_link_peer_incarnation(pr_dealer_link(world->dealer)),
                        "aaaaaaaaaaaaaaaa");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s_read(world, i), 0);
    }
    s_wait(world, s_three_replies);
    assert_true(world->in_order);
    /* All three in one message, and HELLO. */
    assert_int_equal(pr_link_counters(pr_dealer_link(world->dealer))->sent_messages, 2);
    assert_int_equal(pr_router_peer_count(world->router), 1);
}

static bool
s_opened_again(void *arg)
{
    const world_t *world = arg;
    return world->dealer_opened == 2 && s_both_open(arg);
}

static void
a_new_router_is_greeted_anew(void **state)
{
    world_t *world = *state;
    s_start_dealer(world, "bbbbbbbbbbbbbbbb");
    s_start_router(world, "aaaaaaaaaaaaaaaa");
    s_wait(world, s_both_open);
    pr_router_destroy(&world->router);
    world->peer = NULL;
    s_start_router(world, "cccccccccccccccc");
    s_wait(world, s_opened_again);
    assert_int_equal(world->dealer_lost, 1);
    assert_string_equal(pr_link_peer_incarnation(pr_dealer_link(world->dealer)),
                        "cccccccccccccccc");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s_read(world, i), 0);
    }
    s_wait(world, s_three_replies);
}

static bool
s_forgotten(void *arg)
{
    const world_t *world = arg;
    return world->router_lost == 1 && pr_router_peer_count(world->router) == 0;
}

static void
a_dead_dealer_is_lost_and_forgotten(void **state)
{
    world_t *world = *state;
    s_start_router(world, "aaaaaaaaaaaaaaaa");
    s_start_dealer(world, "bbbbbbbbbbbbbbbb");
    s_wait(world, s_both_open);
    pr_dealer_destroy(&world->dealer);
    s_wait(world, s_forgotten);
    assert_int_equal(pr_router_counters(world->router).sessions, 1);
}

/* The router has not seen the end of the first connection when the second one greets: ZeroMQ then
 * ignores all that comes by it. */
static void
a_dealer_made_anew_is_heard(void **state)
{
    world_t *world = *state;
    s_start_router(world, "aaaaaaaaaaaaaaaa");
    s_start_dealer(world, "bbbbbbbbbbbbbbbb");
    s_wait(world, s_both_open);
    pr_dealer_destroy(&world->dealer);
    s_start_dealer(world, "bbbbbbbbbbbbbbbb");
    s_wait(world, s_opened_again);
}

static bool
s_refused(void *arg)
{
    return pr_link_refusal(pr_dealer_link(((world_t *) arg)->dealer)) == PR_E_BUSY;
}

static void
a_refused_dealer_learns_why_and_tries_again(void **state)
{
    world_t *world = *state;
    world->refuse_with = PR_E_BUSY;
    s_start_router(world, "aaaaaaaaaaaaaaaa");
    s_start_dealer(world, "bbbbbbbbbbbbbbbb");
    s_wait(world, s_refused);
    assert_int_equal(world->dealer_opened, 0);
    world->refuse_with = 0;
    s_wait(world, s_both_open);
}

/* --- windows --- */

static bool
s_is_writable_again(void *arg)
{
    return ((world_t *) arg)->writable == 1;
}

static void
a_full_window_answers_busy_until_there_is_room(void **state)
{
    world_t *world = *state;
    s_start_router(world, "aaaaaaaaaaaaaaaa");
    s_start_dealer(world, "bbbbbbbbbbbbbbbb");
    s_wait(world, s_both_open);
    static char large[1 << 20];
    memset(large, 'x', sizeof large);
    pr_buf_t *raw = pr_buf_new(0);
    msgpack_packer packer = pr_packer(raw);
    pr_pack_str(&packer, (pr_str_t) {large, sizeof large});
    pr_event_t event = pr_event(PR_MSG_SYNC, POLL);
    event.sync.conns.raw = pr_buf_str(raw);
    pr_link_t *link = pr_dealer_link(world->dealer);
    int sent = 0;
    int error = 0;
    while ((error = pr_link_send(link, &event)) == 0) {
        sent++;
    }
    assert_int_equal(error, PR_E_BUSY);
    assert_int_equal(sent, 7); /* of 1 MiB and a little */
    assert_false(pr_link_is_writable(link) && pr_link_send(link, &event) == 0);
    s_wait(world, s_is_writable_again);
    assert_int_equal(pr_link_send(link, &event), 0);
    assert_int_equal(world->dealer_lost, 0);
    pr_buf_destroy(&raw);
}

/* --- what no link would say --- */

static void
s_raw_receive(void *arg, const pr_str_t *parts, size_t count)
{
    world_t *world = arg;
    pr_unpacked_t *memory = pr_unpacked_new();
    pr_event_t event = {0};
    assert_int_equal(count, 2);
    assert_int_equal(pr_event_unpack(parts[1], memory, &event), 0);
    world->raw_got++;
    world->raw_type = (int) event.type;
    if (event.type == PR_MSG_EVENT_REFUSED) {
        (void) snprintf(world->raw_code, sizeof world->raw_code, "%.*s",
                        PR_STR_ARG(event.event_refused.code));
    }
    pr_unpacked_destroy(&memory);
}

static bool
s_raw_sent(void *arg)
{
    world_t *world = arg;
    pr_str_t parts[] = {PR_STR("not"), PR_STR("a message")};
    return pr_zsock_send(world->raw, parts, 2) == 0;
}

static void
s_start_raw(world_t *world, const char *identity)
{
    world->raw = pr_zsock_new(world->loop, PR_ZSOCK_DEALER, identity, s_raw_receive, world);
    assert_non_null(world->raw);
    assert_int_equal(pr_zsock_connect(world->raw, world->endpoint), 0);
    s_wait(world, s_raw_sent);
}

static bool
s_raw_answered(void *arg)
{
    return ((world_t *) arg)->raw_got > 0;
}

/* Sends these parts and waits for the answer's code. */
static const char *
s_raw_ask(world_t *world, const pr_str_t *parts, size_t count)
{
    world->raw_got = 0;
    world->raw_code[0] = '\0';
    assert_int_equal(pr_zsock_send(world->raw, parts, count), 0);
    s_wait(world, s_raw_answered);
    assert_int_equal(world->raw_type, PR_MSG_EVENT_REFUSED);
    return world->raw_code;
}

static pr_str_t
s_header(pr_buf_t *out, const char *to, int64_t seq)
{
    pr_header_t header = {PR_PROTO_MIN, PR_STR("dddddddddddddddd"), pr_str(to), seq, 0, 0};
    pr_buf_clear(out);
    pr_header_pack(&header, out);
    return pr_buf_str(out);
}

static void
garbage_is_refused_and_hurts_nobody(void **state)
{
    world_t *world = *state;
    s_start_router(world, "aaaaaaaaaaaaaaaa");
    s_start_dealer(world, "bbbbbbbbbbbbbbbb");
    s_wait(world, s_both_open);
    s_start_raw(world, "raw");
    s_wait(world, s_raw_answered);
    assert_string_equal(world->raw_code, "malformed");

    pr_buf_t *header = pr_buf_new(0);
    /* A list that claims 67 million members. */
    pr_str_t claim[] = {PR_STR("\xdd\x04\x00\x00\x00\x01"), PR_STR("\x93\x0b\xa0\x80")};
    assert_string_equal(s_raw_ask(world, claim, 2), "malformed");
    pr_str_t empty[] = {PR_STR("")};
    assert_string_equal(s_raw_ask(world, empty, 1), "malformed");
    pr_str_t event = PR_STR("\x93\x0f\xa6"
                            "ABC123"
                            "\x81\xa3req\x01");
    /* A session that does not exist; another incarnation; a greeting without its members. */
    pr_str_t stray[] = {s_header(header, "", 7), event};
    assert_string_equal(s_raw_ask(world, stray, 2), "reset");
    pr_str_t other[] = {s_header(header, "eeeeeeeeeeeeeeee", 1), event};
    assert_string_equal(s_raw_ask(world, other, 2), "reset");
    pr_str_t hollow[] = {s_header(header, "", 1), PR_STR("\x93\x01\xa0\x80")};
    assert_string_equal(s_raw_ask(world, hollow, 2), "bad_field");
    pr_buf_destroy(&header);

    for (int i = 0; i < 3; i++) {
        assert_int_equal(s_read(world, i), 0);
    }
    s_wait(world, s_three_replies);
    assert_int_equal(world->dealer_lost, 0);
    assert_true(pr_router_counters(world->router).malformed >= 4);
}

static bool
s_flood_is_over(void *arg)
{
    return pr_router_counters(((world_t *) arg)->router).malformed == 501; /* with the first */
}

static bool
s_one_more(void *arg)
{
    return pr_router_counters(((world_t *) arg)->router).malformed == 502;
}

static void
refusals_of_one_peer_are_rationed(void **state)
{
    world_t *world = *state;
    s_start_router(world, "aaaaaaaaaaaaaaaa");
    s_start_raw(world, "raw");
    pr_str_t parts[] = {PR_STR("\xc1"), PR_STR("\xc1")};
    for (int i = 0; i < 500; i++) {
        assert_int_equal(pr_zsock_send(world->raw, parts, 2), 0);
    }
    s_wait(world, s_flood_is_over);
    assert_in_range(pr_router_counters(world->router).sent_messages, 1, 2 * PR_LINK_REFUSALS_PER_S);
    /* With the identity before them these are too many parts. */
    static pr_str_t many[PR_MESSAGE_PARTS_MAX];
    assert_int_equal(pr_zsock_send(world->raw, many, PR_MESSAGE_PARTS_MAX), 0);
    s_wait(world, s_one_more);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, s_setup, s_teardown)
        WITH_WORLD(events_go_both_ways_in_order),
        WITH_WORLD(a_new_router_is_greeted_anew),
        WITH_WORLD(a_dead_dealer_is_lost_and_forgotten),
        WITH_WORLD(a_dealer_made_anew_is_heard),
        cmocka_unit_test_setup_teardown(a_refused_dealer_learns_why_and_tries_again, s_setup,
                                        s_teardown),
        cmocka_unit_test_setup_teardown(a_full_window_answers_busy_until_there_is_room, s_setup,
                                        s_teardown),
        WITH_WORLD(garbage_is_refused_and_hurts_nobody),
        WITH_WORLD(refusals_of_one_peer_are_rationed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
