/* SPDX-License-Identifier: MIT */

/*
 * The answer to `status`, one msgpack map:
 * {state, url, pid, generation, quarantined: [poll…],
 *  children: [{name, role, pid, state, restarts, ready_ms, endpoint, tap, incarnation, exit,
 *      stats}…]}
 * `state` is starting, ready, degraded or stopping. A child's pid is 0 without process, ready_ms
 * null while not ready, exit how it ended the last time, stats {} before the first beat.
 */

#ifndef SV_REPORT_H
#define SV_REPORT_H

#include "proto/base/buffer.h"
#include "supervisor/crew.h"
#include "supervisor/quarantine.h"

typedef struct {
    const sv_crew_t *crew;
    const char *url;
    int64_t generation;
    const sv_quarantine_t *quarantine; /* may be NULL */
} sv_report_t;

void
sv_report_pack(const sv_report_t *report, pr_buf_t *out);

/* One child's map, as in the list above. */
void
sv_report_pack_child(const sv_member_t *member, pr_buf_t *out);

#endif
