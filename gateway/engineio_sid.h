/* SPDX-License-Identifier: MIT */

/*
 * Session ids of Engine.IO: <owner>-<132 random bits>, of A-Z a-z 0-9 - _ alone. Whoever knows one
 * may read the session, so it is never logged whole. By the owner's tag any gateway, or a balancer
 * that looks at the query, finds the gateway that has the session.
 */

#ifndef GW_ENGINEIO_SID_H
#define GW_ENGINEIO_SID_H

#include "proto/base/bytes.h"

#define GW_SID_TAG_MAX 40
#define GW_SID_MAX 64

/* The tag of a gateway: its name and the start of its incarnation, so that a successor is not
 * taken for it. */
void
gw_sid_tag(const char *name, const char *incarnation, char out[GW_SID_TAG_MAX + 1]);

/* A new id. */
void
gw_sid_new(const char *tag, char out[GW_SID_MAX + 1]);

/* The owner's tag, borrowed from the sid; absent if it is none of ours. */
pr_str_t
gw_sid_owner(pr_str_t sid);

#endif
