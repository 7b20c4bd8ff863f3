/* SPDX-License-Identifier: MIT */

#include "actors/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/answer.h"
#include "actors/probe.h"
#include "proto/base/assert.h"
#include "proto/base/log.h"
#include "proto/wire/limits.h"

typedef struct {
    ac_check_t *check;
    int script;
} loader_t;

struct ac_check {
    pr_timer_t again; /* first: its address is ours */
    pr_loop_t *loop;
    ac_redis_t *redis;
    const ac_check_ops_t *ops;
    void *arg;
    bool working;   /* between start and fit, not waiting for `again` */
    bool ready;     /* between start and stop */
    size_t pending; /* answers that are still to come */
    ac_script_shas_t shas;
    bool loading[AC_SCRIPT_COUNT];
    loader_t loaders[AC_SCRIPT_COUNT];
    ac_probe_t *probe;
    char version[32];
    char run_id[48];
    char proven[48]; /* run_id of the server that has passed the probe */
};

/* --- ends of a round --- */

static void
s_retry(ac_check_t *self, pr_str_t why)
{
    if (!self->working) {
        return;
    }
    self->working = false;
    if (self->ready) {
        pr_log_warn("store.not_yet", "where=\"%s\" why=%.*s", ac_redis_where(self->redis),
                    PR_STR_ARG(why));
        pr_loop_arm(self->loop, &self->again, PR_STORE_AGAIN_MS);
    }
}

static void
s_refuse(ac_check_t *self, const char *line)
{
    if (!self->working) {
        return;
    }
    self->working = false;
    pr_log_error("store.unfit", "why=\"%s\"", line);
    ac_redis_give_up(self->redis, "cannot serve", PR_STORE_UNFIT_MS);
    if (self->ops->unfit) {
        self->ops->unfit(self->arg, line);
    }
}

/* An error instead of what a step needs. */
static void
s_failed(ac_check_t *self, const char *step, const ac_reply_t *reply)
{
    pr_str_t text = ac_reply_text(reply);
    if (ac_reply_kind(reply) == AC_REPLY_ERROR && ac_probe_is_passing(text)) {
        s_retry(self, ac_answer_code(text));
        return;
    }
    char line[768];
    (void) snprintf(line, sizeof line,
                    "the store cannot serve: %s at %s was answered with %.*s "
                    "(Rollcall needs a Redis and the rights " AC_PROBE_RIGHTS ")",
                    step, ac_redis_where(self->redis),
                    PR_STR_ARG(text.ptr ? ac_answer_code(text) : PR_STR("something else")));
    s_refuse(self, line);
}

static void
s_pass(ac_check_t *self)
{
    self->working = false;
    self->ops->fit(self->arg);
}

/* --- the probe --- */

static void
s_probed(void *arg, ac_probe_result_t result, const char *line)
{
    ac_check_t *self = arg;
    switch (result) {
    case AC_PROBE_FIT:
        memcpy(self->proven, self->run_id, sizeof self->proven);
        pr_log_info("store.fit", "where=\"%s\" version=%s", ac_redis_where(self->redis),
                    self->version);
        s_pass(self);
        break;
    case AC_PROBE_UNFIT:
        self->proven[0] = '\0';
        s_refuse(self, line);
        break;
    case AC_PROBE_AGAIN:
        s_retry(self, ac_answer_code(pr_str(line)));
        break;
    }
    ac_probe_destroy(&self->probe);
}

static void
s_scripts_loaded(ac_check_t *self)
{
    if (self->run_id[0] && strcmp(self->run_id, self->proven) == 0) {
        s_pass(self);
        return;
    }
    self->probe = ac_probe_new(self->redis, &self->shas, self->version, s_probed, self);
    if (!self->probe) {
        s_retry(self, PR_STR("nomem"));
    }
}

/* --- the scripts --- */

static bool
s_take_sha(ac_check_t *self, int script, const ac_reply_t *reply)
{
    pr_str_t sha = ac_reply_text(reply);
    if (ac_reply_kind(reply) != AC_REPLY_TEXT || sha.len != sizeof self->shas.sha[0] - 1) {
        return false;
    }
    memcpy(self->shas.sha[script], sha.ptr, sha.len);
    return true;
}

static void
s_loaded(void *arg, const ac_reply_t *reply)
{
    loader_t *loader = arg;
    ac_check_t *self = loader->check;
    self->pending--;
    self->loading[loader->script] = false;
    if (!reply) {
        s_retry(self, PR_STR("lost"));
    } else if (!s_take_sha(self, loader->script, reply)) {
        if (self->working) {
            s_failed(self, "SCRIPT LOAD", reply);
        } else {
            /* It was up: let a new connection find out what is wrong. */
            ac_redis_give_up(self->redis, "a script could not be loaded", PR_STORE_AGAIN_MAX_MS);
        }
    } else if (self->working && self->pending == 0) {
        s_scripts_loaded(self);
    }
}

static bool
s_load(ac_check_t *self, int script)
{
    const pr_str_t argv[] = {PR_STR("SCRIPT"), PR_STR("LOAD"), ac_script_text(script)};
    if (!ac_redis_send(self->redis, 3, argv, s_loaded, &self->loaders[script])) {
        return false;
    }
    self->pending++;
    self->loading[script] = true;
    return true;
}

void
ac_check_reload(ac_check_t *self, ac_script_t script)
{
    PR_ASSERT(self);
    if (!self->loading[script]) {
        (void) s_load(self, (int) script);
    }
}

/* --- who the server is --- */

/* The value of `name` (with its colon) in what INFO said. */
static void
s_info(pr_str_t info, const char *name, char *out, size_t size)
{
    out[0] = '\0';
    const char *at = info.len > 0 ? memmem(info.ptr, info.len, name, strlen(name)) : NULL;
    if (!at) {
        return;
    }
    at += strlen(name);
    size_t left = info.len - (size_t) (at - info.ptr);
    size_t len = 0;
    while (len < left && len < size - 1 && at[len] > ' ' && at[len] <= '~') {
        len++;
    }
    memcpy(out, at, len);
    out[len] = '\0';
}

/* A server that does not let us ask is probed at each connection. */
static void
s_info_answer(void *arg, const ac_reply_t *reply)
{
    ac_check_t *self = arg;
    self->pending--;
    if (!reply) {
        s_retry(self, PR_STR("lost"));
        return;
    }
    pr_str_t info = ac_reply_kind(reply) == AC_REPLY_TEXT ? ac_reply_text(reply) : PR_STR_NONE;
    s_info(info, "redis_version:", self->version, sizeof self->version);
    s_info(info, "run_id:", self->run_id, sizeof self->run_id);
    for (int i = 0; i < AC_SCRIPT_COUNT; i++) {
        if (!s_load(self, i)) {
            s_retry(self, PR_STR("nomem"));
            return;
        }
    }
}

static void
s_role_answer(void *arg, const ac_reply_t *reply)
{
    ac_check_t *self = arg;
    self->pending--;
    if (!reply) {
        s_retry(self, PR_STR("lost"));
        return;
    }
    const ac_reply_t *role = ac_reply_at(reply, 0);
    if (!role) {
        s_failed(self, "ROLE", reply);
    } else if (!pr_str_equal(ac_reply_text(role), PR_STR("master"))) {
        /* What a replica reads proves nothing. */
        self->working = false;
        ac_redis_give_up(self->redis, "not a primary", PR_STORE_AGAIN_MAX_MS);
    } else {
        const pr_str_t argv[] = {PR_STR("INFO"), PR_STR("server")};
        if (ac_redis_send(self->redis, 2, argv, s_info_answer, self)) {
            self->pending++;
        } else {
            s_retry(self, PR_STR("nomem"));
        }
    }
}

static void
s_begin(ac_check_t *self)
{
    const pr_str_t argv[] = {PR_STR("ROLE")};
    self->working = true;
    if (ac_redis_send(self->redis, 1, argv, s_role_answer, self)) {
        self->pending++;
    } else {
        s_retry(self, PR_STR("nomem"));
    }
}

static void
s_again(pr_timer_t *timer)
{
    ac_check_t *self = (ac_check_t *) timer;
    if (self->pending > 0) {
        /* Late answers of the round before would be taken for ones of the next. */
        pr_loop_arm(self->loop, timer, PR_STORE_AGAIN_MS);
        return;
    }
    s_begin(self);
}

void
ac_check_start(ac_check_t *self)
{
    PR_ASSERT(self && self->pending == 0 && !self->probe);
    self->ready = true;
    s_begin(self);
}

void
ac_check_stop(ac_check_t *self)
{
    PR_ASSERT(self && self->pending == 0);
    self->ready = false;
    self->working = false;
    pr_wheel_cancel(&self->again);
}

ac_check_t *
ac_check_new(pr_loop_t *loop, ac_redis_t *redis, const ac_check_ops_t *ops, void *arg)
{
    PR_ASSERT(loop && redis && ops && ops->fit);
    ac_check_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->again.fire = s_again;
    self->loop = loop;
    self->redis = redis;
    self->ops = ops;
    self->arg = arg;
    for (int i = 0; i < AC_SCRIPT_COUNT; i++) {
        self->loaders[i] = (loader_t) {self, i};
    }
    return self;
}

void
ac_check_destroy(ac_check_t **self_p)
{
    PR_ASSERT(self_p);
    ac_check_t *self = *self_p;
    if (!self) {
        return;
    }
    PR_ASSERT(self->pending == 0);
    pr_wheel_cancel(&self->again);
    ac_probe_destroy(&self->probe);
    free(self);
    *self_p = NULL;
}

const ac_script_shas_t *
ac_check_shas(const ac_check_t *self)
{
    return &self->shas;
}

const char *
ac_check_version(const ac_check_t *self)
{
    return self->version;
}
