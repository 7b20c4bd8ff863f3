/* SPDX-License-Identifier: MIT */

#include "tests/support/actor_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/actor.h"
#include "proto/wire/error.h"

static void
s_submit(void *arg, ac_request_t *request)
{
    t_rig_t *self = arg;
    assert_null(self->out);
    assert_false(request->submitted);
    request->submitted = true;
    self->out = request;
    self->submitted++;
}

static void
s_cancel(void *arg, ac_request_t *request)
{
    t_rig_t *self = arg;
    assert_ptr_equal(self->out, request);
    request->submitted = false;
    self->out = NULL;
    self->cancelled++;
}

static void
s_keep(t_rig_t *self, uint32_t gateway, pr_str_t packed)
{
    assert_true(self->sent_count < T_RIG_SENT_MAX);
    self->sent[self->sent_count++] = (t_rig_sent_t) {gateway, pr_buf_copy(packed)};
}

static int
s_send(void *arg, uint32_t gateway, pr_str_t packed)
{
    t_rig_t *self = arg;
    assert_true(gateway < T_RIG_GATEWAYS_MAX);
    if (self->full[gateway]) {
        return PR_E_BUSY;
    }
    s_keep(self, gateway, packed);
    return 0;
}

static void
s_send_last(void *arg, uint32_t gateway, pr_str_t packed)
{
    s_keep(arg, gateway, packed);
}

static void
s_starved(void *arg, uint32_t gateway, ac_actor_t *actor)
{
    t_rig_t *self = arg;
    (void) actor;
    self->starved[gateway] = true;
}

static void
s_give_up(void *arg, uint32_t gateway)
{
    t_rig_t *self = arg;
    self->given_up[gateway] = true;
}

static void
s_publish(void *arg, pr_str_t poll, pr_str_t packed)
{
    t_rig_t *self = arg;
    assert_int_equal(poll.len, PR_POLL_ID_LEN);
    assert_true(packed.len > 0);
    self->published++;
}

static bool
s_is_ours(void *arg, pr_str_t poll)
{
    const t_rig_t *self = arg;
    (void) poll;
    return self->is_ours;
}

static void
s_wake(void *arg, ac_actor_t *actor)
{
    t_rig_t *self = arg;
    assert_null(self->woken);
    self->woken = actor;
}

static void
s_finished(void *arg, ac_actor_t *actor)
{
    t_rig_t *self = arg;
    (void) actor;
    assert_false(self->finished);
    self->finished = true;
}

static const ac_actor_ops_t s_ops = {
    .submit = s_submit,
    .cancel = s_cancel,
    .send = s_send,
    .send_last = s_send_last,
    .starved = s_starved,
    .give_up = s_give_up,
    .publish = s_publish,
    .is_ours = s_is_ours,
    .wake = s_wake,
    .finished = s_finished,
};

void
t_rig_init(t_rig_t *self)
{
    *self = (t_rig_t) {
        .env =
            {
                .ops = &s_ops,
                .arg = self,
                .now_ms = 1000000,
                .wall_ms = T_RIG_WALL_MS,
                .store_up = true,
                .generation = 7,
                .incarnation = "00000000000000aa",
                .rules = {.participants_max = 1000,
                          .nominations_max = 200,
                          .nominations_per_user_max = 5},
                .grace = {.lost_ms = 10000, .reload_ms = 2000},
            },
        .is_ours = true,
    };
    self->env.wheel = pr_wheel_new(self->env.now_ms);
    self->env.scratch = pr_buf_new(0);
    self->env.memory = pr_unpacked_new();
    self->memory = pr_unpacked_new();
    assert_non_null(self->env.wheel);
    assert_non_null(self->env.scratch);
    assert_non_null(self->env.memory);
    assert_non_null(self->memory);
}

void
t_rig_fini(t_rig_t *self)
{
    for (size_t i = 0; i < self->sent_count; i++) {
        pr_buf_destroy(&self->sent[i].packed);
    }
    assert_int_equal(self->env.counters.bugs, 0);
    assert_int_equal(self->env.counters.conns, 0);
    pr_wheel_destroy(&self->env.wheel);
    pr_buf_destroy(&self->env.scratch);
    pr_unpacked_destroy(&self->env.memory);
    pr_unpacked_destroy(&self->memory);
}

void
t_rig_pass(t_rig_t *self, int64_t ms)
{
    self->env.now_ms += ms;
    self->env.wall_ms += ms;
    (void) pr_wheel_advance(self->env.wheel, self->env.now_ms);
}

void
t_rig_turn(t_rig_t *self)
{
    while (self->woken) {
        ac_actor_t *actor = self->woken;
        self->woken = NULL;
        ac_actor_think(actor);
    }
}

void
t_rig_answer(t_rig_t *self, ac_answer_kind_t kind, const char *text, const char *document)
{
    ac_request_t *request = self->out;
    assert_non_null(request);
    self->out = NULL;
    request->submitted = false;
    ac_answer_t answer = {.kind = kind, .text = pr_str(text), .document = pr_str(document)};
    request->done(request, &answer);
}

pr_event_t
t_rig_expect(t_rig_t *self, uint32_t gateway, pr_message_type_t type)
{
    assert_true(self->sent_seen < self->sent_count);
    const t_rig_sent_t *sent = &self->sent[self->sent_seen++];
    pr_event_t event;
    assert_int_equal(pr_event_unpack(pr_buf_str(sent->packed), self->memory, &event), 0);
    assert_string_equal(pr_message_name(event.type), pr_message_name(type));
    assert_int_equal(sent->gateway, gateway);
    return event;
}

void
t_rig_expect_quiet(const t_rig_t *self)
{
    assert_int_equal(self->sent_seen, self->sent_count);
}

size_t
t_rig_count(t_rig_t *self, pr_message_type_t type)
{
    size_t count = 0;
    while (self->sent_seen < self->sent_count) {
        pr_str_t packed = pr_buf_str(self->sent[self->sent_seen++].packed);
        pr_event_t event;
        assert_int_equal(pr_event_unpack(packed, self->memory, &event), 0);
        count += event.type == type;
    }
    return count;
}

bool
t_rig_confirm(t_rig_t *self)
{
    const ac_request_t *request = self->out;
    if (!request || request->script != AC_SCRIPT_WRITE || strcmp(request->from, request->to) != 0) {
        return false;
    }
    t_rig_answer(self, AC_ANSWER_ALREADY, request->to, NULL);
    return true;
}

const char *
t_rig_body(t_rig_t *self)
{
    static char text[1 << 20];
    assert_non_null(self->out);
    assert_non_null(self->out->body);
    pr_str_t body = pr_buf_str(self->out->body);
    assert_true(body.len < sizeof text);
    memcpy(text, body.ptr, body.len);
    text[body.len] = '\0';
    return text;
}

/* --- events --- */

pr_event_t
t_rig_connect(const char *conn, pr_str_t user, pr_str_t rev)
{
    pr_event_t event = pr_event(PR_MSG_CONNECT, T_RIG_POLL);
    event.connect.conn = pr_str(conn);
    event.connect.user = user;
    event.connect.name = PR_STR("Name");
    event.connect.rev = rev;
    return event;
}

pr_event_t
t_rig_disconnect(const char *conn, const char *why)
{
    pr_event_t event = pr_event(PR_MSG_DISCONNECT, T_RIG_POLL);
    event.disconnect.conn = pr_str(conn);
    event.disconnect.why = pr_str(why);
    return event;
}

pr_event_t
t_rig_create(int64_t req, const char *nonce)
{
    pr_event_t event = pr_event(PR_MSG_CREATE, T_RIG_POLL);
    event.create.req = req;
    event.create.topic = PR_STR("Lunch");
    event.create.votes = 3;
    event.create.admin = T_RIG_ALICE;
    event.create.ends_at = T_RIG_ENDS_AT;
    event.create.nonce = pr_str(nonce);
    return event;
}

pr_event_t
t_rig_command(int64_t req, const char *conn, const char *verb)
{
    pr_event_t event = pr_event(PR_MSG_COMMAND, T_RIG_POLL);
    event.command.req = req;
    event.command.conn = pr_str(conn);
    event.command.user = T_RIG_ALICE;
    event.command.id = PR_STR("id");
    event.command.verb = pr_str(verb);
    return event;
}

pr_event_t
t_rig_read(int64_t req)
{
    pr_event_t event = pr_event(PR_MSG_READ, T_RIG_POLL);
    event.read.req = req;
    return event;
}
