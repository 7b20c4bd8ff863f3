/* SPDX-License-Identifier: MIT */

#include "supervisor/member.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "supervisor/file.h"
#include "supervisor/record.h"

#define ENDPOINT_MAX 256

struct sv_member {
    pr_loop_t *loop;
    const sv_spec_t *spec;
    sv_launch_t *launch;
    const sv_member_ops_t *ops;
    void *arg;
    sv_child_t *child;
    sv_process_t *process;
    int64_t heard_ms;
    int64_t down_since_ms;
    int last_code;
    bool was_hung; /* and was to be killed for it */
    bool crashed;
    bool is_retired;
    int64_t drain_ms; /* -1: its clients go at once */
    char incarnation[PR_INCARNATION_LEN + 1];
    char endpoint[ENDPOINT_MAX];
    char tap[ENDPOINT_MAX];
    char last_exit[64];
    char stats[PR_CHILD_STATS_BYTES_MAX];
    size_t stats_len;
};

sv_member_t *
sv_member_new(pr_loop_t *loop,
              const sv_spec_t *spec,
              sv_launch_t *launch,
              const sv_member_ops_t *ops,
              void *arg)
{
    sv_member_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->spec = spec;
    self->launch = launch;
    self->ops = ops;
    self->arg = arg;
    self->last_code = -1;
    self->drain_ms = -1;
    self->down_since_ms = pr_loop_now_ms(loop);
    self->child = sv_child_new(&spec->terms, SV_CHILD_DOWN, pr_loop_now_ms(loop));
    if (!self->child) {
        sv_member_destroy(&self);
    }
    return self;
}

void
sv_member_destroy(sv_member_t **self_p)
{
    PR_ASSERT(self_p);
    sv_member_t *self = *self_p;
    if (!self) {
        return;
    }
    sv_process_destroy(&self->process);
    sv_child_destroy(&self->child);
    free(self);
    *self_p = NULL;
}

static sv_child_event_t
s_exit_event(int code, int signum)
{
    if (signum == 0 && code == 0) {
        return SV_CHILD_ON_EXIT_OK;
    }
    bool final = signum == 0 && (code == 100 || code == 125);
    return final ? SV_CHILD_ON_EXIT_FINAL : SV_CHILD_ON_EXIT_BAD;
}

/* The sockets of a killed child stay in the run folder; nobody else will ever bind them. */
static void
s_unlink_socket(const sv_member_t *self, char *endpoint)
{
    const char *run = sv_paths_run(sv_launch_paths(self->launch));
    if (strncmp(endpoint, "ipc://", 6) == 0 && strncmp(endpoint + 6, run, strlen(run)) == 0) {
        (void) unlink(endpoint + 6);
    }
    endpoint[0] = '\0';
}

/* A gateway has one more, beside its endpoint: RUN/g1-<incarnation>.fd. */
static void
s_unlink_handover(const sv_member_t *self)
{
    char name[PR_INCARNATION_LEN + 16];
    char path[SV_PATH_MAX];
    if (self->spec->role == SV_ROLE_GATEWAY) {
        (void) snprintf(name, sizeof name, "%s-%s.fd", self->spec->name, self->incarnation);
        (void) unlink(sv_paths_in_run(sv_launch_paths(self->launch), name, path));
    }
}

static bool
s_is_core_signal(int signum)
{
    return signum == SIGSEGV || signum == SIGABRT || signum == SIGBUS || signum == SIGFPE ||
           signum == SIGILL;
}

static void
s_exited(void *arg, int code, int signum)
{
    sv_member_t *self = arg;
    self->crashed = s_is_core_signal(signum) || (signum == SIGKILL && self->was_hung);
    self->was_hung = false;
    self->last_code = signum ? -1 : code;
    if (signum) {
        (void) snprintf(self->last_exit, sizeof self->last_exit, "signal %d (%s)", signum,
                        strsignal(signum));
    } else {
        (void) snprintf(self->last_exit, sizeof self->last_exit, "exit %d", code);
    }
    sv_process_destroy(&self->process);
    sv_record_remove(sv_launch_paths(self->launch), self->spec->name);
    s_unlink_socket(self, self->endpoint);
    s_unlink_socket(self, self->tap);
    s_unlink_handover(self);
    self->stats_len = 0;
    self->drain_ms = -1;
    sv_member_feed(self, s_exit_event(code, signum), self->last_exit);
    self->crashed = false;
}

static void
s_spawn(sv_member_t *self)
{
    int error = 0;
    sv_file_random_hex(self->incarnation, PR_INCARNATION_LEN / 2);
    self->process =
        sv_launch_run(self->launch, self->spec, self->incarnation, s_exited, self, &error);
    if (self->process) {
        int pid = sv_process_pid(self->process);
        sv_record_write(sv_launch_paths(self->launch), self->spec->name, pid);
        sv_member_feed(self, SV_CHILD_ON_SPAWNED, NULL);
        return;
    }
    (void) snprintf(self->last_exit, sizeof self->last_exit, "%s", uv_strerror(error));
    self->last_code = -1;
    pr_log_error("child.spawn", "child=%s program=\"%s\" error=\"%s\"", self->spec->name,
                 self->spec->program, self->last_exit);
    sv_member_feed(self, SV_CHILD_ON_SPAWN_FAILED, self->last_exit);
}

static void
s_do(sv_member_t *self, unsigned todo, sv_child_event_t event)
{
    if (todo & SV_DO_COMPLAIN) {
        pr_log_error("child.bug", "child=%s state=%s event=\"%s\"", self->spec->name,
                     sv_child_state_name(sv_child_state(self->child)), sv_child_event_name(event));
    }
    if (todo & SV_DO_ASK_STOP && !self->ops->ask_stop(self->arg, self)) {
        (void) sv_member_signal(self, SIGTERM);
    }
    if (todo & SV_DO_ABORT) {
        /* Redis answers an ABRT with a report of its own, after which it hangs as before. */
        (void) sv_member_signal(self, self->spec->role == SV_ROLE_REDIS ? SIGKILL : SIGABRT);
    }
    if (todo & SV_DO_KILL) {
        (void) sv_member_signal(self, SIGKILL);
    }
    if (todo & SV_DO_SPAWN) {
        s_spawn(self);
    }
}

void
sv_member_feed(sv_member_t *self, sv_child_event_t event, const char *why)
{
    sv_child_state_t from = sv_child_state(self->child);
    uint32_t random = 0;
    pr_random_bytes(&random, sizeof random);
    unsigned todo = sv_child_handle(self->child, event, pr_clock_mono_ms(), random);
    sv_child_state_t to = sv_child_state(self->child);
    self->was_hung |= event == SV_CHILD_ON_BEAT_LATE;
    if (from == SV_CHILD_READY && to != SV_CHILD_READY) {
        self->down_since_ms = pr_loop_now_ms(self->loop);
    }
    if (from != to) {
        self->heard_ms = pr_clock_mono_ms();
        self->ops->changed(self->arg, self, from, why ? why : sv_child_event_name(event));
    }
    s_do(self, todo, event);
}

void
sv_member_drain(sv_member_t *self, int64_t within_ms, const char *why)
{
    if (self->spec->role == SV_ROLE_GATEWAY && sv_child_state(self->child) == SV_CHILD_READY) {
        self->drain_ms = within_ms;
        sv_child_grant(self->child, within_ms + PR_CHILD_STOP_MS);
    }
    sv_member_feed(self, SV_CHILD_ON_STOP, why);
    sv_child_grant(self->child, self->spec->terms.stop_ms);
}

void
sv_member_retire(sv_member_t *self, bool is_retired)
{
    self->is_retired = is_retired;
}

static int64_t
s_hung_ms(const sv_member_t *self)
{
    return self->spec->role == SV_ROLE_REDIS ? PR_REDIS_HUNG_MS : PR_CHILD_HUNG_MS;
}

void
sv_member_check(sv_member_t *self)
{
    int64_t now_ms = pr_loop_now_ms(self->loop);
    if (sv_child_due_ms(self->child) <= now_ms) {
        sv_member_feed(self, SV_CHILD_ON_TIMER, NULL);
    } else if (sv_child_state(self->child) == SV_CHILD_READY &&
               now_ms - self->heard_ms > s_hung_ms(self)) {
        sv_member_feed(self, SV_CHILD_ON_BEAT_LATE, NULL);
    }
}

void
sv_member_extend(sv_member_t *self)
{
    self->heard_ms = pr_loop_now_ms(self->loop);
    sv_child_extend(self->child, self->heard_ms);
}

void
sv_member_heard(sv_member_t *self)
{
    self->heard_ms = pr_loop_now_ms(self->loop);
}

static void
s_copy(char out[ENDPOINT_MAX], pr_str_t text)
{
    (void) snprintf(out, ENDPOINT_MAX, "%.*s", PR_STR_ARG(text));
}

void
sv_member_ready(sv_member_t *self, pr_str_t endpoint, pr_str_t tap)
{
    s_copy(self->endpoint, endpoint);
    s_copy(self->tap, tap);
    sv_member_heard(self);
    sv_member_feed(self, SV_CHILD_ON_READY, NULL);
}

void
sv_member_set_stats(sv_member_t *self, pr_str_t stats)
{
    if (stats.len <= sizeof self->stats) {
        memcpy(self->stats, stats.ptr, stats.len);
        self->stats_len = stats.len;
    }
}

bool
sv_member_signal(sv_member_t *self, int signum)
{
    if (self->process) {
        sv_process_signal(self->process, signum);
    }
    return self->process != NULL;
}

bool
sv_member_crashed(const sv_member_t *self)
{
    return self->crashed;
}

const sv_spec_t *
sv_member_spec(const sv_member_t *self)
{
    return self->spec;
}

bool
sv_member_is_retired(const sv_member_t *self)
{
    return self->is_retired;
}

int64_t
sv_member_drain_ms(const sv_member_t *self)
{
    return self->drain_ms;
}

sv_child_state_t
sv_member_state(const sv_member_t *self)
{
    return sv_child_state(self->child);
}

const sv_child_t *
sv_member_child(const sv_member_t *self)
{
    return self->child;
}

int
sv_member_pid(const sv_member_t *self)
{
    return self->process ? sv_process_pid(self->process) : 0;
}

const char *
sv_member_incarnation(const sv_member_t *self)
{
    return self->incarnation;
}

const char *
sv_member_endpoint(const sv_member_t *self)
{
    return self->endpoint;
}

const char *
sv_member_tap(const sv_member_t *self)
{
    return self->tap;
}

const char *
sv_member_last_exit(const sv_member_t *self)
{
    return self->last_exit;
}

int
sv_member_last_code(const sv_member_t *self)
{
    return self->last_code;
}

pr_str_t
sv_member_stats(const sv_member_t *self)
{
    return self->stats_len ? (pr_str_t) {self->stats, self->stats_len} : PR_STR_NONE;
}

int64_t
sv_member_down_since_ms(const sv_member_t *self)
{
    return self->down_since_ms;
}
