/* SPDX-License-Identifier: MIT */

#include "supervisor/spec.h"

#include <stdio.h>

#include "proto/base/assert.h"

/* A Redis that ends writes nothing back (appendfsync always), but may have a rewrite to give up. */
#define REDIS_STOP_MS 10000

static sv_spec_t *
s_add(sv_spec_list_t *list, sv_role_t role, int slot, const char *program)
{
    PR_ASSERT(list->count < PR_CHILDREN_MAX);
    sv_spec_t *spec = &list->specs[list->count++];
    *spec = (sv_spec_t) {
        .role = role,
        .slot = slot,
        .program = program,
        .stop_within_ms = PR_CHILD_STOP_MS,
        .terms = {SV_PERMANENT, PR_CHILD_START_MS, PR_CHILD_STOP_MS},
    };
    return spec;
}

const sv_spec_t *
sv_spec_add(sv_spec_list_t *list, sv_role_t role, int slot)
{
    if (list->count == PR_CHILDREN_MAX || role == SV_ROLE_REDIS) {
        return NULL;
    }
    bool is_gateway = role == SV_ROLE_GATEWAY;
    sv_spec_t *spec = s_add(list, role, slot, is_gateway ? "rollcall-gateway" : "rollcall-actors");
    (void) snprintf(spec->name, sizeof spec->name, "%c%d", is_gateway ? 'g' : 'a', slot % 1000);
    if (is_gateway) {
        spec->stop_within_ms = list->drain_ms;
        spec->terms.stop_ms = list->drain_ms + PR_CHILD_STOP_MS;
    }
    return spec;
}

static void
s_add_numbered(sv_spec_list_t *list, sv_role_t role, int64_t count)
{
    for (int slot = 1; slot <= count; slot++) {
        (void) sv_spec_add(list, role, slot);
    }
}

void
sv_spec_list(const pr_config_t *config, sv_spec_list_t *list)
{
    *list = (sv_spec_list_t) {.drain_ms = pr_config_int(config, PR_SET_DRAIN_MS)};
    if (sv_spec_embeds_redis(config)) {
        sv_spec_t *redis =
            s_add(list, SV_ROLE_REDIS, 1, pr_config_text(config, PR_SET_REDIS_SERVER));
        (void) snprintf(redis->name, sizeof redis->name, "redis");
        redis->terms.stop_ms = REDIS_STOP_MS;
    }
    s_add_numbered(list, SV_ROLE_ACTORS, pr_config_int(config, PR_SET_ACTORS));
    s_add_numbered(list, SV_ROLE_GATEWAY, pr_config_int(config, PR_SET_GATEWAYS));
}

bool
sv_spec_embeds_redis(const pr_config_t *config)
{
    return !*pr_config_text(config, PR_SET_REDIS_URL) &&
           !*pr_config_text(config, PR_SET_REDIS_HOST);
}

const char *
sv_role_name(sv_role_t role)
{
    static const char *const s_names[] = {"redis", "actors", "gateway"};
    return role < SV_ROLE_COUNT ? s_names[role] : "?";
}

int
sv_role_most(sv_role_t role)
{
    return role == SV_ROLE_REDIS ? 1 : PR_ROLE_CHILDREN_MAX;
}
