/* SPDX-License-Identifier: MIT */

#include "gateway/proxy_protocol.h"

#include <errno.h>
#include <stdlib.h>

#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "proto/wire/error.h"
#include "proto/wire/limits.h"

typedef struct wait wait_t;
struct wait {
    gw_proxy_waits_t *all;
    wait_t *prev;
    wait_t *next;
    uv_poll_t poll;
    pr_timer_t timer;
    gw_address_t client;
    int fd;
    size_t have;
    char head[GW_PROXY_HEAD_MAX];
};

struct gw_proxy_waits {
    pr_loop_t *loop;
    void (*named)(void *arg, int fd, const gw_address_t *client);
    void *arg;
    wait_t ring; /* the end of those that wait */
    size_t count;
    size_t closing; /* handles that the loop still has */
    gw_proxy_counters_t counters;
};

gw_proxy_waits_t *
gw_proxy_waits_new(pr_loop_t *loop,
                   void (*named)(void *arg, int fd, const gw_address_t *client),
                   void *arg)
{
    gw_proxy_waits_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->named = named;
    self->arg = arg;
    self->ring.prev = self->ring.next = &self->ring;
    return self;
}

static void
s_on_handle_closed(uv_handle_t *handle)
{
    wait_t *wait = handle->data;
    wait->all->closing--;
    free(wait);
}

/* Stops watching; what remains of it is freed by the loop. The descriptor is the caller's. */
static int
s_end(wait_t *wait)
{
    wait->prev->next = wait->next;
    wait->next->prev = wait->prev;
    wait->all->count--;
    wait->all->closing++;
    pr_wheel_cancel(&wait->timer);
    (void) uv_poll_stop(&wait->poll);
    uv_close((uv_handle_t *) &wait->poll, s_on_handle_closed);
    return wait->fd;
}

static void
s_drop(wait_t *wait)
{
    wait->all->counters.malformed++;
    (void) close(s_end(wait));
}

static void
s_on_late(pr_timer_t *timer)
{
    s_drop((wait_t *) ((char *) timer - offsetof(wait_t, timer)));
}

/* Takes what has come, and nothing behind the head. As gw_proxy_parse. */
static int
s_read(wait_t *wait)
{
    size_t room = sizeof wait->head - wait->have;
    ssize_t seen = recvfrom(wait->fd, wait->head + wait->have, room, MSG_PEEK, NULL, NULL);
    if (seen < 0 && (errno == EAGAIN || errno == EINTR)) {
        return PR_E_AGAIN;
    }
    if (seen <= 0) {
        return PR_E_CLOSED;
    }
    size_t used = 0;
    pr_str_t all = {wait->head, wait->have + (size_t) seen};
    int result = gw_proxy_parse(all, &used, &wait->client);
    if (result != 0 && result != PR_E_AGAIN) {
        return result;
    }
    size_t fresh = used - wait->have;
    if (recvfrom(wait->fd, wait->head + wait->have, fresh, 0, NULL, NULL) != (ssize_t) fresh) {
        return PR_E_CLOSED;
    }
    wait->have = used;
    return result;
}

static void
s_on_readable(uv_poll_t *handle, int status, int events)
{
    (void) events;
    wait_t *wait = handle->data;
    gw_proxy_waits_t *self = wait->all;
    int result = status < 0 ? PR_E_CLOSED : s_read(wait);
    if (result == PR_E_AGAIN) {
        return;
    }
    if (result != 0) {
        s_drop(wait);
        return;
    }
    self->counters.named++;
    gw_address_t client = wait->client;
    self->named(self->arg, s_end(wait), &client);
}

void
gw_proxy_waits_add(gw_proxy_waits_t *self, int fd, const gw_address_t *from)
{
    wait_t *wait = self->count < PR_PROXY_WAITING_MAX ? calloc(1, sizeof *wait) : NULL;
    if (!wait || uv_poll_init(pr_loop_uv(self->loop), &wait->poll, fd) != 0) {
        self->counters.refused++;
        free(wait);
        (void) close(fd);
        return;
    }
    wait->all = self;
    wait->fd = fd;
    wait->client = *from;
    wait->poll.data = wait;
    wait->timer.fire = s_on_late;
    wait->prev = self->ring.prev;
    wait->next = &self->ring;
    wait->prev->next = wait;
    self->ring.prev = wait;
    self->count++;
    pr_loop_arm(self->loop, &wait->timer, PR_HEADER_MS);
    (void) uv_poll_start(&wait->poll, UV_READABLE, s_on_readable);
}

void
gw_proxy_waits_destroy(gw_proxy_waits_t **self_p)
{
    PR_ASSERT(self_p);
    gw_proxy_waits_t *self = *self_p;
    if (!self) {
        return;
    }
    while (self->ring.next != &self->ring) {
        (void) close(s_end(self->ring.next));
    }
    while (self->closing > 0) {
        (void) uv_run(pr_loop_uv(self->loop), UV_RUN_NOWAIT);
    }
    free(self);
    *self_p = NULL;
}

size_t
gw_proxy_waits_count(const gw_proxy_waits_t *self)
{
    return self->count;
}

const gw_proxy_counters_t *
gw_proxy_waits_counters(const gw_proxy_waits_t *self)
{
    return &self->counters;
}
