/* SPDX-License-Identifier: MIT */

#include "tests/support/sio_echo_native.h"

#include "gateway/native_parse.h"
#include "gateway/native_render.h"
#include "tests/support/sio_echo_json.h"

/* The answer to a native frame; NULL: it is none. */
static pr_buf_t *
s_answer(pr_str_t data)
{
    gw_native_frame_t frame;
    pr_buf_t *answer = NULL;
    pr_buf_t *json = pr_buf_new(256);
    if (gw_native_parse(GW_NATIVE_JSON, data, &frame) == 0 && frame.data && json) {
        t_echo_append_json(json, frame.data);
        answer = gw_native_render_event(GW_NATIVE_JSON, PR_STR("message-back"), &frame.id,
                                        pr_buf_str(json));
    }
    pr_buf_destroy(&json);
    gw_native_clear(&frame);
    return answer;
}

static pr_buf_t *
s_echo(pr_str_t data, bool binary)
{
    pr_buf_t *answer = NULL;
    if (binary) {
        return gw_frame_binary(data);
    }
    if (data.len > 0 && data.ptr[0] == '{') {
        answer = s_answer(data);
    }
    return answer ? answer : gw_frame_text(data);
}

static void
s_message(void *user, pr_str_t data, bool binary)
{
    pr_buf_t *frame = s_echo(data, binary);
    if (!frame || gw_socket_send_must(user, frame) != 0) {
        gw_socket_kill(user);
    }
    pr_buf_destroy(&frame);
}

static void
s_writable(void *user)
{
    (void) user;
}

static void
s_closed(void *user, int code, bool by_us)
{
    (void) user;
    (void) code;
    (void) by_us;
}

static const gw_socket_ops_t s_ops = {
    .message = s_message,
    .writable = s_writable,
    .closed = s_closed,
};

void
t_echo_native(gw_socket_t *socket, size_t message_max)
{
    gw_socket_set_message_max(socket, message_max);
    gw_socket_attach(socket, &s_ops, socket);
}
