/* SPDX-License-Identifier: MIT */

#include "supervisor/verbs.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "supervisor/report.h"

/* A call that is answered when its child has got there. */
typedef struct {
    pr_peer_t *peer; /* NULL: free */
    int64_t id;
    sv_member_t *member; /* NULL: the whole role */
    sv_role_t role;
    sv_child_state_t wanted;
    char former[PR_INCARNATION_LEN + 1]; /* this incarnation does not count */
    int64_t due_ms;
} waiting_t;

struct sv_verbs {
    pr_loop_t *loop;
    sv_crew_t *crew;
    sv_roster_t *roster;
    sv_control_t *control;
    sv_quarantine_t *quarantine; /* may be NULL */
    void (*released)(void *arg);
    void *released_arg;
    const char *url;
    pr_buf_t *data;
    waiting_t waiting[PR_CALLS_MAX];
};

/* One call under way. */
typedef struct {
    sv_verbs_t *self;
    pr_peer_t *peer;
    int64_t id;
    sv_member_t *member; /* NULL: no name given */
    const msgpack_object *args;
} request_t;

static bool
s_turn(void *arg);

sv_verbs_t *
sv_verbs_new(pr_loop_t *loop, sv_crew_t *crew, sv_roster_t *roster, const char *url)
{
    sv_verbs_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->crew = crew;
    self->roster = roster;
    self->url = url;
    self->data = pr_buf_new(0);
    pr_loop_on_turn(loop, PR_TURN_THINK + 1, s_turn, self);
    if (!self->data) {
        sv_verbs_destroy(&self);
    }
    return self;
}

void
sv_verbs_destroy(sv_verbs_t **self_p)
{
    PR_ASSERT(self_p);
    sv_verbs_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_loop_off_turn(self->loop, s_turn, self);
    pr_buf_destroy(&self->data);
    free(self);
    *self_p = NULL;
}

void
sv_verbs_set_control(sv_verbs_t *self, sv_control_t *control)
{
    self->control = control;
}

void
sv_verbs_set_quarantine(sv_verbs_t *self,
                        sv_quarantine_t *quarantine,
                        void (*released)(void *arg),
                        void *arg)
{
    self->quarantine = quarantine;
    self->released = released;
    self->released_arg = arg;
}

/* --- answers --- */

static void
s_answer_child(sv_verbs_t *self, pr_peer_t *peer, int64_t id, const sv_member_t *member, int error)
{
    pr_buf_clear(self->data);
    sv_report_pack_child(member, self->data);
    bool whole = !pr_buf_failed(self->data);
    sv_control_answer(self->control, peer, id, error, whole ? pr_buf_str(self->data) : PR_STR_NONE);
}

static void
s_refuse(const request_t *request, int error)
{
    sv_control_answer(request->self->control, request->peer, request->id, error, PR_STR_NONE);
}

static void
s_answer_scaled(sv_verbs_t *self, const waiting_t *waiting, int error)
{
    pr_buf_clear(self->data);
    msgpack_packer packer = pr_packer(self->data);
    (void) msgpack_pack_map(&packer, 2);
    pr_pack_str(&packer, PR_STR("role"));
    pr_pack_str(&packer, pr_str(sv_role_name(waiting->role)));
    pr_pack_str(&packer, PR_STR("count"));
    (void) msgpack_pack_uint64(&packer, sv_crew_count_of(self->crew, waiting->role));
    sv_control_answer(self->control, waiting->peer, waiting->id, error, pr_buf_str(self->data));
}

static bool
s_has_arrived(const sv_verbs_t *self, const waiting_t *waiting)
{
    if (!waiting->member) {
        return sv_crew_is_scaled(self->crew, waiting->role);
    }
    return sv_member_state(waiting->member) == waiting->wanted &&
           (waiting->wanted == SV_CHILD_DOWN ||
            strcmp(sv_member_incarnation(waiting->member), waiting->former) != 0);
}

static bool
s_turn(void *arg)
{
    sv_verbs_t *self = arg;
    for (size_t i = 0; i < PR_CALLS_MAX; i++) {
        waiting_t *waiting = &self->waiting[i];
        bool late = pr_loop_now_ms(self->loop) >= waiting->due_ms;
        if (!waiting->peer || !(s_has_arrived(self, waiting) || late)) {
            continue;
        }
        int error = s_has_arrived(self, waiting) ? 0 : PR_E_TIMEOUT;
        if (waiting->member) {
            s_answer_child(self, waiting->peer, waiting->id, waiting->member, error);
        } else {
            s_answer_scaled(self, waiting, error);
        }
        waiting->peer = NULL;
    }
    return false;
}

static void
s_wait(const request_t *request, waiting_t *slot, sv_child_state_t wanted, const char *former)
{
    *slot = (waiting_t) {
        .peer = request->peer,
        .id = request->id,
        .member = request->member,
        .wanted = wanted,
        .due_ms = pr_loop_now_ms(request->self->loop) + PR_CALL_MS,
    };
    memcpy(slot->former, former, strlen(former) + 1);
}

static waiting_t *
s_free_slot(sv_verbs_t *self)
{
    for (size_t i = 0; i < PR_CALLS_MAX; i++) {
        if (!self->waiting[i].peer) {
            return &self->waiting[i];
        }
    }
    return NULL;
}

/* --- verbs --- */

static void
s_status(const request_t *request)
{
    sv_verbs_t *self = request->self;
    pr_buf_clear(self->data);
    sv_report_t report = {self->crew, self->url, sv_roster_generation(self->roster),
                          self->quarantine};
    sv_report_pack(&report, self->data);
    bool whole = !pr_buf_failed(self->data);
    sv_control_answer(self->control, request->peer, request->id, whole ? 0 : PR_E_NOMEM,
                      whole ? pr_buf_str(self->data) : PR_STR_NONE);
}

static void
s_stop_all(const request_t *request)
{
    sv_verbs_t *self = request->self;
    pr_buf_clear(self->data);
    msgpack_packer packer = pr_packer(self->data);
    (void) msgpack_pack_map(&packer, 1);
    pr_pack_str(&packer, PR_STR("pid"));
    (void) msgpack_pack_int(&packer, getpid());
    pr_log_info("supervisor.stop", "why=call");
    if (!sv_crew_is_stopping(self->crew)) {
        sv_crew_stop(self->crew);
    }
    sv_control_answer(self->control, request->peer, request->id, 0, pr_buf_str(self->data));
}

static void
s_stop(const request_t *request)
{
    if (!request->member) {
        s_stop_all(request);
        return;
    }
    waiting_t *slot = s_free_slot(request->self);
    if (!slot) {
        s_refuse(request, PR_E_BUSY);
        return;
    }
    sv_member_feed(request->member, SV_CHILD_ON_STOP, NULL);
    s_wait(request, slot, SV_CHILD_DOWN, "");
}

static void
s_start_or_restart(const request_t *request, bool restart)
{
    waiting_t *slot = s_free_slot(request->self);
    if (!request->member || !slot || sv_crew_is_stopping(request->self->crew)) {
        s_refuse(request, request->member ? PR_E_BUSY : PR_E_BAD_REQUEST);
        return;
    }
    char former[PR_INCARNATION_LEN + 1] = "";
    if (restart) {
        memcpy(former, sv_member_incarnation(request->member), sizeof former);
        sv_member_feed(request->member, SV_CHILD_ON_STOP, "restart");
    }
    sv_member_feed(request->member, SV_CHILD_ON_START, NULL);
    s_wait(request, slot, SV_CHILD_READY, former);
}

static void
s_start(const request_t *request)
{
    s_start_or_restart(request, false);
}

static void
s_restart(const request_t *request)
{
    s_start_or_restart(request, true);
}

static void
s_kill(const request_t *request)
{
    int64_t signum = SIGKILL;
    const msgpack_object *given = pr_object_member(request->args, PR_STR("signal"));
    if (given && (!pr_object_int(given, &signum) || signum < 1 || signum >= SIGRTMAX)) {
        s_refuse(request, PR_E_BAD_REQUEST);
        return;
    }
    if (!request->member || sv_member_pid(request->member) == 0) {
        s_refuse(request, request->member ? PR_E_NO_CHILD : PR_E_BAD_REQUEST);
        return;
    }
    pr_log_info("child.kill", "child=%s signal=%d", sv_member_spec(request->member)->name,
                (int) signum);
    s_answer_child(request->self, request->peer, request->id, request->member, 0);
    if (signum == SIGKILL) {
        sv_member_feed(request->member, SV_CHILD_ON_KILL, NULL);
    } else {
        (void) sv_member_signal(request->member, (int) signum);
    }
}

/* What is not there leaves `out` as it is. */
static bool
s_take_int(const request_t *request, pr_str_t key, int64_t *out)
{
    const msgpack_object *given = request->args ? pr_object_member(request->args, key) : NULL;
    return !given || pr_object_int(given, out);
}

static void
s_drain(const request_t *request)
{
    sv_member_t *member = request->member;
    waiting_t *slot = s_free_slot(request->self);
    bool is_gateway = member && sv_member_spec(member)->role == SV_ROLE_GATEWAY;
    int64_t within_ms = is_gateway ? sv_member_spec(member)->stop_within_ms : 0;
    if (!is_gateway || !s_take_int(request, PR_STR("within_ms"), &within_ms) || within_ms < 0 ||
        within_ms > PR_DRAIN_MAX_MS) {
        s_refuse(request, PR_E_BAD_REQUEST);
        return;
    }
    if (!slot || sv_crew_is_stopping(request->self->crew) ||
        sv_member_state(member) != SV_CHILD_READY) {
        s_refuse(request, PR_E_BUSY);
        return;
    }
    char former[PR_INCARNATION_LEN + 1];
    memcpy(former, sv_member_incarnation(member), sizeof former);
    sv_member_drain(member, within_ms, "drain");
    sv_member_feed(member, SV_CHILD_ON_START, NULL);
    s_wait(request, slot, SV_CHILD_READY, former);
    slot->due_ms += within_ms;
}

static bool
s_take_role(const request_t *request, sv_role_t *role)
{
    const msgpack_object *given =
        request->args ? pr_object_member(request->args, PR_STR("role")) : NULL;
    for (*role = SV_ROLE_ACTORS; given && *role < SV_ROLE_COUNT; (*role)++) {
        if (pr_str_equal(pr_object_str(given), pr_str(sv_role_name(*role)))) {
            return true;
        }
    }
    return false;
}

static void
s_scale(const request_t *request)
{
    sv_role_t role = SV_ROLE_COUNT;
    int64_t count = 0;
    waiting_t *slot = s_free_slot(request->self);
    if (!s_take_role(request, &role) || !s_take_int(request, PR_STR("count"), &count)) {
        s_refuse(request, PR_E_BAD_REQUEST);
        return;
    }
    int error = slot ? sv_crew_scale(request->self->crew, role, count) : PR_E_BUSY;
    if (error != 0) {
        s_refuse(request, error);
        return;
    }
    pr_log_info("supervisor.scale", "role=%s count=%d", sv_role_name(role), (int) count);
    s_wait(request, slot, SV_CHILD_READY, "");
    slot->member = NULL;
    slot->role = role;
}

static void
s_release(const request_t *request)
{
    sv_verbs_t *self = request->self;
    const msgpack_object *given =
        request->args ? pr_object_member(request->args, PR_STR("poll")) : NULL;
    pr_str_t poll = given ? pr_object_str(given) : PR_STR_NONE;
    if (!poll.ptr || !self->quarantine || !sv_quarantine_release(self->quarantine, poll)) {
        s_refuse(request, poll.ptr ? PR_E_NOT_FOUND : PR_E_BAD_REQUEST);
        return;
    }
    pr_log_info("quarantine.released", "poll=%.*s", PR_STR_ARG(poll));
    self->released(self->released_arg);
    s_status(request);
}

static const struct {
    const char *verb;
    void (*run)(const request_t *request);
} s_verbs[] = {
    {"status", s_status}, {"stop", s_stop},   {"start", s_start}, {"restart", s_restart},
    {"kill", s_kill},     {"drain", s_drain}, {"scale", s_scale}, {"release", s_release},
};

void
sv_verbs_call(sv_verbs_t *self, pr_peer_t *peer, const pr_msg_call_t *call)
{
    request_t request = {.self = self, .peer = peer, .id = call->id, .args = call->args.object};
    if (request.args && request.args->type != MSGPACK_OBJECT_MAP) {
        s_refuse(&request, PR_E_BAD_REQUEST);
        return;
    }
    const msgpack_object *name =
        request.args ? pr_object_member(request.args, PR_STR("name")) : NULL;
    if (name) {
        request.member = sv_crew_find(self->crew, pr_object_str(name));
        if (!request.member || sv_member_is_retired(request.member)) {
            s_refuse(&request, PR_E_NO_CHILD);
            return;
        }
    }
    for (size_t i = 0; i < sizeof s_verbs / sizeof s_verbs[0]; i++) {
        if (pr_str_equal(call->verb, pr_str(s_verbs[i].verb))) {
            s_verbs[i].run(&request);
            return;
        }
    }
    s_refuse(&request, PR_E_UNKNOWN_TYPE);
}

void
sv_verbs_forget(sv_verbs_t *self, const pr_peer_t *peer)
{
    for (size_t i = 0; i < PR_CALLS_MAX; i++) {
        if (self->waiting[i].peer == peer) {
            self->waiting[i].peer = NULL;
        }
    }
}
