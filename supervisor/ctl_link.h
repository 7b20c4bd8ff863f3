/* SPDX-License-Identifier: MIT */

/*
 * rollcallctl's link to the supervisor or to one of its children. Its functions run the loop until
 * the answer is there: good for a tool, not for a server.
 */

#ifndef SV_CTL_LINK_H
#define SV_CTL_LINK_H

#include "proto/base/loop.h"
#include "proto/wire/message.h"

typedef struct sv_ctl_link sv_ctl_link_t;

/* Every event but BEAT and RESULT. May be NULL. */
typedef void (*sv_ctl_event_t)(void *arg, const pr_event_t *event);

/* Dials `endpoint` with role ctl and waits until the link is open. NULL if that does not happen
 * within `timeout_ms`, at once where nobody listens; then `*error` says why. */
sv_ctl_link_t *
sv_ctl_link_new(pr_loop_t *loop,
                const char *endpoint,
                int64_t timeout_ms,
                sv_ctl_event_t on_event,
                void *arg,
                int *error);
void
sv_ctl_link_destroy(sv_ctl_link_t **self_p);

/* Sends bytes of pr_event_pack. 0 or what pr_link_send says. */
PR_MUST_CHECK int
sv_ctl_link_send(sv_ctl_link_t *self, pr_str_t packed);

/* CALL and its RESULT: 0 or the error that was answered; PR_E_TIMEOUT, PR_E_UNREACHABLE. `data`
 * gets the result's data, one msgpack value (nil if there was none). `args` is one, or absent. */
PR_MUST_CHECK int
sv_ctl_link_call(
    sv_ctl_link_t *self, const char *verb, pr_str_t args, int64_t timeout_ms, pr_buf_t *data);

bool
sv_ctl_link_is_open(const sv_ctl_link_t *self);

#endif
