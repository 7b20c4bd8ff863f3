/* SPDX-License-Identifier: MIT */

#include "proto/wire/value.h"

#include <stdlib.h>

#include "proto/wire/limits.h"
#include "proto/wire/msgpack_scan.h"

struct pr_unpacked {
    msgpack_zone *zone;
    msgpack_object root;
};

pr_unpacked_t *
pr_unpacked_new(void)
{
    pr_unpacked_t *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->zone = msgpack_zone_new(MSGPACK_ZONE_CHUNK_SIZE);
    if (!self->zone) {
        free(self);
        return NULL;
    }
    return self;
}

void
pr_unpacked_destroy(pr_unpacked_t **self_p)
{
    PR_ASSERT(self_p);
    pr_unpacked_t *self = *self_p;
    if (!self) {
        return;
    }
    msgpack_zone_free(self->zone);
    free(self);
    *self_p = NULL;
}

int
pr_value_unpack(pr_str_t bytes, pr_unpacked_t *memory, const msgpack_object **object)
{
    if (!pr_msgpack_is_sound(bytes)) {
        return PR_E_MALFORMED;
    }
    msgpack_zone_clear(memory->zone);
    size_t used = 0;
    msgpack_unpack_return result =
        msgpack_unpack(bytes.ptr, bytes.len, &used, memory->zone, &memory->root);
    if (result == MSGPACK_UNPACK_NOMEM_ERROR) {
        return PR_E_NOMEM;
    }
    if (result != MSGPACK_UNPACK_SUCCESS) {
        return PR_E_MALFORMED;
    }
    *object = &memory->root;
    return 0;
}

static int
s_append(void *buf, const char *data, size_t len)
{
    pr_buf_append(buf, data, len);
    return 0;
}

msgpack_packer
pr_packer(pr_buf_t *out)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, s_append);
    return packer;
}

void
pr_pack_str(msgpack_packer *packer, pr_str_t text)
{
    (void) msgpack_pack_str(packer, text.len);
    (void) msgpack_pack_str_body(packer, text.ptr ? text.ptr : "", text.len);
}

pr_str_t
pr_object_str(const msgpack_object *object)
{
    if (!object || object->type != MSGPACK_OBJECT_STR) {
        return PR_STR_NONE;
    }
    return (pr_str_t) {object->via.str.ptr ? object->via.str.ptr : "", object->via.str.size};
}

const msgpack_object *
pr_object_member(const msgpack_object *map, pr_str_t key)
{
    if (!map || map->type != MSGPACK_OBJECT_MAP) {
        return NULL;
    }
    /* The last one counts, as in JSON. */
    for (uint32_t i = map->via.map.size; i-- > 0;) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (pr_str_equal(pr_object_str(&pair->key), key)) {
            return &pair->val;
        }
    }
    return NULL;
}

bool
pr_object_int(const msgpack_object *object, int64_t *number)
{
    if (object && object->type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
        object->via.u64 <= PR_INTEGER_MAX) {
        *number = (int64_t) object->via.u64;
        return true;
    }
    if (object && object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER &&
        object->via.i64 >= -PR_INTEGER_MAX) {
        *number = object->via.i64;
        return true;
    }
    return false;
}
