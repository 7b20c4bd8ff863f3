/* SPDX-License-Identifier: MIT */

/*
 * The state table of one side of a link: (side, state, event) -> (action, next state). The rows are
 * explained in link.h; pr_link acts on them. Here so that a test can walk every cell.
 */

#ifndef PR_LINK_STATE_H
#define PR_LINK_STATE_H

typedef enum { PR_LINK_DIALLER, PR_LINK_LISTENER, PR_LINK_SIDE_COUNT } pr_link_side_t;

/* IDLE: no session. GREETING: HELLO is out (dialler only). OPEN: a session. */
#define PR_LINK_STATES(STATE) STATE(IDLE) STATE(GREETING) STATE(OPEN)

/*
 * DIAL     the user asks for a session
 * HELLO    a greeting that begins a new session
 * STALE    a greeting of the present session or of an older one
 * WELCOME  the answer to the greeting that is out
 * OTHER    a WELCOME to another one
 * NEXT     the message that is due
 * OLD      one that was there before
 * GAP      one that comes too early, or from another incarnation
 * RESET    EVENT_REFUSED `reset`
 * REFUSAL  any other EVENT_REFUSED
 * SILENCE  the peer, or the answer to our greeting, is overdue
 * FAILED   the transport did not take a message
 * DROP     the user gives up
 */
#define PR_LINK_INPUTS(INPUT)                                                                      \
    INPUT(DIAL)                                                                                    \
    INPUT(HELLO)                                                                                   \
    INPUT(STALE)                                                                                   \
    INPUT(WELCOME)                                                                                 \
    INPUT(OTHER)                                                                                   \
    INPUT(NEXT)                                                                                    \
    INPUT(OLD)                                                                                     \
    INPUT(GAP)                                                                                     \
    INPUT(RESET)                                                                                   \
    INPUT(REFUSAL)                                                                                 \
    INPUT(SILENCE)                                                                                 \
    INPUT(FAILED)                                                                                  \
    INPUT(DROP)

/*
 * BUG      can not happen: our own mistake
 * IGNORE   nothing
 * REPEAT   count a duplicate
 * REFUSE   answer `reset`
 * GREET    say HELLO with the next session number
 * AGAIN    say the same HELLO again as soon as the transport takes it
 * JOIN     the session that we asked for is open
 * ACCEPT   open the peer's session, say WELCOME
 * DELIVER  hand the events to the user
 * TELL     hand the refusal to the user
 * NOTE     remember why our greeting was refused
 * LOSE     end the session; the next four do so first
 */
#define PR_LINK_ACTIONS(ACTION)                                                                    \
    ACTION(BUG)                                                                                    \
    ACTION(IGNORE)                                                                                 \
    ACTION(REPEAT)                                                                                 \
    ACTION(REFUSE)                                                                                 \
    ACTION(GREET)                                                                                  \
    ACTION(AGAIN)                                                                                  \
    ACTION(JOIN)                                                                                   \
    ACTION(ACCEPT)                                                                                 \
    ACTION(DELIVER)                                                                                \
    ACTION(TELL)                                                                                   \
    ACTION(NOTE)                                                                                   \
    ACTION(LOSE)                                                                                   \
    ACTION(LOSE_GREET)                                                                             \
    ACTION(LOSE_ACCEPT)                                                                            \
    ACTION(LOSE_REFUSE)

#define PR_LINK_ENUM_STATE(name) PR_LINK_##name,
#define PR_LINK_ENUM_INPUT(name) PR_LINK_ON_##name,
#define PR_LINK_ENUM_ACTION(name) PR_LINK_DO_##name,
typedef enum { PR_LINK_STATES(PR_LINK_ENUM_STATE) PR_LINK_STATE_COUNT } pr_link_state_t;
typedef enum { PR_LINK_INPUTS(PR_LINK_ENUM_INPUT) PR_LINK_INPUT_COUNT } pr_link_input_t;
typedef enum { PR_LINK_ACTIONS(PR_LINK_ENUM_ACTION) PR_LINK_ACTION_COUNT } pr_link_action_t;
#undef PR_LINK_ENUM_STATE
#undef PR_LINK_ENUM_INPUT
#undef PR_LINK_ENUM_ACTION

typedef struct {
    pr_link_action_t action;
    pr_link_state_t next;
} pr_link_step_t;

/* The cell of the table. */
pr_link_step_t
pr_link_step(pr_link_side_t side, pr_link_state_t state, pr_link_input_t input);

/* Names for logs and tests. */
const char *
pr_link_state_name(pr_link_state_t state);
const char *
pr_link_input_name(pr_link_input_t input);
const char *
pr_link_action_name(pr_link_action_t action);

#endif
