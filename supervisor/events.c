/* SPDX-License-Identifier: MIT */

#include "supervisor/events.h"

#include <stdlib.h>

#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/zsock.h"
#include "proto/wire/message.h"

struct sv_events {
    pr_zsock_t *pub;
    pr_buf_t *packed;
};

sv_events_t *
sv_events_new(pr_loop_t *loop, const char *endpoint)
{
    sv_events_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->packed = pr_buf_new(0);
    self->pub = pr_zsock_new(loop, PR_ZSOCK_PUB, NULL, NULL, NULL);
    if (!self->packed || !self->pub || pr_zsock_bind(self->pub, endpoint) != 0) {
        sv_events_destroy(&self);
    }
    return self;
}

void
sv_events_destroy(sv_events_t **self_p)
{
    PR_ASSERT(self_p);
    sv_events_t *self = *self_p;
    if (!self) {
        return;
    }
    pr_zsock_destroy(&self->pub);
    pr_buf_destroy(&self->packed);
    free(self);
    *self_p = NULL;
}

static void
s_publish(sv_events_t *self, pr_str_t child, const char *from, const char *to, const char *why)
{
    pr_event_t event = pr_event(PR_MSG_CHILD_EVENT, PR_STR(""));
    event.child_event.child = child;
    event.child_event.from = pr_str(from);
    event.child_event.to = pr_str(to);
    event.child_event.why = pr_str(why);
    event.child_event.at_ms = pr_clock_wall_ms();
    pr_buf_clear(self->packed);
    pr_event_pack(&event, self->packed);
    if (!pr_buf_failed(self->packed)) {
        pr_str_t parts[] = {child, pr_buf_str(self->packed)};
        /* Nobody waits for it: a full queue loses it. */
        int result = pr_zsock_send(self->pub, parts, 2);
        (void) result;
    }
}

void
sv_events_tell(sv_events_t *self, const sv_member_t *member, sv_child_state_t from, const char *why)
{
    const char *name = sv_member_spec(member)->name;
    sv_child_state_t to = sv_member_state(member);
    bool bad = to == SV_CHILD_BACKOFF || to == SV_CHILD_FAILED || to == SV_CHILD_KILLING;
    int64_t ready_ms = sv_child_ready_ms(sv_member_child(member));
    pr_log(bad ? PR_LOG_WARN : PR_LOG_INFO, "child.state",
           "child=%s from=%s to=%s why=\"%s\" pid=%d ready_ms=%lld", name,
           sv_child_state_name(from), sv_child_state_name(to), why, sv_member_pid(member),
           (long long) ready_ms);
    s_publish(self, pr_str(name), sv_child_state_name(from), sv_child_state_name(to), why);
}
