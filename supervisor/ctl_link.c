/* SPDX-License-Identifier: MIT */

#include "supervisor/ctl_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/wire/dealer.h"
#include "proto/wire/error.h"
#include "proto/wire/limits.h"
#include "supervisor/file.h"

struct sv_ctl_link {
    pr_loop_t *loop;
    pr_dealer_t *dealer;
    sv_ctl_event_t on_event;
    void *arg;
    bool open;
    int lost; /* why the session ended, 0: it did not */
    int64_t id;
    bool answered;
    int result;
    pr_buf_t *data; /* of the caller, while a call is out */
};

static int
s_open(void *arg, const pr_msg_hello_t *hello)
{
    sv_ctl_link_t *self = arg;
    (void) hello;
    self->open = true;
    return 0;
}

static void
s_take_result(sv_ctl_link_t *self, const pr_msg_result_t *result)
{
    if (!self->data || result->id != self->id) {
        return;
    }
    self->answered = true;
    self->result = pr_error_from_name(result->code);
    msgpack_packer packer = pr_packer(self->data);
    if (result->data.object) {
        (void) msgpack_pack_object(&packer, *result->data.object);
    } else {
        (void) msgpack_pack_nil(&packer);
    }
}

static void
s_event(void *arg, const pr_event_t *event)
{
    sv_ctl_link_t *self = arg;
    if (event->type == PR_MSG_RESULT) {
        s_take_result(self, &event->result);
    } else if (event->type != PR_MSG_BEAT && self->on_event) {
        self->on_event(self->arg, event);
    }
}

static void
s_lost(void *arg, int error)
{
    sv_ctl_link_t *self = arg;
    self->open = false;
    self->lost = error ? error : PR_E_CLOSED;
}

static const pr_link_ops_t s_ops = {.open = s_open, .event = s_event, .lost = s_lost};

/* ZeroMQ dials for ever; whether anybody is there at all can be asked at once. */
static bool
s_somebody_listens(const char *endpoint)
{
    if (strncmp(endpoint, "ipc://", 6) != 0) {
        return true;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void) snprintf(address.sun_path, sizeof address.sun_path, "%s", endpoint + 6);
    bool found = fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof address) == 0;
    if (fd >= 0) {
        (void) close(fd);
    }
    return found;
}

/* Open, or it never will be. */
static bool
s_is_decided(void *arg)
{
    sv_ctl_link_t *self = arg;
    if (!self->open && !self->lost) {
        self->lost = pr_link_refusal(pr_dealer_link(self->dealer));
    }
    return self->open || self->lost;
}

static bool
s_dial(sv_ctl_link_t *self, const char *endpoint)
{
    char incarnation[PR_INCARNATION_LEN + 1];
    char identity[32];
    sv_file_random_hex(incarnation, PR_INCARNATION_LEN / 2);
    (void) snprintf(identity, sizeof identity, "ctl-%s", incarnation);
    pr_link_self_t me = {"ctl", identity, incarnation};
    self->dealer = pr_dealer_new(self->loop, endpoint, identity, &me, &s_ops, self);
    return self->dealer != NULL;
}

sv_ctl_link_t *
sv_ctl_link_new(pr_loop_t *loop,
                const char *endpoint,
                int64_t timeout_ms,
                sv_ctl_event_t on_event,
                void *arg,
                int *error)
{
    *error = PR_E_UNREACHABLE;
    if (!s_somebody_listens(endpoint)) {
        return NULL;
    }
    sv_ctl_link_t *self = calloc(1, sizeof *self);
    if (!self) {
        *error = PR_E_NOMEM;
        return NULL;
    }
    self->loop = loop;
    self->on_event = on_event;
    self->arg = arg;
    if (!s_dial(self, endpoint)) {
        sv_ctl_link_destroy(&self);
        return NULL;
    }
    bool done = pr_loop_run_until(loop, s_is_decided, self, timeout_ms);
    if (!done || !self->open) {
        *error = done ? self->lost : PR_E_TIMEOUT;
        sv_ctl_link_destroy(&self);
    }
    return self;
}

void
sv_ctl_link_destroy(sv_ctl_link_t **self_p)
{
    PR_ASSERT(self_p);
    sv_ctl_link_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_dealer_destroy(&self->dealer);
    free(self);
    *self_p = NULL;
}

int
sv_ctl_link_send(sv_ctl_link_t *self, pr_str_t packed)
{
    return pr_link_send_packed(pr_dealer_link(self->dealer), packed);
}

static bool
s_is_answered(void *arg)
{
    const sv_ctl_link_t *self = arg;
    return self->answered || !self->open;
}

int
sv_ctl_link_call(
    sv_ctl_link_t *self, const char *verb, pr_str_t args, int64_t timeout_ms, pr_buf_t *data)
{
    pr_event_t event = pr_event(PR_MSG_CALL, PR_STR(""));
    event.call.id = ++self->id;
    event.call.verb = pr_str(verb);
    event.call.args.raw = args;
    self->answered = false;
    self->data = data;
    pr_buf_clear(data);
    int error = pr_link_send(pr_dealer_link(self->dealer), &event);
    if (error == 0 && !pr_loop_run_until(self->loop, s_is_answered, self, timeout_ms)) {
        error = PR_E_TIMEOUT;
    }
    self->data = NULL;
    if (error == 0) {
        error = self->answered ? self->result : PR_E_CLOSED;
    }
    return error;
}

bool
sv_ctl_link_is_open(const sv_ctl_link_t *self)
{
    return self->open;
}
