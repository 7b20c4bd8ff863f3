/* SPDX-License-Identifier: MIT */

/* Somebody who dials a socket of ours and is not to be let in. */

#ifndef T_STRANGER_H
#define T_STRANGER_H

#include "proto/base/loop.h"
#include "proto/wire/link.h"

/* The code with which whoever says to be `me` is refused. Fails the test if it is let in, or if
 * nothing comes. */
int
t_stranger_refusal(pr_loop_t *loop, const char *endpoint, const pr_link_self_t *me);

#endif
