/* SPDX-License-Identifier: MIT */

/*
 * One child of the crew: its spec, its state table, its process, and what it told of itself.
 * Carries out what the table says.
 */

#ifndef SV_MEMBER_H
#define SV_MEMBER_H

#include "proto/base/bytes.h"
#include "supervisor/child.h"
#include "supervisor/launch.h"
#include "supervisor/spec.h"

typedef struct sv_member sv_member_t;

typedef struct {
    /* Its state is another one than `from`. */
    void (*changed)(void *arg, sv_member_t *member, sv_child_state_t from, const char *why);
    /* Sends it a STOP, or a DRAIN if sv_member_drain_ms says so; false if it has no link: then it
     * gets SIGTERM. */
    bool (*ask_stop)(void *arg, sv_member_t *member);
} sv_member_ops_t;

/* `spec`, `launch` and `ops` are borrowed. NULL when out of memory. */
sv_member_t *
sv_member_new(pr_loop_t *loop,
              const sv_spec_t *spec,
              sv_launch_t *launch,
              const sv_member_ops_t *ops,
              void *arg);
/* Forgets its process, which lives on if it is alive. */
void
sv_member_destroy(sv_member_t **self_p);

/* Something happened; the table decides. `why` (NULL: the event's name) is for the log. */
void
sv_member_feed(sv_member_t *self, sv_child_event_t event, const char *why);
/* Stops it as STOP does, but a gateway sends its clients away over so long. */
void
sv_member_drain(sv_member_t *self, int64_t within_ms, const char *why);
/* Whether it is one too many and is to be forgotten when it is down; it is asked for again by its
 * name. Says nothing to its process. */
void
sv_member_retire(sv_member_t *self, bool is_retired);
/* What time brings: its deadline, or a beat that did not come. Call each turn. */
void
sv_member_check(sv_member_t *self);
/* The supervisor itself was late: all its times start anew. */
void
sv_member_extend(sv_member_t *self);

/* A sign of life. */
void
sv_member_heard(sv_member_t *self);
/* It says that it is ready, or says so again with other endpoints. `tap` may be absent. */
void
sv_member_ready(sv_member_t *self, pr_str_t endpoint, pr_str_t tap);
/* While `changed` tells of a death: whether that was a crash, by a core signal, or because it hung
 * and had to be killed. */
bool
sv_member_crashed(const sv_member_t *self);
/* The counters of its last beat, one msgpack value; copied. Too large: ignored. */
void
sv_member_set_stats(sv_member_t *self, pr_str_t stats);
/* Sends a signal to its process, past the table; false if there is none. */
bool
sv_member_signal(sv_member_t *self, int signum);

const sv_spec_t *
sv_member_spec(const sv_member_t *self);
bool
sv_member_is_retired(const sv_member_t *self);
/* Over how long it sends its clients away while it stops; -1: it does not. */
int64_t
sv_member_drain_ms(const sv_member_t *self);
sv_child_state_t
sv_member_state(const sv_member_t *self);
const sv_child_t *
sv_member_child(const sv_member_t *self);
/* 0: no process. */
int
sv_member_pid(const sv_member_t *self);
/* Texts are never NULL. */
const char *
sv_member_incarnation(const sv_member_t *self);
const char *
sv_member_endpoint(const sv_member_t *self);
const char *
sv_member_tap(const sv_member_t *self);
/* How it ended the last time: "", "exit 1", "signal 9 (Killed)". */
const char *
sv_member_last_exit(const sv_member_t *self);
/* Its exit code then; -1 for a signal or none. */
int
sv_member_last_code(const sv_member_t *self);
/* Absent before the first. */
pr_str_t
sv_member_stats(const sv_member_t *self);
/* Since when it is not ready; meant while it is not. */
int64_t
sv_member_down_since_ms(const sv_member_t *self);

#endif
