/* SPDX-License-Identifier: MIT */

/* Checks the fields of an event from a gateway before any actor sees it. */

#ifndef AC_INTAKE_H
#define AC_INTAKE_H

#include "proto/base/assert.h"
#include "proto/wire/message.h"

/* 0; PR_E_UNKNOWN_TYPE if it is not for actors; PR_E_BAD_FIELD if an id, a name or a list is not
 * one. */
PR_MUST_CHECK int
ac_intake_check(const pr_event_t *event);

#endif
