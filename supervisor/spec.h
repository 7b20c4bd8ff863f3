/* SPDX-License-Identifier: MIT */

/* Which children there are, out of the settings: redis (if it is ours), a1…aN, g1…gN. */

#ifndef SV_SPEC_H
#define SV_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/config.h"
#include "proto/wire/limits.h"
#include "supervisor/child.h"

/* In start order: each role waits until the ones before are ready. Stopped the other way round. */
typedef enum { SV_ROLE_REDIS, SV_ROLE_ACTORS, SV_ROLE_GATEWAY, SV_ROLE_COUNT } sv_role_t;

typedef struct {
    char name[8]; /* "redis", "a1", "g1" */
    sv_role_t role;
    int slot;               /* from 1 */
    const char *program;    /* file name; beside our own, but for redis */
    int64_t stop_within_ms; /* what a STOP message grants */
    sv_child_terms_t terms;
} sv_spec_t;

typedef struct {
    sv_spec_t specs[PR_CHILDREN_MAX];
    size_t count;
    int64_t drain_ms; /* what gateways have to send their clients away */
} sv_spec_list_t;

/* Fills `list` in start order. */
void
sv_spec_list(const pr_config_t *config, sv_spec_list_t *list);
/* One more of a role; behind all others, whatever its role. It lives as long as the list. NULL: the
 * list is full, or the role is redis. */
const sv_spec_t *
sv_spec_add(sv_spec_list_t *list, sv_role_t role, int slot);

/* Whether the store is a server of our own. */
bool
sv_spec_embeds_redis(const pr_config_t *config);

/* "redis", "actors", "gateway", as in a HELLO. */
const char *
sv_role_name(sv_role_t role);
/* How many of a role there may be. */
int
sv_role_most(sv_role_t role);

#endif
