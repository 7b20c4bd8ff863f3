/* SPDX-License-Identifier: MIT */

#include "proto/poll/ballot.h"

#include <stdlib.h>

/* The ids stand one behind the other, each behind its length in one byte. */
struct pr_ballot {
    size_t count;
    char bytes[];
};

int
pr_ballot_from_msgpack(const msgpack_object *value, pr_ballot_t **out)
{
    if (value->type != MSGPACK_OBJECT_ARRAY) {
        return PR_E_MALFORMED;
    }
    const msgpack_object_array *ids = &value->via.array;
    size_t len = 0;
    for (uint32_t i = 0; i < ids->size; i++) {
        pr_str_t id = pr_object_str(&ids->ptr[i]);
        if (!id.ptr || id.len > UINT8_MAX) {
            return PR_E_MALFORMED;
        }
        len += 1 + id.len;
    }
    pr_ballot_t *self = malloc(sizeof *self + len);
    if (!self) {
        return PR_E_NOMEM;
    }
    self->count = ids->size;
    char *at = self->bytes;
    for (uint32_t i = 0; i < ids->size; i++) {
        pr_str_t id = pr_object_str(&ids->ptr[i]);
        *at++ = (char) (unsigned char) id.len;
        memcpy(at, id.ptr, id.len);
        at += id.len;
    }
    *out = self;
    return 0;
}

/* The id at `*at`, which moves behind it. */
static pr_str_t
s_next(const char **at)
{
    pr_str_t id = {*at + 1, (unsigned char) **at};
    *at += 1 + id.len;
    return id;
}

void
pr_ballot_destroy(pr_ballot_t **self_p)
{
    PR_ASSERT(self_p);
    free(*self_p);
    *self_p = NULL;
}

void
pr_ballot_pack(const pr_ballot_t *self, msgpack_packer *packer)
{
    (void) msgpack_pack_array(packer, self->count);
    const char *at = self->bytes;
    for (size_t i = 0; i < self->count; i++) {
        pr_pack_str(packer, s_next(&at));
    }
}

void
pr_ballot_write_json(const pr_ballot_t *self, pr_buf_t *out)
{
    pr_buf_append_byte(out, '[');
    const char *at = self->bytes;
    for (size_t i = 0; i < self->count; i++) {
        if (i) {
            pr_buf_append_byte(out, ',');
        }
        pr_buf_append_json(out, s_next(&at));
    }
    pr_buf_append_byte(out, ']');
}
