/* SPDX-License-Identifier: MIT */

/* How sio_echo writes what it was sent. */

#ifndef SIO_ECHO_JSON_H
#define SIO_ECHO_JSON_H

#include <jansson.h>

#include "proto/base/buffer.h"

/* Appends any value. */
void
t_echo_append_json(pr_buf_t *out, const json_t *value);

#endif
