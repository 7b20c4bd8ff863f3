/* SPDX-License-Identifier: MIT */

/*
 * rollcall-actors: one event loop with the host of all actors and the lifeline to the supervisor.
 * It says READY when the store serves. Exit codes: 0 asked to stop, 100 wrong use, 111 environment
 * failed.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/host.h"
#include "proto/base/config.h"
#include "proto/base/log.h"
#include "proto/base/redis_url.h"
#include "proto/wire/lifeline.h"

#define EXIT_USAGE 100
#define EXIT_ENVIRONMENT 111
/* Scripts in flight at the end get so long for their answers. */
#define DRAIN_MS 2000

typedef struct {
    pr_loop_t *loop;
    ac_host_t *host;
    pr_lifeline_t *lifeline;
    char endpoint[256];
    char tap[256];
    char poison[256];
    pr_timer_t drain;
    bool is_stopping;
    int exit_code;
} process_t;

/* --- the end --- */

static bool
s_on_turn(void *arg)
{
    process_t *self = arg;
    if (self->is_stopping && ac_host_is_drained(self->host)) {
        pr_loop_stop(self->loop);
    }
    return false;
}

static void
s_on_drain_over(pr_timer_t *timer)
{
    process_t *self = (process_t *) ((char *) timer - offsetof(process_t, drain));
    pr_log_warn("actors.not_drained", "after_ms=%d", DRAIN_MS);
    pr_loop_stop(self->loop);
}

static void
s_stop(process_t *self, const char *why)
{
    if (self->is_stopping) {
        return;
    }
    pr_log_info("actors.stop", "why=%s", why);
    self->is_stopping = true;
    ac_host_drain(self->host);
    self->drain.fire = s_on_drain_over;
    pr_loop_arm(self->loop, &self->drain, DRAIN_MS);
}

static void
s_on_signal(void *arg, int signum)
{
    s_stop(arg, signum == SIGTERM ? "SIGTERM" : "SIGINT");
}

/* --- host --- */

static void
s_on_ready(void *arg)
{
    process_t *self = arg;
    pr_log_info("actors.ready", "endpoint=%s", self->endpoint);
    pr_lifeline_ready(self->lifeline, self->endpoint, self->tap);
}

static void
s_on_unfit(void *arg, const char *line)
{
    process_t *self = arg;
    (void) fprintf(stderr, "rollcall-actors: %s\n", line);
    self->exit_code = EXIT_ENVIRONMENT;
    pr_loop_stop(self->loop);
}

static const ac_host_ops_t s_host_ops = {.ready = s_on_ready, .unfit = s_on_unfit};

/* --- lifeline --- */

static bool
s_on_roster(void *arg, const pr_msg_roster_t *message)
{
    process_t *self = arg;
    pr_roster_t *roster = NULL;
    if (pr_roster_decode(message, &roster) != 0) {
        pr_log_error("actors.bad_roster", "generation=%lld", (long long) message->generation);
        return false;
    }
    ac_host_roster(self->host, &roster);
    return true;
}

static void
s_on_drain(void *arg, int64_t within_ms)
{
    (void) within_ms;
    s_stop(arg, "DRAIN");
}

static void
s_on_stop(void *arg)
{
    s_stop(arg, "STOP");
}

static void
s_on_orphaned(void *arg)
{
    s_stop(arg, "orphaned");
}

static void
s_on_stats(void *arg, pr_buf_t *out)
{
    process_t *self = arg;
    ac_host_write_stats(self->host, out);
}

static const pr_lifeline_ops_t s_lifeline_ops = {
    .roster = s_on_roster,
    .drain = s_on_drain,
    .stop = s_on_stop,
    .orphaned = s_on_orphaned,
    .stats = s_on_stats,
};

/* --- the beginning --- */

static bool
s_open(process_t *self, const pr_child_env_t *env, const pr_config_t *config)
{
    (void) snprintf(self->endpoint, sizeof self->endpoint, "ipc://%s/%s-%s.sock", env->run_dir,
                    env->name, env->incarnation);
    (void) snprintf(self->tap, sizeof self->tap, "ipc://%s/%s-%s.tap", env->run_dir, env->name,
                    env->incarnation);
    (void) snprintf(self->poison, sizeof self->poison, "%s/%s.poison", env->run_dir, env->name);
    ac_host_options_t options = {
        .name = env->name,
        .incarnation = env->incarnation,
        .endpoint = self->endpoint,
        .tap = self->tap,
        .store = env->store,
        .poison = self->poison,
        .rules =
            {
                .participants_max = pr_config_int(config, PR_SET_POLL_PARTICIPANTS_MAX),
                .nominations_max = pr_config_int(config, PR_SET_POLL_NOMINATIONS_MAX),
                .nominations_per_user_max =
                    pr_config_int(config, PR_SET_POLL_NOMINATIONS_PER_USER_MAX),
            },
        .grace =
            {
                .lost_ms = pr_config_int(config, PR_SET_PRESENCE_GRACE_MS),
                .reload_ms = pr_config_int(config, PR_SET_PRESENCE_RELOAD_MS),
            },
    };
    self->host = ac_host_new(self->loop, &options, &s_host_ops, self);
    if (!self->host) {
        return false;
    }
    self->lifeline = pr_lifeline_new(self->loop, "actors", env, &s_lifeline_ops, self);
    return self->lifeline && pr_loop_on_signal(self->loop, SIGTERM, s_on_signal, self) == 0 &&
           pr_loop_on_signal(self->loop, SIGINT, s_on_signal, self) == 0;
}

static int
s_run(const pr_child_env_t *env, const pr_config_t *config)
{
    process_t self = {.loop = pr_loop_new()};
    if (!self.loop) {
        return EXIT_ENVIRONMENT;
    }
    if (s_open(&self, env, config)) {
        pr_loop_on_turn(self.loop, PR_TURN_SEND, s_on_turn, &self);
        pr_loop_run(self.loop);
        pr_loop_off_turn(self.loop, s_on_turn, &self);
    } else {
        self.exit_code = EXIT_ENVIRONMENT;
    }
    pr_wheel_cancel(&self.drain);
    pr_lifeline_destroy(&self.lifeline);
    ac_host_destroy(&self.host);
    pr_loop_destroy(&self.loop);
    return self.exit_code;
}

int
main(int argc, char **argv)
{
    (void) argv;
    pr_child_env_t env;
    if (argc != 1 || !pr_child_env_read(&env) || !env.store[0]) {
        (void) fprintf(stderr, "rollcall-actors: is started by rollcall-supervisor\n");
        return EXIT_USAGE;
    }
    pr_redis_url_t store;
    if (!pr_redis_url_parse(env.store, &store)) { /* it may hold a password: not shown */
        (void) fprintf(stderr, "rollcall-actors: redis.url must be redis://user:pass@host:port "
                               "or unix:PATH\n");
        return EXIT_USAGE;
    }
    char error[256];
    pr_config_t *config = pr_config_load(env.config[0] ? env.config : NULL, error, sizeof error);
    if (!config) {
        (void) fprintf(stderr, "rollcall-actors: %s\n", error);
        return EXIT_USAGE;
    }
    pr_log_init(env.name, pr_log_level_from_name(pr_config_text(config, PR_SET_LOG_LEVEL)));
    int code = s_run(&env, config);
    pr_config_destroy(&config);
    return code;
}
