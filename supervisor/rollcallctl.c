/* SPDX-License-Identifier: MIT */

/* rollcallctl: asks the supervisor of one state directory, or talks to its children. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/base/config.h"
#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "proto/wire/json.h"
#include "supervisor/ctl_link.h"
#include "supervisor/ctl_options.h"
#include "supervisor/ctl_status.h"
#include "supervisor/ctl_talk.h"
#include "supervisor/paths.h"
#include "supervisor/spec.h"
#include "supervisor/supervisor.h"

typedef struct {
    sv_ctl_options_t options;
    pr_loop_t *loop;
    sv_paths_t *paths;
    sv_ctl_link_t *supervisor;
    pr_buf_t *data; /* of the last answer */
    pr_unpacked_t *memory;
    const msgpack_object *answer;
} ctl_t;

static int
s_fail(int code, const char *about, const char *text)
{
    bool some = about && *about;
    (void) fprintf(stderr, "rollcallctl: %s%s%s\n", some ? about : "", some ? ": " : "", text);
    return code;
}

static int
s_exit_code(int error)
{
    bool usage = error == PR_E_BAD_REQUEST || error == PR_E_NO_CHILD || error == PR_E_UNKNOWN_TYPE;
    return usage ? SV_EXIT_USAGE : SV_EXIT_ENVIRONMENT;
}

/* --- calls --- */

static int
s_connect(ctl_t *self)
{
    char endpoint[SV_PATH_MAX];
    int error = 0;
    (void) sv_paths_endpoint(self->paths, "supervisor.sock", endpoint);
    self->supervisor =
        sv_ctl_link_new(self->loop, endpoint, self->options.timeout_ms, NULL, NULL, &error);
    if (self->supervisor) {
        return SV_EXIT_OK;
    }
    const char *text = error == PR_E_UNREACHABLE ? "no supervisor runs here" : pr_error_text(error);
    return s_fail(SV_EXIT_ENVIRONMENT, sv_paths_state(self->paths), text);
}

/* Calls; on success the answer is in self->answer. Returns an exit code. */
static int
s_call(ctl_t *self, const char *verb, pr_str_t args)
{
    int error =
        sv_ctl_link_call(self->supervisor, verb, args, self->options.timeout_ms, self->data);
    if (error == 0) {
        error = pr_value_unpack(pr_buf_str(self->data), self->memory, &self->answer);
    }
    return error == 0 ? SV_EXIT_OK : s_fail(s_exit_code(error), verb, pr_error_text(error));
}

static void
s_print_json(ctl_t *self)
{
    pr_buf_t *json = pr_buf_new(0);
    if (json) {
        pr_object_write_json(self->answer, json);
        (void) printf("%.*s\n", PR_STR_ARG(pr_buf_str(json)));
    }
    pr_buf_destroy(&json);
}

static int
s_status(ctl_t *self)
{
    int code = s_call(self, "status", PR_STR_NONE);
    if (code != SV_EXIT_OK) {
        return code;
    }
    if (self->options.json) {
        s_print_json(self);
    } else {
        sv_ctl_status_print(self->answer, stdout);
    }
    return code;
}

/* {name, signal?} */
static void
s_pack_args(const ctl_t *self, int64_t signum, pr_buf_t *out)
{
    msgpack_packer packer = pr_packer(out);
    (void) msgpack_pack_map(&packer, signum > 0 ? 2 : 1);
    pr_pack_str(&packer, PR_STR("name"));
    pr_pack_str(&packer, pr_str(self->options.words[0]));
    if (signum > 0) {
        pr_pack_str(&packer, PR_STR("signal"));
        (void) msgpack_pack_int64(&packer, signum);
    }
}

static int
s_call_on_child(ctl_t *self, int64_t signum)
{
    pr_buf_t *args = pr_buf_new(0);
    if (!args) {
        return SV_EXIT_ENVIRONMENT;
    }
    s_pack_args(self, signum, args);
    int code = s_call(self, self->options.command, pr_buf_str(args));
    pr_buf_destroy(&args);
    if (code == SV_EXIT_OK && self->options.json) {
        s_print_json(self);
    } else if (code == SV_EXIT_OK && strcmp(self->options.command, "kill") != 0) {
        /* What was killed is still in its former state when that is told. */
        sv_ctl_status_print_child(self->answer, stdout);
    }
    return code;
}

static int
s_one_child(ctl_t *self)
{
    return s_call_on_child(self, 0);
}

static int
s_kill(ctl_t *self)
{
    char *end = NULL;
    int64_t signum = 0;
    if (self->options.word_count == 2) {
        signum = strtol(self->options.words[1], &end, 10);
        if (*end || signum < 1 || signum > 64) {
            return s_fail(SV_EXIT_USAGE, "kill", "the signal is a number");
        }
    }
    return s_call_on_child(self, signum);
}

/* {name, within_ms?} */
static int
s_drain(ctl_t *self)
{
    int64_t within_ms = self->options.within_ms;
    pr_buf_t *args = pr_buf_new(0);
    if (!args) {
        return SV_EXIT_ENVIRONMENT;
    }
    msgpack_packer packer = pr_packer(args);
    (void) msgpack_pack_map(&packer, within_ms >= 0 ? 2 : 1);
    pr_pack_str(&packer, PR_STR("name"));
    pr_pack_str(&packer, pr_str(self->options.words[0]));
    if (within_ms >= 0) {
        pr_pack_str(&packer, PR_STR("within_ms"));
        (void) msgpack_pack_int64(&packer, within_ms);
        self->options.timeout_ms += within_ms;
    }
    int code = s_call(self, "drain", pr_buf_str(args));
    pr_buf_destroy(&args);
    if (code == SV_EXIT_OK && self->options.json) {
        s_print_json(self);
    } else if (code == SV_EXIT_OK) {
        sv_ctl_status_print_child(self->answer, stdout);
    }
    return code;
}

/* {role, count} */
static int
s_scale(ctl_t *self)
{
    char *end = NULL;
    const char *role = self->options.words[0];
    int64_t count = strtol(self->options.words[1], &end, 10);
    pr_buf_t *args = pr_buf_new(0);
    if (!args) {
        return SV_EXIT_ENVIRONMENT;
    }
    if (*end || count < 1) {
        pr_buf_destroy(&args);
        return s_fail(SV_EXIT_USAGE, "scale", "how many is a number from 1 on");
    }
    msgpack_packer packer = pr_packer(args);
    (void) msgpack_pack_map(&packer, 2);
    pr_pack_str(&packer, PR_STR("role"));
    pr_pack_str(&packer, pr_str(role));
    pr_pack_str(&packer, PR_STR("count"));
    (void) msgpack_pack_int64(&packer, count);
    int code = s_call(self, "scale", pr_buf_str(args));
    pr_buf_destroy(&args);
    if (code == SV_EXIT_OK && self->options.json) {
        s_print_json(self);
    } else if (code == SV_EXIT_OK) {
        (void) printf("%s: %lld ready\n", role, (long long) count);
    }
    return code;
}

/* {poll} */
static int
s_release(ctl_t *self)
{
    const char *poll = self->options.words[0];
    pr_buf_t *args = pr_buf_new(0);
    if (!args) {
        return SV_EXIT_ENVIRONMENT;
    }
    msgpack_packer packer = pr_packer(args);
    (void) msgpack_pack_map(&packer, 1);
    pr_pack_str(&packer, PR_STR("poll"));
    pr_pack_str(&packer, pr_str(poll));
    int code = s_call(self, "release", pr_buf_str(args));
    pr_buf_destroy(&args);
    if (code == SV_EXIT_OK && self->options.json) {
        s_print_json(self);
    } else if (code == SV_EXIT_OK) {
        (void) printf("%s: out of quarantine\n", poll);
    }
    return code;
}

/* The supervisor answers before it has ended: come back when it is gone. */
static int
s_stop_all(ctl_t *self)
{
    int code = s_call(self, "stop", PR_STR_NONE);
    int64_t pid = 0;
    if (code != SV_EXIT_OK) {
        return code;
    }
    const msgpack_object *told = pr_object_member(self->answer, PR_STR("pid"));
    if (!told || !pr_object_int(told, &pid)) {
        return s_fail(SV_EXIT_ENVIRONMENT, "stop", pr_error_text(PR_E_MALFORMED));
    }
    int fd = (int) syscall(SYS_pidfd_open, (pid_t) pid, 0);
    if (fd < 0) {
        return errno == ESRCH ? SV_EXIT_OK : s_fail(SV_EXIT_ENVIRONMENT, "stop", strerror(errno));
    }
    struct pollfd gone = {.fd = fd, .events = POLLIN};
    bool ended = poll(&gone, 1, (int) self->options.timeout_ms) > 0;
    (void) close(fd);
    return ended ? SV_EXIT_OK : s_fail(SV_EXIT_ENVIRONMENT, "stop", "it still runs");
}

static int
s_stop(ctl_t *self)
{
    return self->options.word_count ? s_one_child(self) : s_stop_all(self);
}

/* --- listening --- */

static int
s_send(ctl_t *self)
{
    int code = s_call(self, "status", PR_STR_NONE);
    if (code != SV_EXIT_OK) {
        return code;
    }
    const char *name = self->options.words[0];
    pr_str_t endpoint = sv_ctl_status_text(sv_ctl_status_child(self->answer, name), "endpoint");
    if (endpoint.len == 0 || endpoint.len >= SV_PATH_MAX) {
        return s_fail(SV_EXIT_ENVIRONMENT, name, "there is no such process, or it is not ready");
    }
    char dial[SV_PATH_MAX];
    (void) snprintf(dial, sizeof dial, "%.*s", PR_STR_ARG(endpoint));
    sv_ctl_talk_t talk = {self->loop, &self->options};
    return sv_ctl_talk_send(&talk, dial, self->options.words + 1, self->options.word_count - 1);
}

/* The taps of all ready children, or of the one named; returns how many. */
static size_t
s_find_taps(const ctl_t *self, const char *name, char (*taps)[SV_PATH_MAX], size_t most)
{
    const msgpack_object_array *children = sv_ctl_status_children(self->answer);
    size_t count = 0;
    for (uint32_t i = 0; children && i < children->size && count < most; i++) {
        const msgpack_object *child = &children->ptr[i];
        pr_str_t tap = sv_ctl_status_text(child, "tap");
        bool meant = !name || pr_str_equal(sv_ctl_status_text(child, "name"), pr_str(name));
        if (meant && tap.len > 0 && tap.len < SV_PATH_MAX) {
            (void) snprintf(taps[count++], SV_PATH_MAX, "%.*s", PR_STR_ARG(tap));
        }
    }
    return count;
}

/* tap, tap NAME, tap POLL, tap NAME POLL: a name of a child is no code of a poll. */
static int
s_tap(ctl_t *self)
{
    static char s_taps[PR_CHILDREN_MAX][SV_PATH_MAX];
    const char *endpoints[PR_CHILDREN_MAX];
    int code = s_call(self, "status", PR_STR_NONE);
    if (code != SV_EXIT_OK) {
        return code;
    }
    int words = self->options.word_count;
    const char *first = words > 0 ? self->options.words[0] : NULL;
    bool named = first && sv_ctl_status_child(self->answer, first);
    const char *topic = words > 1 ? self->options.words[1] : first && !named ? first : "";
    if (words > 1 && !named) {
        return s_fail(SV_EXIT_USAGE, self->options.words[0], pr_error_text(PR_E_NO_CHILD));
    }
    size_t count = s_find_taps(self, named ? first : NULL, s_taps, PR_CHILDREN_MAX);
    for (size_t i = 0; i < count; i++) {
        endpoints[i] = s_taps[i];
    }
    if (count == 0) {
        return s_fail(SV_EXIT_ENVIRONMENT, "tap", "nobody is ready");
    }
    sv_ctl_talk_t talk = {self->loop, &self->options};
    return sv_ctl_talk_watch(&talk, endpoints, count, topic);
}

static int
s_events(ctl_t *self)
{
    char endpoint[SV_PATH_MAX];
    const char *endpoints[] = {sv_paths_endpoint(self->paths, "events.sock", endpoint)};
    sv_ctl_talk_t talk = {self->loop, &self->options};
    return sv_ctl_talk_watch(&talk, endpoints, 1, "");
}

/* --- commands --- */

static const struct {
    const char *name;
    int words_least;
    int words_most;
    int (*run)(ctl_t *self);
} s_commands[] = {
    {"status", 0, 0, s_status},     {"start", 1, 1, s_one_child}, {"stop", 0, 1, s_stop},
    {"restart", 1, 1, s_one_child}, {"kill", 1, 2, s_kill},       {"events", 0, 0, s_events},
    {"drain", 1, 1, s_drain},       {"scale", 2, 2, s_scale},     {"tap", 0, 2, s_tap},
    {"send", 2, 1000, s_send},      {"release", 1, 1, s_release},
};

static int
s_run_connected(ctl_t *self, int (*run)(ctl_t *self))
{
    int code = SV_EXIT_ENVIRONMENT;
    self->loop = pr_loop_new();
    self->data = pr_buf_new(0);
    self->memory = pr_unpacked_new();
    if (!self->loop || !self->data || !self->memory) {
        (void) s_fail(code, "", "out of memory");
    } else {
        code = s_connect(self);
    }
    if (code == SV_EXIT_OK) {
        code = run(self);
    }
    sv_ctl_link_destroy(&self->supervisor);
    pr_unpacked_destroy(&self->memory);
    pr_buf_destroy(&self->data);
    pr_loop_destroy(&self->loop);
    return code;
}

static int
s_run(ctl_t *self)
{
    for (size_t i = 0; i < sizeof s_commands / sizeof s_commands[0]; i++) {
        if (strcmp(s_commands[i].name, self->options.command) != 0) {
            continue;
        }
        int words = self->options.word_count;
        if (words < s_commands[i].words_least || words > s_commands[i].words_most) {
            return s_fail(SV_EXIT_USAGE, self->options.command, "wrong arguments, see --help");
        }
        return s_run_connected(self, s_commands[i].run);
    }
    return s_fail(SV_EXIT_USAGE, self->options.command, "there is no such command, see --help");
}

/* check-config, or the state directory of everything else. */
static int
s_run_with_settings(ctl_t *self)
{
    char error[512];
    pr_config_t *config = pr_config_load(self->options.config_file, error, sizeof error);
    if (!config) {
        return s_fail(SV_EXIT_USAGE, "", error);
    }
    if (strcmp(self->options.command, "check-config") == 0) {
        (void) puts(self->options.json ? "{\"good\":true}" : "settings are good");
        pr_config_destroy(&config);
        return SV_EXIT_OK;
    }
    const char *state_dir = self->options.state_dir ? self->options.state_dir
                                                    : pr_config_text(config, PR_SET_STATE_DIR);
    int code = SV_EXIT_USAGE;
    self->paths = sv_paths_new(state_dir, error, sizeof error);
    if (self->paths) {
        code = s_run(self);
    } else {
        (void) s_fail(code, "", error);
    }
    sv_paths_destroy(&self->paths);
    pr_config_destroy(&config);
    return code;
}

int
main(int argc, char **argv)
{
    static ctl_t s_self;
    pr_log_init("rollcallctl", PR_LOG_ERROR);
    if (!sv_ctl_options_parse(argc, argv, &s_self.options)) {
        return SV_EXIT_USAGE;
    }
    if (s_self.options.help) {
        sv_ctl_options_help();
        return SV_EXIT_OK;
    }
    return s_run_with_settings(&s_self);
}
