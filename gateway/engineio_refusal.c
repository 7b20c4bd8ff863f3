/* SPDX-License-Identifier: MIT */

#include "gateway/engineio_refusal.h"

#include "proto/base/assert.h"

static const char *const s_bodies[] = {
    [GW_REFUSAL_TRANSPORT] = "{\"code\":0,\"message\":\"Transport unknown\"}",
    [GW_REFUSAL_SESSION] = "{\"code\":1,\"message\":\"Session ID unknown\"}",
    [GW_REFUSAL_METHOD] = "{\"code\":2,\"message\":\"Bad handshake method\"}",
    [GW_REFUSAL_REQUEST] = "{\"code\":3,\"message\":\"Bad request\"}",
    [GW_REFUSAL_FORBIDDEN] = "{\"code\":4,\"message\":\"Forbidden\"}",
    [GW_REFUSAL_PROTOCOL] = "{\"code\":5,\"message\":\"Unsupported protocol version\"}",
};

/* A request with a sid. */
static gw_refusal_t
s_check_session(const gw_handshake_t *asked, bool transport_fits)
{
    if (asked->session == GW_REFUSAL_SESSION) {
        return GW_REFUSAL_SESSION;
    }
    if (!transport_fits || !pr_str_equal(asked->eio, PR_STR("4"))) {
        return GW_REFUSAL_REQUEST;
    }
    return asked->session;
}

gw_refusal_t
gw_refusal_check(const gw_handshake_t *asked)
{
    bool polling = pr_str_equal(asked->transport, PR_STR("polling"));
    bool websocket = pr_str_equal(asked->transport, PR_STR("websocket"));
    bool fits = asked->is_upgrade ? websocket : polling;
    if (!polling && !websocket) {
        return GW_REFUSAL_TRANSPORT;
    }
    if (!asked->origin_allowed) {
        return GW_REFUSAL_FORBIDDEN;
    }
    if (asked->sid.ptr) {
        return s_check_session(asked, fits);
    }
    if (!asked->is_get) {
        return GW_REFUSAL_METHOD;
    }
    if (!fits) {
        return GW_REFUSAL_REQUEST;
    }
    return pr_str_equal(asked->eio, PR_STR("4")) ? GW_REFUSAL_NONE : GW_REFUSAL_PROTOCOL;
}

int
gw_refusal_status(gw_refusal_t refusal)
{
    return refusal == GW_REFUSAL_FORBIDDEN ? 403 : 400;
}

pr_str_t
gw_refusal_body(gw_refusal_t refusal)
{
    PR_ASSERT(refusal < GW_REFUSAL_NONE);
    return pr_str(s_bodies[refusal]);
}
