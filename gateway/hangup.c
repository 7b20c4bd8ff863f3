/* SPDX-License-Identifier: MIT */

#include "gateway/hangup.h"

#include <errno.h>
#include <stdlib.h>

#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#include "proto/wire/error.h"

/* Hang-ups handled at once; more come in the next turn. */
#define TURN_EVENTS 64

struct gw_hangup {
    pr_loop_t *loop;
    void (*gone)(void *user);
    int set;
    uv_poll_t poll;
    bool closed;
};

static void
s_on_readable(uv_poll_t *handle, int status, int events)
{
    (void) status;
    (void) events;
    gw_hangup_t *self = handle->data;
    struct epoll_event found[TURN_EVENTS];
    int count = epoll_wait(self->set, found, TURN_EVENTS, 0);
    for (int i = 0; i < count; i++) {
        self->gone(found[i].data.ptr);
    }
}

gw_hangup_t *
gw_hangup_new(pr_loop_t *loop, void (*gone)(void *user))
{
    gw_hangup_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = loop;
    self->gone = gone;
    self->set = epoll_create1(EPOLL_CLOEXEC);
    if (self->set < 0 || uv_poll_init(pr_loop_uv(loop), &self->poll, self->set) != 0) {
        if (self->set >= 0) {
            (void) close(self->set);
        }
        free(self);
        return NULL;
    }
    self->poll.data = self;
    (void) uv_poll_start(&self->poll, UV_READABLE, s_on_readable);
    return self;
}

static void
s_on_closed(uv_handle_t *handle)
{
    gw_hangup_t *self = handle->data;
    self->closed = true;
}

void
gw_hangup_destroy(gw_hangup_t **self_p)
{
    PR_ASSERT(self_p);
    gw_hangup_t *self = *self_p;
    if (!self) {
        return;
    }
    uv_close((uv_handle_t *) &self->poll, s_on_closed);
    while (!self->closed) {
        (void) uv_run(pr_loop_uv(self->loop), UV_RUN_NOWAIT);
    }
    (void) close(self->set);
    free(self);
    *self_p = NULL;
}

void
gw_hangup_forget(gw_hangup_t *self, int fd)
{
    (void) epoll_ctl(self->set, EPOLL_CTL_DEL, fd, NULL);
}

int
gw_hangup_watch(gw_hangup_t *self, int fd, void *user, bool bytes)
{
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.ptr = user};
    event.events |= bytes ? EPOLLIN : 0;
    if (epoll_ctl(self->set, EPOLL_CTL_MOD, fd, &event) == 0) {
        return 0;
    }
    bool added = errno == ENOENT && epoll_ctl(self->set, EPOLL_CTL_ADD, fd, &event) == 0;
    return added ? 0 : PR_E_SYSTEM;
}
