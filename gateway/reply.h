/* SPDX-License-Identifier: MIT */

/* How the answer to a request goes out through libwebsockets, and how its transaction ends. */

#ifndef GW_REPLY_H
#define GW_REPLY_H

#include "gateway/request.h"

/* The answer was built. It goes out at once or when the client takes bytes; then the request is
 * gone. Bytes behind a request wait for that, or end the connection after it. */
void
gw_reply_begin(gw_request_t *request);

/* The client takes bytes: writes the answer, if there is one. Nonzero: close. */
int
gw_reply_write(gw_request_t *request);

/* Ends a connection, from anywhere. */
void
gw_reply_kill(struct lws *wsi);

#endif
