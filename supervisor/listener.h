/* SPDX-License-Identifier: MIT */

/*
 * The listening socket of the HTTP port. It is opened before any child and handed down to every
 * gateway, so that the port refuses nobody while gateways come and go.
 */

#ifndef SV_LISTENER_H
#define SV_LISTENER_H

#include <stddef.h>

#include "proto/base/assert.h"

/* Listens on `host` ("": all addresses, IPv6 and IPv4) and returns the descriptor, not blocking,
 * not inherited. Or PR_E_SYSTEM, with one line in `error` that says what to do. */
PR_MUST_CHECK int
sv_listener_open(const char *host, int port, char *error, size_t error_size);

/* "http://HOST:PORT" as a person on this machine would type it; `scheme` is "http" or "https". */
void
sv_listener_url(const char *scheme, const char *host, int port, char *out, size_t size);

#endif
