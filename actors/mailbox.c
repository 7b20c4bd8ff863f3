/* SPDX-License-Identifier: MIT */

#include "actors/mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "proto/wire/limits.h"

struct ac_mailbox {
    ac_call_t *first;
    ac_call_t *last;
    size_t count;
    size_t bytes;
};

static pr_str_t
s_copy(char **at, pr_str_t text)
{
    if (!text.ptr) {
        return PR_STR_NONE;
    }
    pr_str_t copy = {*at, text.len};
    if (text.len) {
        memcpy(*at, text.ptr, text.len);
    }
    *at += text.len;
    return copy;
}

ac_call_t *
ac_call_new(const ac_call_t *like)
{
    size_t bytes =
        like->conn.len + like->user.len + like->id.len + like->args.len + like->nonce.len;
    /* One more: a text that is empty but not absent needs somewhere to point. */
    ac_call_t *self = malloc(sizeof *self + bytes + 1);
    if (!self) {
        return NULL;
    }
    *self = *like;
    char *at = self->text;
    self->conn = s_copy(&at, like->conn);
    self->user = s_copy(&at, like->user);
    self->id = s_copy(&at, like->id);
    self->args = s_copy(&at, like->args);
    self->nonce = s_copy(&at, like->nonce);
    self->bytes = sizeof *self + bytes;
    self->next = NULL;
    return self;
}

void
ac_call_destroy(ac_call_t **self_p)
{
    PR_ASSERT(self_p);
    if (*self_p) {
        pr_buf_destroy(&(*self_p)->words);
    }
    free(*self_p);
    *self_p = NULL;
}

ac_mailbox_t *
ac_mailbox_new(void)
{
    return calloc(1, sizeof(ac_mailbox_t));
}

void
ac_mailbox_destroy(ac_mailbox_t **self_p)
{
    PR_ASSERT(self_p);
    ac_mailbox_t *self = *self_p;
    if (!self) {
        return;
    }
    for (ac_call_t *call = ac_mailbox_pop(self); call; call = ac_mailbox_pop(self)) {
        ac_call_destroy(&call);
    }
    free(self);
    *self_p = NULL;
}

bool
ac_mailbox_is_full(const ac_mailbox_t *self, size_t bytes)
{
    return self->count >= PR_MAILBOX_COMMANDS_MAX || self->bytes + bytes > PR_MAILBOX_BYTES_MAX;
}

void
ac_mailbox_push(ac_mailbox_t *self, ac_call_t **call_p)
{
    ac_call_t *call = *call_p;
    *call_p = NULL;
    call->next = NULL;
    if (self->last) {
        self->last->next = call;
    } else {
        self->first = call;
    }
    self->last = call;
    self->count++;
    self->bytes += call->bytes;
}

const ac_call_t *
ac_mailbox_first(const ac_mailbox_t *self)
{
    return self->first;
}

ac_call_t *
ac_mailbox_pop(ac_mailbox_t *self)
{
    ac_call_t *call = self->first;
    if (call) {
        self->first = call->next;
        if (!self->first) {
            self->last = NULL;
        }
        call->next = NULL;
        self->count--;
        self->bytes -= call->bytes;
    }
    return call;
}

void
ac_mailbox_drop_gateway(ac_mailbox_t *self, uint32_t gateway)
{
    for (size_t left = self->count; left > 0; left--) {
        ac_call_t *call = ac_mailbox_pop(self);
        if (call->gateway == gateway) {
            ac_call_destroy(&call);
        } else {
            ac_mailbox_push(self, &call);
        }
    }
}

size_t
ac_mailbox_count(const ac_mailbox_t *self)
{
    return self->count;
}

int64_t
ac_mailbox_due_ms(const ac_mailbox_t *self)
{
    return self->first ? self->first->deadline_ms : INT64_MAX;
}
