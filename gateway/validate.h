/* SPDX-License-Identifier: MIT */

/*
 * What clients send as JSON, checked the way the original's validation does it: the same texts in
 * the same order. Lengths count code points; which of three texts tells of a wrong one depends on
 * UTF-16 units, as JavaScript counts. Nothing is trimmed, unknown members are ignored.
 */

#ifndef GW_VALIDATE_H
#define GW_VALIDATE_H

#include <stdbool.h>

#include <jansson.h>

#include "proto/base/buffer.h"
#include "proto/base/bytes.h"

/* Texts are borrowed from the JSON value. */
typedef struct {
    pr_str_t topic;
    int votes;
    pr_str_t name;
    bool open_ballots;
} gw_create_body_t;

typedef struct {
    pr_str_t poll;
    pr_str_t name;
} gw_join_body_t;

/*
 * The object or list that `text` holds; an empty text is an empty object. The caller has the
 * reference. NULL if it is malformed: a text about it is appended to `error`.
 */
json_t *
gw_validate_parse(pr_str_t text, pr_buf_t *error);

/* These append what is wrong to `messages`, as JSON strings separated by commas, and say whether
 * nothing is. */
bool
gw_validate_create(const json_t *body, gw_create_body_t *out, pr_buf_t *messages);
bool
gw_validate_join(const json_t *body, gw_join_body_t *out, pr_buf_t *messages);
/*
 * What is wrong with the payload of a client's command, as a JSON list for the caller. Only
 * nominations are checked like that; of any other `verb`, of a sound nomination and when out of
 * memory: NULL. `payload` may be NULL.
 */
pr_buf_t *
gw_validate_command(pr_str_t verb, const json_t *payload);

#endif
