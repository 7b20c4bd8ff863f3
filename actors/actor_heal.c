/* SPDX-License-Identifier: MIT */

/* Scripts out, answers in, and what to do when the store is not as we left it
 * (actors/recovery.h). */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/actor_body.h"
#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "proto/wire/error.h"

/* Whether the store was not as we left it. (A claim that was done is the second half of
 * something.) */
static bool
s_is_heal(ac_step_t step)
{
    return step != AC_STEP_SAVED && step != AC_STEP_OPENED && step != AC_STEP_NOT_FOUND &&
           step != AC_STEP_GONE && step != AC_STEP_REDRAW_ID && step != AC_STEP_RESEND;
}

static void
s_on_done(ac_request_t *request, const ac_answer_t *answer)
{
    ac_actor_t *self = (ac_actor_t *) ((char *) request - offsetof(ac_actor_t, request));
    ac_env_t *env = self->env;
    if (env->ops->refresh) {
        env->ops->refresh(env->arg);
    }
    pr_buf_destroy(&request->body);
    ac_finding_t finding = {
        .script = request->script,
        .aim = self->aim,
        .alive = !self->poll || env->wall_ms < ac_poll_ends_at(self->poll),
    };
    ac_recovery_read(&finding, answer, self->token, self->saved.version);
    bool is_ignored = answer->kind == AC_ANSWER_FENCED && PR_FAULT("actor.ignore_fenced");
    ac_step_t step = is_ignored ? AC_STEP_SAVED : ac_recovery_next(&finding);
    if (s_is_heal(step)) {
        env->counters.heals++;
        pr_log_warn("actor.heal", "poll=%s state=%s script=%d answer=%d step=%s", self->id,
                    ac_actor_state_name(self), (int) request->script, (int) answer->kind,
                    ac_step_name(step));
    }
    ac_actor_dispatch(self, (ac_on_t) step, &(ac_input_t) {.answer = answer});
}

static void
s_copy_rev(char *out, size_t size, pr_rev_t rev)
{
    (void) snprintf(out, size, "%s", pr_rev_format(rev).text);
}

/* All but from, to and ends_at of a root write. */
static void
s_prepare(ac_actor_t *self, ac_script_t script, ac_aim_t aim, pr_buf_t *body)
{
    PR_ASSERT(!self->request.submitted);
    pr_buf_destroy(&self->request.body);
    self->aim = aim;
    self->request = (ac_request_t) {.script = script, .body = body, .done = s_on_done};
    memcpy(self->request.poll, self->id, sizeof self->id);
    memcpy(self->request.token, self->token, sizeof self->token);
    if (script == AC_SCRIPT_CREATE) {
        pr_str_t nonce = ac_poll_nonce(self->poll);
        memcpy(self->request.nonce, nonce.ptr, nonce.len);
        self->request.ends_at = ac_poll_ends_at(self->poll);
    }
    if (script == AC_SCRIPT_WRITE) {
        s_copy_rev(self->request.from, sizeof self->request.from, self->saved);
        s_copy_rev(self->request.to, sizeof self->request.to, self->to);
    }
}

static void
s_submit(ac_actor_t *self)
{
    self->env->counters.scripts++;
    self->env->ops->submit(self->env->arg, &self->request);
}

void
ac_actor_submit(ac_actor_t *self, ac_script_t script, ac_aim_t aim, pr_buf_t *body)
{
    s_prepare(self, script, aim, body);
    s_submit(self);
}

bool
ac_actor_submit_batch(ac_actor_t *self)
{
    pr_buf_t *body = pr_buf_new(256);
    if (!body) {
        return false;
    }
    if (pr_rev_equal(self->to, self->saved)) {
        /* Only a question: the script compares the revs and never gets to the patch. */
        pr_buf_append_str(body, PR_STR("{}"));
    } else {
        ac_batch_write_stored(self->batch, &self->to, body);
    }
    if (pr_buf_failed(body)) {
        pr_buf_destroy(&body);
        return false;
    }
    ac_actor_submit(self, AC_SCRIPT_WRITE, AC_AIM_KEEP, body);
    return true;
}

bool
ac_actor_take_token(ac_actor_t *self, pr_str_t text)
{
    if (text.len == 0 || text.len >= sizeof self->token) {
        return false;
    }
    memcpy(self->token, text.ptr, text.len);
    self->token[text.len] = '\0';
    self->token_generation = strtoll(self->token, NULL, 10);
    return true;
}

AC_CELL(resend)
{
    if (!ac_actor_take_token(self, input->answer->text)) {
        return ac_cell_shut(self, input);
    }
    if (self->aim == AC_AIM_END) {
        ac_actor_submit(self, AC_SCRIPT_FINISH, AC_AIM_END, NULL);
        return self->state;
    }
    return ac_actor_submit_batch(self) ? self->state : ac_cell_reload(self, input);
}

/* The record of FENCED names ourselves: it is the token of a claim that came late. */
AC_CELL(adopt)
{
    return ac_cell_resend(self, input);
}

AC_CELL(reclaim)
{
    (void) input;
    ac_actor_submit(self, AC_SCRIPT_CLAIM, self->aim, NULL);
    return self->state;
}

/* The whole document at `to`, or NULL when out of memory. */
static pr_buf_t *
s_whole(const ac_actor_t *self)
{
    pr_buf_t *body = pr_buf_new(4096);
    if (body) {
        ac_poll_write_stored(self->poll, &self->to, body);
        if (pr_buf_failed(body)) {
            pr_buf_destroy(&body);
        }
    }
    return body;
}

/* Puts the whole document over what is there. A rev that was only to be verified gets a successor,
 * as the store's own history may have another document of that version. */
static ac_state_t
s_write_root(ac_actor_t *self, const ac_input_t *input, pr_str_t over)
{
    if (pr_rev_equal(self->to, self->saved) &&
        ac_batch_rev(self->batch, self->saved, pr_str(self->token), &self->to) != 0) {
        return ac_cell_reload(self, input);
    }
    pr_buf_t *body = s_whole(self);
    if (!body || over.len >= sizeof self->request.from) {
        pr_buf_destroy(&body);
        return ac_cell_reload(self, input);
    }
    s_prepare(self, AC_SCRIPT_WRITE, AC_AIM_KEEP, body);
    memcpy(self->request.from, over.ptr, over.len);
    self->request.from[over.len] = '\0';
    self->request.ends_at = ac_poll_ends_at(self->poll);
    s_submit(self);
    return self->state;
}

AC_CELL(root_over)
{
    return s_write_root(self, input, input->answer->text);
}

AC_CELL(root_anew)
{
    return s_write_root(self, input, PR_STR("none"));
}

AC_CELL(put_back)
{
    pr_buf_t *body = s_whole(self);
    if (!body) {
        return ac_cell_reload(self, input);
    }
    ac_actor_submit(self, AC_SCRIPT_CREATE, AC_AIM_KEEP, body);
    return self->state;
}

/* The store has got further than we, or memory ran out: what it has is what counts. */
AC_CELL(reload)
{
    (void) input;
    ac_actor_refuse_calls(self, PR_E_UNKNOWN_OUTCOME);
    for (size_t i = 0; i < ac_receivers_count(self->receivers); i++) {
        ac_receiver_t *receiver = ac_receivers_at(self->receivers, i);
        receiver->rev = receiver->known ? self->saved : (pr_rev_t) {0};
        receiver->known = false;
    }
    ac_actor_forget(self);
    ac_actor_submit(self, AC_SCRIPT_CLAIM, AC_AIM_OPEN, NULL);
    return AC_STATE_LOADING;
}
