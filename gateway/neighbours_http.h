/* SPDX-License-Identifier: MIT */

/* Polling requests over HTTP whose sessions are with another gateway. */

#ifndef GW_NEIGHBOURS_HTTP_H
#define GW_NEIGHBOURS_HTTP_H

#include "gateway/http.h"
#include "gateway/neighbours.h"

/* For gw_polling_door_t.forward: false if `owner` is none of them; else it is answered. */
bool
gw_neighbours_http_forward(gw_neighbours_t *self,
                           gw_request_t *request,
                           pr_str_t sid,
                           pr_str_t owner);

#endif
