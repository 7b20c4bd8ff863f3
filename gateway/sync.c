/* SPDX-License-Identifier: MIT */

#include "gateway/sync.h"

#include "gateway/conn.h"
#include "proto/base/fault.h"
#include "proto/wire/limits.h"

static void
s_pack_conn(msgpack_packer *packer, const gw_conn_t *conn)
{
    gw_id_text_t id = gw_conn_id(conn);
    (void) msgpack_pack_array(packer, 3);
    pr_pack_str(packer, pr_str(id.text));
    pr_pack_str(packer, gw_conn_user(conn));
    pr_pack_str(packer, gw_conn_name(conn));
}

/* The conns from `first` up to `end`. */
static int
s_send_part(gw_hosts_t *hosts, pr_event_t *event, const gw_feed_t *feed, size_t first, size_t end)
{
    pr_buf_t *conns = pr_buf_new((end - first) * 64 + 8);
    if (!conns) {
        return PR_E_NOMEM;
    }
    msgpack_packer packer = pr_packer(conns);
    (void) msgpack_pack_array(&packer, end - first);
    for (size_t i = first; i < end; i++) {
        s_pack_conn(&packer, gw_conn_of(gw_feed_at(feed, i)));
    }
    event->sync.conns.raw = pr_buf_str(conns);
    int error = pr_buf_failed(conns) ? PR_E_NOMEM : gw_hosts_send(hosts, event);
    pr_buf_destroy(&conns);
    return error;
}

int
gw_sync_send(gw_hosts_t *hosts, pr_str_t poll, const gw_feed_t *feed)
{
    pr_event_t event = pr_event(PR_MSG_SYNC, poll);
    pr_rev_text_t rev = pr_rev_format(gw_feed_rev(feed));
    if (gw_feed_rev(feed).version > 0) {
        event.sync.rev = pr_str(rev.text);
    }
    size_t count = gw_feed_count(feed);
    size_t at = count > 1 && PR_FAULT("sync.forget_one") ? 1 : 0;
    int error = 0;
    do {
        size_t end = count - at > PR_SYNC_CONNS_MAX ? at + PR_SYNC_CONNS_MAX : count;
        event.sync.last = end == count ? 1 : 0;
        error = s_send_part(hosts, &event, feed, at, end);
        at = end;
    } while (error == 0 && at < count);
    return error;
}
