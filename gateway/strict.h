/* SPDX-License-Identifier: MIT */

/* What becomes of a WebSocket whose client breaks the rules of RFC 6455 that framing.h knows. */

#ifndef GW_STRICT_H
#define GW_STRICT_H

#include "gateway/write.h"

/* From now on the socket's frames are looked at; `counters` must outlive it. */
void
gw_strict_begin(gw_socket_t *socket, gw_fault_counters_t *counters);
/* For its timer: closes it if a fault was seen. The good frames before that have been served. */
void
gw_strict_look(gw_socket_t *socket);
/* Something has gone out: after a fault nothing follows the close frame. */
void
gw_strict_written(const gw_socket_t *socket);

/* The code to answer a close frame of this payload with. If it is not the payload's own, that is
 * changed to what may be sent back. */
int
gw_strict_answer_close(unsigned char *payload, size_t len, bool *changed);

#endif
