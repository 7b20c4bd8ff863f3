/* SPDX-License-Identifier: MIT */

/* What sio_echo does at /ws, to measure the other paths against: it echoes every message as it is,
 * but {"event":"message","data":…}, read and written as the native protocol does, comes back as
 * `message-back`. */

#ifndef SIO_ECHO_NATIVE_H
#define SIO_ECHO_NATIVE_H

#include "gateway/socket.h"

/* Takes the socket over. */
void
t_echo_native(gw_socket_t *socket, size_t message_max);

#endif
