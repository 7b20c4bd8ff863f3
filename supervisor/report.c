/* SPDX-License-Identifier: MIT */

#include "supervisor/report.h"

#include <unistd.h>

#include "proto/wire/message.h"

static void
s_text(msgpack_packer *packer, pr_str_t key, const char *value)
{
    pr_pack_str(packer, key);
    pr_pack_str(packer, pr_str(value));
}

static void
s_number(msgpack_packer *packer, pr_str_t key, int64_t value)
{
    pr_pack_str(packer, key);
    (void) msgpack_pack_int64(packer, value);
}

void
sv_report_pack_child(const sv_member_t *member, pr_buf_t *out)
{
    const sv_spec_t *spec = sv_member_spec(member);
    const sv_child_t *child = sv_member_child(member);
    msgpack_packer packer = pr_packer(out);
    (void) msgpack_pack_map(&packer, 11);
    s_text(&packer, PR_STR("name"), spec->name);
    s_text(&packer, PR_STR("role"), sv_role_name(spec->role));
    s_number(&packer, PR_STR("pid"), sv_member_pid(member));
    s_text(&packer, PR_STR("state"), sv_child_state_name(sv_child_state(child)));
    s_number(&packer, PR_STR("restarts"), (int64_t) sv_child_restarts(child));
    pr_pack_str(&packer, PR_STR("ready_ms"));
    if (sv_child_ready_ms(child) < 0) {
        (void) msgpack_pack_nil(&packer);
    } else {
        (void) msgpack_pack_int64(&packer, sv_child_ready_ms(child));
    }
    s_text(&packer, PR_STR("endpoint"), sv_member_endpoint(member));
    s_text(&packer, PR_STR("tap"), sv_member_tap(member));
    s_text(&packer, PR_STR("incarnation"), sv_member_incarnation(member));
    s_text(&packer, PR_STR("exit"), sv_member_last_exit(member));
    pr_pack_str(&packer, PR_STR("stats"));
    pr_str_t stats = sv_member_stats(member);
    if (stats.ptr) {
        pr_buf_append_str(out, stats);
    } else {
        (void) msgpack_pack_map(&packer, 0);
    }
}

static const char *
s_state(const sv_crew_t *crew)
{
    if (sv_crew_is_stopping(crew)) {
        return "stopping";
    }
    if (sv_crew_is_ready(crew)) {
        return "ready";
    }
    return sv_crew_was_ready(crew) ? "degraded" : "starting";
}

static void
s_pack_quarantined(msgpack_packer *packer, const sv_quarantine_t *quarantine)
{
    size_t count = quarantine ? sv_quarantine_count(quarantine) : 0;
    pr_pack_str(packer, PR_STR("quarantined"));
    (void) msgpack_pack_array(packer, count);
    for (size_t i = 0; i < count; i++) {
        pr_pack_str(packer, sv_quarantine_at(quarantine, i));
    }
}

static bool
s_is_shown(const sv_member_t *member)
{
    return !sv_member_is_retired(member) || sv_member_state(member) != SV_CHILD_DOWN;
}

void
sv_report_pack(const sv_report_t *report, pr_buf_t *out)
{
    const sv_crew_t *crew = report->crew;
    msgpack_packer packer = pr_packer(out);
    (void) msgpack_pack_map(&packer, 6);
    s_text(&packer, PR_STR("state"), s_state(crew));
    s_text(&packer, PR_STR("url"), report->url);
    s_number(&packer, PR_STR("pid"), getpid());
    s_number(&packer, PR_STR("generation"), report->generation);
    s_pack_quarantined(&packer, report->quarantine);
    pr_pack_str(&packer, PR_STR("children"));
    size_t shown = 0;
    for (size_t i = 0; i < sv_crew_count(crew); i++) {
        shown += s_is_shown(sv_crew_at(crew, i));
    }
    (void) msgpack_pack_array(&packer, shown);
    for (size_t i = 0; i < sv_crew_count(crew); i++) {
        if (s_is_shown(sv_crew_at(crew, i))) {
            sv_report_pack_child(sv_crew_at(crew, i), out);
        }
    }
}
