/* SPDX-License-Identifier: MIT */

#include "supervisor/crew.h"

#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/wire/error.h"

typedef enum { IDLE, STARTING, RUNNING, STOPPING, STOPPED } phase_t;

struct sv_crew {
    pr_loop_t *loop;
    sv_spec_list_t *specs;
    sv_launch_t *launch;
    const sv_crew_ops_t *ops;
    void *arg;
    sv_member_ops_t member_ops;
    sv_member_t *members[PR_CHILDREN_MAX]; /* in start order, but for those added later */
    bool started[PR_CHILDREN_MAX];
    size_t count;
    phase_t phase;
    bool was_ready;
    int64_t last_turn_ms;
};

static bool
s_turn(void *arg);

static sv_member_t *
s_add(sv_crew_t *self, const sv_spec_t *spec)
{
    PR_ASSERT(self->count < PR_CHILDREN_MAX);
    sv_member_t *member =
        sv_member_new(self->loop, spec, self->launch, &self->member_ops, self->arg);
    if (member) {
        self->members[self->count++] = member;
    }
    return member;
}

sv_crew_t *
sv_crew_new(pr_loop_t *loop,
            sv_spec_list_t *specs,
            sv_launch_t *launch,
            const sv_crew_ops_t *ops,
            void *arg)
{
    sv_crew_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->specs = specs;
    self->launch = launch;
    self->ops = ops;
    self->arg = arg;
    self->member_ops = (sv_member_ops_t) {ops->changed, ops->ask_stop};
    self->last_turn_ms = pr_loop_now_ms(loop);
    pr_loop_on_turn(loop, PR_TURN_THINK, s_turn, self);
    for (size_t i = 0; i < specs->count; i++) {
        if (!s_add(self, &specs->specs[i])) {
            sv_crew_destroy(&self);
            return NULL;
        }
    }
    return self;
}

void
sv_crew_destroy(sv_crew_t **self_p)
{
    PR_ASSERT(self_p);
    sv_crew_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_loop_off_turn(self->loop, s_turn, self);
    for (size_t i = 0; i < self->count; i++) {
        sv_member_destroy(&self->members[i]);
    }
    free(self);
    *self_p = NULL;
}

void
sv_crew_start(sv_crew_t *self)
{
    if (self->phase == IDLE) {
        self->phase = STARTING;
    }
}

/* Whether the ones behind need not wait for it: it is ready, or somebody gave it up. */
static bool
s_is_settled(const sv_member_t *member)
{
    sv_child_state_t state = sv_member_state(member);
    return state == SV_CHILD_READY || state == SV_CHILD_FAILED ||
           (state == SV_CHILD_DOWN && !sv_child_wanted(sv_member_child(member)));
}

static void
s_start_some(sv_crew_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        sv_role_t role = sv_member_spec(self->members[i])->role;
        for (size_t j = 0; j < self->count; j++) {
            if (sv_member_spec(self->members[j])->role < role && !s_is_settled(self->members[j])) {
                return;
            }
        }
        if (!self->started[i]) {
            self->started[i] = true;
            sv_member_feed(self->members[i], SV_CHILD_ON_START, NULL);
        }
    }
    self->phase = RUNNING;
}

/* Whether one who is started behind it still lives. */
static bool
s_is_needed(const sv_crew_t *self, const sv_member_t *member)
{
    for (size_t i = 0; i < self->count; i++) {
        if (sv_member_spec(self->members[i])->role > sv_member_spec(member)->role &&
            sv_member_state(self->members[i]) != SV_CHILD_DOWN) {
            return true;
        }
    }
    return false;
}

/* The last role that still has somebody, and its members asked to end. */
static void
s_stop_some(sv_crew_t *self)
{
    for (size_t i = self->count; i-- > 0;) {
        sv_member_t *member = self->members[i];
        if (s_is_needed(self, member)) {
            continue;
        }
        if (sv_child_wanted(sv_member_child(member))) {
            sv_member_feed(member, SV_CHILD_ON_STOP, NULL);
        }
    }
    for (size_t i = 0; i < self->count; i++) {
        if (sv_member_state(self->members[i]) != SV_CHILD_DOWN) {
            return;
        }
    }
    self->phase = STOPPED;
    self->ops->stopped(self->arg);
}

/* Whoever stood still for a while knows nothing of the time that passed: nobody is late yet. */
static void
s_watch(sv_crew_t *self)
{
    int64_t now_ms = pr_loop_now_ms(self->loop);
    int64_t late_ms = now_ms - self->last_turn_ms;
    self->last_turn_ms = now_ms;
    if (late_ms > PR_SUPERVISOR_LATE_MS) {
        pr_log_warn("supervisor.late", "ms=%lld", (long long) late_ms);
        for (size_t i = 0; i < self->count; i++) {
            sv_member_extend(self->members[i]);
        }
    }
    for (size_t i = 0; i < self->count; i++) {
        sv_member_check(self->members[i]);
    }
}

static bool
s_turn(void *arg)
{
    sv_crew_t *self = arg;
    s_watch(self);
    if (self->phase == STARTING) {
        s_start_some(self);
    }
    if (self->phase == STOPPING) {
        s_stop_some(self);
    }
    if (self->phase == RUNNING && !self->was_ready && sv_crew_is_ready(self)) {
        self->was_ready = true;
        self->ops->ready(self->arg);
    }
    return false;
}

void
sv_crew_stop(sv_crew_t *self)
{
    if (self->phase == STOPPED) {
        return;
    }
    if (self->phase != STOPPING) {
        self->phase = STOPPING;
        return;
    }
    for (size_t i = 0; i < self->count; i++) {
        sv_member_feed(self->members[i], SV_CHILD_ON_STOP, NULL);
        sv_member_feed(self->members[i], SV_CHILD_ON_KILL, NULL);
    }
}

/* --- how many --- */

static sv_member_t *
s_find_slot(const sv_crew_t *self, sv_role_t role, int slot)
{
    for (size_t i = 0; i < self->count; i++) {
        const sv_spec_t *spec = sv_member_spec(self->members[i]);
        if (spec->role == role && spec->slot == slot) {
            return self->members[i];
        }
    }
    return NULL;
}

static int
s_begin(sv_crew_t *self, sv_role_t role, int slot)
{
    sv_member_t *member = s_find_slot(self, role, slot);
    if (!member) {
        const sv_spec_t *spec = sv_spec_add(self->specs, role, slot);
        member = spec ? s_add(self, spec) : NULL;
    } else if (!sv_member_is_retired(member)) {
        return 0; /* somebody may have stopped it, and shall find it so */
    }
    if (!member) {
        return PR_E_NOMEM;
    }
    sv_member_retire(member, false);
    sv_member_feed(member, SV_CHILD_ON_START, "scale");
    return 0;
}

int
sv_crew_scale(sv_crew_t *self, sv_role_t role, int64_t count)
{
    if (role == SV_ROLE_REDIS || count < 1 || count > sv_role_most(role)) {
        return PR_E_BAD_REQUEST;
    }
    if (self->phase != RUNNING) {
        return PR_E_BUSY;
    }
    int error = 0;
    for (int slot = 1; slot <= count && error == 0; slot++) {
        error = s_begin(self, role, slot);
    }
    for (size_t i = 0; i < self->count; i++) {
        sv_member_t *member = self->members[i];
        const sv_spec_t *spec = sv_member_spec(member);
        if (spec->role == role && spec->slot > count && !sv_member_is_retired(member)) {
            sv_member_retire(member, true);
            sv_member_drain(member, self->specs->drain_ms, "scale");
        }
    }
    return error;
}

bool
sv_crew_is_scaled(const sv_crew_t *self, sv_role_t role)
{
    bool scaled = true;
    for (size_t i = 0; i < self->count; i++) {
        const sv_member_t *member = self->members[i];
        if (sv_member_spec(member)->role == role) {
            bool wanted = sv_child_wanted(sv_member_child(member));
            scaled &= sv_member_state(member) == (wanted ? SV_CHILD_READY : SV_CHILD_DOWN);
        }
    }
    return scaled;
}

size_t
sv_crew_count_of(const sv_crew_t *self, sv_role_t role)
{
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++) {
        count += sv_member_spec(self->members[i])->role == role &&
                 !sv_member_is_retired(self->members[i]);
    }
    return count;
}

bool
sv_crew_is_stopping(const sv_crew_t *self)
{
    return self->phase >= STOPPING;
}

bool
sv_crew_was_ready(const sv_crew_t *self)
{
    return self->was_ready;
}

bool
sv_crew_is_ready(const sv_crew_t *self)
{
    bool ready = self->phase == RUNNING;
    for (size_t i = 0; i < self->count; i++) {
        sv_child_state_t state = sv_member_state(self->members[i]);
        ready &= state == SV_CHILD_READY || sv_member_is_retired(self->members[i]) ||
                 (state == SV_CHILD_DOWN && !sv_child_wanted(sv_member_child(self->members[i])));
    }
    return ready;
}

size_t
sv_crew_count(const sv_crew_t *self)
{
    return self->count;
}

sv_member_t *
sv_crew_at(const sv_crew_t *self, size_t index)
{
    PR_ASSERT(index < self->count);
    return self->members[index];
}

sv_member_t *
sv_crew_find(const sv_crew_t *self, pr_str_t name)
{
    for (size_t i = 0; i < self->count; i++) {
        if (pr_str_equal(pr_str(sv_member_spec(self->members[i])->name), name)) {
            return self->members[i];
        }
    }
    return NULL;
}
