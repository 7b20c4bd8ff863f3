/* SPDX-License-Identifier: MIT */

/*
 * REST requests that wait for the actors. Each function answers its request sooner or later,
 * whatever comes: a document, a refusal, or 503 past the deadline.
 */

#ifndef GW_CALL_H
#define GW_CALL_H

#include "gateway/rest.h"
#include "gateway/validate.h"

typedef enum { GW_CALL_CREATE, GW_CALL_JOIN, GW_CALL_REJOIN, GW_CALL_READ } gw_call_kind_t;

/* What all of them need; both belong to the gw_rest_t. */
typedef struct {
    const gw_rest_options_t *options;
    gw_rest_counters_t *counters;
} gw_calls_t;

/* A new poll, and a token for its admin. `create` borrows from `body`, of which a reference is
 * kept. */
void
gw_call_create(const gw_calls_t *self,
               gw_request_t *request,
               json_t *body,
               const gw_create_body_t *create);

/* The poll, and a token for a new user of that name. */
void
gw_call_join(const gw_calls_t *self, gw_request_t *request, pr_str_t poll, pr_str_t name);

/* The poll for the user of a token: GW_CALL_REJOIN or GW_CALL_READ. */
void
gw_call_read(const gw_calls_t *self,
             gw_request_t *request,
             gw_call_kind_t kind,
             const gw_token_t *token);

/* --- refusals, counted --- */

void
gw_call_unavailable(const gw_calls_t *self, gw_request_t *request);
void
gw_call_not_found(const gw_calls_t *self, gw_request_t *request);
void
gw_call_forbidden(const gw_calls_t *self, gw_request_t *request, const char *message);

#endif
