/* SPDX-License-Identifier: MIT */

#include "gateway/report.h"

#include "proto/wire/value.h"

typedef struct {
    const char *name;
    uint64_t value;
} row_t;

static void
s_pack(msgpack_packer *packer, const char *part, const row_t *rows, size_t count)
{
    pr_pack_str(packer, pr_str(part));
    (void) msgpack_pack_map(packer, count);
    for (size_t i = 0; i < count; i++) {
        pr_pack_str(packer, pr_str(rows[i].name));
        (void) msgpack_pack_uint64(packer, rows[i].value);
    }
}

#define ROW(name) {#name, counters->name}
#define PACK(part) s_pack(packer, part, rows, sizeof rows / sizeof rows[0])

static void
s_pack_ws(msgpack_packer *packer, const gw_ws_counters_t *counters)
{
    const row_t rows[] = {ROW(sockets),
                          ROW(upgraded),
                          ROW(refused),
                          ROW(messages),
                          ROW(bad_utf8),
                          {"too_large", counters->faults.too_large},
                          {"bad_frames", counters->faults.bad},
                          ROW(unattached)};
    PACK("ws");
}

static void
s_pack_write(msgpack_packer *packer, const gw_write_counters_t *counters)
{
    const row_t rows[] = {ROW(writes),       ROW(bytes),    ROW(short_writes),
                          ROW(handed_bytes), ROW(not_sent), ROW(must_overflow),
                          ROW(stalled),      ROW(failed),   ROW(close_timeouts)};
    PACK("write");
}

static void
s_pack_http(msgpack_packer *packer, const gw_http_counters_t *counters)
{
    const row_t rows[] = {ROW(adopted),        ROW(connections),   ROW(requests),
                          ROW(bad_heads),      ROW(large_heads),   ROW(late_heads),
                          ROW(refused_bodies), ROW(body_timeouts), ROW(cancelled),
                          ROW(hangups),        ROW(lost),          ROW(unwatched)};
    PACK("http");
}

static void
s_pack_rest(msgpack_packer *packer, const gw_rest_counters_t *counters)
{
    const row_t rows[] = {ROW(created),     ROW(joined),        ROW(rejoined), ROW(read),
                          ROW(invalid),     ROW(forbidden),     ROW(limited),  ROW(redrawn),
                          ROW(unavailable), ROW(unknown_polls), ROW(waiting)};
    PACK("rest");
}

static void
s_pack_accept(msgpack_packer *packer, const gw_accept_counters_t *counters)
{
    const row_t rows[] = {
        ROW(accepted),        ROW(refused_rate), ROW(paused),    ROW(yielded),
        ROW(failed),          ROW(proxied),      ROW(bad_proxy), ROW(strangers_evicted),
        ROW(strangers_paused)};
    PACK("accept");
}

static void
s_pack_links(msgpack_packer *packer, const pr_link_counters_t *counters)
{
    const row_t rows[] = {ROW(sent_messages),     ROW(sent_events), ROW(received_messages),
                          ROW(received_events),   ROW(duplicates),  ROW(gaps),
                          ROW(malformed),         ROW(misdirected), ROW(unknown_types),
                          ROW(transmit_failures), ROW(sessions),    ROW(refused_busy)};
    PACK("links");
}

/* One part of three classes, each of their counters under its own name. */
static void
s_pack_neighbours(msgpack_packer *packer, const gw_neighbourhood_t *self)
{
    const gw_neighbours_counters_t *asked = gw_neighbourhood_asked(self);
    const gw_neighbours_server_counters_t *served = gw_neighbourhood_served(self);
    const gw_handover_counters_t *handed = gw_neighbourhood_handed(self);
    const row_t rows[] = {
        {"asked", asked->asked},
        {"answered", asked->answered},
        {"aborted", asked->aborted},
        {"lost", asked->lost},
        {"late", asked->late},
        {"refused", asked->refused},
        {"waiting", asked->waiting},
        {"served_gets", served->gets},
        {"served_posts", served->posts},
        {"served_aborts", served->aborts},
        {"served_lost", served->lost},
        {"served_overflowed", served->overflowed},
        {"served_malformed", served->malformed},
        {"served_parked", served->parked},
        {"given", handed->given},
        {"not_given", handed->not_given},
        {"taken", handed->taken},
        {"taken_malformed", handed->malformed},
    };
    PACK("neighbours");
}

void
gw_report_pack(const gw_report_t *self, pr_buf_t *out)
{
    msgpack_packer packer = pr_packer(out);
    int parts = (self->stats != NULL) + (self->ws != NULL) + (self->write != NULL) +
                (self->http != NULL) + (self->rest != NULL) + (self->accept != NULL) +
                (self->links != NULL) + (self->neighbourhood != NULL);
    (void) msgpack_pack_map(&packer, (size_t) parts);
    if (self->stats) {
        pr_pack_str(&packer, PR_STR("core"));
        gw_stats_pack(self->stats, out);
    }
    if (self->ws) {
        s_pack_ws(&packer, self->ws);
    }
    if (self->write) {
        s_pack_write(&packer, self->write);
    }
    if (self->http) {
        s_pack_http(&packer, self->http);
    }
    if (self->rest) {
        s_pack_rest(&packer, self->rest);
    }
    if (self->accept) {
        s_pack_accept(&packer, self->accept);
    }
    if (self->links) {
        s_pack_links(&packer, self->links);
    }
    if (self->neighbourhood) {
        s_pack_neighbours(&packer, self->neighbourhood);
    }
}
