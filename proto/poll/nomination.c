/* SPDX-License-Identifier: MIT */

#include "proto/poll/nomination.h"

#include <stdlib.h>

#include "proto/base/text.h"

struct pr_nomination {
    pr_text_t *user;
    pr_text_t *text;
};

int
pr_nomination_from_msgpack(const msgpack_object *value, pr_nomination_t **out)
{
    pr_str_t user = pr_object_str(pr_object_member(value, PR_STR("userID")));
    pr_str_t text = pr_object_str(pr_object_member(value, PR_STR("text")));
    if (!user.ptr || !text.ptr) {
        return PR_E_MALFORMED;
    }
    pr_nomination_t *self = calloc(1, sizeof *self);
    if (!self) {
        return PR_E_NOMEM;
    }
    self->user = pr_text_new(user);
    self->text = pr_text_new(text);
    if (!self->user || !self->text) {
        pr_nomination_destroy(&self);
        return PR_E_NOMEM;
    }
    *out = self;
    return 0;
}

void
pr_nomination_destroy(pr_nomination_t **self_p)
{
    PR_ASSERT(self_p);
    pr_nomination_t *self = *self_p;
    if (!self) {
        return;
    }
    free(self->user);
    free(self->text);
    free(self);
    *self_p = NULL;
}

void
pr_nomination_pack(const pr_nomination_t *self, msgpack_packer *packer)
{
    (void) msgpack_pack_map(packer, 2);
    pr_pack_str(packer, PR_STR("userID"));
    pr_pack_str(packer, pr_text_str(self->user));
    pr_pack_str(packer, PR_STR("text"));
    pr_pack_str(packer, pr_text_str(self->text));
}

void
pr_nomination_write_json(const pr_nomination_t *self, pr_buf_t *out)
{
    pr_buf_append_str(out, PR_STR("{\"userID\":"));
    pr_buf_append_json(out, pr_text_str(self->user));
    pr_buf_append_str(out, PR_STR(",\"text\":"));
    pr_buf_append_json(out, pr_text_str(self->text));
    pr_buf_append_byte(out, '}');
}
