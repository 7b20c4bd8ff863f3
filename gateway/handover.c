/* SPDX-License-Identifier: MIT */

#include "gateway/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "proto/base/log.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"

/* Descriptors that a datagram may have room for; we send one. */
#define FDS_MAX 4

struct gw_handover {
    pr_loop_t *loop;
    gw_handover_take_t take;
    void *arg;
    int fd;      /* takes */
    int give_fd; /* gives */
    uv_poll_t poll;
    bool watches;
    bool closed;
    char *run_dir;
    struct sockaddr_un own;
    gw_handover_counters_t counters;
};

/* A datagram: the address, then the head. */
typedef union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
} control_t;

static int
s_address(const char *run_dir, const char *name, const char *incarnation, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un) {.sun_family = AF_UNIX};
    int len =
        snprintf(out->sun_path, sizeof out->sun_path, "%s/%s-%s.fd", run_dir, name, incarnation);
    return len > 0 && len < (int) sizeof out->sun_path ? 0 : PR_E_CONFIG;
}

/* --- taking --- */

/* Finds the one descriptor; closes what is beyond it. */
static int
s_descriptor(struct msghdr *message)
{
    int found = -1;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd = -1;
            memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            if (found < 0) {
                found = fd;
            } else {
                (void) close(fd);
            }
        }
    }
    return found;
}

static bool
s_is_stream(int fd)
{
    int kind = 0;
    socklen_t len = sizeof kind;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &len) == 0 && kind == SOCK_STREAM;
}

/* Whether there may be another one. */
static bool
s_take_one(gw_handover_t *self)
{
    char head[PR_HANDOVER_HEAD_MAX];
    gw_address_t address;
    control_t control;
    struct iovec parts[] = {{&address, sizeof address}, {head, sizeof head}};
    struct msghdr message = {
        .msg_iov = parts,
        .msg_iovlen = 2,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    ssize_t len = recvmsg(self->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (len < 0) {
        return errno == EINTR;
    }
    int fd = s_descriptor(&message);
    bool whole = !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
    if (!whole || len <= (ssize_t) sizeof address || fd < 0 || !s_is_stream(fd)) {
        self->counters.malformed++;
        if (fd >= 0) {
            (void) close(fd);
        }
        return true;
    }
    self->counters.taken++;
    self->take(self->arg, fd, &address, (pr_str_t) {head, (size_t) len - sizeof address});
    return true;
}

static void
s_on_readable(uv_poll_t *handle, int status, int events)
{
    (void) status;
    (void) events;
    gw_handover_t *self = handle->data;
    for (int i = 0; i < PR_HANDOVER_TURN && s_take_one(self); i++) {
    }
}

/* --- giving --- */

int
gw_handover_give(gw_handover_t *self,
                 const char *name,
                 const char *incarnation,
                 int fd,
                 const gw_address_t *address,
                 pr_str_t head)
{
    struct sockaddr_un to;
    control_t control = {.bytes = {0}};
    struct iovec parts[] = {{(void *) (uintptr_t) address, sizeof *address},
                            {(void *) (uintptr_t) head.ptr, head.len}};
    struct msghdr message = {
        .msg_name = &to,
        .msg_namelen = sizeof to,
        .msg_iov = parts,
        .msg_iovlen = 2,
        .msg_control = &control,
        .msg_controllen = CMSG_SPACE(sizeof fd),
    };
    if (head.len > PR_HANDOVER_HEAD_MAX || s_address(self->run_dir, name, incarnation, &to) != 0) {
        return PR_E_TOO_LARGE;
    }
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(part), &fd, sizeof fd);
    if (sendmsg(self->give_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        int error = errno;
        self->counters.not_given++;
        pr_log_warn("handover.failed", "to=%s errno=%d", name, error);
        return error == EAGAIN || error == ENOBUFS ? PR_E_BUSY : PR_E_UNREACHABLE;
    }
    self->counters.given++;
    return 0;
}

const gw_handover_counters_t *
gw_handover_counters(const gw_handover_t *self)
{
    return &self->counters;
}

/* --- life --- */

static int
s_open(gw_handover_t *self, const gw_handover_options_t *options)
{
    int kind = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    self->run_dir = strdup(options->run_dir);
    self->give_fd = socket(AF_UNIX, kind, 0);
    self->fd = socket(AF_UNIX, kind, 0);
    if (!self->run_dir || self->fd < 0 || self->give_fd < 0 ||
        s_address(self->run_dir, options->name, options->incarnation, &self->own) != 0) {
        return PR_E_SYSTEM;
    }
    (void) unlink(self->own.sun_path);
    if (bind(self->fd, (const struct sockaddr *) &self->own, sizeof self->own) != 0) {
        self->own.sun_path[0] = '\0';
        return PR_E_SYSTEM;
    }
    if (uv_poll_init(pr_loop_uv(self->loop), &self->poll, self->fd) != 0) {
        return PR_E_SYSTEM;
    }
    self->poll.data = self;
    self->watches = true;
    return uv_poll_start(&self->poll, UV_READABLE, s_on_readable) == 0 ? 0 : PR_E_SYSTEM;
}

gw_handover_t *
gw_handover_new(const gw_handover_options_t *options)
{
    gw_handover_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->loop = options->loop;
    self->take = options->take;
    self->arg = options->arg;
    self->fd = -1;
    self->give_fd = -1;
    if (s_open(self, options) != 0) {
        pr_log_error("handover.open", "path=\"%s\" errno=%d", self->own.sun_path, errno);
        gw_handover_destroy(&self);
    }
    return self;
}

static void
s_on_closed(uv_handle_t *handle)
{
    gw_handover_t *self = handle->data;
    self->closed = true;
}

void
gw_handover_destroy(gw_handover_t **self_p)
{
    PR_ASSERT(self_p);
    gw_handover_t *self = *self_p;
    if (!self) {
        return;
    }
    if (self->watches) {
        uv_close((uv_handle_t *) &self->poll, s_on_closed);
        while (!self->closed) {
            (void) uv_run(pr_loop_uv(self->loop), UV_RUN_NOWAIT);
        }
    }
    if (self->own.sun_path[0]) {
        (void) unlink(self->own.sun_path);
    }
    if (self->fd >= 0) {
        (void) close(self->fd);
    }
    if (self->give_fd >= 0) {
        (void) close(self->give_fd);
    }
    free(self->run_dir);
    free(self);
    *self_p = NULL;
}
