/* SPDX-License-Identifier: MIT */

/*
 * Every bound of Rollcall, with what happens when it is reached. Those that an operator may change
 * are defaults of settings (proto/base/config.h) and say so. A build may give some others
 * (#ifndef): the simulator makes them small, to meet them often.
 */

#ifndef PR_LIMITS_H
#define PR_LIMITS_H

#include <assert.h>

/* --- links (proto/wire/link.h) --- */

/* One message of a link holds so many events or bytes; a single larger event goes alone. */
#define PR_LINK_BATCH_EVENTS 512
#define PR_LINK_BATCH_BYTES (1 << 20)
/* Unconsumed at the peer: past either, pr_link_send answers PR_E_BUSY. */
#ifndef PR_LINK_WINDOW_BYTES
#define PR_LINK_WINDOW_BYTES (8 << 20)
#endif
#ifndef PR_LINK_WINDOW_MESSAGES
#define PR_LINK_WINDOW_MESSAGES 500
#endif
/* The receiver reports what it consumed at least so often. */
#define PR_LINK_REPORT_BYTES (1 << 20)
#define PR_LINK_REPORT_MESSAGES 100
#define PR_LINK_REPORT_MS 100
/* A BEAT each second; after three without any message the peer is given up. */
#define PR_LINK_BEAT_MS 1000
#define PR_LINK_DEAD_MS 3000
/* Answers to what can not be taken, a second and peer: more are only counted. */
#define PR_LINK_REFUSALS_PER_S 10
/* Length of the names and roles in greetings: "g1", "gateway". */
#define PR_LINK_NAME_LEN_MAX 31
/* One ZeroMQ message, all parts; larger ones close the connection (ZMQ_MAXMSGSIZE is per part). */
#define PR_MESSAGE_BYTES_MAX (16 << 20)
/* High-water mark of every socket, in messages. Above the window: reaching it is a bug counter. */
#define PR_ZSOCK_HWM 1000
/* What a closed socket has yet to send may still go for so long. With none libzmq 4.3 aborts
 * (session_base.cpp, clean_pipes) when both ends close in the middle of a message of many parts. */
#define PR_ZSOCK_LINGER_MS 200
/* Parts of one message: identity, header, events. More: the message is dropped and counted. */
#define PR_MESSAGE_PARTS_MAX (PR_LINK_BATCH_EVENTS + 8)
/* Links that one ROUTER keeps: more peers are answered EVENT_REFUSED busy. */
#define PR_ROUTER_PEERS_MAX 256
/* Messages handled per loop turn and socket, so that no peer starves the others. */
#define PR_ZSOCK_TURN_MESSAGES 64
/* Containers in a msgpack body. */
#define PR_MSGPACK_DEPTH_MAX 8
/* Containers in a client's arguments; no rule looks deeper, what is there becomes nil. */
#define PR_ARGS_DEPTH_MAX 4
/* A path of an ipc endpoint (sun_path less its NUL). */
#define PR_IPC_PATH_MAX 107

static_assert(PR_LINK_WINDOW_MESSAGES < PR_ZSOCK_HWM, "the window closes before the mark");
static_assert(PR_ARGS_DEPTH_MAX + 2 < PR_MSGPACK_DEPTH_MAX, "a COMMAND can be read");
static_assert(PR_LINK_WINDOW_BYTES < PR_MESSAGE_BYTES_MAX, "an event may fill the window");

/* --- names and texts --- */

#define PR_POLL_ID_LEN 6
#define PR_USER_ID_LEN 21
#define PR_NOMINATION_ID_LEN 8
/* Name of a conn, unique at its gateway. */
#define PR_CONN_ID_LEN_MAX 64
/* Nonce of a CREATE. */
#define PR_NONCE_LEN_MAX 36
/* An incarnation: hex digits of 8 random bytes. */
#define PR_INCARNATION_LEN 16
/* "<version>-<chain>": 16 digits, a dash, 16 hex digits. */
#define PR_REV_LEN_MAX 33
#define PR_NAME_CHARS_MAX 25
#define PR_TOPIC_CHARS_MAX 100
#define PR_TEXT_CHARS_MAX 100
#define PR_VOTES_MAX 5
/* Bytes of one text member of a message that is not a document: larger is PR_E_BAD_FIELD. */
#define PR_FIELD_BYTES_MAX 1024
/* Numbers stay exact in JavaScript. */
#define PR_INTEGER_MAX 9007199254740991

/* --- a poll (defaults of settings) --- */

#define PR_PARTICIPANTS_MAX 10000 /* more: REFUSED full */
#define PR_NOMINATIONS_MAX 200
#define PR_NOMINATIONS_PER_USER_MAX 5
/* Removed users and options that a poll remembers; past it a removed option may come back when the
 * command that added it is sent twice. */
#define PR_REMOVALS_MAX 2000

/* --- an actor --- */

/* Commands waiting in a poll's mailbox: more are answered busy. */
#define PR_MAILBOX_COMMANDS_MAX 16384
#define PR_MAILBOX_BYTES_MAX (4 << 20)
#define PR_MAILBOX_PER_CONN_MAX 8
/* Answers held for one gateway and poll while its window is full: more, and its link is dropped. */
#ifndef PR_HELD_BYTES_MAX
#define PR_HELD_BYTES_MAX (1 << 20)
#endif
/* A batch takes no more changes past these; a single change may be larger. */
#ifndef PR_BATCH_CHANGES_MAX
#define PR_BATCH_CHANGES_MAX 256
#endif
#define PR_BATCH_BYTES_MAX (64 << 10)
/* Scripts in flight to the store: more wait in their actors. */
#ifndef PR_STORE_IN_FLIGHT_MAX
#define PR_STORE_IN_FLIGHT_MAX 256
#endif
/* The same in bytes of their bodies; a single larger script goes alone. */
#define PR_STORE_IN_FLIGHT_BYTES_MAX (8 << 20)
/* A script unanswered for so long: the store counts as down, the connection is made anew. */
#define PR_STORE_ANSWER_MS 2000
/* Pauses between two dials, doubled from the one to the other; a server on this machine is dialled
 * at least every PR_STORE_DIAL_LOCAL_MS, so that a restarted one is found at once. */
#define PR_STORE_DIAL_MS 50
#define PR_STORE_DIAL_LOCAL_MS 80
#define PR_STORE_DIAL_MAX_MS 5000
/* A server that can not serve us is looked at again so often. */
#define PR_STORE_UNFIT_MS 5000
/* Pauses before a script that was refused for now (OOM, BUSY …) goes out again. */
#define PR_STORE_AGAIN_MS 50
#define PR_STORE_AGAIN_MAX_MS 1000
/* One answer of the store; a larger one is a broken server: the connection is made anew. */
#define PR_STORE_REPLY_BYTES_MAX (64 << 20)
#define PR_STORE_REPLY_ELEMENTS_MAX 1024
/* A client's request waits so long for the store, then `unavailable` or `unknown`. */
#define PR_REQUEST_DEADLINE_MS 10000
/* Live actors in one process; more activations are answered busy. */
#define PR_ACTORS_MAX 100000
/* Sockets of one poll, over all gateways; more CONNECTs are REFUSED full. */
#define PR_POLL_CONNS_MAX 65536
/* A live actor with sockets that has heard nothing of the store for so long asks whether the poll
 * is still its own: nobody is shown a stale document for longer, whatever happened elsewhere. */
#define PR_ACTOR_CONFIRM_MS 5000
/* An actor goes after so long without sockets, and so long after its last write. */
#define PR_ACTOR_IDLE_MS 30000
#define PR_ACTOR_AFTER_WRITE_MS 3000
/* A poll that our roster gives to us is claimed back from a stray owner at most so often. */
#define PR_ACTOR_TAKE_BACK_MS 1000

/* Two crashes on one poll within so long put it in quarantine (PR_ROSTER_QUARANTINED_MAX). */
#define PR_POISON_MS 60000
/* Polls with one crash so far; the oldest is forgotten. */
#define PR_POISON_SUSPECTS_MAX 64
/* The file that names the poll in hand. */
#define PR_POISON_BYTES 64

/* --- presence (defaults of settings) --- */

#define PR_GRACE_LOST_MS 10000
#define PR_GRACE_RELOAD_MS 2000

/* --- a gateway --- */

/* A frame longer than this goes out as WebSocket fragments of this size, so that a slow reader
 * holds at most one of them in memory of its own. */
#define PR_FRAGMENT_BYTES (32 << 10)
/* Bytes that the kernel keeps unsent for one client; more stay with us, shared. Without it a slow
 * reader holds megabytes of kernel memory. */
#define PR_SOCKET_UNSENT_BYTES (256 << 10)
/* Recent patch frames kept for each feed; a socket that fell off gets the whole document. */
#ifndef PR_FEED_RING_BYTES
#define PR_FEED_RING_BYTES (256 << 10)
#endif
/* Broadcast bytes of full documents a second and gateway (default of a setting). */
#define PR_PACE_BYTES_PER_S (100 << 20)
/* Events a client may send before it is live, and while its poll's actors are away. */
#define PR_CONN_HELD_MAX 8
/* Commands of one conn without an answer, the held ones included; more are answered busy. */
#define PR_CONN_COMMANDS_MAX 32
/* Conns in one SYNC message; more go in further ones. */
#ifndef PR_SYNC_CONNS_MAX
#define PR_SYNC_CONNS_MAX 500
#endif
/* A poll that has moved, or could not be told everything, is told again after so long. */
#define PR_ROOM_RETRY_MS 500
/* A gateway that is asked to stop waits so long for its sockets to close. */
#define PR_GATEWAY_STOP_MS 1500
/* Acks, errors and endings waiting for a slow socket: more closes it. */
#define PR_CONN_MUST_SEND_BYTES_MAX (64 << 10)
/* A socket that accepts no byte for so long is closed. */
#define PR_STALLED_MS 30000
/* Life before the join: time and bytes. */
#define PR_BEFORE_JOIN_MS 10000
#define PR_BEFORE_JOIN_BYTES_MAX 4096
#define PR_JOINING_MS 10000
#define PR_CLOSING_MS 5000
/* The same for a peer that broke a rule: it need not agree. */
#define PR_REFUSED_MS 1000
/* One client message after the join (maxPayload of the open packet). */
#define PR_CLIENT_MESSAGE_BYTES_MAX 65536
/* A client message must be whole within: */
#define PR_CLIENT_MESSAGE_MS 10000
/* Commands a second and socket (default of a setting): more are answered BadRequest. */
#define PR_COMMANDS_PER_S 20
/* REST bodies: more is 413. */
#define PR_BODY_BYTES_MAX 102400
#define PR_HEADER_BYTES_MAX 4096
#define PR_HEADER_MS 5000
/* New sockets of one address: burst, then a second (defaults of settings). */
#define PR_ADDRESS_BURST 2000
#define PR_ADDRESS_PER_S 500
/* Unknown poll codes an address may try a minute: more is 429 (default of a setting). */
#define PR_UNKNOWN_CODES_PER_MIN 30
/* Connections whose PROXY head has not come yet: more are closed at once. */
#define PR_PROXY_WAITING_MAX 1024
/* Connections that have joined nothing: one of so many that there may be, but not fewer than … For
 * a new one the oldest is closed, if it had its time; else the new one waits in the kernel. */
#define PR_STRANGERS_PART 10
#define PR_STRANGERS_MIN 64
#define PR_STRANGER_MS 1000
/* Addresses remembered for the two limits above; the oldest is forgotten. */
#define PR_ADDRESSES_MAX 16384
/* REST requests waiting for an actor: more are answered 503. */
#define PR_REQUESTS_MAX 4096
/* The native protocol: ids of requests, and requests without an answer (the join is one); a frame
 * with a longer id is a bad one, a further request is answered busy. */
#define PR_NATIVE_ID_BYTES_MAX 64
#define PR_NATIVE_ASKS_MAX (PR_CONN_COMMANDS_MAX + 8)
/* Frames of one socket a second, commands or not: more closes it. */
#define PR_NATIVE_FRAMES_PER_S 200
/* Sessions of Engine.IO that poll, with or without a request at present: more are refused, 503. */
#define PR_POLLING_SESSIONS_MAX 20000
/* Body of one answer; what does not go in waits for the next GET. A larger packet goes alone. */
#define PR_POLLING_BODY_BYTES_MAX (1 << 20)
/* A session that we close is remembered so long for the GET that is told so; and when the gateway
 * ends. */
#define PR_POLLING_CLOSE_MS 30000
#define PR_POLLING_STOP_MS 200
/* Questions of ours to one member that have no answer yet; more are not asked. */
#define PR_SESSION_ASKS_MAX 64
/* A WebSocket that does not take its session over within: is closed. */
#define PR_UPGRADE_MS 10000
#define PR_PING_INTERVAL_MS 25000
#define PR_PING_TIMEOUT_MS 20000

/* --- between gateways --- */

/* Requests of polling sessions that wait for their owners; more are answered 503. */
#define PR_FORWARDS_MAX 40000
/* One waits so long for the link to its owner, and a POST for its answer. */
#define PR_FORWARD_MS 3000
/* Answers held for one neighbour while its window is full: more, and its link is dropped. */
#define PR_FORWARD_HELD_BYTES_MAX (8 << 20)
/* The head of an upgrade request that is handed over with its connection. */
#define PR_HANDOVER_HEAD_MAX 4096
/* A gateway that drains closes some of its clients so often. */
#define PR_DRAIN_TICK_MS 100
/* One that has just become ready waits so long to be in the roster, before it takes clients whose
 * sessions its neighbours could not place. */
#define PR_GATEWAY_LISTED_MS 1000
/* A gateway that has more clients than another, by more than the larger of a number and a part of
 * its own, lets the others take new connections first for so long. */
#define PR_SHARE_SLACK_MIN 2
#define PR_SHARE_SLACK_PART 20
#define PR_SHARE_YIELD_MS 2
/* One who has not written its number for so long does not count. */
#define PR_SHARE_SILENT_MS 500
/* One that was alone looks for others after so long. */
#define PR_SHARE_LOOK_MS 100
/* Connections taken from neighbours in one turn. */
#define PR_HANDOVER_TURN 16

/* --- the supervisor --- */

/* Redis, 32 actors, 32 gateways: the bounds of the settings. */
#define PR_CHILDREN_MAX 65
#define PR_ROLE_CHILDREN_MAX 32
/* A gateway may take so long to send its clients away. */
#define PR_DRAIN_MAX_MS 600000
/* So many deaths before READY (or within 1 s of it) in so long: FAILED, probed now and then. */
#define PR_CHILD_INTENSITY 5
#define PR_CHILD_INTENSITY_MS 10000
#define PR_CHILD_PROBE_MS 30000
#define PR_CHILD_BACKOFF_MS 100
#define PR_CHILD_BACKOFF_MAX_MS 10000
#define PR_CHILD_START_MS 15000
#define PR_CHILD_STOP_MS 5000
/* A death this soon after READY counts like one before it. */
#define PR_CHILD_PROVEN_MS 1000
/* A ready child without a word for so long is hung: SIGABRT, and after the next time SIGKILL.
 * Longer than PR_LINK_DEAD_MS, so that a link may be made anew meanwhile. */
#define PR_CHILD_HUNG_MS 5000
#define PR_CHILD_ABORT_MS 1000
/* The own server may be busy for longer than a child: with a rewrite, with a slow disk. */
#define PR_REDIS_HUNG_MS 10000
/* A turn of the supervisor's loop this late: it or its machine stood still, all deadlines start
 * anew. */
#define PR_SUPERVISOR_LATE_MS 1000
/* An actors slot may be down so long before the others take its polls over. */
#define PR_SLOT_DOWN_MS 5000
/* A roster that is not acknowledged is sent again after so long. */
#define PR_ROSTER_RESEND_MS 1000
/* A child's counters, as it beats them; larger ones are left out of the status. */
#define PR_CHILD_STATS_BYTES_MAX 16384
/* Calls of rollcallctl that wait for a child: more are answered busy. */
#define PR_CALLS_MAX 32
#define PR_CALL_MS 30000

/* --- logs --- */

/* Lines of one event a second and process; the rest is counted in the next one. */
#define PR_LOG_LINES_PER_S 20

#endif
