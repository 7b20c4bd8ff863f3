/* SPDX-License-Identifier: MIT */

#include "gateway/neighbourhood.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/engineio_sid.h"
#include "gateway/neighbours_http.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

struct gw_neighbourhood {
    gw_neighbours_t *neighbours;
    gw_neighbours_server_t *server;
    gw_handover_t *handover;
    char endpoint[PR_IPC_PATH_MAX + 8];
};

static bool
s_make(gw_neighbourhood_t *self, const gw_neighbourhood_options_t *options)
{
    int len = snprintf(self->endpoint, sizeof self->endpoint, "ipc://%s/%s-%s.sock",
                       options->run_dir, options->name, options->incarnation);
    if (len < 0 || len >= (int) sizeof self->endpoint) {
        return false;
    }
    const gw_neighbours_options_t neighbours = {
        .loop = options->loop,
        .name = options->name,
        .incarnation = options->incarnation,
        .get_ms = options->get_ms,
    };
    const gw_neighbours_server_options_t server = {
        .loop = options->loop,
        .endpoint = self->endpoint,
        .name = options->name,
        .incarnation = options->incarnation,
        .hub = options->hub,
    };
    const gw_handover_options_t handover = {
        .loop = options->loop,
        .run_dir = options->run_dir,
        .name = options->name,
        .incarnation = options->incarnation,
        .take = options->adopt,
        .arg = options->arg,
    };
    self->neighbours = gw_neighbours_new(&neighbours);
    self->server = gw_neighbours_server_new(&server);
    self->handover = gw_handover_new(&handover);
    return self->neighbours && self->server && self->handover;
}

gw_neighbourhood_t *
gw_neighbourhood_new(const gw_neighbourhood_options_t *options)
{
    gw_neighbourhood_t *self = calloc(1, sizeof *self);
    if (self && !s_make(self, options)) {
        gw_neighbourhood_destroy(&self);
    }
    return self;
}

void
gw_neighbourhood_destroy(gw_neighbourhood_t **self_p)
{
    PR_ASSERT(self_p);
    gw_neighbourhood_t *self = *self_p;
    if (!self) {
        return;
    }
    gw_handover_destroy(&self->handover);
    gw_neighbours_server_destroy(&self->server);
    gw_neighbours_destroy(&self->neighbours);
    free(self);
    *self_p = NULL;
}

const char *
gw_neighbourhood_endpoint(const gw_neighbourhood_t *self)
{
    return self->endpoint;
}

void
gw_neighbourhood_set_roster(gw_neighbourhood_t *self, const pr_roster_t *roster)
{
    gw_neighbours_set_roster(self->neighbours, roster);
}

bool
gw_neighbourhood_forward(gw_neighbourhood_t *self,
                         gw_request_t *request,
                         pr_str_t sid,
                         pr_str_t owner)
{
    return gw_neighbours_http_forward(self->neighbours, request, sid, owner);
}

int
gw_neighbourhood_pass(
    gw_neighbourhood_t *self, pr_str_t sid, int fd, const gw_address_t *address, pr_str_t head)
{
    pr_str_t owner = gw_sid_owner(sid);
    const char *name = owner.ptr ? gw_neighbours_name(self->neighbours, owner) : NULL;
    const char *incarnation = name ? gw_neighbours_incarnation(self->neighbours, owner) : NULL;
    return incarnation ? gw_handover_give(self->handover, name, incarnation, fd, address, head)
                       : PR_E_UNREACHABLE;
}

const gw_neighbours_counters_t *
gw_neighbourhood_asked(const gw_neighbourhood_t *self)
{
    return gw_neighbours_counters(self->neighbours);
}

const gw_neighbours_server_counters_t *
gw_neighbourhood_served(const gw_neighbourhood_t *self)
{
    return gw_neighbours_server_counters(self->server);
}

const gw_handover_counters_t *
gw_neighbourhood_handed(const gw_neighbourhood_t *self)
{
    return gw_handover_counters(self->handover);
}
