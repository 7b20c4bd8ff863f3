/* SPDX-License-Identifier: MIT */

#include "tests/support/sio_echo_namespace.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/sio_echo_json.h"

typedef struct {
    pr_timer_t timer; /* first: the pointers are equal */
    pr_loop_t *loop;
    gw_session_t *session;
    char *auth; /* JSON */
    char verb;  /* what is done when the timer fires */
} member_t;

static gw_joining_t
s_connect(void *arg, gw_session_t *session, const json_t *auth, pr_str_t token)
{
    (void) token;
    if (json_is_true(json_object_get(auth, "refuse"))) {
        return (gw_joining_t) {.reason = "refused", .data = PR_STR("{\"why\":\"asked for\"}")};
    }
    member_t *member = calloc(1, sizeof *member);
    if (!member) {
        return (gw_joining_t) {.reason = "out of memory"};
    }
    member->loop = arg;
    member->session = session;
    member->auth = auth ? json_dumps(auth, JSON_COMPACT) : strdup("{}");
    gw_session_trust(session);
    return (gw_joining_t) {.member = member, .joined = true};
}

static void
s_free(member_t *member)
{
    pr_wheel_cancel(&member->timer);
    free(member->auth);
    free(member);
}

static void
s_joined(void *arg)
{
    member_t *member = arg;
    pr_buf_t *json = pr_buf_copy(PR_STR("[\"auth\","));
    if (json && member->auth) {
        pr_buf_append_str(json, pr_str(member->auth));
        pr_buf_append_byte(json, ']');
        gw_session_send(member->session, member, GW_SIO_ACK_NONE, pr_buf_str(json));
    }
    pr_buf_destroy(&json);
}

static void
s_left(void *arg, gw_why_t why)
{
    (void) why;
    s_free(arg);
}

static void
s_writable(void *arg)
{
    (void) arg;
}

/* The packet's array behind `name` (NULL: none) instead of its own first item. */
static void
s_write_back(pr_buf_t *out, const gw_sio_packet_t *packet, const char *name)
{
    bool is_event = packet->type == GW_SIO_EVENT || packet->type == GW_SIO_BINARY_EVENT;
    size_t count = json_array_size(packet->data);
    const char *between = "";
    pr_buf_append_byte(out, '[');
    if (name) {
        pr_buf_append_json(out, pr_str(name));
        between = ",";
    }
    for (size_t i = is_event ? 1 : 0; i < count; i++) {
        pr_buf_append_str(out, pr_str(between));
        t_echo_append_json(out, json_array_get(packet->data, i));
        between = ",";
    }
    pr_buf_append_byte(out, ']');
}

static void
s_send_back(member_t *member, const gw_sio_packet_t *packet, int64_t ack, const char *name)
{
    pr_buf_t *json = pr_buf_new(256);
    if (!json) {
        return;
    }
    s_write_back(json, packet, name);
    if (packet->attachments) {
        gw_session_send_binary(member->session, member, ack, pr_buf_str(json), packet->attached,
                               packet->attachments);
    } else {
        gw_session_send(member->session, member, ack, pr_buf_str(json));
    }
    pr_buf_destroy(&json);
}

static void
s_on_answer(void *arg, const gw_sio_packet_t *packet)
{
    if (packet) {
        s_send_back(arg, packet, GW_SIO_ACK_NONE, "answered");
    }
}

/* `ask`, `leave` and `close` by their first letters. */
static void
s_do(member_t *member, char verb)
{
    switch (verb) {
    case 'a':
        if (gw_session_ask(member->session, member, PR_STR("[\"question\"]"), s_on_answer,
                           member) != 0) {
            gw_session_cut(member->session, GW_WHY_LOST, 1001, "too many questions");
        }
        break;
    case 'l':
        gw_session_end(member->session, member);
        s_free(member);
        break;
    default:
        gw_session_cut(member->session, GW_WHY_LOST, 1001, "asked to");
    }
}

static void
s_on_timer(pr_timer_t *timer)
{
    member_t *member = (member_t *) timer;
    s_do(member, member->verb);
}

static void
s_event(void *arg, const gw_sio_packet_t *packet)
{
    member_t *member = arg;
    pr_str_t name = gw_sio_event_name(packet);
    const char *when = json_string_value(gw_sio_event_arg(packet, 0));
    if (pr_str_equal(name, PR_STR("message"))) {
        s_send_back(member, packet, GW_SIO_ACK_NONE, "message-back");
    } else if (pr_str_equal(name, PR_STR("message-with-ack"))) {
        if (packet->ack != GW_SIO_ACK_NONE) {
            s_send_back(member, packet, packet->ack, NULL);
        }
    } else if (pr_str_equal(name, PR_STR("ask")) || pr_str_equal(name, PR_STR("leave")) ||
               pr_str_equal(name, PR_STR("close"))) {
        member->verb = name.ptr[0];
        if (when && strcmp(when, "later") == 0) {
            member->timer.fire = s_on_timer;
            pr_loop_arm(member->loop, &member->timer, 1000);
        } else {
            s_do(member, member->verb);
        }
    }
}

gw_namespace_t
t_echo_namespace(pr_loop_t *loop, pr_str_t name)
{
    return (gw_namespace_t) {
        .name = name,
        .connect = s_connect,
        .joined = s_joined,
        .event = s_event,
        .writable = s_writable,
        .left = s_left,
        .arg = loop,
    };
}
