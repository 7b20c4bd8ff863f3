/* SPDX-License-Identifier: MIT */

#include "actors/intake.h"

#include "actors/poll.h"
#include "proto/poll/ids.h"
#include "proto/poll/rev.h"
#include "proto/wire/limits.h"

/* Absent, or a rev. */
static bool
s_is_rev(pr_str_t text)
{
    pr_rev_t rev;
    return !text.ptr || pr_rev_parse(text, &rev);
}

static bool
s_is_name(pr_str_t text)
{
    return pr_text_is_valid(text, 1, PR_NAME_CHARS_MAX);
}

static bool
s_check_connect(const pr_msg_connect_t *connect)
{
    return pr_id_is_conn(connect->conn) && pr_id_is_user(connect->user) &&
           s_is_name(connect->name) && s_is_rev(connect->rev);
}

/* [[conn, user, name]…] */
static bool
s_check_sync(const pr_msg_sync_t *sync)
{
    const msgpack_object *list = sync->conns.object;
    if (!s_is_rev(sync->rev) || !list || list->type != MSGPACK_OBJECT_ARRAY) {
        return false;
    }
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        const msgpack_object *row = &list->via.array.ptr[i];
        if (row->type != MSGPACK_OBJECT_ARRAY || row->via.array.size < 3 ||
            !pr_id_is_conn(pr_object_str(&row->via.array.ptr[0])) ||
            !pr_id_is_user(pr_object_str(&row->via.array.ptr[1])) ||
            !s_is_name(pr_object_str(&row->via.array.ptr[2]))) {
            return false;
        }
    }
    return true;
}

static bool
s_check_disconnect(const pr_msg_disconnect_t *disconnect)
{
    return pr_id_is_conn(disconnect->conn) && (pr_str_equal(disconnect->why, PR_STR("leave")) ||
                                               pr_str_equal(disconnect->why, PR_STR("reload")) ||
                                               pr_str_equal(disconnect->why, PR_STR("lost")));
}

static bool
s_check_create(pr_str_t poll, const pr_msg_create_t *create)
{
    bool is_ballots = !create->ballots.ptr || pr_str_equal(create->ballots, PR_STR("open")) ||
                      pr_str_equal(create->ballots, PR_STR("secret"));
    ac_creation_t creation = {
        .id = poll,
        .topic = create->topic,
        .admin = create->admin,
        .nonce = create->nonce,
        .votes = create->votes,
        .ends_at = create->ends_at,
    };
    return is_ballots && ac_creation_is_valid(&creation);
}

int
ac_intake_check(const pr_event_t *event)
{
    bool is_good = false;
    if (event->type < PR_MSG_SYNC || event->type > PR_MSG_RESYNC) {
        return PR_E_UNKNOWN_TYPE;
    }
    if (!pr_id_is_poll(event->poll)) {
        return PR_E_BAD_FIELD;
    }
    switch ((int) event->type) {
    case PR_MSG_SYNC:
        is_good = s_check_sync(&event->sync);
        break;
    case PR_MSG_CONNECT:
        is_good = s_check_connect(&event->connect);
        break;
    case PR_MSG_DISCONNECT:
        is_good = s_check_disconnect(&event->disconnect);
        break;
    case PR_MSG_COMMAND:
        is_good = pr_id_is_conn(event->command.conn) && pr_id_is_user(event->command.user);
        break;
    case PR_MSG_CREATE:
        is_good = s_check_create(event->poll, &event->create);
        break;
    case PR_MSG_READ:
        is_good = !event->read.user.ptr || pr_id_is_user(event->read.user);
        break;
    case PR_MSG_RESYNC:
        is_good = s_is_rev(event->resync.rev);
        break;
    default:
        return PR_E_UNKNOWN_TYPE;
    }
    return is_good ? 0 : PR_E_BAD_FIELD;
}
