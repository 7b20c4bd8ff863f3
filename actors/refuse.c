/* SPDX-License-Identifier: MIT */

#include "actors/refuse.h"

#include "proto/wire/error.h"

/* The way back to who sent the event. */
typedef struct {
    ac_peers_t *peers;
    pr_buf_t *scratch;
    uint32_t gateway;
    pr_str_t poll;
    int code;
} back_t;

static void
s_tell(const back_t *back, const pr_event_t *event)
{
    pr_buf_clear(back->scratch);
    pr_event_pack(event, back->scratch);
    if (!pr_buf_failed(back->scratch)) {
        ac_peers_send_last(back->peers, back->gateway, pr_buf_str(back->scratch));
    }
}

static void
s_refuse_conn(const back_t *back, pr_str_t conn)
{
    pr_event_t event = pr_event(PR_MSG_REFUSED, back->poll);
    event.refused.conn = conn;
    event.refused.code = pr_str(pr_error_name(back->code));
    event.refused.text = pr_str(pr_error_text(back->code));
    s_tell(back, &event);
}

static void
s_refuse_call(const back_t *back, int64_t req)
{
    pr_event_t event = pr_event(PR_MSG_REPLY, back->poll);
    event.reply.req = req;
    event.reply.code = pr_str(pr_error_name(back->code));
    event.reply.outcome = PR_STR("none");
    s_tell(back, &event);
}

static void
s_refuse_sync(const back_t *back, const msgpack_object *list)
{
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        s_refuse_conn(back, pr_object_str(&list->via.array.ptr[i].via.array.ptr[0]));
    }
}

void
ac_refuse(ac_peers_t *peers, pr_buf_t *scratch, uint32_t gateway, const pr_event_t *event, int code)
{
    back_t back = {peers, scratch, gateway, event->poll, code};
    switch ((int) event->type) {
    case PR_MSG_CONNECT:
        s_refuse_conn(&back, event->connect.conn);
        break;
    case PR_MSG_SYNC:
        s_refuse_sync(&back, event->sync.conns.object);
        break;
    case PR_MSG_COMMAND:
        s_refuse_call(&back, event->command.req);
        break;
    case PR_MSG_CREATE:
        s_refuse_call(&back, event->create.req);
        break;
    case PR_MSG_READ:
        s_refuse_call(&back, event->read.req);
        break;
    default:
        break;
    }
}

void
ac_refuse_event(
    ac_peers_t *peers, pr_buf_t *scratch, uint32_t gateway, const pr_event_t *event, int code)
{
    /* The poll's id may be what is wrong with it. */
    pr_str_t poll = code == PR_E_BAD_FIELD ? PR_STR("") : event->poll;
    back_t back = {peers, scratch, gateway, poll, code};
    pr_event_t refusal = pr_event(PR_MSG_EVENT_REFUSED, poll);
    refusal.event_refused.type = event->type;
    refusal.event_refused.code = pr_str(pr_error_name(code));
    refusal.event_refused.text = pr_str(pr_error_text(code));
    s_tell(&back, &refusal);
}
