/* SPDX-License-Identifier: MIT */

#include "supervisor/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "proto/base/assert.h"
#include "proto/base/log.h"

#define QUICK_MS 10
#define SLOW_MS 1000
#define TEXT_MAX 512

/* One connection; freed by its own close callback, so that the probe may dial anew meanwhile. */
typedef struct {
    uv_pipe_t pipe;
    uv_connect_t connecting;
    sv_probe_t *probe; /* NULL: given up */
    char in[TEXT_MAX];
    size_t in_len;
    bool open;
} dial_t;

struct sv_probe {
    pr_loop_t *loop;
    uv_timer_t *timer; /* on the heap: outlives us until its close callback */
    const sv_probe_ops_t *ops;
    void *arg;
    dial_t *dial;
    char *socket;
    char hello[TEXT_MAX]; /* AUTH and PING */
    bool running;
    bool authenticated; /* the answer to AUTH has passed */
    bool served;        /* PONG was seen since the start */
};

static const char s_ping[] = "*1\r\n$4\r\nPING\r\n";

static void
s_timer(uv_timer_t *timer);

static void
s_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void
s_hang_up(sv_probe_t *self)
{
    if (self->dial) {
        self->dial->probe = NULL;
        uv_close((uv_handle_t *) &self->dial->pipe, s_closed);
        self->dial = NULL;
    }
}

static void
s_again(sv_probe_t *self)
{
    (void) uv_timer_start(self->timer, s_timer, self->served ? SLOW_MS : QUICK_MS, 0);
}

static void
s_lost(sv_probe_t *self)
{
    s_hang_up(self);
    s_again(self);
}

/* A few bytes to a local socket: written at once or not at all. */
static void
s_say(sv_probe_t *self, const char *text)
{
    uv_buf_t out = uv_buf_init((char *) text, (unsigned) strlen(text));
    int written = uv_try_write((uv_stream_t *) &self->dial->pipe, &out, 1);
    if (written != (int) out.len) {
        s_lost(self);
    }
}

/* One line from Redis, without its end. False: the connection is gone. */
static bool
s_line(sv_probe_t *self, const char *line)
{
    if (strcmp(line, "+PONG") == 0) {
        self->served = true;
        s_again(self);
        self->ops->pong(self->arg);
    } else if (strncmp(line, "-LOADING", 8) == 0) {
        s_again(self);
        self->ops->busy(self->arg);
    } else if (strcmp(line, "+OK") == 0) {
        self->authenticated = true;
    } else {
        /* Another's Redis on our socket? It will not change its mind soon. */
        pr_log_warn("redis.answer", "text=\"%.100s\"", line);
        s_hang_up(self);
        (void) uv_timer_start(self->timer, s_timer, SLOW_MS, 0);
    }
    return self->dial != NULL;
}

static void
s_take_lines(sv_probe_t *self)
{
    dial_t *dial = self->dial;
    char *end = NULL;
    while ((end = memchr(dial->in, '\n', dial->in_len))) {
        char line[TEXT_MAX];
        size_t used = (size_t) (end - dial->in) + 1;
        memcpy(line, dial->in, used);
        line[used - 1] = '\0';
        line[strcspn(line, "\r")] = '\0';
        dial->in_len -= used;
        memmove(dial->in, dial->in + used, dial->in_len);
        if (!s_line(self, line)) {
            return;
        }
    }
    if (dial->in_len == sizeof dial->in) {
        s_lost(self);
    }
}

static void
s_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void) suggested;
    dial_t *dial = handle->data;
    *out = uv_buf_init(dial->in + dial->in_len, (unsigned) (sizeof dial->in - dial->in_len));
}

static void
s_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    (void) buf;
    dial_t *dial = stream->data;
    if (!dial->probe) {
        return;
    }
    if (len < 0) {
        s_lost(dial->probe);
        return;
    }
    dial->in_len += (size_t) len;
    s_take_lines(dial->probe);
}

static void
s_connected(uv_connect_t *request, int status)
{
    dial_t *dial = request->data;
    if (!dial->probe) {
        return;
    }
    if (status < 0 || uv_read_start((uv_stream_t *) &dial->pipe, s_allocate, s_read) != 0) {
        s_lost(dial->probe);
        return;
    }
    dial->open = true;
    s_say(dial->probe, dial->probe->hello);
}

static void
s_dial(sv_probe_t *self)
{
    dial_t *dial = calloc(1, sizeof *dial);
    if (!dial || uv_pipe_init(pr_loop_uv(self->loop), &dial->pipe, 0) != 0) {
        free(dial);
        s_again(self);
        return;
    }
    dial->pipe.data = dial;
    dial->connecting.data = dial;
    dial->probe = self;
    self->dial = dial;
    self->authenticated = false;
    uv_pipe_connect(&dial->connecting, &dial->pipe, self->socket, s_connected);
}

/* Time for the next question. An open connection that still owes an answer is left alone: the crew
 * decides when silence means a hung server. */
static void
s_timer(uv_timer_t *timer)
{
    sv_probe_t *self = timer->data;
    if (!self->running) {
        return;
    }
    if (!self->dial) {
        s_dial(self);
    } else if (self->dial->open) {
        s_say(self, self->authenticated ? s_ping : self->hello);
    }
}

static int
s_make_hello(sv_probe_t *self, const char *user, const char *password)
{
    return snprintf(self->hello, sizeof self->hello,
                    "*3\r\n$4\r\nAUTH\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n%s", strlen(user), user,
                    strlen(password), password, s_ping);
}

sv_probe_t *
sv_probe_new(pr_loop_t *loop,
             const char *socket,
             const char *user,
             const char *password,
             const sv_probe_ops_t *ops,
             void *arg)
{
    sv_probe_t *self = calloc(1, sizeof *self);
    uv_timer_t *timer = calloc(1, sizeof *timer);
    if (!self || !timer || uv_timer_init(pr_loop_uv(loop), timer) != 0) {
        free(self);
        free(timer);
        return NULL;
    }
    self->loop = loop;
    self->ops = ops;
    self->arg = arg;
    self->timer = timer;
    timer->data = self;
    self->socket = strdup(socket);
    if (!self->socket || s_make_hello(self, user, password) >= (int) sizeof self->hello) {
        sv_probe_destroy(&self);
    }
    return self;
}

static void
s_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

void
sv_probe_destroy(sv_probe_t **self_p)
{
    PR_ASSERT(self_p);
    sv_probe_t *self = *self_p;
    if (!self) {
        return;
    }
    sv_probe_stop(self);
    uv_close((uv_handle_t *) self->timer, s_timer_closed);
    free(self->socket);
    free(self);
    *self_p = NULL;
}

void
sv_probe_start(sv_probe_t *self)
{
    s_hang_up(self);
    self->running = true;
    self->served = false;
    (void) uv_timer_start(self->timer, s_timer, 0, 0);
}

void
sv_probe_stop(sv_probe_t *self)
{
    self->running = false;
    (void) uv_timer_stop(self->timer);
    s_hang_up(self);
}
