/* SPDX-License-Identifier: MIT */

/* What clients, and neighbours for them, ask of the gateway. */

#include "gateway/gateway_private.h"
#include "proto/base/log.h"

static int
s_accept_socket(void *arg, gw_socket_t *socket, pr_str_t header_token)
{
    gw_gateway_t *self = arg;
    return gw_engineio_open(self->engines, socket, header_token);
}

static gw_refusal_t
s_check_upgrade(void *arg, pr_str_t sid)
{
    gw_gateway_t *self = arg;
    return gw_engineio_check(self->engines, sid, true);
}

static int
s_upgrade(void *arg, gw_socket_t *socket, pr_str_t sid)
{
    gw_gateway_t *self = arg;
    return gw_engineio_upgrade(self->engines, socket, sid);
}

static int
s_accept_native(void *arg, gw_socket_t *socket, gw_native_encoding_t encoding)
{
    gw_gateway_t *self = arg;
    return gw_natives_open(self->natives, socket, encoding);
}

static int
s_pass(void *arg, pr_str_t sid, int fd, const gw_address_t *address, pr_str_t head)
{
    gw_gateway_t *self = arg;
    return gw_neighbourhood_pass(self->neighbourhood, sid, fd, address, head);
}

bool
gw_gateway_forward(void *arg, gw_request_t *request, pr_str_t sid, pr_str_t owner)
{
    gw_gateway_t *self = arg;
    return gw_neighbourhood_forward(self->neighbourhood, request, sid, owner);
}

/* A connection that came to a neighbour first. */
void
gw_gateway_adopt(void *arg, int fd, const gw_address_t *address, pr_str_t head)
{
    gw_gateway_t *self = arg;
    if (gw_http_adopt_read(self->http, fd, address, head) != 0) {
        pr_log_info("handover.closed", "len=%zu", head.len);
    }
}

const gw_ws_ops_t gw_gateway_ws_ops = {
    .accept = s_accept_socket,
    .check = s_check_upgrade,
    .upgrade = s_upgrade,
    .pass = s_pass,
    .accept_native = s_accept_native,
};

void
gw_gateway_request(void *arg, gw_request_t *request)
{
    gw_gateway_t *self = arg;
    if (gw_polling_http_is_ours(&self->polling, request)) {
        gw_polling_http_request(&self->polling, request);
    } else {
        gw_rest_request(self->rest, request);
    }
}

size_t
gw_gateway_head(void *arg, gw_request_t *request)
{
    gw_gateway_t *self = arg;
    bool polling = gw_polling_http_is_ours(&self->polling, request);
    return polling ? gw_polling_http_head(&self->polling, request) : 0;
}

/* Sessions that poll come without a connection of their own: they are counted like new ones. */
bool
gw_gateway_admit(void *arg, const gw_address_t *address)
{
    gw_gateway_t *self = arg;
    return gw_limit_take(self->limit, GW_LIMIT_CONNECTS, address, pr_loop_now_ms(self->loop));
}
