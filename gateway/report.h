/* SPDX-License-Identifier: MIT */

/* What a gateway tells about itself in each BEAT: a msgpack map with a map for each part. */

#ifndef GW_REPORT_H
#define GW_REPORT_H

#include "gateway/accept.h"
#include "gateway/http.h"
#include "gateway/neighbourhood.h"
#include "gateway/rest.h"
#include "gateway/stats.h"
#include "gateway/ws.h"
#include "proto/wire/link.h"

/* Any of them may be NULL. */
typedef struct {
    const gw_stats_t *stats;
    const gw_ws_counters_t *ws;
    const gw_write_counters_t *write;
    const gw_http_counters_t *http;
    const gw_rest_counters_t *rest;
    const gw_accept_counters_t *accept;
    const pr_link_counters_t *links;
    const gw_neighbourhood_t *neighbourhood;
} gw_report_t;

void
gw_report_pack(const gw_report_t *self, pr_buf_t *out);

#endif
