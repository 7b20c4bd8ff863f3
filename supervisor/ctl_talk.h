/* SPDX-License-Identifier: MIT */

/*
 * The commands of rollcallctl that listen: send, tap and events. Each prints one JSON line an
 * event, until it has as many as were asked for, or the time is over, or Ctrl-C.
 */

#ifndef SV_CTL_TALK_H
#define SV_CTL_TALK_H

#include "proto/base/loop.h"
#include "supervisor/ctl_options.h"

/* How long to listen, and for what. */
typedef struct {
    pr_loop_t *loop;
    const sv_ctl_options_t *options;
} sv_ctl_talk_t;

/* Sends the events (JSON texts) to `endpoint` and prints what comes back. Returns an exit code. */
int
sv_ctl_talk_send(const sv_ctl_talk_t *self, const char *endpoint, char **events, int count);

/* Prints what the PUB sockets at these endpoints say about `topic` ("": all). Returns an exit code.
 * */
int
sv_ctl_talk_watch(const sv_ctl_talk_t *self,
                  const char *const *endpoints,
                  size_t count,
                  const char *topic);

#endif
