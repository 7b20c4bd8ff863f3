/* SPDX-License-Identifier: MIT */

#include "actors/redis_socket.h"

#include <stdio.h>
#include <stdlib.h>

#include <uv.h>

#include "proto/base/assert.h"
#include "proto/base/fault.h"

#define READ_BYTES 65536

struct ac_redis_socket {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tcp_t tcp;
    } uv;
    uv_connect_t connect;
    uv_getaddrinfo_t lookup;
    const ac_redis_socket_ops_t *ops; /* NULL once closed */
    void *arg;
    unsigned attempt;
    /* libuv still has a pointer into this object: */
    bool looking_up;
    bool handle_open;
    char buffer[READ_BYTES];
};

typedef struct {
    uv_write_t request;
    pr_buf_t *data;
} write_t;

static void
s_free_unused(ac_redis_socket_t *self)
{
    if (!self->ops && !self->looking_up && !self->handle_open) {
        free(self);
    }
}

static void
s_closed(uv_handle_t *handle)
{
    ac_redis_socket_t *self = handle->data;
    self->handle_open = false;
    s_free_unused(self);
}

static void
s_lost(ac_redis_socket_t *self, int status)
{
    if (self->ops) {
        self->ops->lost(self->arg, status == UV_EOF ? "closed by the server" : uv_strerror(status));
    }
}

static void
s_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void) suggested;
    ac_redis_socket_t *self = handle->data;
    *buffer = uv_buf_init(self->buffer, sizeof self->buffer);
}

static void
s_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    ac_redis_socket_t *self = stream->data;
    if (!self->ops) {
        return;
    }
    if (count < 0 || PR_FAULT("redis.read")) {
        s_lost(self, count < 0 ? (int) count : UV_ECONNRESET);
    } else if (count > 0) {
        self->ops->data(self->arg, buffer->base, (size_t) count);
    }
}

static void
s_connected(uv_connect_t *request, int status)
{
    ac_redis_socket_t *self = request->data;
    if (!self->ops) {
        return;
    }
    if (status == 0) {
        status = uv_read_start(&self->uv.stream, s_alloc, s_read);
    }
    if (status != 0) {
        s_lost(self, status);
        return;
    }
    self->ops->open(self->arg);
}

static int
s_connect_tcp(ac_redis_socket_t *self, const struct sockaddr *address)
{
    int status = uv_tcp_connect(&self->connect, &self->uv.tcp, address, s_connected);
    if (status == 0) {
        (void) uv_tcp_nodelay(&self->uv.tcp, 1);
        (void) uv_tcp_keepalive(&self->uv.tcp, 1, 60);
    }
    return status;
}

static const struct addrinfo *
s_choose(const struct addrinfo *list, unsigned attempt)
{
    unsigned count = 0;
    for (const struct addrinfo *each = list; each; each = each->ai_next) {
        count++;
    }
    for (unsigned skip = count ? attempt % count : 0; skip > 0; skip--) {
        list = list->ai_next;
    }
    return list;
}

static void
s_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    ac_redis_socket_t *self = request->data;
    self->looking_up = false;
    if (!self->ops) {
        s_free_unused(self);
    } else {
        if (status == 0) {
            status = list ? s_connect_tcp(self, s_choose(list, self->attempt)->ai_addr) : UV_ENOENT;
        }
        if (status != 0) {
            s_lost(self, status);
        }
    }
    uv_freeaddrinfo(list);
}

/* Numbers are dialled at once, names are looked up in libuv's threads. */
static int
s_dial_tcp(ac_redis_socket_t *self, uv_loop_t *loop, const pr_redis_url_t *url)
{
    struct sockaddr_storage address;
    if (uv_ip4_addr(url->host, url->port, (struct sockaddr_in *) &address) == 0 ||
        uv_ip6_addr(url->host, url->port, (struct sockaddr_in6 *) &address) == 0) {
        return s_connect_tcp(self, (const struct sockaddr *) &address);
    }
    char port[8];
    (void) snprintf(port, sizeof port, "%d", url->port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    self->lookup.data = self;
    int status = uv_getaddrinfo(loop, &self->lookup, s_looked_up, url->host, port, &hints);
    self->looking_up = status == 0;
    return status;
}

ac_redis_socket_t *
ac_redis_socket_dial(pr_loop_t *loop,
                     const pr_redis_url_t *url,
                     unsigned attempt,
                     const ac_redis_socket_ops_t *ops,
                     void *arg)
{
    PR_ASSERT(loop && url && ops);
    ac_redis_socket_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    uv_loop_t *uv = pr_loop_uv(loop);
    int status =
        url->is_unix ? uv_pipe_init(uv, &self->uv.pipe, 0) : uv_tcp_init(uv, &self->uv.tcp);
    if (status != 0) {
        free(self);
        return NULL;
    }
    self->handle_open = true;
    self->uv.handle.data = self;
    self->connect.data = self;
    self->ops = ops;
    self->arg = arg;
    self->attempt = attempt;
    if (url->is_unix) {
        /* Failures of this one come to the callback. */
        uv_pipe_connect(&self->connect, &self->uv.pipe, url->host, s_connected);
    } else if (s_dial_tcp(self, uv, url) != 0) {
        ac_redis_socket_close(&self);
    }
    return self;
}

static void
s_written(uv_write_t *request, int status)
{
    write_t *write = (write_t *) request;
    ac_redis_socket_t *self = request->handle->data;
    pr_buf_destroy(&write->data);
    free(write);
    if (status < 0) {
        s_lost(self, status);
    }
}

void
ac_redis_socket_write(ac_redis_socket_t *self, pr_buf_t **data_p)
{
    PR_ASSERT(self && self->ops && data_p);
    write_t *write = calloc(1, sizeof *write);
    if (!write) {
        /* The stream has a hole now: the reader's side ends it. */
        pr_buf_destroy(data_p);
        s_lost(self, UV_ENOMEM);
        return;
    }
    write->data = *data_p;
    *data_p = NULL;
    /* libuv does not write to it. */
    uv_buf_t bytes = {(char *) (uintptr_t) pr_buf_data(write->data), pr_buf_len(write->data)};
    int status = uv_write(&write->request, &self->uv.stream, &bytes, 1, s_written);
    if (status != 0) {
        pr_buf_destroy(&write->data);
        free(write);
        s_lost(self, status);
    }
}

void
ac_redis_socket_close(ac_redis_socket_t **self_p)
{
    PR_ASSERT(self_p);
    ac_redis_socket_t *self = *self_p;
    *self_p = NULL;
    if (!self) {
        return;
    }
    self->ops = NULL;
    if (self->looking_up) {
        (void) uv_cancel((uv_req_t *) &self->lookup);
    }
    uv_close(&self->uv.handle, s_closed);
}
