/* SPDX-License-Identifier: MIT */

/* The root namespace of a server that has nothing to say there. */

#include "gateway/session.h"

static gw_joining_t
s_connect(void *arg, gw_session_t *session, const json_t *auth, pr_str_t token)
{
    (void) arg;
    (void) auth;
    (void) token;
    return (gw_joining_t) {.member = session, .joined = true};
}

static void
s_event(void *member, const gw_sio_packet_t *packet)
{
    (void) member;
    (void) packet;
}

static void
s_writable(void *member)
{
    (void) member;
}

static void
s_left(void *member, gw_why_t why)
{
    (void) member;
    (void) why;
}

const gw_namespace_t gw_namespace_idle_root = {
    .name = {"/", 1},
    .connect = s_connect,
    .event = s_event,
    .writable = s_writable,
    .left = s_left,
    .is_no_reason = true,
};
