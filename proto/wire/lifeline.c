/* SPDX-License-Identifier: MIT */

#include "proto/wire/lifeline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <uv.h>

#include "proto/base/log.h"
#include "proto/wire/dealer.h"
#include "proto/wire/limits.h"

#define SECOND_MS 1000
#define IDENTITY_SIZE 64

struct pr_lifeline {
    pr_loop_t *loop;
    pr_dealer_t *dealer;
    const pr_lifeline_ops_t *ops;
    void *arg;
    pr_timer_t second;
    uv_poll_t *pipe; /* of its own, as closing takes a turn */
    int fd;
    int64_t open_ms;    /* when the supervisor was last known to be there */
    int64_t generation; /* of the roster in force, or PR_INT_NONE */
    uint64_t old_rosters;
    bool orphaned;
    bool ready;
    char *endpoint; /* of READY */
    char *tap;
    pr_buf_t *stats;
};

/* --- environment --- */

static const char *
s_text(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static int
s_descriptor(const char *name)
{
    const char *text = s_text(name);
    char *end = NULL;
    errno = 0;
    long number = strtol(text, &end, 10);
    bool good = *text && *end == '\0' && errno == 0 && number >= 0 && number < 1 << 20;
    return good ? (int) number : -1;
}

bool
pr_child_env_read(pr_child_env_t *env)
{
    *env = (pr_child_env_t) {
        .name = s_text("ROLLCALL_CHILD"),
        .incarnation = s_text("ROLLCALL_INCARNATION"),
        .supervisor = s_text("ROLLCALL_SUPERVISOR"),
        .run_dir = s_text("ROLLCALL_RUN_DIR"),
        .secret_file = s_text("ROLLCALL_SECRET_FILE"),
        .store = s_text("ROLLCALL_STORE"),
        .config = s_text("ROLLCALL_CONFIG"),
        .lifeline_fd = s_descriptor("ROLLCALL_LIFELINE_FD"),
        .listen_fd = s_descriptor("ROLLCALL_LISTEN_FD"),
    };
    /* They become part of a greeting and of an identity. */
    return *env->name && strlen(env->name) <= PR_LINK_NAME_LEN_MAX &&
           strlen(env->incarnation) == PR_INCARNATION_LEN && *env->supervisor && *env->run_dir;
}

/* --- the link --- */

static void
s_say_ready(pr_lifeline_t *self)
{
    pr_link_t *link = pr_dealer_link(self->dealer);
    if (!self->ready || !pr_link_is_open(link)) {
        return;
    }
    pr_event_t event = pr_event(PR_MSG_READY, PR_STR(""));
    event.ready.endpoint = pr_str(self->endpoint);
    event.ready.tap = pr_str(self->tap);
    int error = pr_link_send(link, &event);
    if (error) {
        /* A supervisor that has not heard it takes us for hung: better to greet it again. */
        pr_log_error("lifeline.ready", "error=%s", pr_error_name(error));
        pr_link_dial(link, pr_loop_now_ms(self->loop));
    }
}

static int
s_open(void *arg, const pr_msg_hello_t *hello)
{
    (void) hello;
    pr_lifeline_t *self = arg;
    self->open_ms = pr_loop_now_ms(self->loop);
    pr_log_info("lifeline.open", "supervisor=%s",
                pr_link_peer_incarnation(pr_dealer_link(self->dealer)));
    s_say_ready(self);
    return 0;
}

static void
s_lost(void *arg, int error)
{
    pr_lifeline_t *self = arg;
    self->open_ms = pr_loop_now_ms(self->loop);
    pr_log_warn("lifeline.lost", "why=%s", pr_error_name(error));
}

static void
s_roster(pr_lifeline_t *self, const pr_msg_roster_t *roster)
{
    if (roster->generation < self->generation) {
        self->old_rosters++;
        pr_log_warn("lifeline.old_roster", "generation=%lld ours=%lld",
                    (long long) roster->generation, (long long) self->generation);
    } else if (roster->generation > self->generation && self->ops->roster(self->arg, roster)) {
        self->generation = roster->generation;
    }
    /* Acknowledged after it is in force; a changed generation goes out with this turn's end. */
    pr_link_set_beat(pr_dealer_link(self->dealer), self->generation, pr_buf_str(self->stats));
}

static void
s_event(void *arg, const pr_event_t *event)
{
    pr_lifeline_t *self = arg;
    switch ((int) event->type) {
    case PR_MSG_BEAT:
        break;
    case PR_MSG_ROSTER:
        s_roster(self, &event->roster);
        break;
    case PR_MSG_DRAIN:
        if (self->ops->drain) {
            self->ops->drain(self->arg, event->drain.within_ms);
        }
        break;
    case PR_MSG_STOP:
        self->ops->stop(self->arg);
        break;
    case PR_MSG_RELOAD:
        if (self->ops->reload) {
            self->ops->reload(self->arg);
        }
        break;
    default:
        pr_log_warn("lifeline.event", "type=%s", pr_message_name((int64_t) event->type));
    }
}

static const pr_link_ops_t s_ops = {.open = s_open, .event = s_event, .lost = s_lost};

/* --- being alone --- */

static void
s_orphan(pr_lifeline_t *self, const char *why)
{
    if (!self->orphaned) {
        self->orphaned = true;
        pr_log_warn("lifeline.orphaned", "why=%s", why);
        self->ops->orphaned(self->arg);
    }
}

static void
s_pipe(uv_poll_t *poll, int status, int events)
{
    (void) events;
    pr_lifeline_t *self = poll->data;
    char bytes[64];
    ssize_t got = status == 0 ? read(self->fd, bytes, sizeof bytes) : 0;
    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) {
        return; /* nothing is meant by bytes */
    }
    (void) uv_poll_stop(poll);
    s_orphan(self, "pipe");
}

static void
s_second(pr_timer_t *timer)
{
    pr_lifeline_t *self = (pr_lifeline_t *) ((char *) timer - offsetof(pr_lifeline_t, second));
    pr_loop_arm(self->loop, timer, SECOND_MS);
    pr_link_t *link = pr_dealer_link(self->dealer);
    pr_buf_clear(self->stats);
    if (self->ops->stats) {
        self->ops->stats(self->arg, self->stats);
    }
    if (pr_buf_failed(self->stats)) {
        pr_buf_clear(self->stats);
    }
    pr_link_set_beat(link, self->generation, pr_buf_str(self->stats));
    int64_t now_ms = pr_loop_now_ms(self->loop);
    if (pr_link_is_open(link)) {
        self->open_ms = now_ms;
    } else if (now_ms - self->open_ms >= PR_LIFELINE_MS) {
        s_orphan(self, "silence");
    }
}

/* --- life --- */

static void
s_free_pipe(uv_handle_t *handle)
{
    free(handle);
}

static int
s_watch(pr_lifeline_t *self, int fd)
{
    if (fd < 0) {
        return 0;
    }
    self->pipe = calloc(1, sizeof *self->pipe);
    if (!self->pipe) {
        return PR_E_NOMEM;
    }
    if (uv_poll_init(pr_loop_uv(self->loop), self->pipe, fd) != 0) {
        free(self->pipe);
        self->pipe = NULL;
        return PR_E_SYSTEM;
    }
    self->fd = fd;
    self->pipe->data = self;
    return uv_poll_start(self->pipe, UV_READABLE, s_pipe) == 0 ? 0 : PR_E_SYSTEM;
}

pr_lifeline_t *
pr_lifeline_new(pr_loop_t *loop,
                const char *role,
                const pr_child_env_t *env,
                const pr_lifeline_ops_t *ops,
                void *arg)
{
    PR_ASSERT(loop && role && env && ops && ops->roster && ops->stop && ops->orphaned);
    pr_lifeline_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->ops = ops;
    self->arg = arg;
    self->open_ms = pr_loop_now_ms(loop);
    self->generation = PR_INT_NONE;
    self->second.fire = s_second;
    self->stats = pr_buf_new(0);
    pr_link_self_t me = {.role = role, .name = env->name, .incarnation = env->incarnation};
    char identity[IDENTITY_SIZE];
    (void) snprintf(identity, sizeof identity, "%s-%s", env->name, env->incarnation);
    self->dealer = pr_dealer_new(loop, env->supervisor, identity, &me, &s_ops, self);
    pr_loop_arm(loop, &self->second, SECOND_MS);
    if (!self->stats || !self->dealer || s_watch(self, env->lifeline_fd) != 0) {
        pr_lifeline_destroy(&self);
    }
    return self;
}

void
pr_lifeline_destroy(pr_lifeline_t **self_p)
{
    PR_ASSERT(self_p);
    pr_lifeline_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_wheel_cancel(&self->second);
    if (self->pipe) {
        uv_close((uv_handle_t *) self->pipe, s_free_pipe);
    }
    pr_dealer_destroy(&self->dealer);
    pr_buf_destroy(&self->stats);
    free(self->endpoint);
    free(self->tap);
    free(self);
    *self_p = NULL;
}

void
pr_lifeline_ready(pr_lifeline_t *self, const char *endpoint, const char *tap)
{
    PR_ASSERT(self && endpoint);
    char *endpoint_copy = strdup(endpoint);
    char *tap_copy = tap ? strdup(tap) : NULL;
    PR_ASSERT(endpoint_copy && (tap_copy || !tap)); /* once, at the start */
    free(self->endpoint);
    free(self->tap);
    self->endpoint = endpoint_copy;
    self->tap = tap_copy;
    self->ready = true;
    s_say_ready(self);
}

uint64_t
pr_lifeline_old_rosters(const pr_lifeline_t *self)
{
    return self->old_rosters;
}

bool
pr_lifeline_is_open(const pr_lifeline_t *self)
{
    return pr_link_is_open(pr_dealer_link(self->dealer));
}
