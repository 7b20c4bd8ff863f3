/* SPDX-License-Identifier: MIT */

/* Names of the states and events of a conn. */

#include "gateway/conn.h"

static const char *const s_state_names[] = {
#define GW_CONN_STATE(name) #name,
    GW_CONN_STATES(GW_CONN_STATE)
#undef GW_CONN_STATE
};
static const char *const s_event_names[] = {
#define GW_CONN_EVENT(name) #name,
    GW_CONN_EVENTS(GW_CONN_EVENT)
#undef GW_CONN_EVENT
};

const char *
gw_conn_state_name(gw_conn_state_t state)
{
    return s_state_names[state];
}

const char *
gw_conn_event_name(gw_conn_event_t event)
{
    return s_event_names[event];
}
