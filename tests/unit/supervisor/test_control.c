/* SPDX-License-Identifier: MIT */

/*
 * The supervisor's socket as strangers, callers and would-be children meet it: real links on a real
 * socket. The crew's programs do not lie beside the test, so its children never come up; what they
 * do when they do is in test_system.c.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/wire/error.h"
#include "proto/wire/json.h"
#include "supervisor/control.h"
#include "supervisor/ctl_link.h"
#include "supervisor/ctl_status.h"
#include "supervisor/verbs.h"
#include "tests/support/stranger.h"

enum { DEADLINE_MS = 10000 };

typedef struct {
    char dir[64];
    char endpoint[SV_PATH_MAX];
    pr_loop_t *loop;
    sv_paths_t *paths;
    sv_launch_t *launch;
    sv_roster_t *roster;
    sv_control_t *control;
    sv_spec_list_t specs;
    sv_crew_t *crew;
    sv_verbs_t *verbs;
    sv_ctl_link_t *link;
    pr_buf_t *data;
    pr_unpacked_t *memory;
    int refused_type; /* of the last EVENT_REFUSED */
} bench_t;

/* --- what a supervisor does --- */

static void
s_changed(void *arg, sv_member_t *member, sv_child_state_t from, const char *why)
{
    (void) arg;
    (void) member;
    (void) from;
    (void) why;
}

static bool
s_ask_stop(void *arg, sv_member_t *member)
{
    return sv_control_ask_stop(((bench_t *) arg)->control, member);
}

static void
s_nothing(void *arg)
{
    (void) arg;
}

static void
s_call(void *arg, pr_peer_t *peer, const pr_msg_call_t *call)
{
    sv_verbs_call(((bench_t *) arg)->verbs, peer, call);
}

static void
s_caller_lost(void *arg, pr_peer_t *peer)
{
    sv_verbs_forget(((bench_t *) arg)->verbs, peer);
}

static const sv_crew_ops_t s_crew_ops = {s_changed, s_ask_stop, s_nothing, s_nothing};
static const sv_control_ops_t s_control_ops = {s_call, s_caller_lost};

/* --- the bench --- */

static void
s_event(void *arg, const pr_event_t *event)
{
    bench_t *bench = arg;
    if (event->type == PR_MSG_EVENT_REFUSED) {
        bench->refused_type = (int) event->event_refused.type;
    }
}

static void
s_open_place(bench_t *bench)
{
    char error[256];
    (void) snprintf(bench->dir, sizeof bench->dir, "/tmp/rollcall-control-XXXXXX");
    assert_non_null(mkdtemp(bench->dir));
    bench->paths = sv_paths_new(bench->dir, error, sizeof error);
    assert_non_null(bench->paths);
    assert_int_equal(sv_paths_make(bench->paths, error, sizeof error), 0);
    (void) sv_paths_endpoint(bench->paths, "supervisor.sock", bench->endpoint);
    (void) setenv("REDIS_HOST", "127.0.0.1", 1);
    pr_config_t *config = pr_config_load(NULL, error, sizeof error);
    assert_non_null(config);
    sv_spec_list(config, &bench->specs);
    pr_config_destroy(&config);
}

static int
s_setup(void **state)
{
    static bench_t s_bench;
    bench_t *bench = &s_bench;
    memset(bench, 0, sizeof *bench);
    *state = bench;
    s_open_place(bench);
    bench->loop = pr_loop_new();
    sv_launch_options_t options = {
        .loop = bench->loop,
        .paths = bench->paths,
        .store = "redis://127.0.0.1",
        .endpoint = bench->endpoint,
        .secret_file = "",
        .listen_fd = -1,
    };
    bench->launch = sv_launch_new(&options);
    bench->roster = sv_roster_new(0);
    bench->control =
        sv_control_new(bench->loop, bench->endpoint, bench->roster, &s_control_ops, bench);
    bench->crew = sv_crew_new(bench->loop, &bench->specs, bench->launch, &s_crew_ops, bench);
    bench->verbs = sv_verbs_new(bench->loop, bench->crew, bench->roster, "http://x:1");
    bench->data = pr_buf_new(0);
    bench->memory = pr_unpacked_new();
    assert_true(bench->control && bench->crew && bench->verbs && bench->data && bench->memory);
    sv_verbs_set_control(bench->verbs, bench->control);
    sv_control_set_crew(bench->control, bench->crew);
    int error = 0;
    bench->link =
        sv_ctl_link_new(bench->loop, bench->endpoint, DEADLINE_MS, s_event, bench, &error);
    assert_non_null(bench->link);
    return 0;
}

static int
s_teardown(void **state)
{
    static const char *const s_left[] = {"run/supervisor.sock", "run", "redis", "logs"};
    bench_t *bench = *state;
    char path[SV_PATH_MAX];
    sv_ctl_link_destroy(&bench->link);
    sv_control_destroy(&bench->control);
    sv_verbs_destroy(&bench->verbs);
    sv_crew_destroy(&bench->crew);
    sv_launch_destroy(&bench->launch);
    sv_roster_destroy(&bench->roster);
    pr_loop_destroy(&bench->loop);
    pr_buf_destroy(&bench->data);
    pr_unpacked_destroy(&bench->memory);
    for (size_t i = 0; i < sizeof s_left / sizeof s_left[0]; i++) {
        (void) remove(sv_paths_in_state(bench->paths, s_left[i], path));
    }
    sv_paths_destroy(&bench->paths);
    return rmdir(bench->dir);
}

/* A call with arguments as JSON (NULL: none). */
static int
s_ask(bench_t *bench, const char *verb, const char *args)
{
    pr_buf_t *packed = pr_buf_new(0);
    assert_non_null(packed);
    if (args) {
        assert_int_equal(pr_json_to_msgpack(pr_str(args), packed), 0);
    }
    int error = sv_ctl_link_call(bench->link, verb, args ? pr_buf_str(packed) : PR_STR_NONE,
                                 DEADLINE_MS, bench->data);
    pr_buf_destroy(&packed);
    return error;
}

static bool
s_never(void *arg)
{
    (void) arg;
    return false;
}

/* --- tests --- */

static void
status_tells_of_everybody(void **state)
{
    bench_t *bench = *state;
    const msgpack_object *status = NULL;
    assert_int_equal(s_ask(bench, "status", NULL), 0);
    assert_int_equal(pr_value_unpack(pr_buf_str(bench->data), bench->memory, &status), 0);
    assert_true(pr_str_equal(sv_ctl_status_text(status, "url"), PR_STR("http://x:1")));
    assert_true(pr_str_equal(sv_ctl_status_text(status, "state"), PR_STR("starting")));
    assert_int_equal(sv_ctl_status_children(status)->size, 2);
    const msgpack_object *a1 = sv_ctl_status_child(status, "a1");
    assert_true(pr_str_equal(sv_ctl_status_text(a1, "state"), PR_STR("down")));
    assert_true(pr_str_equal(sv_ctl_status_text(a1, "role"), PR_STR("actors")));
    assert_null(sv_ctl_status_child(status, "a2"));
}

static void
wrong_calls_are_answered(void **state)
{
    bench_t *bench = *state;
    static const struct {
        const char *verb;
        const char *args;
        int error;
    } s_rows[] = {
        {"dance", NULL, PR_E_UNKNOWN_TYPE},
        {"", "{}", PR_E_UNKNOWN_TYPE},
        {"drain", "{\"name\":\"a1\"}", PR_E_BAD_REQUEST},
        {"drain", "{\"name\":\"g1\"}", PR_E_BUSY},
        {"drain", "{\"name\":\"g1\",\"within_ms\":-1}", PR_E_BAD_REQUEST},
        {"drain", "{\"name\":\"g1\",\"within_ms\":9999999}", PR_E_BAD_REQUEST},
        {"drain", "{\"name\":\"g1\",\"within_ms\":\"soon\"}", PR_E_BAD_REQUEST},
        {"drain", NULL, PR_E_BAD_REQUEST},
        {"scale", NULL, PR_E_BAD_REQUEST},
        {"scale", "{\"role\":\"gateway\"}", PR_E_BAD_REQUEST},
        {"scale", "{\"role\":\"gateway\",\"count\":0}", PR_E_BAD_REQUEST},
        {"scale", "{\"role\":\"gateway\",\"count\":33}", PR_E_BAD_REQUEST},
        {"scale", "{\"role\":\"gateway\",\"count\":\"2\"}", PR_E_BAD_REQUEST},
        {"scale", "{\"role\":\"redis\",\"count\":1}", PR_E_BAD_REQUEST},
        {"scale", "{\"role\":7,\"count\":1}", PR_E_BAD_REQUEST},
        {"scale", "{\"role\":\"gateway\",\"count\":2}", PR_E_BUSY},
        {"release", NULL, PR_E_BAD_REQUEST},
        {"release", "{\"poll\":7}", PR_E_BAD_REQUEST},
        {"release", "{\"poll\":\"ABC234\"}", PR_E_NOT_FOUND},
        {"status", "[1,2]", PR_E_BAD_REQUEST},
        {"status", "7", PR_E_BAD_REQUEST},
        {"stop", "{\"name\":\"z9\"}", PR_E_NO_CHILD},
        {"stop", "{\"name\":17}", PR_E_NO_CHILD},
        {"start", NULL, PR_E_BAD_REQUEST},
        {"restart", "{}", PR_E_BAD_REQUEST},
        {"kill", NULL, PR_E_BAD_REQUEST},
        {"kill", "{\"name\":\"a1\"}", PR_E_NO_CHILD},
        {"kill", "{\"name\":\"a1\",\"signal\":0}", PR_E_BAD_REQUEST},
        {"kill", "{\"name\":\"a1\",\"signal\":9999}", PR_E_BAD_REQUEST},
        {"kill", "{\"name\":\"a1\",\"signal\":\"nine\"}", PR_E_BAD_REQUEST},
    };
    for (size_t i = 0; i < sizeof s_rows / sizeof s_rows[0]; i++) {
        int error = s_ask(bench, s_rows[i].verb, s_rows[i].args);
        if (error != s_rows[i].error) {
            fail_msg("%s %s: %s", s_rows[i].verb, s_rows[i].args, pr_error_name(error));
        }
    }
    assert_int_equal(s_ask(bench, "status", NULL), 0);
}

static void
stop_of_a_child_that_can_not_start_is_done_at_once(void **state)
{
    bench_t *bench = *state;
    sv_member_feed(sv_crew_find(bench->crew, PR_STR("a1")), SV_CHILD_ON_START, NULL);
    assert_int_equal(sv_member_state(sv_crew_at(bench->crew, 0)), SV_CHILD_BACKOFF);
    assert_int_equal(s_ask(bench, "stop", "{\"name\":\"a1\"}"), 0);
    assert_int_equal(sv_member_state(sv_crew_at(bench->crew, 0)), SV_CHILD_DOWN);
}

/* The settings say one of each. Neither can start, so neither comes further than BACKOFF. */
static void
more_and_fewer_of_a_role(void **state)
{
    bench_t *bench = *state;
    const msgpack_object *status = NULL;
    sv_crew_start(bench->crew);
    while (sv_crew_scale(bench->crew, SV_ROLE_ACTORS, 3) == PR_E_BUSY) {
        sv_member_feed(sv_crew_find(bench->crew, PR_STR("a1")), SV_CHILD_ON_STOP, NULL);
        (void) pr_loop_run_until(bench->loop, s_never, NULL, 10);
    }
    sv_member_t *a3 = sv_crew_find(bench->crew, PR_STR("a3"));
    assert_int_equal(sv_member_state(a3), SV_CHILD_BACKOFF);
    assert_int_equal(sv_crew_count_of(bench->crew, SV_ROLE_ACTORS), 3);
    assert_int_equal(sv_crew_count_of(bench->crew, SV_ROLE_GATEWAY), 1);
    assert_false(sv_crew_is_scaled(bench->crew, SV_ROLE_ACTORS));

    assert_int_equal(s_ask(bench, "scale", "{\"role\":\"actors\",\"count\":1}"), 0);
    assert_int_equal(sv_member_state(a3), SV_CHILD_DOWN);
    assert_true(sv_member_is_retired(a3));
    assert_int_equal(s_ask(bench, "start", "{\"name\":\"a3\"}"), PR_E_NO_CHILD);
    assert_int_equal(s_ask(bench, "status", NULL), 0);
    assert_int_equal(pr_value_unpack(pr_buf_str(bench->data), bench->memory, &status), 0);
    assert_int_equal(sv_ctl_status_children(status)->size, 2);

    assert_int_equal(sv_crew_scale(bench->crew, SV_ROLE_ACTORS, 2), 0);
    assert_int_equal(sv_crew_count(bench->crew), 4);
    assert_true(sv_member_is_retired(a3));
    assert_false(sv_member_is_retired(sv_crew_find(bench->crew, PR_STR("a2"))));
}

static bool
s_is_refused(void *arg)
{
    return ((bench_t *) arg)->refused_type != 0;
}

static void
events_that_are_no_business_of_a_caller_are_refused(void **state)
{
    bench_t *bench = *state;
    static const char *const s_events[] = {
        "{\"type\":\"READY\",\"endpoint\":\"ipc:///tmp/x\"}",
        "{\"type\":\"ROSTER\",\"generation\":1,\"actors\":[],\"gateways\":[]}",
        "{\"type\":\"STOP\"}",
        "{\"type\":\"CONNECT\",\"poll\":\"ABC234\",\"conn\":\"c\",\"user\":\"u\",\"name\":\"n\"}",
    };
    for (size_t i = 0; i < sizeof s_events / sizeof s_events[0]; i++) {
        pr_buf_t *packed = pr_buf_new(0);
        assert_int_equal(pr_event_pack_json(pr_str(s_events[i]), packed), 0);
        bench->refused_type = 0;
        assert_int_equal(sv_ctl_link_send(bench->link, pr_buf_str(packed)), 0);
        assert_true(pr_loop_run_until(bench->loop, s_is_refused, bench, DEADLINE_MS));
        pr_buf_destroy(&packed);
    }
    assert_int_equal(s_ask(bench, "status", NULL), 0);
}

/* --- one who says that it is a child --- */

static void
stranger_is_not_let_in(void **state)
{
    bench_t *bench = *state;
    static const pr_link_self_t s_strangers[] = {
        {"actors", "a1", "0123456789abcdef"},  /* not the incarnation that we started */
        {"gateway", "a1", "0123456789abcdef"}, /* nor the role */
        {"actors", "a7", "0123456789abcdef"},  /* nobody of that name */
        {"emperor", "a1", "0123456789abcdef"},
    };
    for (size_t i = 0; i < sizeof s_strangers / sizeof s_strangers[0]; i++) {
        assert_int_equal(t_stranger_refusal(bench->loop, bench->endpoint, &s_strangers[i]),
                         PR_E_FORBIDDEN);
    }
    assert_int_equal(s_ask(bench, "status", NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s_setup, s_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(status_tells_of_everybody),
        TEST(wrong_calls_are_answered),
        TEST(stop_of_a_child_that_can_not_start_is_done_at_once),
        TEST(more_and_fewer_of_a_role),
        TEST(events_that_are_no_business_of_a_caller_are_refused),
        TEST(stranger_is_not_let_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
