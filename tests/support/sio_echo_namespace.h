/* SPDX-License-Identifier: MIT */

/* A namespace of sio_echo: what it does is said there. */

#ifndef SIO_ECHO_NAMESPACE_H
#define SIO_ECHO_NAMESPACE_H

#include "gateway/session.h"
#include "proto/base/loop.h"

/* `name`: a literal. */
gw_namespace_t
t_echo_namespace(pr_loop_t *loop, pr_str_t name);

#endif
