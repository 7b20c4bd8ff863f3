/* SPDX-License-Identifier: MIT */

#include "supervisor/supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "supervisor/control.h"
#include "supervisor/crew.h"
#include "supervisor/events.h"
#include "supervisor/generation.h"
#include "supervisor/listener.h"
#include "supervisor/lock.h"
#include "supervisor/probe.h"
#include "supervisor/record.h"
#include "supervisor/secret.h"
#include "supervisor/verbs.h"

#define AGAIN_MS 1000

typedef struct {
    const pr_config_t *config;
    const char *config_file;
    char error[1024]; /* why it does not start */
    /* what it stands on */
    sv_paths_t *paths;
    int listen_fd;
    char url[256];
    char secret_file[SV_PATH_MAX];
    char endpoint[SV_PATH_MAX];
    char store[512];
    sv_redis_t *redis;
    sv_generation_t *generation;
    /* what runs */
    pr_loop_t *loop;
    sv_spec_list_t specs;
    sv_launch_t *launch;
    sv_roster_t *roster;
    sv_quarantine_t *quarantine;
    sv_events_t *events;
    sv_control_t *control;
    sv_crew_t *crew;
    sv_verbs_t *verbs;
    sv_probe_t *probe;
    bool roster_dirty;
    int64_t signal_ms;
    int exit_code;
} supervisor_t;

/* --- what the children do --- */

static void
s_drive_probe(supervisor_t *self, const sv_member_t *member)
{
    if (!self->probe) {
        return;
    }
    if (sv_member_state(member) == SV_CHILD_STARTING) {
        sv_probe_start(self->probe);
    } else if (!sv_child_is_alive(sv_member_child(member))) {
        sv_probe_stop(self->probe);
    }
}

/* Before everything was ready once, somebody waits for our answer: then it is better to say what is
 * wrong and end than to try again for ever. */
static void
s_give_up(supervisor_t *self, const sv_member_t *member)
{
    int code = sv_member_last_code(member);
    bool final = code == SV_EXIT_USAGE || code == SV_EXIT_FINAL;
    bool redis = sv_member_spec(member)->role == SV_ROLE_REDIS;
    if (sv_crew_was_ready(self->crew) || sv_crew_is_stopping(self->crew)) {
        return;
    }
    (void) snprintf(self->error, sizeof self->error, "%s can not start (%s): see %s%s",
                    sv_member_spec(member)->name, sv_member_last_exit(member),
                    redis ? sv_paths_state(self->paths) : "what it says above",
                    redis ? "/logs/redis.log" : "");
    self->exit_code = final ? code : SV_EXIT_ENVIRONMENT;
    sv_crew_stop(self->crew);
}

/* A crash has a poll's name on it? */
static void
s_look_for_poison(supervisor_t *self, const sv_member_t *member)
{
    char name[32];
    char path[SV_PATH_MAX];
    const sv_spec_t *spec = sv_member_spec(member);
    if (spec->role == SV_ROLE_ACTORS && sv_member_crashed(member)) {
        (void) snprintf(name, sizeof name, "%s.poison", spec->name);
        (void) sv_quarantine_examine(self->quarantine, sv_paths_in_run(self->paths, name, path),
                                     spec->name, pr_loop_now_ms(self->loop));
    }
}

static void
s_changed(void *arg, sv_member_t *member, sv_child_state_t from, const char *why)
{
    supervisor_t *self = arg;
    sv_events_tell(self->events, member, from, why);
    if (!sv_child_is_alive(sv_member_child(member))) {
        sv_control_forget(self->control, member);
        s_look_for_poison(self, member);
    }
    if (sv_member_spec(member)->role == SV_ROLE_REDIS) {
        s_drive_probe(self, member);
    } else {
        self->roster_dirty = true;
    }
    if (sv_member_state(member) == SV_CHILD_FAILED) {
        s_give_up(self, member);
    }
}

static bool
s_ask_stop(void *arg, sv_member_t *member)
{
    supervisor_t *self = arg;
    return sv_control_ask_stop(self->control, member);
}

static void
s_all_ready(void *arg)
{
    supervisor_t *self = arg;
    pr_log_info("supervisor.ready", "url=%s", self->url);
    (void) printf("Rollcall is ready: %s\n", self->url);
    (void) fflush(stdout);
}

static void
s_all_stopped(void *arg)
{
    supervisor_t *self = arg;
    pr_loop_stop(self->loop);
}

static const sv_crew_ops_t s_crew_ops = {
    .changed = s_changed,
    .ask_stop = s_ask_stop,
    .ready = s_all_ready,
    .stopped = s_all_stopped,
};

/* --- Redis --- */

static sv_member_t *
s_redis(const supervisor_t *self)
{
    return sv_crew_find(self->crew, PR_STR("redis"));
}

static void
s_pong(void *arg)
{
    supervisor_t *self = arg;
    sv_member_t *redis = s_redis(self);
    sv_member_heard(redis);
    if (sv_member_state(redis) == SV_CHILD_STARTING) {
        char endpoint[SV_PATH_MAX + 8];
        (void) snprintf(endpoint, sizeof endpoint, "unix:%s", sv_redis_socket(self->redis));
        sv_member_ready(redis, pr_str(endpoint), PR_STR_NONE);
    }
}

/* It loads its data, however long that takes. */
static void
s_loading(void *arg)
{
    sv_member_extend(s_redis(arg));
}

static const sv_probe_ops_t s_probe_ops = {.pong = s_pong, .busy = s_loading};

/* --- the roster --- */

static sv_roster_slot_t
s_slot_of(const sv_member_t *member)
{
    sv_child_state_t state = sv_member_state(member);
    return (sv_roster_slot_t) {
        .slot = sv_member_spec(member)->slot,
        .incarnation = sv_member_incarnation(member),
        .endpoint = sv_member_endpoint(member),
        /* One that was asked to stop still serves until it is gone. */
        .up = state == SV_CHILD_READY || state == SV_CHILD_STOPPING,
        /* Nobody waits for one that is one too many. */
        .failed = state == SV_CHILD_FAILED || sv_member_is_retired(member),
        .down_since_ms = sv_member_down_since_ms(member),
    };
}

static bool
s_turn(void *arg)
{
    supervisor_t *self = arg;
    if (!self->roster_dirty && sv_roster_is_settled(self->roster)) {
        return false;
    }
    self->roster_dirty = false;
    sv_roster_begin(self->roster);
    for (size_t i = 0; i < sv_crew_count(self->crew); i++) {
        sv_member_t *member = sv_crew_at(self->crew, i);
        sv_roster_slot_t slot = s_slot_of(member);
        if (sv_member_spec(member)->role == SV_ROLE_ACTORS) {
            sv_roster_add_actors(self->roster, &slot);
        } else if (sv_member_spec(member)->role == SV_ROLE_GATEWAY) {
            sv_roster_add_gateway(self->roster, &slot);
        }
    }
    sv_roster_quarantine(self->roster, self->quarantine);
    if (sv_roster_commit(self->roster, pr_loop_now_ms(self->loop), pr_clock_wall_ms())) {
        int64_t generation = sv_roster_generation(self->roster);
        sv_generation_save(self->generation, generation);
        pr_log_info("roster", "generation=%lld", (long long) generation);
        sv_control_send_roster(self->control);
    }
    return false;
}

/* --- orders --- */

static void
s_call(void *arg, pr_peer_t *peer, const pr_msg_call_t *call)
{
    supervisor_t *self = arg;
    sv_verbs_call(self->verbs, peer, call);
}

static void
s_caller_lost(void *arg, pr_peer_t *peer)
{
    supervisor_t *self = arg;
    if (self->verbs) {
        sv_verbs_forget(self->verbs, peer);
    }
}

/* Out of quarantine. */
static void
s_released(void *arg)
{
    supervisor_t *self = arg;
    self->roster_dirty = true;
}

static const sv_control_ops_t s_control_ops = {.call = s_call, .caller_lost = s_caller_lost};

static void
s_signal(void *arg, int signum)
{
    supervisor_t *self = arg;
    int64_t now_ms = pr_loop_now_ms(self->loop);
    /* A terminal and a wrapper may both send the one Ctrl-C; a second one means: now. */
    if (sv_crew_is_stopping(self->crew) && now_ms - self->signal_ms < AGAIN_MS) {
        return;
    }
    self->signal_ms = now_ms;
    pr_log_info("supervisor.stop", "signal=%d", signum);
    sv_crew_stop(self->crew);
}

/* --- start and end --- */

/* The place: folders, lock, leftovers, port, secret. Returns an exit code. */
static int
s_take_place(supervisor_t *self)
{
    char lock[SV_PATH_MAX];
    const char *host = pr_config_text(self->config, PR_SET_HTTP_HOST);
    int port = (int) pr_config_int(self->config, PR_SET_HTTP_PORT);
    char *error = self->error;
    size_t size = sizeof self->error;
    self->paths = sv_paths_new(pr_config_text(self->config, PR_SET_STATE_DIR), error, size);
    if (!self->paths) {
        return SV_EXIT_USAGE;
    }
    if (sv_paths_make(self->paths, error, size) != 0) {
        return SV_EXIT_ENVIRONMENT;
    }
    int result = sv_lock_take(sv_paths_in_state(self->paths, "lock", lock), error, size);
    if (result != 0) {
        return result == PR_E_BUSY ? SV_EXIT_USAGE : SV_EXIT_ENVIRONMENT;
    }
    if (sv_record_clear(self->paths, error, size) != 0) {
        return SV_EXIT_ENVIRONMENT;
    }
    self->listen_fd = sv_listener_open(host, port, error, size);
    if (self->listen_fd < 0) {
        return SV_EXIT_ENVIRONMENT;
    }
    bool is_tls = *pr_config_text(self->config, PR_SET_HTTP_TLS_CERT) != '\0';
    sv_listener_url(is_tls ? "https" : "http", host, port, self->url, sizeof self->url);
    result = sv_secret_provide(self->config, self->paths, self->secret_file, error, size);
    return result == 0 ? 0 : result == PR_E_CONFIG ? SV_EXIT_USAGE : SV_EXIT_ENVIRONMENT;
}

/* The store: our own server's files, or where the operator's is. */
static int
s_find_store(supervisor_t *self)
{
    const char *url = pr_config_text(self->config, PR_SET_REDIS_URL);
    if (!sv_spec_embeds_redis(self->config)) {
        int len = *url ? snprintf(self->store, sizeof self->store, "%s", url)
                       : snprintf(self->store, sizeof self->store, "redis://%s:%d",
                                  pr_config_text(self->config, PR_SET_REDIS_HOST),
                                  (int) pr_config_int(self->config, PR_SET_REDIS_PORT));
        if (len < 0 || len >= (int) sizeof self->store) {
            (void) snprintf(self->error, sizeof self->error, "redis.url is too long");
            return SV_EXIT_USAGE;
        }
        return 0;
    }
    int result = 0;
    self->redis = sv_redis_new(self->config, self->paths, &result, self->error, sizeof self->error);
    if (!self->redis) {
        return result == PR_E_CONFIG ? SV_EXIT_USAGE : SV_EXIT_ENVIRONMENT;
    }
    (void) snprintf(self->store, sizeof self->store, "%s", sv_redis_url(self->redis));
    return 0;
}

static bool
s_make_sockets(supervisor_t *self)
{
    char path[SV_PATH_MAX];
    self->loop = pr_loop_new();
    self->generation = sv_generation_new(sv_paths_in_state(self->paths, "generation", path));
    self->roster = self->generation ? sv_roster_new(sv_generation_last(self->generation)) : NULL;
    self->quarantine = sv_quarantine_new(sv_paths_in_state(self->paths, "quarantine", path));
    if (!self->loop || !self->roster || !self->quarantine) {
        return false;
    }
    self->events = sv_events_new(self->loop, sv_paths_endpoint(self->paths, "events.sock", path));
    (void) sv_paths_endpoint(self->paths, "supervisor.sock", self->endpoint);
    self->control = sv_control_new(self->loop, self->endpoint, self->roster, &s_control_ops, self);
    return self->events && self->control;
}

static bool
s_make_crew(supervisor_t *self)
{
    sv_launch_options_t options = {
        .loop = self->loop,
        .paths = self->paths,
        .redis = self->redis,
        .store = self->store,
        .endpoint = self->endpoint,
        .secret_file = self->secret_file,
        .config_file = self->config_file,
        .listen_fd = self->listen_fd,
    };
    sv_spec_list(self->config, &self->specs);
    self->launch = sv_launch_new(&options);
    self->crew = self->launch
                     ? sv_crew_new(self->loop, &self->specs, self->launch, &s_crew_ops, self)
                     : NULL;
    self->verbs = self->crew ? sv_verbs_new(self->loop, self->crew, self->roster, self->url) : NULL;
    if (!self->verbs) {
        return false;
    }
    sv_verbs_set_control(self->verbs, self->control);
    sv_verbs_set_quarantine(self->verbs, self->quarantine, s_released, self);
    sv_control_set_crew(self->control, self->crew);
    if (self->redis) {
        self->probe =
            sv_probe_new(self->loop, sv_redis_socket(self->redis), sv_redis_user(self->redis),
                         sv_redis_password(self->redis), &s_probe_ops, self);
    }
    pr_loop_on_turn(self->loop, PR_TURN_THINK, s_turn, self);
    return !self->redis || self->probe;
}

static int
s_make(supervisor_t *self)
{
    int code = s_take_place(self);
    if (code == 0) {
        code = s_find_store(self);
    }
    if (code != 0) {
        return code;
    }
    if (!s_make_sockets(self) || !s_make_crew(self) ||
        pr_loop_on_signal(self->loop, SIGTERM, s_signal, self) != 0 ||
        pr_loop_on_signal(self->loop, SIGINT, s_signal, self) != 0) {
        (void) snprintf(self->error, sizeof self->error, "out of sockets or memory: see the log");
        return SV_EXIT_ENVIRONMENT;
    }
    return 0;
}

static void
s_unmake(supervisor_t *self)
{
    char path[SV_PATH_MAX];
    sv_probe_destroy(&self->probe);
    sv_control_destroy(&self->control);
    sv_verbs_destroy(&self->verbs);
    if (self->crew) {
        pr_loop_off_turn(self->loop, s_turn, self);
    }
    sv_crew_destroy(&self->crew);
    sv_launch_destroy(&self->launch);
    sv_events_destroy(&self->events);
    sv_roster_destroy(&self->roster);
    sv_quarantine_destroy(&self->quarantine);
    sv_generation_destroy(&self->generation);
    pr_loop_destroy(&self->loop);
    sv_redis_destroy(&self->redis);
    if (self->listen_fd >= 0) {
        (void) close(self->listen_fd);
    }
    if (self->paths && *self->secret_file) {
        /* A key that the settings gave need not lie around. */
        (void) unlink(sv_paths_in_run(self->paths, "secret", path));
    }
    sv_paths_destroy(&self->paths);
}

int
sv_supervisor_run(const pr_config_t *config, const char *config_file)
{
    static supervisor_t self;
    self = (supervisor_t) {.config = config, .config_file = config_file, .listen_fd = -1};
    int code = s_make(&self);
    if (code == 0) {
        pr_log_info("supervisor.start", "state_dir=\"%s\"", sv_paths_state(self.paths));
        sv_crew_start(self.crew);
        pr_loop_run(self.loop);
        code = self.exit_code;
        pr_log_info("supervisor.end", "code=%d", code);
    }
    s_unmake(&self);
    if (code != 0) {
        (void) fprintf(stderr, "rollcall: %s\n", self.error);
    }
    return code;
}
