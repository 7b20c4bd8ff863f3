/* SPDX-License-Identifier: MIT */

/*
 * msgpack values and events as JSON and back: for clients that take patches, for rollcallctl and
 * for logs. What is not UTF-8 becomes a string of hex digits.
 */

#ifndef PR_JSON_H
#define PR_JSON_H

#include "proto/wire/message.h"

/* Appends the value as JSON, doubles in the shortest form that reads back the same. */
void
pr_object_write_json(const msgpack_object *object, pr_buf_t *out);
struct json_t;
/* Appends a value of jansson's as msgpack; arrays and objects deeper in each other than `depth`
 * become nil. */
void
pr_json_pack(const struct json_t *value, int depth, pr_buf_t *out);
/* Appends the msgpack value of one JSON text. 0, PR_E_MALFORMED or PR_E_NOMEM. */
PR_MUST_CHECK int
pr_json_to_msgpack(pr_str_t json, pr_buf_t *out);

/* An event as {"type":"CONNECT","poll":"…",…members}, and back. The way back checks only that it is
 * an object with a known type: tests send what no codec would. */
void
pr_event_write_json(const pr_event_t *event, pr_buf_t *out);
PR_MUST_CHECK int
pr_event_pack_json(pr_str_t json, pr_buf_t *out);

#endif
