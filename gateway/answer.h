/* SPDX-License-Identifier: MIT */

/* The bytes of HTTP/1.1 answers. Pure. */

#ifndef GW_ANSWER_H
#define GW_ANSWER_H

#include <stdbool.h>

#include "proto/base/buffer.h"
#include "proto/base/bytes.h"

typedef struct {
    int status;
    const char *content_type; /* NULL: none */
    pr_str_t body;
    const char *headers; /* more lines, each with its CR LF; NULL: none */
    pr_str_t origin;     /* that may read the answer; absent: none */
    bool close;          /* the connection ends with it */
    bool head;           /* the body is only counted */
} gw_answer_t;

/* The whole answer. NULL when out of memory. */
pr_buf_t *
gw_answer_format(const gw_answer_t *answer);

/* "Not Found" and so on. */
const char *
gw_answer_reason(int status);

/* Appends {"statusCode":…,"message":…,"error":…}; without `error` if that is NULL. */
void
gw_answer_write_error(pr_buf_t *out, int status, const char *message, const char *error);

#endif
