/* SPDX-License-Identifier: MIT */

/*
 * Engine.IO's long-polling over HTTP: looks at requests, hands them to the sessions of a hub, and
 * writes their answers.
 */

#ifndef GW_POLLING_HTTP_H
#define GW_POLLING_HTTP_H

#include "gateway/engineio.h"
#include "gateway/engineio_sid.h"
#include "gateway/http.h"

/* A place where requests come in; zeroed, then set up. */
typedef struct {
    const char *path; /* with its last slash */
    gw_engineio_hub_t *hub;
    /* Whether one more session may begin for that address; NULL: always. */
    bool (*admit)(void *arg, const gw_address_t *address);
    /* A request of a session that is not ours, of which `owner` is the tag: true, if it will be
     * answered. NULL: none is. */
    bool (*forward)(void *arg, gw_request_t *request, pr_str_t sid, pr_str_t owner);
    void *arg;
} gw_polling_door_t;

/* Whether a request comes to that place. */
bool
gw_polling_http_is_ours(const gw_polling_door_t *self, const gw_request_t *request);

/* For gw_http_options_t.head: the bound of its body. */
size_t
gw_polling_http_head(const gw_polling_door_t *self, gw_request_t *request);

/* Answers a whole request, now or later. */
void
gw_polling_http_request(const gw_polling_door_t *self, gw_request_t *request);

/* Writes what a session answered to a GET or a POST. */
void
gw_polling_http_answer(gw_request_t *request, int status, pr_str_t body);

#endif
