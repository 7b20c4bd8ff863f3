/* SPDX-License-Identifier: MIT */

/* SYNC: tells a poll's actor all about its conns at this gateway, in place of what it knew. */

#ifndef GW_SYNC_H
#define GW_SYNC_H

#include "gateway/hosts.h"
#include "gateway/rooms.h"

/* Sends it in as many messages as it takes. On an error (those of gw_hosts_send) it has to be sent
 * again from the beginning. */
PR_MUST_CHECK int
gw_sync_send(gw_hosts_t *hosts, pr_str_t poll, const gw_feed_t *feed);

#endif
