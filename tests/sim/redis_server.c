/* SPDX-License-Identifier: MIT */

/* The server's side: when commands arrive, whether they are run, when answers come back. */

#include <stdlib.h>
#include <string.h>

#include "proto/base/assert.h"
#include "tests/sim/loop_model.h"
#include "tests/sim/redis_private.h"

static struct {
    sim_store_t *store;
    sim_command_t *under_way;
    int64_t down_until_us;
    int64_t still_until_us;
    int64_t refuse_until_us;
    const char *refusal;
    int64_t latency_us;
} s_server;

static int64_t
s_latency_us(void)
{
    return sim_chance_between(&sim_scene.nature, 30, s_server.latency_us);
}

static int64_t
s_later(int64_t *last_us)
{
    int64_t at_us = sim_now_us() + s_latency_us();
    at_us = at_us > s_server.still_until_us ? at_us : s_server.still_until_us + s_latency_us();
    *last_us = at_us > *last_us ? at_us : *last_us;
    return *last_us;
}

static void
s_free(sim_command_t *command)
{
    sim_command_t **link = &s_server.under_way;
    while (*link != command) {
        link = &(*link)->next;
    }
    *link = command->next;
    sim_agenda_cancel(&command->due);
    pr_buf_destroy(&command->answer);
    free(command);
}

static void
s_run(sim_command_t *command)
{
    pr_buf_t *out = pr_buf_new(256);
    PR_ASSERT(out);
    if (command->argc == 1) {
        pr_buf_append_str(out, PR_STR("*1\r\n$6\r\nmaster\r\n"));
    } else if (sim_now_us() < s_server.refuse_until_us) {
        sim_trace("STORE refuses: %s", s_server.refusal);
        pr_buf_append_fmt(out, "-%s\r\n", s_server.refusal);
    } else {
        sim_store_run(s_server.store, command->argc, command->argv, out);
    }
    command->answer = out;
}

static void
s_due(sim_alarm_t *alarm)
{
    sim_command_t *command = (sim_command_t *) alarm;
    if (sim_now_us() < s_server.still_until_us) {
        sim_agenda_set(sim_scene.agenda, alarm, s_server.still_until_us);
        return;
    }
    if (!command->answer) {
        s_run(command);
        if (command->from) {
            sim_agenda_set(sim_scene.agenda, alarm, s_later(&command->from->last_down_us));
            return;
        }
    } else if (command->from) {
        pr_buf_append_str(command->from->inbox, pr_buf_str(command->answer));
        sim_loop_wake(command->from->loop);
    }
    s_free(command);
}

static sim_command_t *
s_new(size_t argc, const pr_str_t *argv)
{
    size_t bytes = 0;
    for (size_t i = 0; i < argc; i++) {
        bytes += argv[i].len;
    }
    sim_command_t *self = malloc(sizeof *self + argc * sizeof self->argv[0] + bytes);
    PR_ASSERT(self);
    *self = (sim_command_t) {.argc = argc, .due = {.ring = s_due}};
    char *at = (char *) &self->argv[argc];
    for (size_t i = 0; i < argc; i++) {
        self->argv[i] = (pr_str_t) {at, argv[i].len};
        if (argv[i].len) {
            memcpy(at, argv[i].ptr, argv[i].len);
        }
        at += argv[i].len;
    }
    return self;
}

bool
sim_redis_accepts(void)
{
    return sim_now_us() >= s_server.down_until_us && sim_now_us() >= s_server.still_until_us;
}

void
sim_redis_take(ac_redis_t *from, size_t argc, const pr_str_t *argv)
{
    sim_command_t *command = s_new(argc, argv);
    command->from = from;
    sim_command_t **link = &s_server.under_way;
    while (*link) {
        link = &(*link)->next;
    }
    *link = command;
    sim_agenda_set(sim_scene.agenda, &command->due, s_later(&from->last_up_us));
}

/* Commands were sent in order: of those that are not run yet the first ones reach the server, maybe
 * late. */
void
sim_redis_forget(const ac_redis_t *from)
{
    int64_t cut_us =
        sim_now_us() + sim_chance_between(&sim_scene.nature, 0, 2 * s_server.latency_us);
    int64_t late_us = sim_chance_percent(&sim_scene.nature, 25)
                          ? sim_chance_between(&sim_scene.nature, 0, 4000 * SIM_MS)
                          : 0;
    sim_command_t *next = NULL;
    for (sim_command_t *each = s_server.under_way; each; each = next) {
        next = each->next;
        if (each->from != from) {
            continue;
        }
        each->from = NULL;
        if (each->answer || each->due.at_us > cut_us || s_server.down_until_us > sim_now_us()) {
            s_free(each);
        } else if (late_us) {
            sim_agenda_set(sim_scene.agenda, &each->due, each->due.at_us + late_us);
        }
    }
}

/* --- faults --- */

static void
s_lose_all(void)
{
    for (ac_redis_t *each = sim_redis_list; each; each = each->next) {
        sim_redis_lose(each);
    }
}

void
sim_redis_kill(int64_t down_ms)
{
    sim_trace("STORE is killed, for %lld ms", (long long) down_ms);
    s_server.down_until_us = sim_now_us() + down_ms * SIM_MS;
    s_server.still_until_us = 0;
    s_lose_all();
}

void
sim_redis_stall(int64_t for_ms)
{
    sim_trace("STORE stands still for %lld ms", (long long) for_ms);
    int64_t until_us = sim_now_us() + for_ms * SIM_MS;
    if (until_us > s_server.still_until_us) {
        s_server.still_until_us = until_us;
    }
}

void
sim_redis_slow(int64_t latency_us)
{
    sim_trace("STORE answers within %lld us", (long long) latency_us);
    s_server.latency_us = latency_us;
}

void
sim_redis_reset(void)
{
    sim_trace("STORE loses its connections");
    s_lose_all();
}

void
sim_redis_refuse(const char *words, int64_t for_ms)
{
    s_server.refusal = words;
    s_server.refuse_until_us = sim_now_us() + for_ms * SIM_MS;
}

void
sim_redis_heal(void)
{
    s_server.down_until_us = 0;
    s_server.still_until_us = 0;
    s_server.refuse_until_us = 0;
    s_server.latency_us = 400;
    /* What is under way comes now, in its order. */
    for (sim_command_t *each = s_server.under_way; each; each = each->next) {
        sim_agenda_set(sim_scene.agenda, &each->due, 0);
    }
    for (ac_redis_t *each = sim_redis_list; each; each = each->next) {
        each->last_up_us = 0;
        each->last_down_us = 0;
    }
}

void
sim_redis_open(sim_store_t *store)
{
    memset(&s_server, 0, sizeof s_server);
    s_server.store = store;
    s_server.latency_us = 400;
}

void
sim_redis_close(void)
{
    while (s_server.under_way) {
        s_free(s_server.under_way);
    }
}
