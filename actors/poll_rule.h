/* SPDX-License-Identifier: MIT */

/*
 * What the rules of a poll share, for poll_rules.c and poll_vote.c alone: how a rule refuses, who
 * may ask, and what the id of a command tells.
 */

#ifndef AC_POLL_RULE_H
#define AC_POLL_RULE_H

#include "actors/poll_body.h"

/* Appends words to those that the event wants, if it wants any. */
void
ac_rule_say(const ac_event_t *event, const char *words);
/* Says why. PR_E_BAD_REQUEST. */
int
ac_rule_refuse(const ac_event_t *event, const char *reason);
/* 0, or why the user may not ask: PR_E_REMOVED, PR_E_BAD_REQUEST; PR_E_UNAUTHORIZED. */
int
ac_rule_must_be_in(const ac_poll_t *self, const ac_event_t *event);
int
ac_rule_must_be_admin(const ac_poll_t *self, const ac_event_t *event);
/* The member `name` of the arguments, or NULL. */
const msgpack_object *
ac_rule_argument(const ac_event_t *event, pr_str_t name);

ac_mark_t
ac_rule_mark(const ac_poll_t *self, pr_str_t user, pr_str_t id);
/* Of a command id `CONN.n`, as gateways make them: the mark of CONN, and n. Else the mark of the
 * whole and 0: a command without an order. */
ac_cast_t
ac_rule_cast(const ac_poll_t *self, pr_str_t user, pr_str_t id);

/* The rules of the vote: poll_vote.c. */
PR_MUST_CHECK int
ac_rule_start_vote(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects);
PR_MUST_CHECK int
ac_rule_submit_rankings(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects);
PR_MUST_CHECK int
ac_rule_close_poll(ac_poll_t *self, const ac_event_t *event, ac_batch_t *effects);

#endif
