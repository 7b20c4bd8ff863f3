/* SPDX-License-Identifier: MIT */

#include "tests/sim/client_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/token.h"
#include "proto/base/clock.h"
#include "tests/sim/client_private.h"
#include "tests/sim/socket_model.h"

/* --- words --- */

void
sim_client_trace(const sim_client_t *self, const char *what, pr_str_t detail)
{
    sim_trace("CLIENT %d (%.4s %s) %s %.*s", self->number, self->user, self->poll->id, what,
              PR_STR_ARG(detail));
}

static void
s_append_token(const sim_client_t *self, pr_buf_t *text)
{
    gw_token_t token = {.expires_s = self->poll->ends_at / 1000};
    memcpy(token.poll, self->poll->id, sizeof token.poll);
    memcpy(token.user, self->user, sizeof token.user);
    token.name_len = strlen(self->name);
    memcpy(token.name, self->name, token.name_len + 1);
    PR_ASSERT(gw_token_sign(sim_keys(), &token, sim_wall_ms() / 1000, text) == 0);
}

static void
s_say_connect(sim_client_t *self)
{
    pr_buf_t *text = pr_buf_new(512);
    PR_ASSERT(text);
    self->state = SIM_JOINING;
    pr_buf_append_str(text, self->lane == SIM_NATIVE
                                ? PR_STR("{\"event\":\"join\",\"data\":{\"token\":\"")
                                : PR_STR("40/polls,{\"token\":\""));
    s_append_token(self, text);
    if (self->lane == SIM_PATCHES) {
        pr_buf_append_str(text, PR_STR("\",\"updates\":\"patch"));
    } else if (self->lane == SIM_NATIVE && self->document) {
        pr_buf_append_fmt(text, "\",\"rev\":\"%s", pr_rev_format(self->rev).text);
    }
    pr_buf_append_str(text, self->lane == SIM_NATIVE ? PR_STR("\"}}") : PR_STR("\"}"));
    sim_socket_say(self->socket, pr_buf_str(text));
    pr_buf_destroy(&text);
}

void
sim_client_dance(sim_client_t *self)
{
    if (self->socket) {
        sim_socket_say(self->socket, self->lane == SIM_NATIVE
                                         ? PR_STR("{\"event\":\"dance\",\"data\":{}}")
                                         : PR_STR("42/polls,[\"dance\",{}]"));
    }
}

void
sim_client_ask(sim_client_t *self, const char *verb, json_t *args)
{
    if (!sim_client_is_in(self)) {
        json_decref(args);
        return;
    }
    self->commands = sim_grow(self->commands, self->command_count, sizeof self->commands[0]);
    sim_command_log_t *command = &self->commands[self->command_count++];
    *command = (sim_command_log_t) {
        .verb = verb,
        .args = args,
        .sent_ms = sim_now_ms(),
        .ack = ++self->acks,
        .socket = self->sockets,
    };
    char *json = args ? json_dumps(args, JSON_COMPACT) : NULL;
    long long id = (long long) command->ack;
    char text[512];
    int len = self->lane == SIM_NATIVE
                  ? snprintf(text, sizeof text, "{\"id\":%lld,\"event\":\"%s\"%s%s}", id, verb,
                             json ? ",\"data\":" : "", json ? json : "")
                  : snprintf(text, sizeof text, "42/polls,%lld[\"%s\"%s%s]", id, verb,
                             json ? "," : "", json ? json : "");
    PR_ASSERT(len > 0 && (size_t) len < sizeof text);
    sim_client_trace(self, "asks", pr_str(text));
    sim_socket_say(self->socket, pr_str(text));
    free(json);
}

/* --- coming and going --- */

static void
s_forget_socket(sim_client_t *self)
{
    self->socket = NULL;
    self->state = SIM_AWAY;
    self->left_ms = sim_now_ms();
    self->first_due = false;
    if (self->lane != SIM_NATIVE) {
        json_decref(self->document);
        self->document = NULL;
        self->rev = (pr_rev_t) {0};
    }
    sim_agenda_cancel(&self->read);
}

static void
s_come_later(sim_client_t *self)
{
    if (self->wants && !self->is_out) {
        sim_after(&self->again, sim_chance_between(&sim_scene.nature, 200, 2000) * SIM_MS);
    }
}

static void
s_closed(void *client, int code)
{
    sim_client_t *self = client;
    char text[16];
    (void) snprintf(text, sizeof text, "%d", code);
    sim_client_trace(self, "is closed", pr_str(text));
    s_forget_socket(self);
    sim_client_closed(self, code);
    s_come_later(self);
}

static void
s_message(void *client, pr_str_t text)
{
    sim_client_t *self = client;
    if (self->lane == SIM_NATIVE) {
        sim_client_hear_native(self, text);
        return;
    }
    switch (text.len ? text.ptr[0] : '\0') {
    case '0':
        s_say_connect(self);
        break;
    case '2':
        sim_socket_say(self->socket, PR_STR("3"));
        break;
    case '4':
        sim_client_hear(self, (pr_str_t) {text.ptr + 1, text.len - 1});
        break;
    default:
        sim_fail("client %d gets a packet that it does not know: %.*s", self->number,
                 PR_STR_ARG(text));
    }
}

static const sim_client_ops_t s_ops = {.message = s_message, .closed = s_closed};

static void
s_again(sim_alarm_t *alarm)
{
    sim_client_t *self = (sim_client_t *) alarm;
    size_t count = self->world->gateway_count;
    if (self->socket || !self->wants || self->is_out) {
        return;
    }
    if (!self->poll->is_created) {
        s_come_later(self); /* nobody has told it the code yet */
        return;
    }
    /* The kernel gives a connection to whoever accepts. */
    for (size_t i = 0; i < count; i++) {
        sim_process_t *gateway = self->world->gateways[((size_t) self->home + i) % count];
        if (sim_process_is_running(gateway)) {
            sim_client_trace(self, "connects to", pr_str(sim_process_name(gateway)));
            self->sockets++;
            self->state = SIM_OPENING;
            self->has_dawdled = false;
            self->socket = sim_socket_connect(gateway, self->lane == SIM_NATIVE, &s_ops, self);
            if (self->lane == SIM_NATIVE) {
                s_say_connect(self);
            }
            return;
        }
    }
    s_come_later(self);
}

void
sim_client_come(sim_client_t *self)
{
    self->wants = true;
    if (!self->socket && !self->is_out) {
        sim_after(&self->again, 0);
    }
}

void
sim_client_go(sim_client_t *self, int code)
{
    self->wants = false;
    gw_socket_t *socket = self->socket;
    if (!socket) {
        return;
    }
    sim_trace("CLIENT %d goes, code %d", self->number, code);
    if (code < 0) {
        s_forget_socket(self);
        sim_socket_vanish(socket);
        return;
    }
    if (code == 0) {
        sim_socket_say(socket, self->lane == SIM_NATIVE ? PR_STR("{\"event\":\"leave\"}")
                                                        : PR_STR("41/polls,"));
    }
    s_forget_socket(self);
    sim_socket_close(socket, code ? code : 1000);
}

void
sim_client_leave_for(sim_client_t *self, int code, int64_t for_ms)
{
    sim_client_go(self, code);
    self->wants = true;
    self->home++;
    sim_after(&self->again, for_ms * SIM_MS);
}

static void
s_read(sim_alarm_t *alarm)
{
    sim_client_t *self = (sim_client_t *) ((char *) alarm - offsetof(sim_client_t, read));
    if (self->socket) {
        sim_socket_read(self->socket, true);
    }
}

void
sim_client_dawdle(sim_client_t *self, int64_t for_ms)
{
    if (self->socket) {
        sim_trace("CLIENT %d takes nothing for %lld ms", self->number, (long long) for_ms);
        self->has_dawdled = true;
        sim_socket_read(self->socket, false);
        sim_after(&self->read, for_ms * SIM_MS);
    }
}

/* --- life --- */

sim_client_t *
sim_client_new(sim_world_t *world, sim_poll_t *poll, int number)
{
    sim_client_t *self = calloc(1, sizeof *self);
    PR_ASSERT(self);
    self->again.ring = s_again;
    self->read.ring = s_read;
    self->world = world;
    self->poll = poll;
    self->number = number;
    self->home = (int) sim_chance_below(&sim_scene.plot, SIM_GATEWAYS_MAX);
    self->lane = (sim_lane_t) sim_chance_below(&sim_scene.plot, SIM_NATIVE + 1);
    (void) snprintf(self->name, sizeof self->name, "Ünser %d", number);
    return self;
}

void
sim_client_destroy(sim_client_t **self_p)
{
    sim_client_t *self = *self_p;
    if (!self) {
        return;
    }
    sim_agenda_cancel(&self->again);
    sim_agenda_cancel(&self->read);
    for (size_t i = 0; i < self->command_count; i++) {
        json_decref(self->commands[i].args);
        json_decref(self->commands[i].data);
    }
    free(self->commands);
    json_decref(self->document);
    free(self);
    *self_p = NULL;
}

bool
sim_client_is_in(const sim_client_t *self)
{
    return self->state == SIM_JOINED;
}

bool
sim_client_is_admin(const sim_client_t *self)
{
    return strcmp(self->user, self->poll->admin) == 0;
}
